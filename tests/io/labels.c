/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads, and where it may writes, the first and the last block of each of its
 * disks, and says what it sees. A disk that is not served gives errors.
 */
#include "parclose.h"

static _Alignas(4096) uint8_t block[4096];
static struct block disk;

static enum block_result try(uint64_t offset) {
  enum block_result result = block_read(&disk, offset, block, sizeof block);
  if (result != BLOCK_OK || !(disk.channel->rights & RIGHT_WRITE))
    return result;
  memset(block, 0x77, sizeof block);
  return block_write(&disk, offset, block, sizeof block);
}

static void say(const char *name) {
  struct virtio_blk_config config;
  uint64_t features;
  if (!block_open(&disk, channel(name)))
    return;
  enum block_result first = try(0), last = try(block_capacity(&disk) - sizeof block);
  bool all = first == BLOCK_OK && last == BLOCK_OK, none = first == BLOCK_ERROR && last == BLOCK_ERROR;
  if (!block_config(&disk, &config, &features))
    return;
  printf("%s: %s, %lu sectors\n", name, all ? "served" : none ? "errors" : "half", (unsigned long)config.capacity);
}

int main(void) {
  say("records");
  say("archive");
  say("numbers");
  return 0;
}

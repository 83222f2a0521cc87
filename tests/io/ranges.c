/* SPDX-License-Identifier: Apache-2.0
 *
 * What is neither a plain read nor a plain write, on the disk of each of its
 * channels; says what the server offers, and what came of each. The test looks
 * at the disks afterwards.
 */
#include "parclose.h"

#define KIB 1024u
#define PART (64 * KIB)

static struct block disk;
static _Alignas(4096) uint8_t buffer[2048 * KIB], copy[2048 * KIB];

static bool all_are(const uint8_t *bytes, size_t size, uint8_t value) {
  for (size_t i = 0; i < size; i++)
    if (bytes[i] != value)
      return false;
  return true;
}

static void say_config(const char *name) {
  struct virtio_blk_config config;
  uint64_t features;
  if (!block_config(&disk, &config, &features))
    return;
  printf("%s: %lu sectors, blocks of %u, %s, discard %u, zeroes %u\n", name, (unsigned long)config.capacity,
         config.blk_size, features >> VIRTIO_BLK_F_RO & 1 ? "read only" : "writable",
         (unsigned)(features >> VIRTIO_BLK_F_DISCARD & 1), (unsigned)(features >> VIRTIO_BLK_F_WRITE_ZEROES & 1));
}

/* 2 MiB in one call, written and read back as two requests of 1 MiB. */
static bool large(void) {
  for (size_t i = 0; i < sizeof buffer; i++)
    buffer[i] = (uint8_t)(i * 31 + i / 4096);
  return block_write(&disk, 0, buffer, sizeof buffer) == BLOCK_OK &&
         block_read(&disk, 0, copy, sizeof copy) == BLOCK_OK && memcmp(buffer, copy, sizeof copy) == 0;
}

static bool zeroes(uint64_t offset, bool unmap) {
  memset(buffer, 0x11, 3 * PART);
  return block_write(&disk, offset, buffer, 3 * PART) == BLOCK_OK &&
         block_zeroes(&disk, offset + PART, PART, unmap) == BLOCK_OK &&
         block_read(&disk, offset, copy, 3 * PART) == BLOCK_OK && all_are(copy, PART, 0x11) &&
         all_are(copy + PART, PART, 0) && all_are(copy + 2 * PART, PART, 0x11);
}

static bool discard(uint64_t offset) {
  memset(buffer, 0x22, 3 * PART);
  return block_write(&disk, offset, buffer, 3 * PART) == BLOCK_OK &&
         block_discard(&disk, offset + PART, PART) == BLOCK_OK &&
         block_read(&disk, offset, copy, 3 * PART) == BLOCK_OK && all_are(copy, PART, 0x22) &&
         all_are(copy + 2 * PART, PART, 0x22);
}

/* All of the extent but its first 4 MiB, in one request. */
static bool the_rest(void) {
  uint64_t first = 4096 * KIB;
  return block_zeroes(&disk, first, block_capacity(&disk) - first, true) == BLOCK_OK;
}

static bool through(uint64_t offset) {
  memset(buffer, 0x33, PART);
  return block_write_through(&disk, offset, buffer, PART) == BLOCK_OK;
}

static bool try(const char *name) {
  if (!block_open(&disk, channel(name)) || block_read(&disk, 0, copy, 4096) != BLOCK_OK)
    return false;
  say_config(name);
  bool good = large() && zeroes(2048 * KIB, false) && zeroes(2048 * KIB + 3 * PART, true) &&
              discard(2048 * KIB + 6 * PART) && through(0) && the_rest() && block_flush(&disk) == BLOCK_OK;
  printf("%s: %s\n", name, good ? "good" : "bad");
  return good;
}

int main(void) {
  static struct block reader;
  bool good = try("nvme");
  good &= try("virtio");
  if (!block_open(&reader, channel("archive")) || block_read(&reader, 0, copy, 4096) != BLOCK_OK)
    return 2;
  disk = reader;
  say_config("archive");
  return good ? 0 : 1;
}

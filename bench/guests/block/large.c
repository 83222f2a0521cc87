/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads of 1 MiB through the I/O partition, 8 under way. Between the marks nothing else is done.
 */
#include "large.h"

static struct block disk;
static struct block_request request[READS];

static bool read_all(void) {
  unsigned submitted = 0, finished = 0;
  COUNT_BEGIN(1);
  while (finished < READS) {
    while (submitted < READS && submitted - finished < DEPTH && block_submit(&disk, &request[submitted]))
      submitted++;
    finished += block_wait(&disk, NEVER);
  }
  COUNT_END(1);
  for (unsigned i = 0; i < READS; i++)
    if (request[i].result != BLOCK_OK)
      return false;
  return true;
}

int main(void) {
  if (!block_open(&disk, channel("disk")))
    return 2;
  for (unsigned round = 0; round < ROUNDS; round++) {
    memset(buffer, 0xa5, sizeof buffer);
    for (unsigned i = 0; i < READS; i++)
      request[i] = (struct block_request){
          .type = VIRTIO_BLK_T_IN, .size = PIECE, .offset = i * (uint64_t)PIECE, .buffer = buffer[i]};
    if (!read_all() || !all_as_written(EXTENT_START))
      return 3;
  }
  say("compared 1\n");
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads distinct blocks of 4 KiB in a random order, one at a time and with 32 under way, each into a place of its own. Between
 * the marks nothing else is done; every byte is compared afterwards. The disk holds in each 8 bytes a function of their place.
 */
#include "../measure.h"

#define BLOCK 4096u
#define BLOCKS 8192u /* of the extent */
#define REQUESTS 512u
#define DEPTH 32u
#define ROUNDS 5u
#define EXTENT_START 0x100000u

static struct block disk;
static uint8_t buffer[REQUESTS][BLOCK] __attribute__((aligned(4096)));
static uint16_t order[BLOCKS];
static uint64_t random_state = 0x2545f4914f6cdd1dull;

/* Marsaglia, "Xorshift RNGs", 2003. */
static uint64_t random_next(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

/* The first REQUESTS of `order` become distinct random blocks. */
static void shuffle(void) {
  for (unsigned i = 0; i < REQUESTS; i++) {
    unsigned other = i + (unsigned)(random_next() % (BLOCKS - i));
    uint16_t block = order[i];
    order[i] = order[other];
    order[other] = block;
  }
}

static bool read_one_by_one(void) {
  bool good = true;
  COUNT_BEGIN(1);
  for (unsigned i = 0; i < REQUESTS; i++)
    good &= block_read(&disk, order[i] * (uint64_t)BLOCK, buffer[i], BLOCK) == BLOCK_OK;
  COUNT_END(1);
  return good;
}

static struct block_request request[REQUESTS];

/* The next request takes the place of one that finished: 32 are under way but at the end. */
static bool read_many(void) {
  unsigned submitted = 0, finished = 0;
  COUNT_BEGIN(2);
  while (finished < REQUESTS) {
    while (submitted < REQUESTS && submitted - finished < DEPTH && block_submit(&disk, &request[submitted]))
      submitted++;
    finished += block_wait(&disk, NEVER);
  }
  COUNT_END(2);
  for (unsigned i = 0; i < REQUESTS; i++)
    if (request[i].result != BLOCK_OK)
      return false;
  return true;
}

static void prepare(void) {
  shuffle();
  memset(buffer, 0xa5, sizeof buffer);
  for (unsigned i = 0; i < REQUESTS; i++)
    request[i] = (struct block_request){
        .type = VIRTIO_BLK_T_IN, .size = BLOCK, .offset = order[i] * (uint64_t)BLOCK, .buffer = buffer[i]};
}

static bool all_as_written(void) {
  for (unsigned i = 0; i < REQUESTS; i++)
    for (unsigned at = 0; at < BLOCK; at += 8) {
      uint64_t place = EXTENT_START + order[i] * (uint64_t)BLOCK + at;
      if (*(uint64_t *)&buffer[i][at] != place * 0x9e3779b97f4a7c15ull)
        return false;
    }
  return true;
}

int main(void) {
  if (!block_open(&disk, channel("disk")))
    return 2;
  for (unsigned i = 0; i < BLOCKS; i++)
    order[i] = (uint16_t)i;
  for (unsigned round = 0; round < ROUNDS; round++) {
    prepare();
    if (!read_one_by_one() || !all_as_written())
      return 3;
    prepare();
    if (!read_many() || !all_as_written())
      return 4;
  }
  say("compared 1\n");
  return 0;
}

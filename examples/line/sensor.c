// SPDX-License-Identifier: Apache-2.0
// Writes records to its part of the disk, and tells the logger of each.
#include "parclose.h"
#include "record.h"
#include "turns.h"

static struct block disk;
static struct peer feed;

static bool tell_logger(uint32_t number) {
  uint64_t deadline = deadline_in_ns(60000000000);
  uint32_t answer;
  return peer_send(&feed, &number, sizeof number, deadline) == STATUS_OK &&
         peer_receive(&feed, &answer, sizeof answer, deadline) == sizeof answer && answer == number;
}

int main(void) {
  if (!block_open(&disk, channel("disk")) || !peer_open(&feed, channel("feed")))
    return 1;
  printf("my part of the disk has %llu KiB\n", (unsigned long long)block_capacity(&disk) / 1024);
  watch_turns();

  for (uint32_t number = 0; number < RECORDS; number++) {
    if (!store_record(&disk, number)) {
      printf("record %u: not on the disk as I wrote it\n", number);
      return 2;
    }
    if (!tell_logger(number)) {
      printf("record %u: no answer from the logger\n", number);
      return 3;
    }
  }
  printf("%u records written, read back and acknowledged by the logger\n", RECORDS);
  return 0;
}

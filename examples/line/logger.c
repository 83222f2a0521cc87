// SPDX-License-Identifier: Apache-2.0
// Hears of each of the sensor's records and keeps one of its own on its own part
// of the same disk.
#include "parclose.h"
#include "record.h"
#include "turns.h"

static struct block disk;
static struct peer feed;

int main(void) {
  if (!block_open(&disk, channel("disk")) || !peer_open(&feed, channel("feed")))
    return 1;
  printf("my part of the disk has %llu KiB\n", (unsigned long long)block_capacity(&disk) / 1024);
  watch_turns();

  for (uint32_t count = 0; count < RECORDS; count++) {
    uint32_t number;
    uint64_t deadline = deadline_in_ns(60000000000);
    if (peer_receive(&feed, &number, sizeof number, deadline) != sizeof number || number != count) {
      printf("waited for record %u in vain\n", count);
      return 2;
    }
    if (!store_record(&disk, number) || peer_send(&feed, &number, sizeof number, deadline) != STATUS_OK) {
      printf("record %u: not kept\n", number);
      return 3;
    }
  }
  printf("%u records heard of and kept\n", RECORDS);
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Leaves reads in flight at the end of a life: its own, its server's, or both. What of them comes late must not land in
 * memory that is in use for something else by then. The disk is slow, so that much is late.
 */
#include "hostile.h"

enum way { CLIENT, SERVER, BOTH };

#define DEEP 24u
#define SIZE 4096u
#define MARK 0xa5
#define TAKEN_NS 20000000ull  /* by then the server has given all of them to the device */
#define WATCH_NS 800000000ull /* by then the device has done all that was asked of it */
#define PATIENCE_NS 10000000000ull

static struct block disk;
static struct block_request request[DEEP];
static uint8_t buffer[DEEP][SIZE] __attribute__((aligned(SIZE)));

static void prepare(void) {
  memset(buffer, MARK, sizeof buffer);
  say("fair %d", block_write(&disk, 0, buffer, sizeof buffer));
  memset(buffer, 0, sizeof buffer);
}

static void ask(void) {
  for (unsigned i = 0; i < DEEP; i++) {
    request[i] = (struct block_request){VIRTIO_BLK_T_IN, SIZE, i * SIZE, buffer[i], BLOCK_OK};
    block_submit(&disk, &request[i]);
  }
  block_poll(&disk);
}

static void wait_for_all(void) {
  uint64_t limit = deadline_in_ns(PATIENCE_NS);
  unsigned lost = 0;
  while (disk.in_flight && clock_now() < limit)
    block_wait(&disk, limit);
  for (unsigned i = 0; i < DEEP; i++)
    lost += request[i].result == BLOCK_LOST;
  say("lost %u", lost);
  memset(buffer, 0, sizeof buffer);
}

/* Nobody has asked for anything: who writes here comes from before. */
static void watch(void) {
  uint64_t limit = deadline_in_ns(WATCH_NS);
  while (clock_now() < limit && !has_escaped) {
    for (unsigned i = 0; i < DEEP && !has_escaped; i++)
      if (buffer[i][0] || buffer[i][SIZE - 1])
        escaped("read %u landed late, in life %u", i, life());
    sleep_ns(1000000);
  }
}

static void read_again(void) {
  enum block_result result = block_read(&disk, 0, buffer, SIZE);
  say("fair %d", result == BLOCK_OK && buffer[0][0] != MARK ? 0x100 | buffer[0][0] : (int)result);
}

int main(void) {
  block_open(&disk, channel("disk"));
  if (life() == 1) {
    prepare();
    attempting("to leave %u reads in flight, way %d", DEEP, WAY);
    ask();
    if (WAY == SERVER) {
      wait_for_all();
    } else {
      sleep_ns(TAKEN_NS);
      __asm__ volatile("ud2");
    }
  }
  watch();
  if (!has_escaped)
    read_again();
  return verdict();
}

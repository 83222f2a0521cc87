/* SPDX-License-Identifier: Apache-2.0
 *
 * Batches of conversions that are empty, longer than the call page has room for, or of a life that is no life.
 */
#include "hostile_server.h"

/* One more than there is room for: where the fault record stands, which is only the manager's. */
static void fill(const struct channel_descriptor *disk) {
  struct region_descriptor data = client_region(disk, REGION_DATA);
  volatile struct convert_entry *entry = (void *)((char *)CALL_PAGE + offsetof(struct call_page, convert));
  for (unsigned i = 0; i <= LIMIT_BATCH; i++)
    entry[i] = (struct convert_entry){.address = data.address, .length = 512, .access = RIGHT_WRITE};
}

static void attack(const struct channel_descriptor *disk, uint64_t count, uint64_t client_life, enum status expected) {
  attempting("a batch of %llx, life %llx", (unsigned long long)count, (unsigned long long)client_life);
  must_be(expected, monitor_call(CALL_CONVERT, disk->index, count, client_life).status);
}

int main(void) {
  const struct channel_descriptor *disk = served("client");
  fill(disk);
  uint64_t client_life = LIVE_LIFE(state_of(disk));
  attack(disk, 0, client_life, STATUS_BAD_ARGUMENT);
  attack(disk, 0x100000000ull, client_life, STATUS_BAD_ARGUMENT);
  attack(disk, 1, client_life + 0x100000000ull, STATUS_STALE_LIFE);
  attack(disk, ~0ull, client_life, STATUS_BAD_ARGUMENT);
  attack(disk, LIMIT_BATCH + 1, client_life, STATUS_BAD_ARGUMENT);
  fair(disk);
  return verdict();
}

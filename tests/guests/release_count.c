/* SPDX-License-Identifier: Apache-2.0
 *
 * Releases more conversions than are in flight: a count below zero would be one that never ends.
 */
#include "hostile_server.h"

static void attack(const struct channel_descriptor *disk, uint64_t count) {
  attempting("to release %llx", (unsigned long long)count);
  must_be(STATUS_BAD_ARGUMENT, monitor_call(CALL_RELEASE, disk->index, count, 0).status);
  attempting("to release %llx with a signal", (unsigned long long)count);
  must_be(STATUS_BAD_ARGUMENT, monitor_call(CALL_SIGNAL, disk->index, count, 0).status);
}

int main(void) {
  const struct channel_descriptor *disk = served("client");
  fair(disk); /* and released again */
  attack(disk, 1);
  attack(disk, 0x100000000ull);
  attack(disk, ~0ull);
  return verdict();
}

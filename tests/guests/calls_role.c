/* SPDX-License-Identifier: Apache-2.0
 *
 * The calls of other roles: to assign, to start, to stop the neighbour, to read the live state, and for a guest to convert.
 * They do not exist, with sensible arguments or wild ones.
 */
#include "hostile.h"

static void attack(enum call call, uint64_t first, uint64_t second) {
  attempting("call %d with %llx, %llx", call, (unsigned long long)first, (unsigned long long)second);
  must_be(STATUS_NO_CALL, monitor_call(call, first, second, 0).status);
}

int main(void) {
  for (unsigned call = DESCRIPTOR_PAGE->role == ROLE_IO ? CALL_CHANNEL + 1 : CALL_CONVERT; call < CALL_COUNT; call++) {
    attack(call, 0, 0);
    attack(call, 2, 1);
    attack(call, ~0ull, ~0ull);
  }
  return verdict();
}

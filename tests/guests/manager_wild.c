/* SPDX-License-Identifier: Apache-2.0
 *
 * A manager that calls with numbers that no row has, that makes calls of other roles, and that stops itself. Then it does its work, as if nothing had been.
 */
#include "manager_hostile.h"

static void attack(const char *what, enum status expected, enum status found) {
  tell("{\"event\":\"attempting\",\"what\":\"%s\"}\n", what);
  tell("{\"event\":\"status\",\"expected\":%u,\"found\":%u}\n", expected, found);
}

static void attack_all(uint64_t number) {
  attack("to assign", STATUS_BAD_INDEX, monitor_call(CALL_ASSIGN, number, 0, 0).status);
  attack("to assign to", STATUS_BAD_INDEX, monitor_call(CALL_ASSIGN, 0, number, 0).status);
  attack("to start", STATUS_BAD_INDEX, monitor_call(CALL_START, number, 0, 0).status);
  attack("to stop", STATUS_BAD_INDEX, monitor_call(CALL_STOP, number, 0, 0).status);
  attack("to read a fault", STATUS_BAD_INDEX, monitor_call(CALL_FAULT, number, 0, 0).status);
  for (uint64_t what = LIVE_PARTITION; what <= LIVE_COUNT; what++)
    attack("to read a state", STATUS_BAD_INDEX, monitor_call(CALL_STATE, what, number, 0).status);
  attack("to read no state", STATUS_BAD_INDEX, monitor_call(CALL_STATE, number, 0, 0).status);
}

int main(void) {
  static const uint64_t numbers[] = {0x1000, 0xffffffff, 0x100000000, 0x8000000000000000ull, ~0ull};
  attack("to read a fault of the next row", STATUS_BAD_INDEX,
         monitor_call(CALL_FAULT, DATABASE->partitions.count, 0, 0).status);
  for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    attack_all(numbers[i]);
  for (unsigned call = CALL_CONVERT; call < CALL_COUNT; call++)
    if (call < CALL_ASSIGN || call > CALL_FAULT)
      attack("a call of another role", STATUS_NO_CALL, monitor_call((enum call)call, 0, 1, 1).status);
  attack("to stop the manager", STATUS_NOT_PERMITTED, monitor_stop(DATABASE->manager));
  attack("to start the manager", STATUS_WRONG_STATE, monitor_start(DATABASE->manager).status);
  for (uint32_t i = 0; i < DATABASE->descriptors.count; i++)
    assign(i, descriptor_row(i)->partition);
  start_all();
  watch_for_ever(0);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversions on channels where there is nothing to convert for: of another's disk, whose client this partition is (it
 * would be told where its own memory is), and of a console that it serves.
 */
#include "hostile_server.h"

static void attack(const struct channel_descriptor *end, uint32_t client_life, enum status expected) {
  static char buffer[512];
  struct convert_entry entry = {.address = (uintptr_t)buffer, .length = sizeof buffer};
  for (entry.access = RIGHT_READ; entry.access <= RIGHT_WRITE; entry.access += RIGHT_WRITE - RIGHT_READ)
    must_be(expected, convert(end, CHANNEL_LIFE(end->number, client_life), entry));
}

int main(void) {
  attack(channel("disk"), life(), STATUS_NOT_PERMITTED);
  attack(served("victim"), 1, STATUS_NO_RIGHT);
  return verdict();
}

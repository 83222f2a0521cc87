/* SPDX-License-Identifier: Apache-2.0
 *
 * A manager that makes one assignment twice.
 */
#include "manager_hostile.h"

int main(void) {
  uint32_t repeated = descriptor_of("two", "data");
  for (uint32_t i = 0; i < DATABASE->descriptors.count; i++)
    assign(i, descriptor_row(i)->partition);
  tell("{\"event\":\"attempting\",\"what\":\"to assign the data of 'two' again\"}\n");
  assign(repeated, descriptor_row(repeated)->partition);
  start_all();
  watch_for_ever(repeated);
}

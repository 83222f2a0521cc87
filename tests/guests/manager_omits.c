/* SPDX-License-Identifier: Apache-2.0
 *
 * A manager that omits one assignment: the data region of the guest "two".
 */
#include "manager_hostile.h"

int main(void) {
  uint32_t omitted = descriptor_of("two", "data");
  tell("{\"event\":\"attempting\",\"what\":\"to start 'two' without its data\"}\n");
  for (uint32_t i = 0; i < DATABASE->descriptors.count; i++)
    if (i != omitted)
      assign(i, descriptor_row(i)->partition);
  start_all();
  watch_for_ever(omitted);
}

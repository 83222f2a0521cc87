/* SPDX-License-Identifier: Apache-2.0
 *
 * A manager that swaps two assignments: the data of "one" for "two", and that of "two" for "one".
 */
#include "manager_hostile.h"

int main(void) {
  uint32_t first = descriptor_of("one", "data"), second = descriptor_of("two", "data");
  for (uint32_t i = 0; i < DATABASE->descriptors.count; i++)
    if (i != first && i != second)
      assign(i, descriptor_row(i)->partition);
  tell("{\"event\":\"attempting\",\"what\":\"to swap the data of 'one' and 'two'\"}\n");
  assign(first, descriptor_row(second)->partition);
  assign(second, descriptor_row(first)->partition);
  start_all();
  watch_for_ever(second);
}

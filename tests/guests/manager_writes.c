/* SPDX-License-Identifier: Apache-2.0
 *
 * A manager that changes the resource database: the page that it reads is the one that the monitor obeys.
 */
#include "manager_hostile.h"

int main(void) {
  uint32_t first = 0;
  for (uint32_t i = 0; i < DATABASE->descriptors.count; i++)
    assign(i, descriptor_row(i)->partition);
  tell("{\"event\":\"attempting\",\"what\":\"to write the database\"}\n");
  *(volatile uint32_t *)(DATABASE_USER_ADDRESS + DATABASE_SIZE - 8) = 0;
  tell("{\"event\":\"escaped\"}\n");
  start_all();
  watch_for_ever(first);
}

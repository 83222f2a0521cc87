/* SPDX-License-Identifier: Apache-2.0
 *
 * A manager that omits one end of a channel: the one of "two" of the channel that "one" declares.
 */
#include "manager_hostile.h"

int main(void) {
  uint32_t omitted = descriptor_of("two", "feed");
  tell("{\"event\":\"attempting\",\"what\":\"to open 'feed' with one end\"}\n");
  for (uint32_t i = 0; i < DATABASE->descriptors.count; i++)
    if (i != omitted)
      assign(i, descriptor_row(i)->partition);
  start_all();
  watch_for_ever(omitted);
}

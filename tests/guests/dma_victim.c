/* SPDX-License-Identifier: Apache-2.0
 *
 * Nobody shares this program's last page. It fills it and says when it is no longer what it was.
 */
#include "hostile.h"

#define FILL 0x5a

int main(void) {
  volatile uint8_t *page = (volatile uint8_t *)heap_end() - PAGE_SIZE;
  for (unsigned i = 0; i < PAGE_SIZE; i++)
    page[i] = FILL;
  for (;;) {
    sleep_ns(1000000);
    if (page[0] != FILL) {
      say("overwritten: %x %x instead of %x %x", page[0], page[1], FILL, FILL);
      return 0;
    }
  }
}

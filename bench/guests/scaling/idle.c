/* SPDX-License-Identifier: Apache-2.0
 *
 * One of many that are there and wait, until the measurement is over.
 */
#include "../measure.h"

int main(void) {
  const volatile uint32_t *stop = (const volatile uint32_t *)region("stop")->address;
  while (!*stop)
    wait_until(deadline_in_ns(20000000));
  return 0;
}

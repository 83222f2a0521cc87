/* SPDX-License-Identifier: Apache-2.0
 *
 * The other end: lives until it is signalled, or a while.
 */
#include "parclose.h"

int main(void) {
  wait_any_event(deadline_in_ns(1000000000));
  return 0;
}

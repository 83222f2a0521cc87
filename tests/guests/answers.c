/* SPDX-License-Identifier: Apache-2.0
 *
 * The other end: lives a little while, and ends.
 */
#include "parclose.h"

int main(void) {
  sleep_ns(15000000);
  return 0;
}

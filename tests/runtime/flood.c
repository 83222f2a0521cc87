/* SPDX-License-Identifier: Apache-2.0
 *
 * More than any buffer holds, as fast as it goes: every line must come out.
 */
#include "parclose.h"

int main(void) {
  for (int number = 0; number < 300; number++)
    printf("%05d %.*s\n", number, number % 100,
           "....................................................................."
           "..............................");
  print_flush();
  return print_lost() ? 1 : 0;
}

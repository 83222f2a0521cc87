/* SPDX-License-Identifier: Apache-2.0 */
#include "parclose.h"

int main(void) {
  const volatile char *table = (const char *)region("table")->address;
  while (table[0] != 'e') /* until the writer has been there */
    sleep_ns(1000000);
  return region("table")->rights & RIGHT_WRITE ? 1 : 0;
}

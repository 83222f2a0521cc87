// SPDX-License-Identifier: Apache-2.0
// What a guest is made of: a main that returns 0. print goes to the console
// that the layout gives this partition (here, the board's first one).
#include "parclose.h"

int main(void) {
  printf("hello from partition '%s'\n", partition_name());
  return 0;
}

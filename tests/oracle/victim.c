// SPDX-License-Identifier: Apache-2.0
#include "parclose.h"

int main(void) {
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Faults in each life but the last. The count ends with the first instruction of the next life.
 */
#include "../measure.h"

#define LIVES 60u

int main(void) {
  if (life() > LIVES)
    return 0;
  COUNT_BEGIN(14);
  __builtin_trap();
}

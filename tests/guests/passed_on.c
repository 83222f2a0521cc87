/* SPDX-License-Identifier: Apache-2.0
 *
 * No protection: a program whose words pass through an I/O partition that was tampered with.
 */
#include "parclose.h"

int main(void) {
  printf("attack at dawn\n");
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * INT n: a forged interrupt, of the timer, of a device, of a call gate of old.
 */
#include "privileged.h"

#define DEED(number)                                                                                                   \
  static void do_##number(void) {                                                                                      \
    __asm__ volatile("int $" #number : : : "memory");                                                                  \
  }

DEED(0x30)
DEED(0x80)
DEED(0xef)
DEED(0xf0)
DEED(0xff)

static const struct deed deeds[] = {
    {"int 0x30", do_0x30}, {"int 0x80", do_0x80}, {"int 0xef", do_0xef}, {"int 0xf0", do_0xf0}, {"int 0xff", do_0xff},
};

int main(void) {
  return do_all(deeds, sizeof deeds / sizeof deeds[0]);
}

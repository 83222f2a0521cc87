/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the monitor's tables stand is nobody's business (UMIP, Intel SDM 3A 2.5).
 */
#include "privileged.h"

static uint8_t place[16];

#define DEED(instruction)                                                                                              \
  static void do_##instruction(void) {                                                                                 \
    __asm__ volatile(#instruction " %0" : "=m"(place));                                                                \
  }

DEED(sgdt)
DEED(sidt)
DEED(sldt)
DEED(str)
DEED(smsw)

static const struct deed deeds[] = {
    {"sgdt", do_sgdt}, {"sidt", do_sidt}, {"sldt", do_sldt}, {"str", do_str}, {"smsw", do_smsw},
};

int main(void) {
  return do_all(deeds, sizeof deeds / sizeof deeds[0]);
}

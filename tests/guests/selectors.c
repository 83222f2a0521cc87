/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads the monitor's segment selectors. The selector stands in the error code (Intel SDM 3A, 6.13).
 */
#include "privileged.h"

static void load_code(void) {
  __asm__ volatile("mov %0, %%ds; mov %1, %%ds" : : "r"(0x08), "r"(0));
}

static void load_stack(void) {
  __asm__ volatile("mov %0, %%es; mov %1, %%es" : : "r"(0x10), "r"(0));
}

static const struct deed deeds[] = {{"ds = 8", load_code}, {"es = 0x10", load_stack}};

int main(void) {
  return do_all(deeds, sizeof deeds / sizeof deeds[0]);
}

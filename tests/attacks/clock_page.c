/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks for anything of the monitor's behind the clock, in the page that the monitor shows to all.
 */
#include "parclose.h"

int main(void) {
  const uint64_t *word = (const uint64_t *)CLOCK_PAGE_ADDRESS;
  unsigned found = 0;
  for (unsigned i = 2; i < PAGE_SIZE / sizeof *word; i++)
    found += word[i] != 0;
  printf("words behind the clock: %u, the clock runs at %llu\n", found, (unsigned long long)word[0]);
  return found != 0;
}

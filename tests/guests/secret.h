/* SPDX-License-Identifier: Apache-2.0
 *
 * What the holder keeps in its registers, and how a spy waits for a switch.
 */
#ifndef SECRET_H
#define SECRET_H

#include "parclose.h"

#define SECRET 0x5ec2e75ec2e75ec2ull
#define SECRET_BASE 0x00005ec2e75ec2e0ull
#define SECRET_MXCSR 0xff80u     /* rounds towards zero, flushes to zero */
#define SECRET_FLAGS 0x240400ull /* identification, alignment, direction */
#define SWITCHES 12u

/* The holder counts here while it runs. So a count that is not the one just read means that it had the processor. */
#define BEAT ((volatile uint64_t *)REGION_ADDRESS)

static inline void until_switched(void) {
  uint64_t seen = *BEAT;
  while (*BEAT == seen)
    ;
}

#endif

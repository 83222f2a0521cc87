/* SPDX-License-Identifier: Apache-2.0
 *
 * The frames in which the attacker comes first with a budget, and then the victim; after that a frame of the attacker's own.
 */
#ifndef THEFT_H
#define THEFT_H

#include "hostile.h"

#define FRAME_NS 200000u
#define BUDGET_NS 20000u
#define MONITOR_NS                                                                                                     \
  1500u /* what entries, switches and interrupts cost in a frame, and the victim's last step before them */
#define SAMPLES 60u

#endif

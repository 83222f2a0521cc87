/* SPDX-License-Identifier: Apache-2.0
 *
 * A frame of the attacker's own, and then those in which it comes first with a budget, and then the victim.
 */
#ifndef THEFT_H
#define THEFT_H

#include "hostile.h"

#define FRAME_NS 200000u
#define BUDGET_NS 20000u
#define SAMPLES 60u

#endif

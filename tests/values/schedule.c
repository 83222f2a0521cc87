/* SPDX-License-Identifier: Apache-2.0
 *
 * For Frama-C's EVA: a turn from any state that keeps what schedule.c promises (slots of the frame, a bit for each), any times,
 * budgets and states of partitions.
 */
#include "plain.h"

#include "../../monitor_asm/schedule.h"

#define COUNT 3u

static struct partition all[COUNT];
static struct place places[LIMIT_SLOTS];
static struct minor_frame frame;
static struct turn turn;

static void any_state(void) {
  Frama_C_make_unknown((char *)all, sizeof all);
  Frama_C_make_unknown((char *)&turn, sizeof turn);
  turn.ready = NOBODY_READY | Frama_C_unsigned_int_interval(0, NOBODY_READY - 1);
  turn.manager = &all[0];
  turn.slot = Frama_C_unsigned_int_interval(0, LIMIT_SLOTS - 1);
  turn.frame = &frame;
  for (unsigned slot = 0; slot < LIMIT_SLOTS; slot++) {
    places[slot].partition = &all[Frama_C_unsigned_int_interval(0, COUNT - 1)];
    places[slot].budget = any_number();
    places[slot].places = (uint32_t)Frama_C_unsigned_int_interval(0, NOBODY_READY - 1);
    turn.partition[slot] = &all[Frama_C_unsigned_int_interval(0, COUNT - 1)];
  }
  turn.partition[LIMIT_SLOTS] = NULL;
}

void any(void) {
  for (unsigned count = 1; count <= LIMIT_SLOTS; count++) {
    any_state();
    frame =
        (struct minor_frame){&frame, places, any_number(), count, Frama_C_unsigned_int_interval(0, NOBODY_READY - 1)};
    if (Frama_C_interval(0, 1))
      turn_begin(&turn, &frame, any_number());
    else
      turn_scan(&turn, any_number());
    if (Frama_C_interval(0, 1))
      turn_charge(&turn, any_number());
    uint64_t until;
    turn_take(&turn, any_number(), &until);
    /*@ assert turn.slot <= LIMIT_SLOTS; */
    turn_pass(&turn, &all[1], &all[2], any_number());
    /*@ assert turn.slot <= LIMIT_SLOTS; */
  }
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Minor frames in turn. In a frame the first listed partition that is ready runs, within its budget; the next uses what
 * it leaves. Frame starts do not drift: each frame ends at the end of the one before plus its length.
 */
#include "schedule.h"
#include "instructions.h"
#include "monitor.h"
#include "timer.h"

static struct place places[LIMIT_PLACES];
static struct minor_frame frames[LIMIT_FRAMES];

/* Usually one step. After a pause of the whole machine the frames that nobody saw are passed over, a frame a step. */
static inline void frame_next(struct turn *turn, uint64_t now) {
  do
    turn_begin(turn, turn->frame->next, now);
  while (__builtin_expect(turn->frame_end <= now, 0));
}

/* Give the processor to whoever has the turn. The timer may be set already, if it has not gone off. */
static inline void run(struct cpu *cpu, uint64_t now, bool anew) {
  uint64_t until;
  struct partition *next = cpu->turn.partition[turn_take(&cpu->turn, now, &until)];
  if (anew || cpu->armed != until)
    timer_arm(now, until);
  if (next == NULL) { /* only LIMIT_SLOTS has nobody */
    cpu->idle = 1;
    wait_for_interrupt();
  }
  partition_load(next);
}

__attribute__((noinline)) static void within_frame(struct cpu *cpu, uint64_t now) {
  turn_charge(&cpu->turn, now);
  turn_scan(&cpu->turn, now);
  run(cpu, now, true);
}

void schedule(void) {
  uint64_t now = read_tsc();
  if (now >= CPU->turn.frame_end) {
    frame_next(&CPU->turn, now);
    run(CPU, now, true);
  } else {
    within_frame(CPU, now);
  }
}

void schedule_waits(const struct partition *caller) {
  struct cpu *cpu = CPU;
  struct turn *turn = &cpu->turn;
  uint64_t now = read_tsc();
  if (turn->uncertain || now >= turn->wake || now >= caller->deadline) {
    schedule();
    return;
  }
  turn_charge(turn, now);
  turn->ready &= ~caller->places;
  if (caller->deadline < turn->wake)
    turn->wake = caller->deadline;
  run(cpu, now, false);
}

/* The manager keeps a place that it was lent until it waits, even if the owner has begun its next life. */
void schedule_woken(void) {
  struct cpu *cpu = CPU;
  struct turn *turn = &cpu->turn;
  if (turn->uncertain) {
    turn_scan(turn, read_tsc());
    turn_uncertain(turn);
  }
  if ((turn->ready & ((1u << turn->slot) - 1)) == 0)
    return;
  uint64_t now = read_tsc();
  if (now >= turn->wake) {
    schedule();
    return;
  }
  turn_charge(turn, now);
  run(cpu, now, false);
}

void schedule_changed(void) {
  turn_uncertain(&CPU->turn);
}

void schedule_give_up(void) {
  struct turn *turn = &CPU->turn;
  turn->remaining[turn->slot] = 0;
  turn->funded &= ~(1u << turn->slot);
}

/* Bit s: slot s is the partition's. */
static uint32_t places_of(const struct slot_row *slot, uint32_t count, uint32_t partition) {
  uint32_t bits = 0;
  for (uint32_t s = 0; s < count; s++)
    bits |= (uint32_t)(slot[s].partition == partition) << s;
  return bits;
}

/* Frames and slots in ticks: known only now that the clock has been measured. */
static void prepare_frames(const struct processor_row *processor) {
  const struct frame_row *row = TABLE(frames, frame_row) + processor->first_frame;
  uint32_t used = 0;
  ASSERT(processor->frame_count != 0 && processor->frame_count <= LIMIT_FRAMES);
  for (uint32_t i = 0; i < processor->frame_count; i++, row++) {
    const struct slot_row *slot = TABLE(slots, slot_row) + row->first_slot;
    ASSERT(row->slot_count - 1 < LIMIT_SLOTS && used + row->slot_count <= LIMIT_PLACES);
    frames[i] = (struct minor_frame){&frames[i + 1], &places[used], timer_ticks(row->length_ns), row->slot_count, 0};
    for (uint32_t s = 0; s < row->slot_count; s++, used++) {
      ASSERT(slot[s].partition < DATABASE->partitions.count);
      places[used] = (struct place){&partitions[slot[s].partition],
                                    slot[s].budget_ns == 0 ? UNBOUNDED : timer_ticks(slot[s].budget_ns),
                                    places_of(slot, row->slot_count, slot[s].partition)};
      frames[i].unbounded |= (uint32_t)(slot[s].budget_ns == 0) << s;
    }
  }
  frames[processor->frame_count - 1].next = frames;
}

void schedule_start(void) {
  struct cpu *cpu = CPU;
  prepare_frames(TABLE(processors, processor_row));
  uint64_t now = read_tsc();
  cpu->turn.frame_end = now;
  cpu->turn.slot = LIMIT_SLOTS;
  cpu->turn.manager = &partitions[DATABASE->manager];
  cpu->turn.remaining[LIMIT_SLOTS] = UNBOUNDED;
  cpu->turn.ways = timer_ticks(COST_TURN);
  turn_begin(&cpu->turn, frames, now);
  run(cpu, now, true);
}

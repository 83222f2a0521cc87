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
static inline void frame_next(struct cpu *cpu, uint64_t now) {
  struct turn *turn = &cpu->turn;
  do
    turn_begin(turn, turn->frame == cpu->last_frame ? frames : turn->frame + 1, now);
  while (__builtin_expect(turn->frame_end <= now, 0));
}

__attribute__((noinline)) static void look_again(struct turn *turn, uint64_t now) {
  turn_scan(turn, now);
}

static void idle(struct cpu *cpu) {
  cpu->idle = 1;
  wait_for_interrupt();
}

/* Give the processor to whoever has the turn. */
static inline void run(struct cpu *cpu, uint64_t now) {
  struct turn *turn = &cpu->turn;
  uint64_t until = turn_take(turn, now);
  struct partition *next = turn->partition[turn->slot];
  timer_arm(now, until);
  if (__builtin_expect(next == NULL, 0)) /* only LIMIT_SLOTS has nobody */
    idle(cpu);
  partition_load(next);
}

void schedule(uint64_t now) {
  struct cpu *cpu = CPU;
  if (now >= cpu->turn.frame_end) {
    frame_next(cpu, now);
  } else {
    turn_charge(&cpu->turn, now);
    look_again(&cpu->turn, now);
  }
  run(cpu, now);
}

/* The short way: somebody else of the frame is ready, neither's time is counted, and the timer is set already for the first
   moment at which anything can change. */
static inline bool hand_over(struct cpu *cpu, const struct partition *caller) {
  struct turn *turn = &cpu->turn;
  uint32_t ready = turn->ready & ~caller->places;
  if (turn->uncertain || ready == NOBODY_READY || caller->deadline < turn->wake || cpu->armed != turn->wake)
    return false;
  uint32_t slot = (uint32_t)__builtin_ctz(ready);
  if ((turn->remaining[turn->slot] & turn->remaining[slot]) != UNBOUNDED)
    return false;
  turn->ready = ready;
  turn->slot = slot;
  partition_load(turn->partition[slot]);
  return true;
}

void schedule_waits(const struct partition *caller) {
  struct cpu *cpu = CPU;
  struct turn *turn = &cpu->turn;
  if (hand_over(cpu, caller))
    return;
  uint64_t now = read_tsc();
  if (turn->uncertain || now >= turn->wake || now >= caller->deadline) {
    schedule(now);
    return;
  }
  turn_charge(turn, now);
  turn->ready &= ~caller->places;
  if (caller->deadline < turn->wake)
    turn->wake = caller->deadline;
  run(cpu, now);
}

/* The manager keeps a place that it was lent until it waits, even if the owner has begun its next life. */
void schedule_woken(void) {
  struct cpu *cpu = CPU;
  struct turn *turn = &cpu->turn;
  if (turn->uncertain) {
    look_again(turn, read_tsc());
    turn->uncertain = true;
  }
  if ((turn->ready & ((1u << turn->slot) - 1)) == 0)
    return;
  uint64_t now = read_tsc();
  if (now >= turn->wake) {
    schedule(now);
    return;
  }
  turn_charge(turn, now);
  run(cpu, now);
}

void schedule_changed(void) {
  CPU->turn.uncertain = true;
}

void schedule_give_up(void) {
  struct turn *turn = &CPU->turn;
  turn->remaining[turn->slot] = 0;
  turn->funded &= ~(1u << turn->slot);
}

/* Frames and slots in ticks: known only now that the clock has been measured. */
static void prepare_frames(const struct processor_row *processor) {
  const struct frame_row *row = TABLE(frames, frame_row) + processor->first_frame;
  uint32_t used = 0;
  ASSERT(processor->frame_count != 0 && processor->frame_count <= LIMIT_FRAMES);
  for (uint32_t i = 0; i < processor->frame_count; i++, row++) {
    const struct slot_row *slot = TABLE(slots, slot_row) + row->first_slot;
    ASSERT(row->slot_count <= LIMIT_SLOTS && used + row->slot_count <= LIMIT_PLACES);
    frames[i] = (struct minor_frame){&places[used], timer_ticks(row->length_ns), row->slot_count};
    for (uint32_t s = 0; s < row->slot_count; s++, slot++, used++) {
      ASSERT(slot->partition < DATABASE->partitions.count);
      places[used].partition = &partitions[slot->partition];
      places[used].budget = slot->budget_ns == 0 ? UNBOUNDED : timer_ticks(slot->budget_ns);
    }
  }
}

void schedule_start(void) {
  struct cpu *cpu = CPU;
  const struct processor_row *processor = TABLE(processors, processor_row);
  prepare_frames(processor);
  cpu->last_frame = &frames[processor->frame_count - 1];
  uint64_t now = read_tsc();
  cpu->turn.frame_end = now;
  cpu->turn.slot = LIMIT_SLOTS;
  cpu->turn.manager = &partitions[DATABASE->manager];
  cpu->turn.remaining[LIMIT_SLOTS] = UNBOUNDED;
  turn_begin(&cpu->turn, frames, now);
  run(cpu, now);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Minor frames in turn. In a frame the first listed partition that is ready runs, within its budget; the next uses what
 * it leaves. Where a listed partition has stopped, the manager may use its place. Frame starts do not drift: each
 * ends at the end of the one before plus its length.
 */
#include "instructions.h"
#include "monitor.h"

static bool is_ready(const struct partition *state, uint64_t now) {
  switch (LIVE_STATE(atomic_load_explicit(&state->live, memory_order_relaxed))) {
  case PARTITION_RUNNING:
    return true;
  case PARTITION_WAITING:
    return atomic_load_explicit(&state->pending, memory_order_relaxed) != 0 || state->deadline <= now;
  default:
    return false;
  }
}

static uint64_t earlier_of(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

/* Pure: it is tested on the host too. */
struct choice schedule_choose(const struct cpu *cpu, struct partition *states, uint32_t manager, uint64_t now) {
  uint64_t until = cpu->frame_end;
  for (uint32_t slot = 0; slot < cpu->slot_count; slot++) {
    if (cpu->remaining[slot] == 0)
      continue;
    uint32_t partition = cpu->slots[slot].partition;
    if (!is_running(&states[partition]))
      partition = manager;
    const struct partition *state = &states[partition];
    if (is_ready(state, now)) {
      uint64_t left = cpu->remaining[slot];
      return (struct choice){partition, slot, left < until - now ? now + left : until};
    }
    if (is_running(state))
      until = earlier_of(until, state->deadline);
  }
  return (struct choice){NONE, cpu->slot_count, until};
}

/* The running slot pays for what it used. A slot without a budget starts with more than a frame can hold. */
static void charge(struct cpu *cpu, uint64_t now) {
  if (cpu->slot >= cpu->slot_count)
    return;
  uint64_t used = now - cpu->slice_start;
  uint64_t *left = &cpu->remaining[cpu->slot];
  *left = *left > used ? *left - used : 0;
}

static void frame_enter(struct cpu *cpu, uint64_t length) {
  const struct frame_row *frame = &cpu->frames[cpu->frame];
  cpu->slots = TABLE(slots, slot_row) + frame->first_slot;
  cpu->slot_count = frame->slot_count;
  cpu->frame_end += length;
  for (uint32_t slot = 0; slot < cpu->slot_count; slot++) {
    uint64_t budget = cpu->slots[slot].budget_ns;
    cpu->remaining[slot] = budget == 0 ? UINT64_MAX : timer_ticks(budget);
  }
}

/* Usually one step. After a pause of the whole machine the frames that nobody saw are passed over, a frame a step. */
static void frame_next(struct cpu *cpu, uint64_t now) {
  do {
    cpu->frame = cpu->frame + 1 == cpu->frame_count ? 0 : cpu->frame + 1;
    frame_enter(cpu, timer_ticks(cpu->frames[cpu->frame].length_ns));
  } while (cpu->frame_end <= now);
}

void schedule(uint64_t now) {
  struct cpu *cpu = CPU;
  charge(cpu, now);
  if (now >= cpu->frame_end)
    frame_next(cpu, now);
  struct choice choice = schedule_choose(cpu, partitions, DATABASE->manager, now);
  cpu->slot = choice.slot;
  cpu->slice_start = now;
  cpu->running = choice.partition;
  timer_arm(now, choice.until);
  if (choice.partition == NONE)
    wait_for_interrupt();
  partition_load(choice.partition);
}

void schedule_if_earlier(uint32_t partition) {
  const struct cpu *cpu = CPU;
  for (uint32_t slot = 0; slot < cpu->slot; slot++)
    if (cpu->slots[slot].partition == partition) {
      schedule(read_tsc());
      return;
    }
}

void schedule_give_up(void) {
  struct cpu *cpu = CPU;
  cpu->remaining[cpu->slot] = 0;
}

void schedule_start(void) {
  struct cpu *cpu = CPU;
  const struct processor_row *processor = TABLE(processors, processor_row);
  cpu->frames = TABLE(frames, frame_row) + processor->first_frame;
  cpu->frame_count = processor->frame_count;
  cpu->frame = 0;
  uint64_t now = read_tsc();
  cpu->frame_end = now;
  frame_enter(cpu, timer_ticks(cpu->frames[0].length_ns));
  cpu->slot = cpu->slot_count;
  schedule(now);
}

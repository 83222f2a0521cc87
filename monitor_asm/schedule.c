/* SPDX-License-Identifier: Apache-2.0
 *
 * Minor frames in turn. In a frame the first listed partition that is ready runs, within its budget; the next uses what
 * it leaves. Frame starts do not drift: each frame ends at the end of the one before plus its length.
 */
#include "schedule.h"
#include "instructions.h"
#include "monitor.h"
#include "timer.h"

/* The running slot pays for what it used. A slot without a budget starts with more than a frame can hold. */
static void charge(struct cpu *cpu, uint64_t now) {
  if (cpu->slot >= cpu->slot_count)
    return;
  uint64_t used = now - cpu->slice_start;
  uint64_t *left = &cpu->remaining[cpu->slot];
  *left = *left > used ? *left - used : 0;
}

static void frame_enter(struct cpu *cpu, uint32_t index) {
  const struct frame_row *frame = &cpu->frames[index];
  const struct slot_row *slots = TABLE(slots, slot_row) + frame->first_slot;
  uint32_t count = frame->slot_count;
  cpu->frame = index;
  cpu->slots = slots;
  cpu->slot_count = count;
  cpu->frame_end += cpu->frame_ticks[index];
  for (uint32_t slot = 0; slot < count; slot++)
    cpu->remaining[slot] = slots[slot].budget_ns == 0 ? UINT64_MAX : timer_ticks(slots[slot].budget_ns);
}

/* Usually one step. After a pause of the whole machine the frames that nobody saw are passed over, a frame a step. */
static void frame_next(struct cpu *cpu, uint64_t now) {
  do {
    uint32_t next = cpu->frame + 1;
    frame_enter(cpu, next == cpu->frame_count ? 0 : next);
  } while (__builtin_expect(cpu->frame_end <= now, 0));
}

void schedule(uint64_t now) {
  struct cpu *cpu = CPU;
  if (now >= cpu->frame_end)
    frame_next(cpu, now);
  else
    charge(cpu, now);
  struct choice choice = schedule_choose(cpu, partitions, DATABASE->manager, now);
  cpu->slot = choice.slot;
  cpu->slice_start = now;
  cpu->running = choice.partition;
  timer_arm(now, choice.until);
  if (choice.partition == NULL)
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
  ASSERT(cpu->frame_count != 0 && cpu->frame_count <= LIMIT_FRAMES);
  for (uint32_t frame = 0; frame < cpu->frame_count; frame++) {
    ASSERT(cpu->frames[frame].slot_count <= LIMIT_SLOTS);
    cpu->frame_ticks[frame] = timer_ticks(cpu->frames[frame].length_ns);
  }
  uint64_t now = read_tsc();
  cpu->frame_end = now;
  frame_enter(cpu, 0);
  cpu->slot = cpu->slot_count;
  schedule(now);
}

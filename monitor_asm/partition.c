/* SPDX-License-Identifier: Apache-2.0
 *
 * A partition's life: into the processor, out of it, to its end. Nobody writes the saved registers of a partition that
 * is not loaded: a new life and the result of a wait are noted in its state and applied when it is switched in.
 */
#include "event.h"
#include "instructions.h"
#include "monitor.h"
#include "switch.h"

struct partition partitions[LIMIT_PARTITIONS];
struct fault_record fault_records[LIMIT_PARTITIONS];
_Atomic uint64_t descriptor_live[LIMIT_DESCRIPTORS];
_Atomic uint64_t channel_live[LIMIT_CHANNELS];

#define MXCSR_RESET 0x1f80u /* SDM 1, 10.2.3 */
#define XSAVE_MXCSR 24
#define XSAVE_HEADER_END 576

/* XRSTOR of a header of zeroes gives every component its initial value; MXCSR it takes from the area (SDM 1, 13.8.1). */
static void enter_anew(struct partition *partition) {
  struct context *context = CONTEXT;
  for (uint32_t i = 0; i < XSAVE_HEADER_END / 8; i++)
    context->xsave[i] = 0;
  context->xsave[XSAVE_MXCSR / 8] = MXCSR_RESET;
  const struct partition_row *row = partition_row(index_of(partition));
  context->calls = role_calls[row->role];
  context->partition = partition;
  context->row = row;
  context->descriptors = descriptor_row(row->first_descriptor);
  context->descriptor_count = row->descriptor_count;
  context->fs_base = 0;
  context->gs_base = 0;
  context->frame = (struct frame){.registers.rdi = LIVE_LIFE(partition->live),
                                  .rip = row->entry,
                                  .cs = SELECTOR_USER_CODE,
                                  .rflags = RFLAGS_FIXED | RFLAGS_IF,
                                  .rsp = row->stack_top,
                                  .ss = SELECTOR_USER_STACK};
  atomic_fetch_and(&partition->live, ~(uint64_t)PARTITION_ANEW);
  switch_in(UINT32_MAX);
}

static void finish_wait(struct partition *partition) {
  partition_set_state(partition, PARTITION_RUNNING);
  uint64_t summary = event_take(partition, CALL_PAGE);
  CONTEXT->frame.registers.rdx = summary;
  CONTEXT->frame.registers.rax = summary == 0 ? STATUS_TIMEOUT : STATUS_OK;
}

/* Make `partition` the one to which `resume` returns. */
void partition_load(struct partition *partition) {
  if (CONTEXT->partition != partition)
    switch_to(partition);
  uint64_t live = atomic_load_explicit(&partition->live, memory_order_relaxed);
  if ((live & (PARTITION_WAITS | PARTITION_ANEW)) == 0)
    return;
  if ((live & PARTITION_WAITS) != 0)
    finish_wait(partition);
  else
    enter_anew(partition);
}

/* The manager's root is the one that we run on: its context is noted here, everybody else's when it is first entered. */
void partition_initialise(void) {
  for (uint32_t i = 0; i < DATABASE->partitions.count; i++) {
    partitions[i].root = partition_row(i)->root;
    ASSERT(partition_row(i)->role < ROLE_COUNT);
  }
  CONTEXT->partition = &partitions[DATABASE->manager];
  partition_start(DATABASE->manager);
}

static void start_channels(uint32_t index, uint32_t life) {
  const struct partition_row *row = partition_row(index);
  for (uint32_t i = 0; i < row->descriptor_count; i++) {
    const struct descriptor_row *descriptor = descriptor_row(row->first_descriptor + i);
    if (descriptor->resource == RESOURCE_CHANNEL && descriptor->end == END_CLIENT)
      channel_connect(descriptor->target, life);
  }
}

/* A new life. The caller has checked that it may start. */
void partition_start(uint32_t index) {
  struct partition *partition = &partitions[index];
  uint32_t life = LIVE_LIFE(partition->live) + 1;
  atomic_store(&partition->pending, 0);
  for (uint32_t word = 0; word < LIMIT_EVENTS / 64; word++)
    atomic_store(&partition->events[word], 0);
  start_channels(index, life);
  atomic_store(&partition->live, (uint64_t)life << 32 | PARTITION_ANEW | PARTITION_RUNNING);
  schedule_changed();
}

/* Bus mastering off does not end what a device has queued, so counts stay until the next life has reset it. */
static void stop_device(const struct device_row *device) {
  pci_bus_master(device, false);
  for (uint32_t i = 0; i < device->interrupt_count; i++)
    interrupt_set_mask(interrupt_row(device->first_interrupt + i), true);
}

static void stop_resources(uint32_t index) {
  const struct partition_row *row = partition_row(index);
  for (uint32_t i = 0; i < row->descriptor_count; i++) {
    const struct descriptor_row *descriptor = descriptor_row(row->first_descriptor + i);
    if (descriptor->resource == RESOURCE_DEVICE)
      stop_device(device_row(descriptor->target));
    if (descriptor->resource != RESOURCE_CHANNEL)
      continue;
    if (descriptor->end == END_CLIENT)
      channel_disconnect(descriptor->target);
    if (LIVE_STATE(channel_live[descriptor->target]) != CHANNEL_FREE)
      event_set(&partitions[descriptor->other_partition], descriptor->other_event);
  }
}

void partition_stop(uint32_t index, const struct fault_record *record) {
  partition_set_state(&partitions[index], PARTITION_STOPPED);
  fault_records[index] = *record;
  fault_records[index].time = read_tsc();
  schedule_changed();
  stop_resources(index);
  event_set(&partitions[DATABASE->manager], 0);
  if (index == DATABASE->manager)
    report("\n{\"event\":\"manager-stopped\"}\n");
}

/* By its exit or an exception. Its registers are in the context page, which only its own root maps: copy them. */
void partition_ends(enum stop_reason reason, uint32_t vector, uint64_t error, uint64_t address) {
  const struct frame *frame = &CONTEXT->frame;
  bool call = frame->vector == VECTOR_CALL;
  struct fault_record record = {.reason = reason,
                                .vector = vector,
                                .error = error,
                                .address = address,
                                .rip = call ? frame->registers.rcx : frame->rip,
                                .rsp = frame->rsp,
                                .rflags = call ? frame->registers.r11 : frame->rflags,
                                .registers = frame->registers};
  partition_stop(index_of(CONTEXT->partition), &record);
  schedule();
}

/* Any exception that ring 3 causes. */
void partition_exception(void) {
  const struct frame *frame = &CONTEXT->frame;
  uint64_t address = frame->vector == VECTOR_PAGE_FAULT ? read_cr2() : 0;
  write_cr2(0);
  partition_ends(STOP_EXCEPTION, (uint32_t)frame->vector, frame->error, address);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * A partition's life: into the processor, out of it, to its end. Nobody writes the saved registers of a partition that
 * is not loaded: a new life and the result of a wait are noted in its state and applied when it is switched in.
 */
#include "instructions.h"
#include "monitor.h"

struct partition partitions[LIMIT_PARTITIONS];
_Atomic uint64_t descriptor_live[LIMIT_DESCRIPTORS];
_Atomic uint64_t channel_live[LIMIT_CHANNELS];

#define MXCSR_RESET 0x1f80u /* SDM 1, 10.2.3 */
#define XSAVE_MXCSR 24
#define XSAVE_HEADER_END 576

static void set_state(struct partition *state, uint32_t now) {
  uint64_t word = atomic_load_explicit(&state->live, memory_order_relaxed);
  atomic_store_explicit(&state->live, (word & ~0xffull) | now, memory_order_relaxed);
}

/* XRSTOR of a header of zeroes gives every component its initial value; MXCSR it takes from the area (SDM 1, 13.8.1). */
static void enter_anew(const struct partition_row *row, struct partition *state) {
  struct context *context = CONTEXT;
  for (uint32_t i = 0; i < XSAVE_HEADER_END; i++)
    context->xsave[i] = 0;
  *(uint32_t *)&context->xsave[XSAVE_MXCSR] = MXCSR_RESET;
  context->fs_base = 0;
  context->gs_base = 0;
  context->frame = (struct frame){.registers.rdi = LIVE_LIFE(state->live),
                                  .rip = row->entry,
                                  .cs = SELECTOR_USER_CODE,
                                  .rflags = RFLAGS_FIXED | RFLAGS_IF,
                                  .rsp = row->stack_top,
                                  .ss = SELECTOR_USER_STACK};
  state->enter_anew = false;
}

static void save(void) {
  struct context *context = CONTEXT;
  xsave(context->xsave);
  context->fs_base = read_fs_base();
  context->gs_base = read_gs_base();
}

static void restore(void) {
  struct context *context = CONTEXT;
  if (data_selectors() != 0)
    clear_data_selectors();
  write_fs_base(context->fs_base);
  write_gs_base(context->gs_base);
  xrstor(context->xsave);
}

static void finish_wait(struct partition *state) {
  uint64_t summary = event_take(state, CALL_PAGE);
  CONTEXT->frame.registers.rdx = summary;
  CONTEXT->frame.registers.rax = summary == 0 ? STATUS_TIMEOUT : STATUS_OK;
  set_state(state, PARTITION_RUNNING);
}

static void load_root(struct cpu *cpu, uint32_t index) {
  const struct partition_row *row = partition_row(index);
  struct partition *state = &partitions[index];
  save();
  write_cr3(row->root);
  cpu->loaded = index;
  cpu->row = row;
  cpu->state = state;
  cpu->calls = role_calls[row->role];
  if (state->enter_anew)
    enter_anew(row, state);
  restore();
}

/* Make `index` the partition to which `resume` returns. */
void partition_load(uint32_t index) {
  struct cpu *cpu = CPU;
  if (cpu->loaded != index)
    load_root(cpu, index);
  else if (cpu->state->enter_anew) {
    enter_anew(cpu->row, cpu->state);
    restore();
  }
  if (LIVE_STATE(atomic_load_explicit(&cpu->state->live, memory_order_relaxed)) == PARTITION_WAITING)
    finish_wait(cpu->state);
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
  struct partition *state = &partitions[index];
  uint32_t life = LIVE_LIFE(state->live) + 1;
  atomic_store(&state->pending, 0);
  for (uint32_t word = 0; word < LIMIT_EVENTS / 64; word++)
    atomic_store(&state->events[word], 0);
  state->enter_anew = true;
  start_channels(index, life);
  atomic_store(&state->live, (uint64_t)life << 32 | PARTITION_RUNNING);
}

static void tell_other_end(const struct descriptor_row *descriptor) {
  const struct channel_row *channel = channel_row(descriptor->target);
  uint32_t other = descriptor->end == END_CLIENT ? channel->server_descriptor : channel->client_descriptor;
  event_set(descriptor_row(other)->partition, descriptor_row(other)->event);
}

/* Bus mastering off does not end what a device has queued, so counts stay until the next life has reset it. */
static void stop_device(const struct device_row *device) {
  pci_bus_master(device, false);
  for (uint32_t i = 0; i < device->interrupt_count; i++)
    interrupt_mask(interrupt_row(device->first_interrupt + i));
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
    tell_other_end(descriptor);
  }
}

void partition_stop(uint32_t index, const struct fault_record *record) {
  struct partition *state = &partitions[index];
  set_state(state, PARTITION_STOPPED);
  state->fault = *record;
  state->fault.time = read_tsc();
  stop_resources(index);
  event_set(DATABASE->manager, 0);
  if (index == DATABASE->manager)
    report("{\"event\":\"manager-stopped\"}\n");
}

/* Any exception that ring 3 causes. Its registers are in the context page, which only its own root maps: copy them. */
void partition_exception(uint32_t vector) {
  const struct frame *frame = &CONTEXT->frame;
  struct fault_record record = {.reason = STOP_EXCEPTION,
                                .vector = vector,
                                .error = frame->error,
                                .address = vector == VECTOR_PAGE_FAULT ? read_cr2() : 0,
                                .rip = frame->rip,
                                .rsp = frame->rsp,
                                .rflags = frame->rflags,
                                .registers = frame->registers};
  write_cr2(0);
  partition_stop(CPU->loaded, &record);
  schedule(read_tsc());
}

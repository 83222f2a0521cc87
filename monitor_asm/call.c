/* SPDX-License-Identifier: Apache-2.0
 *
 * The monitor calls that every role has, and the table of each role. A handler returns the status for the caller; one that
 * gives the processor away writes it into the caller's frame first and leaves through `resume`.
 */
#include "instructions.h"
#include "monitor.h"

uint64_t own_descriptor(untrusted index, uint32_t resource, const struct descriptor_row **found) {
  const struct partition_row *row = CPU->loaded->row;
  if (index.raw >= row->descriptor_count)
    return STATUS_BAD_INDEX;
  uint32_t global = row->first_descriptor + (uint32_t)index.raw;
  *found = descriptor_row(global);
  if ((*found)->resource != resource)
    return STATUS_BAD_INDEX;
  if (atomic_load_explicit(&descriptor_live[global], memory_order_relaxed) == DESCRIPTOR_FREE)
    return STATUS_NOT_ASSIGNED;
  return STATUS_OK;
}

/* Release, then set the event at the other end; `other` is the partition there. */
static uint64_t signal_channel(untrusted index, untrusted release, uint32_t *other) {
  const struct descriptor_row *own;
  uint64_t status = own_descriptor(index, RESOURCE_CHANNEL, &own);
  if (status != STATUS_OK)
    return status;
  if (LIVE_STATE(atomic_load_explicit(&channel_live[own->target], memory_order_relaxed)) == CHANNEL_FREE)
    return STATUS_NOT_ASSIGNED;
  if (release.raw != 0) {
    status = own->end == END_SERVER ? channel_release(own->target, release.raw) : STATUS_NOT_PERMITTED;
    if (status != STATUS_OK)
      return status;
  }
  const struct channel_row *channel = channel_row(own->target);
  const struct descriptor_row *far =
      descriptor_row(own->end == END_CLIENT ? channel->server_descriptor : channel->client_descriptor);
  *other = far->partition;
  if (!is_running(&partitions[far->partition]))
    return STATUS_NOT_CONNECTED;
  event_set(far->partition, far->event);
  return STATUS_OK;
}

static uint64_t call_signal(untrusted channel, untrusted release, untrusted unused) {
  (void)unused;
  uint32_t other;
  uint64_t status = signal_channel(channel, release, &other);
  if (status != STATUS_OK)
    return status;
  CONTEXT->frame.registers.rax = STATUS_OK;
  schedule_if_earlier(other);
  resume();
}

static uint64_t wait_until(untrusted deadline) {
  struct partition *caller = CPU->loaded;
  if (atomic_load_explicit(&caller->pending, memory_order_relaxed) != 0) {
    CONTEXT->frame.registers.rdx = event_take(caller, CALL_PAGE);
    return STATUS_OK;
  }
  uint64_t now = read_tsc();
  if (deadline.raw <= now) {
    CONTEXT->frame.registers.rdx = 0;
    return STATUS_TIMEOUT;
  }
  caller->deadline = deadline.raw;
  uint64_t live = atomic_load_explicit(&caller->live, memory_order_relaxed);
  atomic_store_explicit(&caller->live, live - PARTITION_RUNNING + PARTITION_WAITING, memory_order_relaxed);
  schedule(now);
  resume();
}

static uint64_t call_wait(untrusted deadline, untrusted unused, untrusted unused_too) {
  (void)unused, (void)unused_too;
  return wait_until(deadline);
}

static uint64_t call_signal_and_wait(untrusted channel, untrusted release, untrusted deadline) {
  uint32_t other;
  uint64_t status = signal_channel(channel, release, &other);
  return status == STATUS_OK ? wait_until(deadline) : status;
}

static uint64_t call_acknowledge(untrusted device, untrusted interrupt, untrusted unused) {
  (void)unused;
  const struct descriptor_row *own;
  uint64_t status = own_descriptor(device, RESOURCE_DEVICE, &own);
  if (status != STATUS_OK)
    return status;
  const struct device_row *row = device_row(own->target);
  if (interrupt.raw >= row->interrupt_count)
    return STATUS_BAD_INDEX;
  interrupt_unmask(interrupt_row(row->first_interrupt + (uint32_t)interrupt.raw));
  return STATUS_OK;
}

static uint64_t call_yield(untrusted unused, untrusted unused_too, untrusted unused_as_well) {
  (void)unused, (void)unused_too, (void)unused_as_well;
  CONTEXT->frame.registers.rax = STATUS_OK;
  schedule_give_up();
  schedule(read_tsc());
  resume();
}

static uint64_t call_exit(untrusted status, untrusted unused, untrusted unused_too) {
  (void)unused, (void)unused_too;
  struct fault_record record = {.reason = STOP_EXIT,
                                .error = status.raw,
                                .rip = CONTEXT->frame.rip,
                                .rsp = CONTEXT->frame.rsp,
                                .rflags = CONTEXT->frame.rflags,
                                .registers = CONTEXT->frame.registers};
  partition_stop(index_of(CPU->loaded), &record);
  schedule(read_tsc());
  resume();
}

static uint64_t call_debug(untrusted character, untrusted unused, untrusted unused_too) {
  (void)unused, (void)unused_too;
  if (CPU->loaded->row->debug == 0)
    return STATUS_NOT_PERMITTED;
  debug_character((char)character.raw);
  return STATUS_OK;
}

/* The owner has reset the device: what an earlier life of its channels began is over, and it may do DMA again. */
static uint64_t call_quiet(untrusted device, untrusted unused, untrusted unused_too) {
  (void)unused, (void)unused_too;
  const struct descriptor_row *own;
  uint64_t status = own_descriptor(device, RESOURCE_DEVICE, &own);
  if (status != STATUS_OK)
    return status;
  const struct partition_row *row = CPU->loaded->row;
  for (uint32_t i = row->region_count; i < row->descriptor_count; i++) {
    const struct descriptor_row *descriptor = descriptor_row(row->first_descriptor + i);
    if (descriptor->resource != RESOURCE_CHANNEL || descriptor->end != END_SERVER)
      continue;
    const struct channel_row *channel = channel_row(descriptor->target);
    if (channel->endpoint != NONE && (TABLE(endpoints, endpoint_row) + channel->endpoint)->device == own->target)
      channel_forget(descriptor->target);
  }
  pci_bus_master(device_row(own->target), true);
  return STATUS_OK;
}

static uint64_t call_none(untrusted unused, untrusted unused_too, untrusted unused_as_well) {
  (void)unused, (void)unused_too, (void)unused_as_well;
  return STATUS_NO_CALL;
}

/* Which role has which call stands in abi/call.h; a number without a call goes to call_none. */
#define ENTRY(NAME, name) [CALL_##NAME] = call_##name,
#define NO_CALLS [0 ... CALL_COUNT - 1] = call_none
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static call_handler *const guest_calls[CALL_COUNT] = {NO_CALLS, CALLS_GUEST(ENTRY)};
static call_handler *const io_calls[CALL_COUNT] = {NO_CALLS, CALLS_IO(ENTRY)};
static call_handler *const manager_calls[CALL_COUNT] = {NO_CALLS, CALLS_MANAGER(ENTRY)};
#pragma GCC diagnostic pop

call_handler *const *const role_calls[ROLE_COUNT] = {
    [ROLE_GUEST] = guest_calls, [ROLE_IO] = io_calls, [ROLE_MANAGER] = manager_calls};

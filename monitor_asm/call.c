/* SPDX-License-Identifier: Apache-2.0
 *
 * The monitor calls that every role has, and the table of each role. A handler returns status and value for the caller. One
 * below CALL_SHORT may give the processor away: it then writes them into the caller's frame and leaves through `resume`.
 */
#include "event.h"
#include "instructions.h"
#include "monitor.h"
#include "schedule.h"
#include "switch.h"

/* The descriptor that the caller names, if it is its own, of that resource, and assigned. Returns a status. */
static uint64_t own_descriptor(untrusted index, uint32_t resource, const struct descriptor_row **found) {
  const struct context *context = CONTEXT;
  if (index.raw >= context->descriptor_count)
    return STATUS_BAD_INDEX;
  *found = &context->descriptors[index.raw];
  if ((*found)->resource != resource)
    return STATUS_BAD_INDEX;
  uint32_t global = context->row->first_descriptor + (uint32_t)index.raw;
  if (atomic_load_explicit(&descriptor_live[global], memory_order_relaxed) == DESCRIPTOR_FREE)
    return STATUS_NOT_ASSIGNED;
  return STATUS_OK;
}

/* What comes before a signal: the caller's end of a channel in use, and the release. A channel is out of CHANNEL_FREE only
   when both of its ends are assigned. */
static inline uint64_t begin_signal(untrusted index, untrusted release, const struct descriptor_row **found) {
  const struct context *context = CONTEXT;
  if (index.raw >= context->descriptor_count)
    return STATUS_BAD_INDEX;
  const struct descriptor_row *own = &context->descriptors[index.raw];
  if (own->resource != RESOURCE_CHANNEL)
    return STATUS_BAD_INDEX;
  if (LIVE_STATE(atomic_load_explicit(&channel_live[own->target], memory_order_relaxed)) == CHANNEL_FREE)
    return STATUS_NOT_ASSIGNED;
  *found = own;
  if (release.raw == 0)
    return STATUS_OK;
  return own->end == END_SERVER ? channel_release(own->target, release.raw) : STATUS_NOT_PERMITTED;
}

static struct result call_signal(untrusted channel, untrusted release, untrusted) {
  const struct descriptor_row *own;
  uint64_t status = begin_signal(channel, release, &own);
  if (status != STATUS_OK)
    return just(status);
  if (!event_set(&partitions[own->other_partition], own->other_event))
    return just(STATUS_NOT_CONNECTED);
  CONTEXT->frame.registers.rax = STATUS_OK;
  schedule_woken();
  resume();
}

static inline struct result wait_until(untrusted deadline) {
  struct partition *caller = CONTEXT->partition;
  if (atomic_load_explicit(&caller->pending, memory_order_relaxed) != 0)
    return (struct result){STATUS_OK, event_take(caller, CALL_PAGE)};
  if (deadline.raw == 0) /* only asking; any other moment that is past is noticed by the schedule */
    return just(STATUS_TIMEOUT);
  caller->deadline = deadline.raw;
  partition_set_state(caller, PARTITION_WAITING);
  schedule_waits(caller);
  resume();
}

static struct result call_wait(untrusted deadline, untrusted, untrusted) {
  return wait_until(deadline);
}

/* The caller becomes the one who is signalled, and returns with its event. */
static inline struct result become(const struct partition *target, uint64_t event) {
  switch_to(target);
  CALL_PAGE->events[event / 64] = 1ull << event % 64;
  return (struct result){STATUS_OK, 1ull << event / 64};
}

static struct result call_signal_and_wait(untrusted channel, untrusted release, untrusted deadline) {
  const struct descriptor_row *own;
  uint64_t status = begin_signal(channel, release, &own);
  if (status != STATUS_OK)
    return just(status);
  struct partition *target = &partitions[own->other_partition];
  if (turn_pass(&CPU->turn, target, CONTEXT->partition, deadline.raw))
    return become(target, own->other_event);
  if (!event_set(target, own->other_event))
    return just(STATUS_NOT_CONNECTED);
  struct result result = wait_until(deadline);
  CONTEXT->frame.registers.rax = result.status; /* it need not wait, but the signal may have woken somebody earlier */
  CONTEXT->frame.registers.rdx = result.value;
  schedule_woken();
  resume();
}

static struct result call_yield(untrusted, untrusted, untrusted) {
  CONTEXT->frame.registers.rax = STATUS_OK;
  schedule_give_up();
  schedule();
  resume();
}

static struct result call_exit(untrusted status, untrusted, untrusted) {
  partition_ends(STOP_EXIT, 0, status.raw, 0);
  resume();
}

static struct result call_acknowledge(untrusted device, untrusted interrupt, untrusted) {
  const struct descriptor_row *own;
  uint64_t status = own_descriptor(device, RESOURCE_DEVICE, &own);
  if (status != STATUS_OK)
    return just(status);
  const struct device_row *row = device_row(own->target);
  if (interrupt.raw >= row->interrupt_count)
    return just(STATUS_BAD_INDEX);
  interrupt_set_mask(interrupt_row(row->first_interrupt + (uint32_t)interrupt.raw), false);
  return just(STATUS_OK);
}

static struct result call_debug(untrusted character, untrusted, untrusted) {
  if (CONTEXT->row->debug == 0)
    return just(STATUS_NOT_PERMITTED);
  debug_character((char)character.raw);
  return just(STATUS_OK);
}

static bool served_with(const struct descriptor_row *descriptor, uint32_t device) {
  if (descriptor->resource != RESOURCE_CHANNEL || descriptor->end != END_SERVER)
    return false;
  uint32_t endpoint = channel_row(descriptor->target)->endpoint;
  return endpoint != NONE && (TABLE(endpoints, endpoint_row) + endpoint)->device == device;
}

/* The owner has reset the device: what an earlier life of its channels began is over, and it may do DMA again. */
static struct result call_quiet(untrusted device, untrusted, untrusted) {
  const struct descriptor_row *own;
  uint64_t status = own_descriptor(device, RESOURCE_DEVICE, &own);
  if (status != STATUS_OK)
    return just(status);
  const struct context *caller = CONTEXT;
  for (uint64_t i = 0; i < caller->descriptor_count; i++)
    if (served_with(&caller->descriptors[i], own->target))
      channel_forget(caller->descriptors[i].target);
  pci_bus_master(device_row(own->target), true);
  return just(STATUS_OK);
}

static struct result call_none(untrusted, untrusted, untrusted) {
  return just(STATUS_NO_CALL);
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

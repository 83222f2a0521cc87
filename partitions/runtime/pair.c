/* SPDX-License-Identifier: Apache-2.0
 *
 * Two-way channels: an attempt, and a wait for the other end where it failed.
 */
#include "runtime.h"

bool pair_open(struct pair *pair, const struct channel_descriptor *channel, uint32_t slots, uint32_t slot_size) {
  memset(pair, 0, sizeof *pair);
  if (!channel || channel->size <= sizeof(struct channel_window))
    return false;
  uint64_t half = (channel->size - sizeof(struct channel_window)) / 2;
  if (slot_size == 0)
    slot_size = (uint32_t)(half / slots) & ~15u;
  if (slot_size == 0 || half < slot_size)
    return false;
  pair->channel = channel;
  pair->window = (struct channel_window *)channel->address;
  pair->slot_size = slot_size;
  pair->slots = half / slot_size < slots ? (uint32_t)(half / slot_size) : slots;
  if (channel->end == END_CLIENT)
    pair_client_open(pair);
  else
    pair_server_open(pair);
  return true;
}

/* False: the deadline came. A deadline in the past costs no call. */
static bool wait_for_other_end(const struct pair *pair, uint64_t deadline) {
  return deadline > clock_now() && wait_event(pair->channel->event, deadline);
}

enum status pair_send(struct pair *pair, const void *message, size_t size, uint64_t deadline) {
  if (size == 0 || size > pair->slot_size || pair->slots == 0)
    return STATUS_BAD_ARGUMENT;
  bool client = pair->channel->end == END_CLIENT;
  while (!(client ? pair_client_send : pair_server_send)(pair, message, size))
    if (!wait_for_other_end(pair, deadline))
      return STATUS_TIMEOUT;
  return STATUS_OK;
}

int pair_receive(struct pair *pair, void *buffer, size_t size, uint64_t deadline) {
  if (pair->slots == 0)
    return -1;
  bool client = pair->channel->end == END_CLIENT;
  for (;;) {
    int length = (client ? pair_client_receive : pair_server_receive)(pair, buffer, size);
    if (length >= 0 || !wait_for_other_end(pair, deadline))
      return length;
  }
}

bool pair_drain(struct pair *pair, uint64_t deadline) {
  if (pair->slots == 0)
    return true;
  while (!pair_client_idle(pair))
    if (!wait_for_other_end(pair, deadline))
      return false;
  return true;
}

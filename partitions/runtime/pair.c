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

static bool is_client(const struct pair *pair) {
  return pair->channel->end == END_CLIENT;
}

void *pair_reserve(struct pair *pair, uint64_t deadline) {
  if (pair->slots == 0)
    return NULL;
  for (;;) {
    void *place = (is_client(pair) ? pair_client_reserve : pair_server_reserve)(pair);
    if (place || !wait_for_other_end(pair, deadline))
      return place;
  }
}

enum status pair_commit(struct pair *pair, size_t size) {
  if (size == 0 || size > pair->slot_size || pair->slots == 0)
    return STATUS_BAD_ARGUMENT;
  return (is_client(pair) ? pair_client_commit : pair_server_commit)(pair, size);
}

const void *pair_peek(struct pair *pair, size_t *size, uint64_t deadline) {
  if (pair->slots == 0)
    return NULL;
  for (;;) {
    const void *place = (is_client(pair) ? pair_client_peek : pair_server_peek)(pair, size);
    if (place || !wait_for_other_end(pair, deadline))
      return place;
  }
}

enum status pair_done(struct pair *pair) {
  if (pair->slots == 0)
    return STATUS_BAD_ARGUMENT;
  return (is_client(pair) ? pair_client_done : pair_server_done)(pair);
}

enum status pair_send(struct pair *pair, const void *message, size_t size, uint64_t deadline) {
  enum status status;
  if (size == 0 || size > pair->slot_size || pair->slots == 0)
    return STATUS_BAD_ARGUMENT;
  do {
    void *place = pair_reserve(pair, deadline);
    if (!place)
      return STATUS_TIMEOUT;
    memcpy(place, message, size);
    status = pair_commit(pair, size);
  } while (status == STATUS_STALE_LIFE);
  return status;
}

int pair_receive(struct pair *pair, void *buffer, size_t size, uint64_t deadline) {
  size_t length;
  do {
    const void *place = pair_peek(pair, &length, deadline);
    if (!place)
      return -1;
    length = length < size ? length : size;
    memcpy(buffer, place, length);
  } while (pair_done(pair) == STATUS_STALE_LIFE);
  return (int)length;
}

bool pair_drain(struct pair *pair, uint64_t deadline) {
  if (pair->slots == 0)
    return true;
  while (!pair_client_idle(pair))
    if (!wait_for_other_end(pair, deadline))
      return false;
  return true;
}

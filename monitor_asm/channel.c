/* SPDX-License-Identifier: Apache-2.0
 *
 * The live word of a channel: state, conversions in flight and the client's life in one atomic word, so that a stop on
 * another processor cannot slip between a check and a count.
 */
#include "event.h"
#include "monitor.h"

static uint64_t word_of(uint32_t state, uint32_t in_flight, uint32_t life) {
  return state | (uint64_t)in_flight << 8 | (uint64_t)life << 32;
}

/* Both ends are assigned: allocated; and connected at once where the client runs already. */
void channel_allocate(uint32_t channel) {
  const struct channel_row *row = channel_row(channel);
  if (descriptor_live[row->client_descriptor] == DESCRIPTOR_FREE ||
      descriptor_live[row->server_descriptor] == DESCRIPTOR_FREE)
    return;
  channel_live[channel] = word_of(CHANNEL_ALLOCATED, 0, 0);
  const struct partition *client = &partitions[row->client];
  if (is_alive(client))
    channel_connect(channel, LIVE_LIFE(client->live));
}

/* The client starts a life. Nothing is in flight: its start was refused otherwise. */
void channel_connect(uint32_t channel, uint32_t life) {
  if (LIVE_STATE(channel_live[channel]) != CHANNEL_FREE)
    channel_live[channel] = word_of(CHANNEL_CONNECTED, 0, CHANNEL_LIFE(channel, life));
}

/* The client has stopped: no more conversions; what is in flight drains. */
void channel_disconnect(uint32_t channel) {
  uint64_t old = channel_live[channel];
  uint64_t new;
  do {
    if (LIVE_STATE(old) != CHANNEL_CONNECTED)
      return;
    uint32_t in_flight = LIVE_IN_FLIGHT(old);
    new = word_of(in_flight == 0 ? CHANNEL_ALLOCATED : CHANNEL_DRAINING, in_flight, LIVE_LIFE(old));
  } while (!atomic_compare_exchange_weak(&channel_live[channel], &old, new));
}

/* The last one of a draining channel lets the client be started again: the manager is told. */
uint64_t channel_release(uint32_t channel, uint64_t count) {
  uint64_t old = channel_live[channel];
  uint64_t new;
  do {
    uint32_t in_flight = LIVE_IN_FLIGHT(old);
    if (count > in_flight)
      return STATUS_BAD_ARGUMENT;
    uint32_t state = LIVE_STATE(old);
    if (state == CHANNEL_DRAINING && count == in_flight)
      state = CHANNEL_ALLOCATED;
    new = word_of(state, in_flight - (uint32_t)count, LIVE_LIFE(old));
  } while (!atomic_compare_exchange_weak(&channel_live[channel], &old, new));
  if (LIVE_STATE(old) != LIVE_STATE(new))
    event_set(&partitions[DATABASE->manager], 0);
  return STATUS_OK;
}

/* The device was reset: nothing that an earlier life of the server began is in flight. */
void channel_forget(uint32_t channel) {
  channel_release(channel, LIVE_IN_FLIGHT(channel_live[channel]));
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns and signals. Deficit round robin (Shreedhar and Varghese, 1995): a
 * channel's turn brings share × quantum bytes; what it does not use while it has
 * work, it keeps. A channel whose next frame waits for the card lets the others
 * go on: frames between guests need no card.
 */
#include "network_server.h"
#include "../calls.h"
#include "copy.h"

#define LEAST_SENDS 2u /* of one channel, however many there are */

void network_server_init(struct network_server *server, struct network_uplink *uplink, const char *name) {
  __builtin_memset(server, 0, sizeof *server);
  server->name = name;
  server->uplink = uplink;
  server->attention = true;
  server->wide = copy_is_wide();
  if (!uplink)
    return;
  server->completions = server->link_changed = true;
  uplink->dead = uplink->device->problem != NULL;
  uplink->free = NULL;
  for (uint32_t i = NETWORK_SENDS; i-- > 0;) {
    uplink->send[i].next = uplink->free;
    uplink->free = &uplink->send[i];
  }
  uplink->idle = NETWORK_RECEIVES == 64 ? UINT64_MAX : (1ull << NETWORK_RECEIVES % 64) - 1;
}

static uint32_t addresses_of(const struct network_server *server, uint8_t (*addresses)[NETWORK_ADDRESS]) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < NETWORK_PORTS; i++) {
    if (server->port[i] && server->port[i]->wire)
      __builtin_memcpy(addresses[count++], &server->port[i]->address, NETWORK_ADDRESS);
  }
  for (uint32_t i = 0; i < server->groups; i++)
    __builtin_memcpy(addresses[count++], &server->group[i].address, NETWORK_ADDRESS);
  return count;
}

/* A channel's part of the sends is its part of all shares: none can take those that another needs. */
void network_server_open(struct network_server *server) {
  for (uint32_t i = 0; i < NETWORK_PORTS; i++) {
    struct network_channel *channel = server->port[i];
    if (!channel)
      continue;
    uint32_t part = NETWORK_SENDS * channel->share / server->shares;
    channel->most_sends = part < LEAST_SENDS ? LEAST_SENDS : part;
  }
  if (server->uplink && !server->uplink->dead) {
    static uint8_t addresses[NETWORK_PORTS + LIMIT_GROUPS][NETWORK_ADDRESS];
    struct network_device *device = server->uplink->device;
    device->driver->filter(device, (const uint8_t(*)[NETWORK_ADDRESS])addresses, addresses_of(server, addresses));
    network_uplink_start(server);
  }
  for (uint32_t i = 0; i < NETWORK_PORTS; i++) {
    if (server->port[i])
      network_channel_event(server->port[i]);
  }
}

void network_server_interrupt(struct network_server *server) {
  server->attention = server->completions = server->link_changed = true;
}

/* --- turns --- */

enum turn { TURN_IDLE, TURN_OVER, TURN_WAIT };

/* False: the card takes no more now. */
static bool submit(struct network_channel *channel) {
  struct network_uplink *uplink = channel->server->uplink;
  struct network_device *device = uplink->device;
  struct network_send *send = channel->ready.first;
  uint32_t tag = (uint32_t)(send - uplink->send);
  enum network_result result = NETWORK_REFUSED;
  if (!uplink->dead)
    result = device->driver->transmit(device, send->segment, send->count, send->checksum, tag);
  if (result == NETWORK_BUSY)
    return false;
  network_list_take(&channel->ready);
  channel->deficit -= send->length < NETWORK_SMALL_COST ? NETWORK_SMALL_COST : (int64_t)send->length;
  if (result == NETWORK_TAKEN) {
    send->on_card = true;
    uplink->under_way++;
    return true;
  }
  network_count(channel, COUNT_ERRORS);
  channel->release += send->conversions;
  if (send->answers)
    network_answer(channel, send->head);
  network_note_signal(channel);
  network_send_free(send);
  return true;
}

static enum turn give_turn(struct network_channel *channel) {
  uint32_t burst = NETWORK_BURST;
  enum network_intake intake = INTAKE_MORE;
  if (channel->deficit <= 0)
    channel->deficit += (int64_t)channel->share * NETWORK_QUANTUM;
  while (channel->deficit > 0) {
    if (channel->ready.first) {
      if (!submit(channel))
        return TURN_WAIT;
      continue;
    }
    if (channel->fresh.first) {
      if (!network_convert(channel) && !channel->ready.first)
        return TURN_WAIT;
      if (intake == INTAKE_WAIT)
        intake = INTAKE_MORE; /* what was refused made room for what waited */
      continue;
    }
    if (intake == INTAKE_EMPTY)
      return TURN_IDLE;
    if (intake == INTAKE_WAIT)
      return TURN_WAIT;
    if (!burst)
      return TURN_OVER;
    intake = network_intake(channel, &burst);
  }
  return TURN_OVER;
}

static struct network_channel *take_first(struct network_server *server) {
  struct network_channel *channel = server->active_first;
  server->active_first = channel->next_active;
  channel->active = false;
  return channel;
}

static void wait_for_card(struct network_channel *channel) {
  struct network_server *server = channel->server;
  channel->waiting = true;
  channel->next_waiting = NULL;
  if (server->waiting_first)
    server->waiting_last->next_waiting = channel;
  else
    server->waiting_first = channel;
  server->waiting_last = channel;
}

static bool give_turns(struct network_server *server) {
  for (uint32_t i = 0; i < NETWORK_TURNS && server->active_first; i++) {
    enum turn turn = give_turn(server->active_first);
    struct network_channel *channel = take_first(server);
    if (turn == TURN_OVER)
      network_activate(channel);
    else if (turn == TURN_WAIT)
      wait_for_card(channel);
    else
      channel->deficit = 0;
  }
  return server->active_first != NULL;
}

/* --- what clients are told --- */

static bool wants_signal(const struct network_channel *channel) {
  return channel->told || (channel->received && virtqueue_wants_interrupt(&channel->receive)) ||
         (channel->sent && virtqueue_wants_interrupt(&channel->transmit));
}

static void send_signals(struct network_server *server) {
  for (struct network_channel *channel = server->signal_first; channel; channel = channel->next_signal) {
    __builtin_memcpy(&channel->window.shared->counters, &channel->counters, sizeof(uint64_t) * COUNTERS);
    if (!channel->broken && wants_signal(channel))
      calls_signal(channel->index, channel->release);
    else if (channel->release)
      calls_release(channel->index, channel->release);
    channel->in_flight -= channel->release;
    channel->release = 0;
    channel->sent = channel->received = channel->told = channel->signalling = false;
  }
  server->signal_first = NULL;
}

bool network_server_run(struct network_server *server) {
  if (!server->attention)
    return false;
  struct network_uplink *uplink = server->uplink && !server->uplink->dead ? server->uplink : NULL;
  server->attention = false;
  if (uplink)
    network_uplink_run(server);
  else
    server->completions = false;
  bool more = give_turns(server) || server->completions;
  if (uplink)
    uplink->device->driver->commit(uplink->device);
  send_signals(server);
  server->attention = more;
  return more;
}

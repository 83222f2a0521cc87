/* SPDX-License-Identifier: Apache-2.0
 *
 * The card's side of the switch: frames from the wire, frames that have gone
 * out, buffers for more, and a card that does not answer.
 */
#include "../calls.h"
#include "log.h"
#include "network_server.h"

#define AT_ONCE 32u
#define ROUNDS 2u /* of AT_ONCE frames, in one run */
#define ERRORS_SHOWN 16u

/* --- buffers --- */

static void post_buffers(struct network_uplink *uplink) {
  struct network_device *device = uplink->device;
  for (uint64_t left = uplink->idle; left; left &= left - 1) {
    uint32_t i = (uint32_t)__builtin_ctzll(left);
    uint64_t place = (uintptr_t)uplink->memory->received[i] + uplink->bias;
    if (device->driver->receive(device, (struct network_segment){place, NETWORK_RECEIVE_BYTES}, i) != NETWORK_TAKEN)
      return;
    uplink->idle &= ~(1ull << i);
  }
}

void network_uplink_start(struct network_server *server) {
  struct network_uplink *uplink = server->uplink;
  post_buffers(uplink);
  uplink->device->driver->commit(uplink->device);
  uplink->link = uplink->device->driver->link(uplink->device);
}

/* --- from the wire --- */

struct arrival {
  uint64_t to, from;
  uint16_t vlan;
  uint8_t ethernet[ETHERNET_HEADER];
  struct virtio_net_hdr header;
  struct network_piece payload;
};

/* The frame without its tag. It stands in our memory: nobody changes it meanwhile. */
static void read_arrival(struct arrival *arrival, const uint8_t *frame, const struct network_received *received) {
  uint32_t skip = ETHERNET_HEADER;
  arrival->to = network_address(frame);
  arrival->from = network_address(frame + ETHERNET_ADDRESS);
  arrival->vlan = 0;
  arrival->header = (struct virtio_net_hdr){.num_buffers = 1};
  arrival->header.flags = received->checksum_right ? VIRTIO_NET_HDR_F_DATA_VALID : 0;
  __builtin_memcpy(arrival->ethernet, frame, ETHERNET_HEADER);
  if (frame[12] == ETHERNET_TYPE_VLAN >> 8 && frame[13] == (ETHERNET_TYPE_VLAN & 0xff) &&
      received->length >= ETHERNET_HEADER + ETHERNET_TAG) {
    arrival->vlan = (uint16_t)((frame[14] & 0x0f) << 8 | frame[15]); /* IEEE 802.1Q, 9.6: twelve bits */
    __builtin_memcpy(arrival->ethernet + 2 * ETHERNET_ADDRESS, frame + 2 * ETHERNET_ADDRESS + ETHERNET_TAG, 2);
    skip += ETHERNET_TAG;
  }
  arrival->payload = (struct network_piece){frame + skip, received->length - skip};
}

static void give(struct network_channel *channel, const struct arrival *arrival) {
  network_deliver(channel, &arrival->header, arrival->ethernet, &arrival->payload, 1);
}

static bool may_have(const struct network_channel *channel, const struct arrival *arrival) {
  return channel && channel->wire && channel->vlan == arrival->vlan;
}

static void deliver_to_many(struct network_server *server, const struct arrival *arrival) {
  const struct network_group *group = arrival->to == NETWORK_BROADCAST ? NULL : network_group(server, arrival->to);
  if (!group && arrival->to != NETWORK_BROADCAST) {
    server->unclaimed++;
    return;
  }
  for (uint32_t i = 0; i < NETWORK_PORTS; i++) {
    bool meant = !group || (group->members[i / 64] >> i % 64 & 1);
    if (meant && may_have(server->port[i], arrival))
      give(server->port[i], arrival);
  }
}

static void deliver(struct network_server *server, const struct arrival *arrival) {
  struct network_channel *forged = network_port(server, arrival->from);
  if (forged) {
    network_count(forged, COUNT_FORGED_BY_WIRE);
    network_note_signal(forged);
    return;
  }
  if (network_is_group(arrival->to)) {
    deliver_to_many(server, arrival);
    return;
  }
  struct network_channel *channel = network_port(server, arrival->to);
  if (may_have(channel, arrival))
    give(channel, arrival);
  else
    server->unclaimed++;
}

static void take_arrival(struct network_server *server, const struct network_received *received) {
  struct network_uplink *uplink = server->uplink;
  if (received->tag >= NETWORK_RECEIVES)
    return;
  struct arrival arrival;
  uplink->idle |= 1ull << received->tag;
  if (received->error || received->length < ETHERNET_HEADER || received->length > ETHERNET_FRAME + ETHERNET_TAG)
    return;
  read_arrival(&arrival, uplink->memory->received[received->tag], received);
  if (arrival.payload.length > ETHERNET_PAYLOAD)
    server->unclaimed++; /* longer than any frame without a tag */
  else
    deliver(server, &arrival);
}

/* --- to the wire: what has gone out --- */

static void finish(struct network_send *send, uint32_t error) {
  struct network_channel *channel = send->channel;
  channel->release += send->conversions;
  network_note_signal(channel);
  if (error)
    network_count(channel, error == NETWORK_ERROR_RESET ? COUNT_LOST_AT_RESET : COUNT_ERRORS);
  if (send->answers && send->generation == channel->generation) {
    if (!error) {
      network_count(channel, COUNT_REQUESTS);
      channel->counters.count[COUNT_BYTES] += send->length;
    }
    network_answer(channel, send->head);
  }
  network_send_free(send);
}

static void take_sent(struct network_server *server, const struct network_sent *sent) {
  struct network_uplink *uplink = server->uplink;
  if (sent->tag >= NETWORK_SENDS || !uplink->send[sent->tag].on_card)
    return;
  uplink->send[sent->tag].on_card = false;
  uplink->under_way--;
  if (sent->error && sent->error != NETWORK_ERROR_RESET && uplink->errors++ < ERRORS_SHOWN)
    log_line(server->name, "the card failed to send a frame");
  finish(&uplink->send[sent->tag], sent->error);
}

/* Returns whether the card may have more. */
static bool take_completions(struct network_server *server) {
  struct network_device *device = server->uplink->device;
  struct network_sent sent[AT_ONCE];
  struct network_received received[AT_ONCE];
  uint32_t gone = device->driver->sent(device, sent, AT_ONCE);
  for (uint32_t i = 0; i < gone; i++)
    take_sent(server, &sent[i]);
  uint32_t came = device->driver->received(device, received, AT_ONCE);
  for (uint32_t i = 0; i < came; i++)
    take_arrival(server, &received[i]);
  if (came)
    post_buffers(server->uplink);
  return gone == AT_ONCE || came == AT_ONCE;
}

void network_uplink_run(struct network_server *server) {
  struct network_uplink *uplink = server->uplink;
  if (server->link_changed) {
    bool link = uplink->device->driver->link(uplink->device);
    bool changed = link != uplink->link;
    server->link_changed = false;
    uplink->link = link;
    if (changed)
      network_uplink_link(server);
  }
  server->completions = true; /* with or without an interrupt: looking costs little */
  for (uint32_t round = 0; server->completions && round < ROUNDS; round++)
    server->completions = take_completions(server);
}

/* --- a card that does not answer --- */

bool network_server_busy(const struct network_server *server) {
  return server->uplink && !server->uplink->dead && server->uplink->under_way != 0;
}

/* What it has stays counted as in flight where not even the reset helped: it may still read there. */
static void bury(struct network_server *server) {
  struct network_uplink *uplink = server->uplink;
  log_line(server->name, uplink->device->problem);
  uplink->dead = true;
  uplink->link = server->completions = false;
  network_wake(server);
}

static void restart(struct network_server *server) {
  struct network_uplink *uplink = server->uplink;
  struct network_device *device = uplink->device;
  log_line(server->name, "does not answer: reset");
  bool reset = device->driver->reset(device), started = reset && device->driver->start(device);
  for (uint32_t i = 0; reset && i <= (NETWORK_SENDS + NETWORK_RECEIVES) / AT_ONCE; i++)
    take_completions(server); /* everything that it had, once */
  if (started)
    network_uplink_start(server);
  else
    bury(server);
  network_uplink_link(server);
}

static bool some_frame_is_late(struct network_uplink *uplink) {
  bool late = false;
  for (uint32_t i = 0; i < NETWORK_SENDS; i++) {
    struct network_send *send = &uplink->send[i];
    if (send->on_card && ++send->looks >= NETWORK_PATIENCE)
      late = true;
  }
  return late;
}

void network_server_look(struct network_server *server) {
  if (!network_server_busy(server))
    return;
  network_server_interrupt(server);
  network_server_run(server); /* an interrupt may have been lost */
  struct network_uplink *uplink = server->uplink;
  if (some_frame_is_late(uplink) || uplink->device->driver->failed(uplink->device)) {
    restart(server);
    network_server_interrupt(server);
  }
}

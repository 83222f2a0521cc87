/* SPDX-License-Identifier: Apache-2.0
 *
 * From a ring to where the frames belong: other guests at once, the card by way
 * of one conversion call for as many frames as there are.
 */
#include "../calls.h"
#include "network_server.h"
#include "refusal.h"

/* --- ring → who gets it --- */

struct route {
  struct network_channel *one; /* null: none, or many */
  const uint64_t *members;     /* of a group; null: all, where `many` */
  bool wire, many;
};

static bool talks_to(const struct network_channel *channel, uint32_t position) {
  return channel->talks[position / 64] >> position % 64 & 1;
}

/* IEEE 802.1Q, 8.6.3: 01-80-c2-00-00-0x is for the neighbour on the wire, as frames that make it pause. No switch passes them on. */
static bool is_reserved(uint64_t group) {
  return (group & ~(0xfull << 40)) == 0xc28001;
}

static void route_to_many(struct route *route, const struct network_channel *channel, uint64_t to) {
  const struct network_group *group = to == NETWORK_BROADCAST ? NULL : network_group(channel->server, to);
  route->wire = channel->wire && !is_reserved(to);
  route->members = group ? group->members : NULL;
  for (uint32_t word = 0; (group || to == NETWORK_BROADCAST) && word < NETWORK_PORT_WORDS; word++)
    route->many |= (channel->talks[word] & (group ? group->members[word] : UINT64_MAX)) != 0;
}

static struct route find_route(const struct network_channel *channel, uint64_t to) {
  struct route route = {0};
  if (network_is_group(to)) {
    route_to_many(&route, channel, to);
    return route;
  }
  struct network_channel *port = network_port(channel->server, to);
  if (port && talks_to(channel, port->position))
    route.one = port;
  route.wire = !port && channel->wire;
  return route;
}

static void charge(struct network_channel *channel, uint32_t length) {
  channel->deficit -= length < NETWORK_SMALL_COST ? NETWORK_SMALL_COST : (int64_t)length;
}

static void count_sent(struct network_channel *channel, uint32_t length) {
  network_count(channel, COUNT_REQUESTS);
  channel->counters.count[COUNT_BYTES] += length;
}

static void copy_to(struct network_channel *from, struct network_channel *to, const struct network_frame *frame) {
  static const struct virtio_net_hdr HEADER = {.num_buffers = 1};
  network_deliver(to, &HEADER, frame->ethernet, frame->piece, frame->pieces);
  charge(from, frame->length);
}

static void copy_to_many(struct network_channel *channel, const struct network_frame *frame,
                         const struct route *route) {
  for (uint32_t word = 0; word < NETWORK_PORT_WORDS; word++) {
    uint64_t left = channel->talks[word] & (route->members ? route->members[word] : UINT64_MAX);
    for (; left; left &= left - 1)
      copy_to(channel, channel->server->port[64 * word + (uint32_t)__builtin_ctzll(left)], frame);
  }
}

/* What keeps a frame with a route from going out; COUNTERS: nothing. */
static enum counter judge_route(struct route *route, const struct network_channel *channel,
                                const struct network_frame *frame) {
  const struct network_uplink *uplink = channel->server->uplink;
  bool local = route->one || route->many;
  if (!route->wire && !local)
    return COUNT_NOBODY;
  if (!frame->inside && (frame->length < ETHERNET_SHORTEST || !route->wire))
    return COUNT_OUTSIDE_CHANNEL;
  if (frame->virtio.flags && (local || !(uplink->device->offloads & NETWORK_OFFLOAD_TRANSMIT)))
    return COUNT_UNSUPPORTED; /* a checksum to be filled in: no other guest has a card that does */
  if (!route->wire)
    return COUNTERS;
  if (uplink->link)
    return COUNTERS;
  route->wire = false;
  return local ? COUNTERS : COUNT_LINK_DOWN;
}

static void refuse(struct network_channel *channel, enum counter why) {
  network_count(channel, why);
  charge(channel, 0);
  network_answer(channel, channel->chain.head);
}

static void copy_local(struct network_channel *channel, const struct network_frame *frame, const struct route *route) {
  if (route->one)
    copy_to(channel, route->one, frame);
  else if (route->many && frame->inside)
    copy_to_many(channel, frame, route);
  else if (route->many)
    network_count(channel, COUNT_OUTSIDE_CHANNEL); /* the wire alone gets it */
}

/* False: it waits for a send; nothing of it has been done. */
static bool pass_on(struct network_channel *channel) {
  const struct virtqueue_chain *chain = &channel->chain;
  struct network_frame frame;
  struct network_send *send = NULL;
  struct route route;
  enum counter wrong = network_frame_read(&frame, chain, channel);
  if (wrong == COUNTERS) {
    route = find_route(channel, network_address(frame.ethernet));
    wrong = judge_route(&route, channel, &frame);
  }
  if (wrong != COUNTERS) {
    refuse(channel, wrong);
    return true;
  }
  if (route.wire) {
    send = network_send_take(channel);
    if (!send)
      return false;
    network_send_fill(send, &frame, chain);
    bool converted = !send->conversions && !channel->fresh.first;
    network_list_put(converted ? &channel->ready : &channel->fresh, send);
  }
  copy_local(channel, &frame, &route);
  if (!send || !send->answers) {
    count_sent(channel, frame.length);
    network_answer(channel, chain->head);
  }
  return true;
}

static bool take_chain(struct network_channel *channel) {
  enum virtqueue_take take = virtqueue_take_chain(&channel->transmit, &channel->chain);
  if (take == VIRTQUEUE_NOTHING)
    return false;
  if (take == VIRTQUEUE_BROKEN || !session_current(&channel->session, &channel->window.shared->header)) {
    if (take == VIRTQUEUE_BROKEN)
      network_count(channel, COUNT_BAD_RING);
    network_give_up(channel);
    return false;
  }
  channel->has_chain = take == VIRTQUEUE_CHAIN_OK;
  if (take == VIRTQUEUE_BAD)
    refuse(channel, COUNT_BAD_CHAIN);
  return true;
}

enum network_intake network_intake(struct network_channel *channel, uint32_t *burst) {
  if (channel->session.epoch == 0)
    network_give_up(channel); /* the client says that its rings are not set up */
  while (*burst && channel->deficit > 0) {
    if (channel->broken || (!channel->has_chain && !take_chain(channel)))
      return INTAKE_EMPTY;
    --*burst;
    if (!channel->has_chain)
      continue;
    if (!pass_on(channel))
      return INTAKE_WAIT;
    channel->has_chain = false;
  }
  return INTAKE_MORE;
}

/* --- fresh → ready --- */

struct batch {
  uint32_t sends, entries;
};

static uint32_t fill_entries(const struct network_send *send, struct convert_entry *entry) {
  uint32_t filled = 0;
  for (uint32_t left = send->client; left; left &= left - 1, filled++) {
    const struct network_segment *segment = &send->segment[__builtin_ctz(left)];
    entry[filled].address = segment->physical;
    entry[filled].offset = 0;
    entry[filled].length = segment->length;
    entry[filled].access = RIGHT_READ;
  }
  return filled;
}

static struct batch fill_batch(const struct network_channel *channel, struct convert_entry *entry, uint32_t limit) {
  struct batch batch = {0};
  for (const struct network_send *send = channel->fresh.first; send && batch.sends < limit; send = send->next) {
    if (batch.entries + send->conversions > LIMIT_BATCH)
      break;
    batch.entries += fill_entries(send, &entry[batch.entries]);
    batch.sends++;
  }
  return batch;
}

static void accept(struct network_channel *channel, const struct convert_entry *entry, struct batch batch) {
  channel->in_flight += batch.entries;
  while (batch.sends--) {
    struct network_send *send = network_list_take(&channel->fresh);
    for (uint32_t left = send->client; left; left &= left - 1, entry++)
      send->segment[__builtin_ctz(left)].physical = entry->physical;
    network_list_put(&channel->ready, send);
  }
}

static void give_back(struct network_channel *channel, struct network_send *send, enum counter why) {
  network_count(channel, why);
  charge(channel, 0);
  network_answer(channel, send->head);
  network_send_free(send);
}

/* Gives back the frame that holds this entry, and takes it out of the fresh ones. */
static void refuse_entry(struct network_channel *channel, uint32_t entry, enum counter why) {
  struct network_list rest = {0};
  bool found = false;
  while (channel->fresh.first) {
    struct network_send *send = network_list_take(&channel->fresh);
    if (found || entry >= send->conversions) {
      entry -= found ? 0 : send->conversions;
      network_list_put(&rest, send);
      continue;
    }
    found = true;
    give_back(channel, send, why);
  }
  channel->fresh = rest;
}

/* Too much for what the quota leaves: fewer at once, or later, or never. Returns the new limit, 0: later. */
static uint32_t over_quota(struct network_channel *channel, struct batch batch) {
  if (channel->release) {
    calls_release(channel->index, channel->release);
    channel->in_flight -= channel->release;
    channel->release = 0;
    return batch.sends;
  }
  if (batch.sends > 1)
    return batch.sends / 2;
  if (channel->in_flight)
    return 0;
  refuse_entry(channel, 0, COUNT_OVER_QUOTA);
  return NETWORK_BURST;
}

/* Nobody reads it any more, so it need not wait for a quota that a dead card holds. */
static void refuse_all(struct network_channel *channel) {
  while (channel->fresh.first)
    give_back(channel, network_list_take(&channel->fresh), COUNT_LINK_DOWN);
}

/* Each round accepts, refuses or halves, so there are at most a few more rounds than frames. */
bool network_convert(struct network_channel *channel) {
  struct convert_entry *entry = calls_entries();
  uint32_t limit = NETWORK_BURST;
  if (channel->server->uplink->dead)
    refuse_all(channel);
  while (channel->fresh.first && limit) {
    struct batch batch = fill_batch(channel, entry, limit);
    uint32_t refused = 0;
    enum status status = STATUS_OK;
    if (batch.entries)
      status = calls_convert(channel->index, batch.entries, channel->session.client_life, &refused);
    switch (status) {
    case STATUS_OK:
      accept(channel, entry, batch);
      break;
    case STATUS_QUOTA:
      limit = over_quota(channel, batch);
      break;
    case STATUS_NOT_CONNECTED:
    case STATUS_STALE_LIFE:
    case STATUS_NOT_ASSIGNED:
      network_give_up(channel);
      break;
    default:
      refuse_entry(channel, refused < batch.entries ? refused : 0, refusal_of(status));
    }
  }
  return channel->fresh.first == NULL;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The network server: an Ethernet switch whose ports are channels, with a card
 * as its uplink or with none. It owns channels and knows no register. Addresses
 * are declared, nothing is learned: who hears whom is in the descriptor page.
 *
 * The way of a frame from a client: ring → header into private memory, checked
 * there → copied to each local port → for the wire: fresh → ready (converted)
 * → card → used ring → signal. Its payload moves once: from the client's memory
 * by DMA, or from one window to the other.
 */
#ifndef PARCLOSE_IO_NETWORK_SERVER_H
#define PARCLOSE_IO_NETWORK_SERVER_H

#include "../drivers/network.h"
#include "descriptor.h"
#include "virtqueue.h"
#include "window.h"

#include <stdbool.h>

#define NETWORK_PORTS LIMIT_EVENTS
#define NETWORK_PORT_WORDS (NETWORK_PORTS / 64u)
#define NETWORK_BUCKETS (2u * NETWORK_PORTS)
#define NETWORK_SENDS 64u    /* frames under way to one card */
#define NETWORK_RECEIVES 64u /* buffers that one card fills */
#define NETWORK_RECEIVE_BYTES 2048u
#define NETWORK_SEND_BYTES 1536u /* header, tag and payload of any frame */
#define NETWORK_QUANTUM 16384    /* bytes that a channel of share 1 may move in one turn */
#define NETWORK_SMALL_COST 512   /* the least that a frame costs its channel's turn, a refused one too */
#define NETWORK_BURST 32u        /* frames read from one ring before anybody else is looked at */
#define NETWORK_TURNS 64u        /* turns given before events are looked at again */

_Static_assert(LIMIT_IO_NETWORK_CHANNELS <= NETWORK_PORTS, "a channel of each switch has a port, and an event");
_Static_assert(NETWORK_SEND_BYTES >= ETHERNET_FRAME + ETHERNET_TAG, "a copy of any frame");
_Static_assert(NETWORK_SEGMENTS >= VIRTQUEUE_CHAIN, "our header and the rest of a chain, whose first buffer holds it");

struct network_channel;

/* A frame on its way to the card. */
struct network_send {
  struct network_send *next;
  struct network_channel *channel;
  uint32_t generation; /* of the channel, when the chain was read */
  uint32_t length;     /* bytes on the wire */
  uint32_t client;     /* bit i: segment i is the client's memory; `physical` is its address until it is converted */
  uint32_t conversions;
  uint32_t looks; /* that found it unanswered; 0 and not `on_card`: not given to the card */
  uint16_t head;
  bool answers; /* the chain is given back when the card has sent the frame */
  bool on_card;
  struct network_checksum checksum;
  uint32_t count;
  struct network_segment segment[NETWORK_SEGMENTS];
};

struct network_list {
  struct network_send *first, *last;
};

/* What the card reads and writes. */
struct network_frames {
  uint8_t received[NETWORK_RECEIVES][NETWORK_RECEIVE_BYTES];
  uint8_t send[NETWORK_SENDS][NETWORK_SEND_BYTES];
};

struct network_uplink {
  struct network_device *device;
  struct network_frames *memory;
  uint64_t bias; /* what to add to an address in `memory` so that the card understands it */
  struct network_send *free;
  uint64_t idle; /* bit i: receive buffer i is not the card's */
  uint32_t under_way;
  uint32_t errors;
  bool dead; /* not even a reset helps */
  bool link;
  struct network_send send[NETWORK_SENDS];
};

_Static_assert(NETWORK_RECEIVES <= 64, "a bit for each");

struct network_group {
  uint64_t address;
  uint64_t members[NETWORK_PORT_WORDS];
};

struct network_channel {
  struct network_server *server;
  struct network_channel *next_active, *next_waiting, *next_signal;
  struct virtqueue_device receive, transmit;
  struct session session;
  struct window window;
  struct network_list fresh, ready;
  int64_t deficit; /* bytes that it may still move in this turn */
  uint64_t address;
  uint64_t talks[NETWORK_PORT_WORDS];
  uint32_t index; /* for calls */
  uint32_t position;
  uint32_t share;
  uint32_t generation; /* changes when the client begins anew */
  uint32_t in_flight;  /* conversions that the monitor counts for us */
  uint32_t release;    /* of them, no longer in use: told with the next signal */
  uint32_t sends, most_sends;
  uint16_t vlan;
  bool wire;
  bool active, waiting, signalling;
  bool has_chain;            /* `chain` waits for a send */
  bool sent, received, told; /* something for the client to hear: used rings, link */
  bool broken;               /* makes no sense or is gone: nothing is taken until its next epoch */
  struct virtqueue_chain chain;
  struct virtqueue_chain place; /* where the frame for it goes */
  struct channel_counters counters;
};

struct network_server {
  const char *name;
  struct network_uplink *uplink; /* null: guests alone */
  struct network_channel *active_first, *active_last;
  struct network_channel *waiting_first, *waiting_last; /* for the card */
  struct network_channel *signal_first;
  bool attention;    /* run has something to do */
  bool completions;  /* the card may have some */
  bool link_changed; /* perhaps */
  bool wide;         /* copy.h */
  uint32_t ports, shares, groups;
  uint64_t unclaimed; /* frames from the wire that nobody may have */
  struct network_channel
      *port[NETWORK_PORTS];         /* by position in the page's table of channels; null: not of this switch */
  uint16_t bucket[NETWORK_BUCKETS]; /* 1 + position, by a hash of the address */
  struct network_group group[LIMIT_GROUPS];
};

/* `uplink` is null, or its device, memory and bias are set. After the device has started, or failed to. */
void network_server_init(struct network_server *server, struct network_uplink *uplink, const char *name);

/* Once in a life, after the device is quiet. `position`: in the page's table of channels. */
void network_channel_init(struct network_channel *channel, struct network_server *server,
                          const struct channel_descriptor *descriptor, uint32_t position,
                          const struct address_descriptor *groups, uint32_t life);

/* After the last channel: the card is told which addresses are wanted, and gets buffers. */
void network_server_open(struct network_server *server);

void network_channel_event(struct network_channel *channel);
void network_server_interrupt(struct network_server *server);

/* Takes up what the card has, then gives turns to channels. Returns whether more could be done at once. */
bool network_server_run(struct network_server *server);

/* While frames are under way, network_server_look is called every NETWORK_LOOK_NS. A frame that NETWORK_PATIENCE looks found
   unsent, or a device that says itself that it failed, leads to a reset. Looks are counted: an emulator's clock may run far
   ahead of its devices. */
#define NETWORK_LOOK_NS 100000000u
#define NETWORK_PATIENCE 50u
bool network_server_busy(const struct network_server *server);
void network_server_look(struct network_server *server);

/* --- between the files of the network server --- */

struct network_piece {
  const uint8_t *place;
  uint32_t length;
};

/* A frame of a client's: headers in private memory, the payload where the client has it. */
struct network_frame {
  struct virtio_net_hdr virtio;
  uint8_t ethernet[ETHERNET_HEADER];
  uint32_t length;       /* of the whole frame */
  uint32_t buffer, skip; /* of the chain: the payload begins there, so many bytes in */
  bool inside;           /* all of the payload stands in the window: */
  uint32_t pieces;
  struct network_piece piece[VIRTQUEUE_CHAIN];
};

static inline uint64_t network_address(const uint8_t *bytes) {
  uint32_t low;
  uint16_t high;
  __builtin_memcpy(&low, bytes, 4);
  __builtin_memcpy(&high, bytes + 4, 2);
  return low | (uint64_t)high << 32;
}

#define NETWORK_BROADCAST 0xffffffffffffull
static inline bool network_is_group(uint64_t address) {
  return address & 1; /* IEEE 802, 8.2: the first bit on the wire */
}

static inline void network_count(struct network_channel *channel, enum counter what) {
  channel->counters.count[what]++;
}

/* network_ports.c */
void network_ports_add(struct network_server *server, struct network_channel *channel,
                       const struct address_descriptor *groups, uint32_t count);
struct network_channel *network_port(const struct network_server *server, uint64_t address); /* null: none of ours */
const struct network_group *network_group(const struct network_server *server, uint64_t address);

/* network_frame.c: COUNTERS: a good frame; else the rule that it breaks. */
enum counter network_frame_read(struct network_frame *frame, const struct virtqueue_chain *chain,
                                const struct network_channel *channel);

/* network_deliver.c: a copy for one client; counted where it has no buffer. `ethernet`: ETHERNET_HEADER bytes. */
void network_deliver(struct network_channel *channel, const struct virtio_net_hdr *header, const uint8_t *ethernet,
                     const struct network_piece *pieces, uint32_t count);

/* network_intake.c */
enum network_intake { INTAKE_MORE, INTAKE_EMPTY, INTAKE_WAIT };
enum network_intake network_intake(struct network_channel *channel, uint32_t *burst);
bool network_convert(
    struct network_channel *channel); /* fresh → ready; false: later, after a frame of its own is sent */

/* network_send.c */
struct network_send *network_send_take(struct network_channel *channel); /* null: none is free for it */
void network_send_free(struct network_send *send);
void network_send_fill(struct network_send *send, const struct network_frame *frame,
                       const struct virtqueue_chain *chain);

/* network_uplink.c */
void network_uplink_start(struct network_server *server);
void network_uplink_run(struct network_server *server);
void network_uplink_link(struct network_server *server);

/* network_channel.c */
void network_note_signal(struct network_channel *channel);
void network_answer(struct network_channel *channel, uint16_t head);
void network_activate(struct network_channel *channel);
void network_give_up(struct network_channel *channel);
void network_wake(struct network_server *server); /* all that wait, for the card or for a send */

static inline void network_list_put(struct network_list *list, struct network_send *send) {
  send->next = NULL;
  if (list->first)
    list->last->next = send;
  else
    list->first = send;
  list->last = send;
}

static inline struct network_send *network_list_take(struct network_list *list) {
  struct network_send *send = list->first;
  list->first = send->next;
  return send;
}

#endif

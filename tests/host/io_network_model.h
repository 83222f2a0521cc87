/* SPDX-License-Identifier: Apache-2.0
 *
 * A network card behind the interface of network drivers, which checks that it
 * is given no memory but the server's own and a client's that is in flight; the
 * wire at its other end; and clients.
 */
#ifndef IO_NETWORK_MODEL_H
#define IO_NETWORK_MODEL_H

#include "io_monitor_model.h"
#include "server/network_server.h"

#define MODEL_DEPTH 32u
#define DATA_AREA 0x20000u
#define SLOTS 20u /* of the data area, for each direction */
#define WIRE_LOG 64u
#define NO_ONE 0xffu

struct model_frame {
  uint8_t bytes[2048];
  uint32_t length;
  uint32_t whose; /* of which client's memory the payload was, NO_ONE: of none */
};

struct model_queued {
  struct network_segment segment[NETWORK_SEGMENTS];
  uint32_t count, tag;
};

struct model_card {
  struct network_device network; /* first */
  struct model_queued queued[MODEL_DEPTH];
  uint32_t first, last; /* free-running */
  struct network_segment posted[NETWORK_RECEIVES];
  uint32_t posted_tag[NETWORK_RECEIVES], posted_count;
  struct network_received arrived[NETWORK_RECEIVES];
  uint32_t arrived_count;
  uint32_t lost[MODEL_DEPTH], lost_count;
  uint32_t credit; /* frames that it sends each time it is asked */
  uint32_t resets, addresses;
  struct network_checksum checksum; /* of the last frame */
  bool silent, obeys, up;
  struct model_frame wire[WIRE_LOG];
  uint32_t sent; /* frames ever put on the wire; the last stand in `wire` */
  uint64_t bytes_of[MODEL_CHANNELS];
};

struct client {
  struct channel_window *window;
  uint64_t size;
  struct virtqueue_driver receive, transmit;
  uint32_t epoch, index;
  uint16_t slot_of[2][QUEUE_SIZE];
  uint32_t free[2], free_slots[2][SLOTS];
};

extern struct model_card model_card;
extern struct network_server model_server;
extern struct network_channel model_port[MODEL_CHANNELS];
extern struct network_frames model_frames;
extern uint8_t *model_memory[MODEL_CHANNELS];
extern struct client client[MODEL_CHANNELS];

/* A switch with the card or without, and no channels yet. */
void model_begin(bool uplink);
struct channel_descriptor model_port_of(uint32_t index, uint32_t channels); /* talks to all, and to the wire */
void client_open(uint32_t index, struct channel_descriptor descriptor, const struct address_descriptor *groups);
void client_begin(struct client *client); /* the next epoch, all receive slots posted */
void model_open(void);                    /* after the last client */
void model_run(void);
void model_kick(struct client *client);

void model_address(uint8_t *address, uint32_t index); /* of client `index` */
void model_arrive(const uint8_t *frame, uint32_t length);
const struct model_frame *model_wire(uint32_t back); /* the last frame, or so many before */

/* Puts header and frame into a slot, payload included. Returns the chain's head. */
int client_send(struct client *client, const uint8_t *frame, uint32_t length);
/* The header into a slot, the payload from `address` on. */
int client_send_from(struct client *client, const uint8_t *header, uint64_t address, uint32_t length);
uint8_t *client_slot(struct client *client, uint32_t queue, uint32_t slot);
uint32_t client_reap(struct client *client);                       /* transmit chains that came back */
uint32_t client_take(struct client *client, uint8_t *frame);       /* a frame; 0: none. Its buffer is posted again */
uint64_t client_counted(const struct client *client, uint32_t of); /* as its window says */

#endif

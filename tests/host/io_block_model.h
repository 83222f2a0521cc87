/* SPDX-License-Identifier: Apache-2.0
 *
 * A disk behind the interface of block drivers, which checks that every byte
 * it moves belongs to the client in whose extent it moves; and clients.
 */
#ifndef IO_BLOCK_MODEL_H
#define IO_BLOCK_MODEL_H

#include "io_monitor_model.h"
#include "server/block_server.h"

#define MODEL_DEPTH 64u
#define DATA_AREA 8192u
#define MODEL_DISCARDED 0xddu /* what is read where something was discarded */

struct model_disk {
  struct block_device block; /* first */
  bool busy[MODEL_DEPTH];
  uint32_t tag[MODEL_DEPTH], error[MODEL_DEPTH];
  uint32_t fail_percent, resets, flushes, through, unmapped, late;
  uint32_t ranges[MODEL_CHANNELS]; /* commands over ranges */
  bool silent, failed, obeys;
  uint64_t moved[MODEL_CHANNELS]; /* bytes */
};

struct client {
  struct channel_window *window;
  uint64_t size;
  struct virtqueue_driver queue;
  uint32_t epoch, life, index;
};

extern struct model_disk model_disk;
extern uint8_t *model_memory[MODEL_CHANNELS]; /* of clients: CLIENT_SIZE each */
extern uint8_t *model_extent[MODEL_CHANNELS];
extern struct block_server model_server;
extern struct block_channel model_server_channel[MODEL_CHANNELS];
extern struct client client[MODEL_CHANNELS];

void model_begin(void);                   /* disk, server, no channels */
void client_open(uint32_t index);         /* a channel and its client's first epoch */
void client_begin(struct client *client); /* the next epoch */
void model_run(void);                     /* the server until it has nothing to do */
void model_drain(void);                   /* until nothing is in flight */

#endif

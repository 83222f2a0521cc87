/* SPDX-License-Identifier: Apache-2.0
 *
 * The block server: virtio block requests of many clients on one block device.
 * It owns channels and knows no register; it holds no extent: every buffer and
 * every offset goes through the monitor's conversion, and what comes back goes
 * to the driver as it is.
 *
 * The way of a request: ring → fresh (read into private memory, not converted)
 * → ready (converted) → commands in the device → status and used ring → signal.
 */
#ifndef PARCLOSE_IO_BLOCK_SERVER_H
#define PARCLOSE_IO_BLOCK_SERVER_H

#include "../drivers/block.h"
#include "descriptor.h"
#include "virtqueue.h"
#include "window.h"

#include <stdbool.h>

#define BLOCK_SEGMENTS (VIRTQUEUE_CHAIN - 2u) /* data buffers of one request */
#define BLOCK_REQUESTS 128u                   /* under way on one device */
#define BLOCK_CHANNELS LIMIT_EVENTS           /* of one I/O partition: each needs an event */
#define BLOCK_BURST 32u                       /* requests read from one ring before anybody else is looked at */
#define BLOCK_QUANTUM 65536                   /* bytes that a channel of share 1 may move in one turn */
#define BLOCK_SHARED_QUANTUM 16384        /* while others want a turn, too: short turns, so that nobody waits long */
#define BLOCK_SHARED_COMMAND 32768u       /* bytes of one command, likewise */
#define BLOCK_SMALL_COST 4096             /* the least that a command or a refused request costs its channel's turn */
#define BLOCK_FLUSH_COST BLOCK_QUANTUM    /* a flush, or a command over a range, keeps the device from much else */
#define BLOCK_SHARED_WINDOW BLOCK_QUANTUM /* cost under way while several channels want the disk: see may_submit */
#define BLOCK_SHARED_NS 20000000u         /* and so long after */
#define BLOCK_WINDOW 0x400000             /* and while one does */
#define BLOCK_TURNS 64u                   /* turns given before events are looked at again */

enum block_kind { KIND_READ, KIND_WRITE, KIND_FLUSH, KIND_IDENTITY, KIND_DISCARD, KIND_ZEROES };

struct block_channel;

struct block_request {
  struct block_request *next;
  struct block_channel *channel;
  uint64_t offset;     /* client's: from the start of the endpoint */
  uint64_t taken_at;   /* ticks */
  uint8_t *status;     /* inside the window */
  uint32_t generation; /* of the channel, when the request was read */
  uint32_t length;     /* bytes of data */
  uint32_t pieces;     /* commands in the device */
  int64_t cost;        /* of them */
  uint32_t looks;      /* that found its commands unanswered */
  uint16_t head;
  uint8_t kind;
  uint8_t wrong; /* enum counter */
  bool failed;
  bool through;      /* a write that is on the medium before it is answered */
  bool settle;       /* … where the device cannot do so itself: a flush follows */
  bool unmap;        /* zeroes: the device may take the blocks back */
  uint32_t segments; /* and as many conversions, once converted */
  uint64_t left;     /* bytes of a range that the device has not taken yet */
  struct block_transfer transfer;
  struct block_segment segment[BLOCK_SEGMENTS]; /* `physical` is the client's address until it is converted */
};

struct block_list {
  struct block_request *first, *last;
};

struct block_channel {
  struct block_server *server;
  struct block_channel *next_active, *next_signal;
  struct virtqueue_device queue;
  struct session session;
  struct window window;
  struct block_list fresh, ready;
  int64_t deficit; /* bytes that it may still move in this turn */
  int64_t cost;    /* under way in the device */
  uint32_t index;  /* for calls */
  uint32_t block_size;
  uint32_t rights;   /* what the client is told of them: the monitor refuses */
  uint64_t capacity; /* the same */
  uint32_t share;
  uint32_t generation; /* changes when the client begins anew */
  uint32_t in_flight;  /* conversions that the monitor counts for us */
  uint32_t release;    /* of them, no longer in use: told with the next signal */
  bool active, signalling;
  bool wants_signal; /* something was put into the used ring */
  bool broken;       /* makes no sense or is gone: nothing is taken until its next epoch */
  bool refused;      /* its disk is not the one planned: every request is an error. Set before block_channel_init */
  bool blocked;      /* quota used up: again after a completion of its own */
  const char *name;
  uint64_t count[COUNTERS];
};

struct block_server {
  struct block_device *device;
  const char *name;
  struct block_request *free;
  struct block_channel *active_first, *active_last;
  struct block_channel *signal_first;
  int64_t cost; /* under way in the device, of all channels */
  uint64_t shared_until, shared_ticks;
  uint64_t now; /* ticks, when completions were taken up last */
  uint32_t errors;
  bool attention;   /* run has something to do */
  bool completions; /* the device may have some */
  bool dead;        /* not even a reset helps */
  struct block_request request[BLOCK_REQUESTS];
};

void block_server_init(struct block_server *server, struct block_device *device, const char *name);

/* The device wants to be looked at. */
void block_server_interrupt(struct block_server *server);

/* Once in a life, after the device is quiet. */
void block_channel_init(struct block_channel *channel, struct block_server *server,
                        const struct channel_descriptor *descriptor, uint32_t life);

/* The client signalled: looks for a new epoch, and at its ring in the next run. */
void block_channel_event(struct block_channel *channel);

/* Takes up completions, then gives turns to channels. Returns whether more could be done at once. */
bool block_server_run(struct block_server *server);

/* While commands are under way, block_server_look is called every BLOCK_LOOK_NS. A command that BLOCK_PATIENCE looks found
   unanswered, or a device that says itself that it failed, leads to a reset. Looks are counted, not time alone: an
   emulator's clock may run far ahead of its devices. */
#define BLOCK_LOOK_NS 100000000u
#define BLOCK_PATIENCE 300u
bool block_server_busy(const struct block_server *server);
void block_server_look(struct block_server *server);

/* --- between the files of the block server --- */

/* block_request.c: what a chain asks for. BLOCK_ANSWER: `*status` is the whole answer; where that is no VIRTIO_BLK_S_OK,
   `request->wrong` is the rule that the request breaks. */
enum block_reading { BLOCK_READ_OK, BLOCK_ANSWER, BLOCK_NO_STATUS };
enum block_reading block_request_read(const struct block_channel *channel, struct block_request *request,
                                      const struct virtqueue_chain *chain, uint8_t *status);

/* block_config.c: what the client may read of its endpoint (virtio 1.1, 5.2.3 and 5.2.4). */
void block_config_write(const struct block_channel *channel);
uint64_t block_features(const struct block_channel *channel);
/* block_intake.c */
void block_intake(struct block_channel *channel);
/* block_turns.c */
int64_t block_window(const struct block_channel *channel); /* of cost under way, in this turn */
void block_next_turn(struct block_channel *channel);
enum block_result block_give_other(struct block_channel *channel, struct block_request *request, uint32_t tag);
/* block_server.c */
void block_answer(struct block_channel *channel, uint16_t head, uint8_t *place, uint8_t status, uint32_t length);
void block_request_free(struct block_server *server, struct block_request *request);

/* What it costs a channel's turn that a command of this request moves so many bytes. */
static inline int64_t block_cost(const struct block_request *request, uint64_t moved) {
  if (request->kind > KIND_WRITE)
    return BLOCK_FLUSH_COST;
  return moved < BLOCK_SMALL_COST ? BLOCK_SMALL_COST : (int64_t)moved;
}

static inline void block_count(struct block_channel *channel, enum counter what) {
  channel->count[what]++;
}

static inline void block_list_put(struct block_list *list, struct block_request *request) {
  request->next = NULL;
  if (list->first)
    list->last->next = request;
  else
    list->first = request;
  list->last = request;
}

static inline struct block_request *block_list_take(struct block_list *list) {
  struct block_request *request = list->first;
  list->first = request->next;
  return request;
}

#endif

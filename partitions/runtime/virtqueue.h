/* SPDX-License-Identifier: Apache-2.0
 *
 * Split virtqueues (OASIS virtio 1.1, 2.6) over a channel's window: the driver's
 * side (the client of a channel) and the device's side (its server). Pure
 * arithmetic on memory: no monitor calls, so it runs on the host as well.
 *
 * The other side writes to the same memory at any time. So each side keeps its
 * indexes and links in private memory and reads a shared field once.
 *
 * Client:  session_client_stop → virtqueue_driver_reset (both queues) → session_client_begin
 *          → virtqueue_add … → if virtqueue_wants_kick: signal
 *          → if session_client_served: virtqueue_take_used …; if session_client_lost: all over again
 * Server:  session_server_begin once a life; then, whenever the channel's event came:
 *          session_server_take_up → virtqueue_device_reset (both queues) and session_server_ready where it says so
 *          → virtqueue_take_chain … → session_current → virtqueue_put_used …
 *          → if virtqueue_wants_interrupt: signal
 */
#ifndef PARCLOSE_VIRTQUEUE_H
#define PARCLOSE_VIRTQUEUE_H

#include "channel.h"

#include <stdbool.h>
#include <stdint.h>

#define VIRTQUEUE_CHAIN 18u /* buffers of the longest chain that a server takes: header, 16 pieces of data, status */

/* A buffer as a descriptor names it: a client-relative address that nobody has checked yet. */
struct virtqueue_buffer {
  uint64_t address;
  uint32_t length;
  uint32_t writable; /* 1: the device (server) writes it */
};

/* --- the driver's side: the client of a channel --- */

struct virtqueue_driver {
  struct channel_queue *queue;
  uint16_t available; /* our next index of the available ring */
  uint16_t used;      /* next index of the used ring that we look at */
  uint16_t free_head;
  uint16_t free_count;
  uint16_t next[QUEUE_SIZE];  /* our own links, whatever the shared table says by now */
  uint16_t chain[QUEUE_SIZE]; /* buffers of the chain in flight with this head; 0: no such chain */
};

/* Empties descriptors and available ring. The used ring is the server's: it empties it when it takes up the epoch. */
void virtqueue_driver_reset(struct virtqueue_driver *driver, struct channel_queue *queue);

/* Publishes a chain of `count` buffers, readable ones first. Returns its head (0 to QUEUE_SIZE - 1), -1: no room. */
int virtqueue_add(struct virtqueue_driver *driver, const struct virtqueue_buffer *buffers, unsigned count);

/* The head that the next virtqueue_add will return: a block request's header stands under this index. -1: none free. */
int virtqueue_next_head(const struct virtqueue_driver *driver);

/* Whether the server asked to be told of new chains. Call after virtqueue_add. */
bool virtqueue_wants_kick(const struct virtqueue_driver *driver);

/* Takes one finished chain; `length`: bytes that the server says it wrote (not trusted: bound it). An answer to a head
   that is not in flight is dropped. Returns false when there is none. */
bool virtqueue_take_used(struct virtqueue_driver *driver, uint16_t *head, uint32_t *length);

/* Tells the server whether it should signal when it has finished a chain. Look at the ring again after turning it on. */
void virtqueue_driver_interrupts(struct virtqueue_driver *driver, bool on);

/* --- the device's side: the server of a channel --- */

struct virtqueue_device {
  struct channel_queue *queue;
  uint16_t available; /* next index of the available ring that we look at */
  uint16_t used;      /* our next index of the used ring */
};

enum virtqueue_take {
  VIRTQUEUE_NOTHING,  /* no chain waits */
  VIRTQUEUE_CHAIN_OK, /* *chain holds one */
  VIRTQUEUE_BAD, /* too long, indirect, or a readable buffer after a writable one: chain->head alone holds; answer it */
  VIRTQUEUE_BROKEN, /* the ring makes no sense: serve the channel again when its epoch changes */
};

struct virtqueue_chain {
  uint16_t head;
  uint16_t count;    /* buffers */
  uint16_t readable; /* the first so many are read by the server, the others written */
  struct virtqueue_buffer buffer[VIRTQUEUE_CHAIN];
};

/* Index 0 and an empty used ring. */
void virtqueue_device_reset(struct virtqueue_device *device, struct channel_queue *queue);

/* Copies the next chain once into private memory: at most VIRTQUEUE_CHAIN buffers, indexes masked. */
enum virtqueue_take virtqueue_take_chain(struct virtqueue_device *device, struct virtqueue_chain *chain);

/* Whether a chain waits; nothing is taken. */
bool virtqueue_pending(const struct virtqueue_device *device);

/* Gives a chain back; `length`: bytes written into its writable buffers. */
void virtqueue_put_used(struct virtqueue_device *device, uint16_t head, uint32_t length);

/* Whether the client asked to be told of finished chains. Call after virtqueue_put_used. */
bool virtqueue_wants_interrupt(const struct virtqueue_device *device);

/* Tells the client whether it should signal new chains. Look for a chain again after turning it on. */
void virtqueue_device_kicks(struct virtqueue_device *device, bool on);

/* --- who serves whom: lives and epochs in the channel's header --- */

/* A server's view of its client. */
struct session {
  uint32_t life;        /* the server's own */
  uint32_t epoch;       /* taken up; 0: none */
  uint32_t client_life; /* in which the client makes its requests: for CALL_CONVERT */
};

/* Server, once in its life for each channel (after CALL_QUIET, where it has a device). Signal the client afterwards: if an
   earlier life served it, it learns here that its requests are lost. */
void session_server_begin(struct session *session, struct channel_header *header, uint32_t life);

/* Server: looks for a new epoch. True: forget what was under way for the channel, reset both queues (index 0), THEN call
   session_server_ready. Where session->epoch is 0, nothing may be taken from the queues. */
bool session_server_take_up(struct session *session, const struct channel_header *header);

/* Server: from here on the client believes the used rings. Signal it. */
void session_server_ready(const struct session *session, struct channel_header *header);

/* Server: whether the client still is in the epoch that was taken up. Ask after virtqueue_take_chain and before acting on
   the chain: the client may have begun to set up its rings anew while they were read. */
static inline bool session_current(const struct session *session, const struct channel_header *header) {
  return session->epoch != 0 && __atomic_load_n(&header->magic, __ATOMIC_ACQUIRE) == CHANNEL_MAGIC &&
         __atomic_load_n(&header->epoch, __ATOMIC_ACQUIRE) == session->epoch;
}

/* Client, before it resets its rings: no server may take them up as they are. */
void session_client_stop(struct channel_header *header);

/* Client: its rings are empty (virtqueue_driver_reset): begins the next epoch, and returns it. Chains may be added at once. */
uint32_t session_client_begin(struct channel_header *header, uint32_t life);

/* Client: the server has taken up the epoch: the used rings count. They still do when it has been restarted since. */
bool session_client_served(const struct channel_header *header, uint32_t epoch);

/* Client: the server that took up the epoch was restarted since: take what the used rings hold (after this call, so that
   nothing is missed); the rest is lost, set up anew. */
bool session_client_lost(const struct channel_header *header, uint32_t epoch);

#endif

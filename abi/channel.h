/* SPDX-License-Identifier: Apache-2.0
 *
 * A channel's window: memory shared by exactly two partitions. Rings are virtio
 * 1.x split virtqueues (OASIS virtio 1.1, 2.6), requests the standard virtio
 * block request (5.2.6); console and guest-to-guest channels use two queues as
 * the virtio console does (5.3.2): 0 towards the client, 1 from the client.
 * The client is the virtio driver, the server the virtio device.
 *
 * Addresses in ring descriptors are the client's partition-relative ones. One
 * inside the window is resolved by subtraction and a bound; any other goes to
 * the monitor for conversion (data of block requests, and of frames sent to a
 * wire). Headers and status bytes of block requests stand inside the window,
 * and so do all headers of frames (ethernet.h). All fields are little-endian.
 *
 * Nothing here is trusted by its reader: mask indexes, bound lengths, read a
 * descriptor once into private memory, limit chains.
 */
#ifndef PARCLOSE_CHANNEL_H
#define PARCLOSE_CHANNEL_H

#include "counters.h"
#include "disk.h"
#include "ethernet.h"
#include "limits.h"
#include "virtio_mmio.h"

#include <stdint.h>

#define CHANNEL_MAGIC 0x4e484350u /* "PCHN" */
#define CHANNEL_QUEUES 2u
#define QUEUE_SIZE LIMIT_QUEUE
#define CHANNEL_HEADER_PAGES 4u /* header, two queues, request headers */

#define VIRTQ_DESC_F_NEXT 1u
#define VIRTQ_DESC_F_WRITE 2u /* the device (server) writes the buffer */
#define VIRTQ_DESC_F_INDIRECT 4u
#define VIRTQ_AVAIL_F_NO_INTERRUPT 1u
#define VIRTQ_USED_F_NO_NOTIFY 1u

struct virtq_desc {
  uint64_t addr;
  uint32_t len;
  uint16_t flags;
  uint16_t next;
};

struct virtq_avail {
  uint16_t flags;
  uint16_t idx;
  uint16_t ring[QUEUE_SIZE];
  uint16_t used_event;
};

struct virtq_used_elem {
  uint32_t id;
  uint32_t len;
};

struct virtq_used {
  uint16_t flags;
  uint16_t idx;
  struct virtq_used_elem ring[QUEUE_SIZE];
  uint16_t avail_event;
};

/* A queue takes one page. */
struct channel_queue {
  _Alignas(4096) struct virtq_desc desc[QUEUE_SIZE];
  _Alignas(4) struct virtq_avail avail;
  _Alignas(4) struct virtq_used used;
};

/* The first three and `accepted` are written by the client, the rest by the server. The used rings count where server_epoch is the client's
   epoch. Where then served_life is not server_life, what they do not hold is lost: the client begins a new epoch. */
struct channel_header {
  uint32_t magic;        /* CHANNEL_MAGIC once the rings are set up */
  uint32_t client_life;  /* the life in which the client's requests are made (CHANNEL_LIFE) */
  uint32_t epoch;        /* changes whenever the client sets its rings up anew; the server then starts at index 0 */
  uint32_t server_life;  /* the server's life: written first of all when it comes up */
  uint32_t server_epoch; /* the epoch that the server took up last */
  uint32_t served_life;  /* the server's life in which it did so; written before server_epoch */
  uint64_t features;     /* what the server offers: feature bits of virtio */
  uint64_t accepted;     /* of them, by the client, before its epoch: one that was not offered, and it is not served */
};

/* A block request's header and status, in the page after the queues: one for each head descriptor. A range stands where the
   header of its own descriptor would. */
struct channel_request {
  union {
    struct virtio_blk_req header;
    struct virtio_blk_discard_write_zeroes range;
  };
  uint8_t status;
  uint8_t pad[15];
};

/* What virtio keeps in the device's configuration, and what the server counted: written by the server alone, copies of its own. */
union channel_config {
  struct virtio_net_config network;
  struct virtio_blk_config disk;
  uint8_t room[256];
};

struct channel_window {
  struct channel_header header;
  _Alignas(512) struct channel_counters counters;
  _Alignas(512) struct virtio_mmio registers;
  union channel_config config;
  struct channel_queue queue[CHANNEL_QUEUES];
  _Alignas(4096) struct channel_request request[QUEUE_SIZE];
  /* the data area follows */
};

_Static_assert(offsetof(struct channel_window, config) ==
                   offsetof(struct channel_window, registers) + VIRTIO_MMIO_CONFIG,
               "as on virtio's memory bus");
_Static_assert(sizeof(struct channel_window) == CHANNEL_HEADER_PAGES * 4096, "the data area starts at a page");

#endif

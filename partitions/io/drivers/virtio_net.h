/* SPDX-License-Identifier: Apache-2.0
 *
 * The virtio network driver (OASIS virtio 1.1, 5.1): a modern PCI device, one
 * queue in each direction. Frames stand alone in the buffers of the caller; the
 * headers that virtio puts before them stand here.
 */
#ifndef PARCLOSE_IO_VIRTIO_NET_H
#define PARCLOSE_IO_VIRTIO_NET_H

#include "network.h"
#include "virtio_pci.h"

#define VIRTIO_NET_TRANSMIT 128u                 /* frames at the same time */
#define VIRTIO_NET_RECEIVE 256u                  /* buffers */
#define VIRTIO_NET_SENDS (1u + NETWORK_SEGMENTS) /* descriptors of a frame: header, data */
#define VIRTIO_NET_SENDS_DIRECT 32u              /* where the device has no indirect ones */
#define VIRTIO_NET_TAKES 2u                      /* descriptors of a buffer: header, data */
#define VIRTIO_NET_HEADER 12u                    /* bytes of struct virtio_net_header that the device knows */

#define HEADER_NEEDS_CHECKSUM 1u /* VIRTIO_NET_HDR_F_NEEDS_CSUM */

/* 5.1.6 */
struct virtio_net_header {
  uint8_t flags, gso_type;
  uint16_t header_length, gso_size;
  uint16_t checksum_start, checksum_offset;
  uint16_t buffers;
  uint32_t padding; /* ours */
};

struct virtio_net_memory {
  _Alignas(4096) struct virtio_descriptor sends[VIRTIO_NET_TRANSMIT][VIRTIO_NET_SENDS];
  struct virtio_descriptor takes[VIRTIO_NET_RECEIVE][VIRTIO_NET_TAKES];
  struct virtio_net_header sent[VIRTIO_NET_TRANSMIT], taken[VIRTIO_NET_RECEIVE];
  struct virtio_rings transmit, receive;
};

enum virtio_net_state { NET_IDLE, NET_WITH_DEVICE, NET_TAKEN_BY_RESET };

/* A place for a frame or a buffer. What its chain consists of stays the same but for the data. */
struct virtio_net_slot {
  struct virtio_net_slot *next; /* free one */
  struct virtio_descriptor *table;
  struct virtio_net_header *header;
  uint32_t tag;
  uint32_t room;       /* bytes that the device may write behind the header */
  uint16_t head, link; /* of the chain; of the table's first entry */
  uint8_t state;
};

/* One direction. */
struct virtio_net_way {
  struct virtio_queue queue;
  struct virtio_net_slot *free;
  struct virtio_net_slot *slot;
  uint32_t slots, most; /* in use by the queue, in all */
  uint32_t lost;        /* that a reset took and that have not come back yet */
};

struct virtio_net {
  struct network_device network; /* first: a network_device is one of these */
  struct virtio_net_memory *memory;
  uint64_t bias;
  bool ready, nonsense;
  struct virtio_pci pci;
  struct virtio_net_way transmit, receive;
  struct virtio_net_slot transmit_slot[VIRTIO_NET_TRANSMIT], receive_slot[VIRTIO_NET_RECEIVE];
};

struct network_device *virtio_net_open(const struct driver_resources *given);

/* --- between the two files of the driver --- */

/* virtio_net_io.c */
uint32_t virtio_net_slots_reset(struct virtio_net_way *way); /* returns how many are free */
enum network_result virtio_net_transmit(struct network_device *device, const struct network_segment *segments,
                                        uint32_t count, struct network_checksum checksum, uint32_t tag);
enum network_result virtio_net_receive(struct network_device *device, struct network_segment buffer, uint32_t tag);
void virtio_net_commit(struct network_device *device);
uint32_t virtio_net_sent(struct network_device *device, struct network_sent *sent, uint32_t limit);
uint32_t virtio_net_received(struct network_device *device, struct network_received *received, uint32_t limit);

_Static_assert(sizeof(struct virtio_net_header) == 16, "12 bytes are the device's");

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The one interface of network drivers. A driver owns registers and rings; it
 * knows no client, no channel and no address but the card's own. Addresses of
 * buffers are the device's (physical without an IOMMU), lengths bytes.
 *
 * Order in every life: reset (needs no DMA) → the caller tells the monitor that
 * the device is quiet → start → any number of transmit, receive, commit, sent,
 * received. Nothing here waits but reset and start.
 *
 * Every buffer that was taken comes back once: from sent or received, after a
 * reset with NETWORK_ERROR_RESET.
 */
#ifndef PARCLOSE_IO_NETWORK_H
#define PARCLOSE_IO_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#define NETWORK_ADDRESS 6u      /* bytes of an Ethernet address */
#define NETWORK_SEGMENTS 18u    /* of one frame at most */
#define NETWORK_FRAME_MAX 1518u /* bytes with header and VLAN tag, without the frame check sequence (the card's) */

struct network_segment {
  uint64_t physical;
  uint32_t length; /* bytes, not 0 */
};

/* A checksum for the card to fill in, as virtio_net_hdr says it (OASIS virtio 1.1, 5.1.6.2): over all bytes from `start`, to be stored
   at start + offset. start 0: none wanted. Only where the device has NETWORK_OFFLOAD_TRANSMIT. */
struct network_checksum {
  uint16_t start, offset;
};

enum network_result {
  NETWORK_TAKEN,   /* queued; it comes back with its tag */
  NETWORK_BUSY,    /* no room in the ring: again after something has come back */
  NETWORK_REFUSED, /* the device cannot do this one, ever */
};

/* Errors besides the device's own words, which are below 0x10000. */
#define NETWORK_ERROR_RESET 0x10000u    /* the driver reset the device meanwhile */
#define NETWORK_ERROR_NONSENSE 0x20000u /* the device reports what cannot be: a length, a part of a frame */

struct network_sent {
  uint32_t tag;
  uint32_t error; /* 0: it is on the wire */
};

struct network_received {
  uint32_t tag;
  uint32_t length;     /* bytes of the frame, without the frame check sequence; 0 with an error */
  uint32_t error;      /* 0: none */
  bool checksum_right; /* the card has looked at the TCP or UDP checksum, and it is right */
};

#define NETWORK_OFFLOAD_TRANSMIT 1u /* fills in checksums */
#define NETWORK_OFFLOAD_RECEIVE 2u  /* checks checksums */

struct network_device;

struct network_driver {
  bool (*reset)(struct network_device *device); /* stops all DMA; false: the device does not obey */
  bool (*start)(struct network_device *device); /* reads its address and sets its rings up */
  /* Which destinations the card is to let pass besides its own address and broadcast; kept over a reset, none at first.
     False: it lets others pass too, up to everything. */
  bool (*filter)(struct network_device *device, const uint8_t (*addresses)[NETWORK_ADDRESS], uint32_t count);
  enum network_result (*transmit)(struct network_device *device, const struct network_segment *segments, uint32_t count,
                                  struct network_checksum checksum, uint32_t tag);
  /* Gives the card a buffer for one frame to come, of at least receive_bytes. */
  enum network_result (*receive)(struct network_device *device, struct network_segment buffer, uint32_t tag);
  void (*commit)(struct network_device *device); /* makes all that was queued since visible to the device */
  uint32_t (*sent)(struct network_device *device, struct network_sent *sent, uint32_t limit);
  uint32_t (*received)(struct network_device *device, struct network_received *received, uint32_t limit);
  /* Whether the wire is there. Its change raises an interrupt, the next one only when this was asked after it. */
  bool (*link)(struct network_device *device);
  bool (*failed)(struct network_device *device); /* the device itself says that only a reset helps? (slow) */
};

/* What a server may read of every device; the rest is the driver's. */
struct network_device {
  const struct network_driver *driver;
  const char *problem;              /* why reset or start failed; 0: they did not */
  uint8_t address[NETWORK_ADDRESS]; /* the card's own */
  uint32_t offloads;                /* NETWORK_OFFLOAD_* */
  uint32_t transmit_depth;          /* frames at the same time */
  uint32_t transmit_free;           /* frames that transmit would take now; those of many segments may be BUSY before */
  uint32_t receive_depth;           /* buffers that the card can hold */
  uint32_t receive_free;            /* buffers that receive would take now */
  uint32_t receive_bytes;           /* that the card may write to a buffer, whatever the frame's length */
};

#endif

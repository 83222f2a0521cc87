/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames on a network channel, as the virtio network device has them (OASIS
 * virtio 1.1, 5.1). Queue 0 leads to the client (receive), queue 1 from it
 * (transmit). Before each frame stands a struct virtio_net_hdr, with
 * num_buffers = 1 on receive; header and frame may be divided among buffers in
 * any way (VIRTIO_F_ANY_LAYOUT of old, always so in virtio 1).
 *
 * Transmit: the virtio and the Ethernet header stand in the window; the payload
 * in the window, or for a frame to the wire alone in the client's own memory,
 * from where the card takes it. Receive: all buffers stand in the window and
 * hold NETWORK_BUFFER bytes together at least.
 */
#ifndef PARCLOSE_ETHERNET_H
#define PARCLOSE_ETHERNET_H

#include <stdint.h>

#define ETHERNET_ADDRESS 6u    /* bytes */
#define ETHERNET_HEADER 14u    /* bytes: destination, source, type */
#define ETHERNET_TAG 4u        /* bytes of an IEEE 802.1Q tag, between source and type */
#define ETHERNET_PAYLOAD 1500u /* bytes at most */
#define ETHERNET_FRAME (ETHERNET_HEADER + ETHERNET_PAYLOAD)
#define ETHERNET_SHORTEST                                                                                              \
  60u /* without the frame check sequence; a shorter frame is filled up with zeros on the wire */
#define ETHERNET_TYPE_VLAN 0x8100u
#define ETHERNET_TYPE_SERVICE_VLAN 0x88a8u

#define NETWORK_HEADER 12u /* sizeof(struct virtio_net_hdr) */
#define NETWORK_BUFFER (NETWORK_HEADER + ETHERNET_FRAME)
#define NETWORK_SLOT 1536u /* of the data area, as our runtime divides it; a multiple of a cache line */

/* In channel_header.features. */
#define VIRTIO_NET_F_CSUM (1ull << 0) /* VIRTIO_NET_HDR_F_NEEDS_CSUM is understood, for a frame to the wire alone */
#define VIRTIO_NET_F_GUEST_CSUM (1ull << 1) /* VIRTIO_NET_HDR_F_DATA_VALID may come */
#define VIRTIO_NET_F_MTU (1ull << 3)
#define VIRTIO_NET_F_MAC (1ull << 5)
#define VIRTIO_NET_F_STATUS (1ull << 16)

#define VIRTIO_NET_HDR_F_NEEDS_CSUM 1u /* csum_start and csum_offset say what is to be filled in */
#define VIRTIO_NET_HDR_F_DATA_VALID 2u /* the checksum was looked at and is right */
#define VIRTIO_NET_S_LINK_UP 1u

struct virtio_net_hdr {
  uint8_t flags;
  uint8_t gso_type; /* 0: the frame is one frame */
  uint16_t hdr_len;
  uint16_t gso_size;
  uint16_t csum_start;
  uint16_t csum_offset;
  uint16_t num_buffers;
};

struct virtio_net_config {
  uint8_t mac[ETHERNET_ADDRESS];
  uint16_t status; /* VIRTIO_NET_S_* */
  uint16_t max_virtqueue_pairs;
  uint16_t mtu; /* bytes of payload */
};

_Static_assert(sizeof(struct virtio_net_hdr) == NETWORK_HEADER, "as virtio has it");
_Static_assert(NETWORK_SLOT >= NETWORK_BUFFER, "a slot holds any frame");

#endif

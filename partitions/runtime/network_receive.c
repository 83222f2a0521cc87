/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames that have come: in order, each in its slot until the program is done
 * with it.
 */
#include "copy.h"
#include "network.h"

const void *network_peek(struct network *network, size_t *size, uint64_t deadline) {
  if (!network->channel)
    return NULL;
  for (;;) {
    if (network->inbox_start == network->inbox_end)
      network_refresh(network);
    if (network->inbox_start != network->inbox_end) {
      uint32_t slot = network->inbox[network->inbox_start % NETWORK_SLOTS];
      *size = network->arrived[slot];
      return network_slot(network, NETWORK_TO_CLIENT, slot) + NETWORK_HEADER;
    }
    network_flush(network); /* what was queued need not wait for us */
    if (deadline <= clock_now() || !wait_event(network->channel->event, deadline))
      return NULL;
  }
}

void network_done(struct network *network) {
  if (network->inbox_start == network->inbox_end)
    return;
  uint32_t slot = network->inbox[network->inbox_start++ % NETWORK_SLOTS];
  network->arrived[slot] = 0;
  network_post(network, slot);
}

bool network_checked(const struct network *network) {
  if (network->inbox_start == network->inbox_end)
    return false;
  uint32_t slot = network->inbox[network->inbox_start % NETWORK_SLOTS];
  const volatile struct virtio_net_hdr *header =
      (const volatile struct virtio_net_hdr *)network_slot(network, NETWORK_TO_CLIENT, slot);
  return header->flags & VIRTIO_NET_HDR_F_DATA_VALID;
}

int network_receive(struct network *network, void *buffer, size_t size, uint64_t deadline) {
  size_t length;
  const void *frame = network_peek(network, &length, deadline);
  if (!frame)
    return -1;
  length = length < size ? length : size;
  copy_bytes(buffer, frame, (uint32_t)length, network->wide);
  network_done(network);
  return (int)length;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames to go: copied into the channel, or lent from where they stand.
 */
#include "copy.h"
#include "network.h"

void network_flush(struct network *network) {
  if (network->untold && virtqueue_wants_kick(&network->transmit))
    monitor_signal(network->channel->index, 0);
  network->untold = false;
}

/* Until something that was sent comes back. Interrupts are turned on before the ring is looked at: none is missed. */
static bool wait_for_return(struct network *network, uint64_t deadline) {
  uint32_t before = network->free_count;
  bool came = true;
  virtqueue_driver_interrupts(&network->transmit, true);
  network_refresh(network);
  while (came && network->free_count == before) {
    bool tell = network->untold && virtqueue_wants_kick(&network->transmit);
    network->untold = false;
    if (deadline <= clock_now())
      break;
    unsigned event = network->channel->event;
    came = tell ? signal_and_wait_event(network->channel->index, event, deadline) : wait_event(event, deadline);
    network_refresh(network);
  }
  virtqueue_driver_interrupts(&network->transmit, false);
  return network->free_count != before;
}

static bool find_room(struct network *network, uint64_t deadline) {
  if (!network->channel)
    return false;
  if (network->free_count == 0)
    network_refresh(network);
  while (network->free_count == 0 || network->transmit.free_count < 2)
    if (!wait_for_return(network, deadline))
      return false;
  return true;
}

static bool good_size(size_t size) {
  return size >= ETHERNET_HEADER && size <= ETHERNET_FRAME;
}

void *network_reserve(struct network *network, uint64_t deadline) {
  if (!network->reserved) {
    if (!find_room(network, deadline))
      return NULL;
    network->reserved_slot = network->free[--network->free_count];
    network->reserved = true;
  }
  return network_slot(network, NETWORK_FROM_CLIENT, network->reserved_slot) + NETWORK_HEADER;
}

enum status network_commit(struct network *network, size_t size) {
  if (!network->reserved || !good_size(size))
    return STATUS_BAD_ARGUMENT;
  uint8_t slot = network->reserved_slot;
  uint8_t *place = network_slot(network, NETWORK_FROM_CLIENT, slot);
  *(struct virtio_net_hdr *)place = (struct virtio_net_hdr){0};
  struct virtqueue_buffer buffer = {(uintptr_t)place, NETWORK_HEADER + (uint32_t)size, 0};
  int head = virtqueue_add(&network->transmit, &buffer, 1);
  network->transmit_slot[head] = slot;
  network->untold = true;
  network->reserved = false;
  return STATUS_OK;
}

enum status network_queue(struct network *network, const void *frame, size_t size, uint64_t deadline) {
  if (!network->channel || !good_size(size))
    return STATUS_BAD_ARGUMENT;
  void *place = network_reserve(network, deadline);
  if (!place)
    return STATUS_TIMEOUT;
  copy_bytes(place, frame, (uint32_t)size, network->wide);
  return network_commit(network, size);
}

enum status network_send(struct network *network, const void *frame, size_t size, uint64_t deadline) {
  enum status status = network_queue(network, frame, size, deadline);
  if (status == STATUS_OK)
    network_flush(network);
  return status;
}

/* Neighbours are sorted as their bytes are. */
static bool is_neighbour(const struct network *network, const uint8_t *address) {
  const struct address_descriptor *rows =
      (const struct address_descriptor *)((const char *)DESCRIPTOR_PAGE + DESCRIPTOR_PAGE->addresses.offset);
  rows += network->channel->first_address;
  uint32_t low = 0, high = network->channel->address_count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    int order = rows[middle].kind == ADDRESS_NEIGHBOUR ? memcmp(rows[middle].mac, address, ETHERNET_ADDRESS) : 1;
    if (order == 0)
      return true;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return false;
}

/* Only the card reads a client's own memory, and only for one receiver is no copy for others needed. */
static bool can_lend(const struct network *network, const uint8_t *frame, size_t size) {
  return network->channel->wire && size >= NETWORK_LENT && !(frame[0] & 1) && !is_neighbour(network, frame);
}

/* `header` says what the card is to do with the frame. */
static enum status lend(struct network *network, struct network_loan *loan, const uint8_t *frame, size_t size,
                        struct virtio_net_hdr header, uint64_t deadline) {
  if (!find_room(network, deadline))
    return STATUS_TIMEOUT;
  uint8_t slot = network->free[--network->free_count];
  uint8_t *place = network_slot(network, NETWORK_FROM_CLIENT, slot);
  *(struct virtio_net_hdr *)place = header;
  memcpy(place + NETWORK_HEADER, frame, ETHERNET_HEADER);
  struct virtqueue_buffer buffers[] = {
      {(uintptr_t)place, NETWORK_HEADER + ETHERNET_HEADER, 0},
      {(uintptr_t)frame + ETHERNET_HEADER, (uint32_t)size - ETHERNET_HEADER, 0},
  };
  int head = virtqueue_add(&network->transmit, buffers, 2);
  network->transmit_slot[head] = slot;
  network->loan[head] = loan;
  loan->busy = true;
  network->untold = true;
  return STATUS_OK;
}

enum status network_lend(struct network *network, struct network_loan *loan, const void *frame, size_t size,
                         uint64_t deadline) {
  loan->busy = false;
  if (!network->channel || !good_size(size))
    return STATUS_BAD_ARGUMENT;
  if (!can_lend(network, frame, size))
    return network_queue(network, frame, size, deadline);
  return lend(network, loan, frame, size, (struct virtio_net_hdr){0}, deadline);
}

/* RFC 1071, over what stands there already, the begun sum among it. */
static uint16_t sum_up(const uint8_t *bytes, size_t size) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < size; i += 2)
    sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
  if (size & 1)
    sum += (uint32_t)bytes[size - 1] << 8;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)(sum == 0xffff ? sum : ~sum); /* RFC 768: what would be 0 is sent as all ones */
}

enum status network_lend_checksum(struct network *network, struct network_loan *loan, void *frame, size_t size,
                                  size_t start, size_t offset, uint64_t deadline) {
  uint8_t *bytes = frame;
  loan->busy = false;
  if (!network->channel || !good_size(size) || start < ETHERNET_HEADER || start > size || offset > size - start ||
      size - start - offset < 2)
    return STATUS_BAD_ARGUMENT;
  const volatile uint64_t *features = &network->window->header.features;
  if (can_lend(network, bytes, size) && (*features & VIRTIO_NET_F_CSUM)) {
    struct virtio_net_hdr header = {VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = (uint16_t)start,
                                    .csum_offset = (uint16_t)offset};
    return lend(network, loan, bytes, size, header, deadline);
  }
  uint16_t sum = sum_up(bytes + start, size - start);
  bytes[start + offset] = (uint8_t)(sum >> 8);
  bytes[start + offset + 1] = (uint8_t)sum;
  return network_lend(network, loan, bytes, size, deadline);
}

bool network_settle(struct network *network, const struct network_loan *loan, uint64_t deadline) {
  if (!loan->busy)
    return true;
  network_flush(network);
  network_refresh(network);
  while (loan->busy)
    if (!wait_for_return(network, deadline))
      return !loan->busy;
  return true;
}

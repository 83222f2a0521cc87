/* SPDX-License-Identifier: Apache-2.0
 *
 * The client of a network channel: slots of the data area, half of them lent to
 * the server for frames to come, half for frames to go. What a restarted server
 * had not sent is lost, as frames may be.
 */
#include "network.h"
#include "copy.h"

void network_post(struct network *network, uint32_t slot) {
  struct virtqueue_buffer buffer = {(uintptr_t)network_slot(network, NETWORK_TO_CLIENT, slot), NETWORK_SLOT, 1};
  int head = virtqueue_add(&network->receive, &buffer, 1);
  if (head >= 0) /* always: there are fewer slots than descriptors */
    network->receive_slot[head] = (uint8_t)slot;
}

static void end_loans(struct network *network) {
  for (unsigned head = 0; head < QUEUE_SIZE; head++) {
    if (network->loan[head])
      network->loan[head]->busy = false;
    network->loan[head] = NULL;
  }
}

static void begin(struct network *network) {
  struct channel_header *header = &network->window->header;
  session_client_stop(header);
  virtqueue_driver_reset(&network->receive, &network->window->queue[NETWORK_TO_CLIENT]);
  virtqueue_driver_reset(&network->transmit, &network->window->queue[NETWORK_FROM_CLIENT]);
  virtqueue_driver_interrupts(&network->transmit, false);
  end_loans(network);
  network->reserved = false;
  network->free_count = network->slots;
  for (uint32_t slot = 0; slot < network->slots; slot++) {
    network->free[slot] = (uint8_t)slot;
    if (!network->arrived[slot])
      network_post(network, slot);
  }
  network->epoch = session_client_begin(header, channel_life(network->channel));
  monitor_signal(network->channel->index, 0);
}

bool network_open(struct network *network, const struct channel_descriptor *channel) {
  memset(network, 0, sizeof *network);
  if (!channel || channel->class != CLASS_NETWORK || channel->end != END_CLIENT)
    return false;
  uint64_t slots = (channel->size - sizeof(struct channel_window)) / (2 * NETWORK_SLOT);
  network->slots = slots < NETWORK_SLOTS ? (uint32_t)slots : NETWORK_SLOTS;
  if (network->slots == 0)
    return false;
  network->channel = channel;
  network->wide = copy_is_wide();
  network->window = (struct channel_window *)channel->address;
  begin(network);
  return true;
}

static void take_back(struct network *network) {
  uint16_t head;
  uint32_t length;
  while (virtqueue_take_used(&network->transmit, &head, &length)) {
    network->free[network->free_count++] = network->transmit_slot[head];
    if (network->loan[head])
      network->loan[head]->busy = false;
    network->loan[head] = NULL;
  }
}

/* Too short a frame is none: the server gives a buffer back so when it was no good. */
static void take_arrived(struct network *network) {
  uint16_t head;
  uint32_t length;
  while (virtqueue_take_used(&network->receive, &head, &length)) {
    uint32_t slot = network->receive_slot[head];
    if (length <= NETWORK_HEADER || length > NETWORK_SLOT) {
      network_post(network, slot);
      continue;
    }
    network->arrived[slot] = (uint16_t)(length - NETWORK_HEADER);
    network->inbox[network->inbox_end++ % NETWORK_SLOTS] = (uint8_t)slot;
  }
}

void network_refresh(struct network *network) {
  bool lost = session_client_lost(&network->window->header, network->epoch);
  if (session_client_served(&network->window->header, network->epoch)) {
    take_back(network);
    take_arrived(network);
  }
  if (lost)
    begin(network);
}

void network_address(const struct network *network, uint8_t *address) {
  memset(address, 0, ETHERNET_ADDRESS);
  if (network->channel)
    memcpy(address, network->channel->mac, ETHERNET_ADDRESS);
}

bool network_link(const struct network *network) {
  const volatile struct virtio_net_config *config = &network->window->config.network;
  return network->channel && session_client_served(&network->window->header, network->epoch) &&
         (config->status & VIRTIO_NET_S_LINK_UP);
}

uint64_t network_counted(const struct network *network, enum counter what) {
  const volatile struct channel_counters *counters = &network->window->counters;
  return network->channel ? counters->count[what] : 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * A port of the switch: its life, its client's epochs, and what the client is
 * told.
 */
#include "../calls.h"
#include "network_server.h"
#include "registers.h"

static uint64_t features_of(const struct network_channel *channel) {
  uint64_t features = FEATURE(VIRTIO_FEATURE_VERSION_1) | VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_MTU;
  uint32_t offloads = channel->wire ? channel->server->uplink->device->offloads : 0;
  if (offloads & NETWORK_OFFLOAD_TRANSMIT)
    features |= VIRTIO_NET_F_CSUM;
  if (offloads & NETWORK_OFFLOAD_RECEIVE)
    features |= VIRTIO_NET_F_GUEST_CSUM;
  return features;
}

static void write_config(struct network_channel *channel) {
  const struct network_uplink *uplink = channel->server->uplink;
  volatile struct virtio_net_config *config = &channel->window.shared->config.network;
  bool up = !channel->wire || uplink->link;
  for (uint32_t i = 0; i < ETHERNET_ADDRESS; i++)
    config->mac[i] = (uint8_t)(channel->address >> 8 * i);
  config->max_virtqueue_pairs = 1;
  config->mtu = ETHERNET_PAYLOAD;
  config->status = up ? VIRTIO_NET_S_LINK_UP : 0;
  registers_write(channel->window.shared, VIRTIO_ID_NETWORK, features_of(channel));
}

void network_channel_init(struct network_channel *channel, struct network_server *server,
                          const struct channel_descriptor *descriptor, uint32_t position,
                          const struct address_descriptor *groups, uint32_t life) {
  struct channel_window *shared = (struct channel_window *)(uintptr_t)descriptor->address;
  *channel = (struct network_channel){
      .server = server,
      .window = {shared, descriptor->size, descriptor->client_address},
      .address = network_address(descriptor->mac),
      .index = descriptor->index,
      .position = position,
      .share = descriptor->share ? descriptor->share : 1,
      .most_sends = NETWORK_SENDS,
      .vlan = descriptor->vlan,
      .wire = descriptor->wire && server->uplink,
      .broken = true, /* until its first epoch */
  };
  __builtin_memcpy(channel->talks, descriptor->talks, sizeof channel->talks);
  network_ports_add(server, channel, groups, descriptor->address_count);
  write_config(channel);
  session_server_begin(&channel->session, &shared->header, life);
  calls_signal(channel->index, 0);
}

/* --- who has something to do, who has something to hear --- */

void network_activate(struct network_channel *channel) {
  struct network_server *server = channel->server;
  server->attention = true;
  if (channel->active || channel->waiting)
    return;
  channel->active = true;
  channel->next_active = NULL;
  if (server->active_first)
    server->active_last->next_active = channel;
  else
    server->active_first = channel;
  server->active_last = channel;
}

void network_wake(struct network_server *server) {
  while (server->waiting_first) {
    struct network_channel *channel = server->waiting_first;
    server->waiting_first = channel->next_waiting;
    channel->waiting = false;
    network_activate(channel);
  }
}

void network_note_signal(struct network_channel *channel) {
  struct network_server *server = channel->server;
  if (channel->signalling)
    return;
  channel->signalling = true;
  channel->next_signal = server->signal_first;
  server->signal_first = channel;
}

void network_answer(struct network_channel *channel, uint16_t head) {
  if (!session_current(&channel->session, &channel->window.shared->header))
    return;
  virtqueue_put_used(&channel->transmit, head, 0);
  channel->sent = true;
  network_note_signal(channel);
}

/* --- the client's epochs --- */

/* Frames that the card has not got yet; conversions of theirs are given back. */
static void drop(struct network_channel *channel) {
  while (channel->fresh.first)
    network_send_free(network_list_take(&channel->fresh));
  while (channel->ready.first) {
    struct network_send *send = network_list_take(&channel->ready);
    channel->release += send->conversions;
    network_send_free(send);
    network_note_signal(channel);
  }
  channel->has_chain = false;
}

void network_give_up(struct network_channel *channel) {
  channel->broken = true;
  channel->session.epoch = 0; /* nor is anything delivered */
  drop(channel);
}

static void refuse(struct network_channel *channel) {
  channel->session.epoch = 0; /* nor is anything delivered */
  network_count(channel, COUNT_UNSUPPORTED);
}

void network_channel_event(struct network_channel *channel) {
  struct channel_header *header = &channel->window.shared->header;
  if (channel->ready.first && !calls_client_lives(channel->index, channel->session.client_life))
    drop(channel);
  if (session_server_take_up(&channel->session, header)) {
    channel->generation++;
    drop(channel);
    virtqueue_device_reset(&channel->receive, &channel->window.shared->queue[0]);
    virtqueue_device_reset(&channel->transmit, &channel->window.shared->queue[1]);
    write_config(channel);
    channel->broken = !registers_agree(channel->window.shared, features_of(channel));
    if (channel->broken)
      refuse(channel);
    else
      session_server_ready(&channel->session, header);
    channel->told = true;
    network_note_signal(channel);
  }
  network_activate(channel);
}

/* --- the link, as clients see it --- */

void network_uplink_link(struct network_server *server) {
  for (uint32_t i = 0; i < NETWORK_PORTS; i++) {
    struct network_channel *channel = server->port[i];
    if (!channel || !channel->wire || channel->broken)
      continue;
    write_config(channel);
    channel->told = true;
    network_note_signal(channel);
  }
}

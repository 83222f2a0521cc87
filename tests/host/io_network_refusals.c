/* SPDX-License-Identifier: Apache-2.0
 *
 * Each rule of the switch with a client that breaks it: the frame goes nowhere,
 * the chain comes back, and the rule is counted.
 */
#include "io_network_kit.h"

static void refusals(void) {
  begin(true, 2);
  static const uint32_t LENGTHS[] = {13, 1, 1515, 1524, 9000, 65535, 0xffffffffu - 12};
  for (uint32_t i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
    send(0, 1, LENGTHS[i], 0);
    CHECK(client_counted(&client[0], COUNT_BAD_LENGTH) == i + 1);
  }
  struct virtqueue_buffer empty = {CLIENT_WINDOW + sizeof(struct channel_window), 0, 0};
  CHECK(virtqueue_add(&client[0].transmit, &empty, 1) >= 0);
  model_kick(&client[0]);
  model_run();
  CHECK(client_counted(&client[0], COUNT_BAD_LENGTH) == 8);
  client_begin(&client[0]);
  make(1, TO_WIRE, 64, 0); /* a false source */
  CHECK(client_send(&client[0], frame, 64) >= 0);
  make(0, TO_WIRE, 64, 0);
  frame[12] = 0x81, frame[13] = 0; /* a tag of its own */
  CHECK(client_send(&client[0], frame, 64) >= 0);
  frame[12] = 0x88, frame[13] = 0xa8;
  CHECK(client_send(&client[0], frame, 64) >= 0);
  static const uint8_t PAUSE[] = {0x01, 0x80, 0xc2, 0, 0, 1};
  make(0, TO_WIRE, 64, 0);
  memcpy(frame, PAUSE, sizeof PAUSE);
  CHECK(client_send(&client[0], frame, 64) >= 0);
  model_kick(&client[0]);
  model_run();
  CHECK(client_reap(&client[0]) == 4 && model_card.sent == 0 && has_nothing(1));
  CHECK(client_counted(&client[0], COUNT_FALSE_SOURCE) == 1 && client_counted(&client[0], COUNT_OWN_TAG) == 2);
  CHECK(client_counted(&client[0], COUNT_NOBODY) == 1);
}

/* What the monitor refuses, what the switch does not do, and buffers too small for a frame to come. */
static void refused_by_others(void) {
  begin(true, 2);
  struct client *one = &client[0];
  model_channel[0].rights = RIGHT_READ;
  CHECK(client_send_from(one, make(0, TO_WIRE, 14, 0), CLIENT_MEMORY, 1000) >= 0);
  model_kick(one);
  model_run();
  CHECK(client_reap(one) == 1 && client_counted(one, COUNT_NO_RIGHT) == 1);
  model_channel[0].rights = RIGHT_READ | RIGHT_WRITE;
  model_channel[0].quota = 1;
  uint64_t place = CLIENT_WINDOW + (uint64_t)(client_slot(one, 1, 0) - (uint8_t *)one->window);
  struct virtqueue_buffer divided[] = {
      {place, NETWORK_HEADER + ETHERNET_HEADER, 0}, {CLIENT_MEMORY, 100, 0}, {CLIENT_MEMORY + 500, 100, 0}};
  memset(client_slot(one, 1, 0), 0, NETWORK_HEADER);
  memcpy(client_slot(one, 1, 0) + NETWORK_HEADER, make(0, TO_WIRE, 14, 0), ETHERNET_HEADER);
  CHECK(virtqueue_add(&one->transmit, divided, 3) >= 0);
  model_kick(one);
  model_run();
  CHECK(client_counted(one, COUNT_OVER_QUOTA) == 1 && model_channel[0].in_flight == 0);
  model_channel[0].quota = 2;
  CHECK(virtqueue_add(&one->transmit, divided, 3) >= 0);
  model_kick(one);
  model_run();
  CHECK(model_card.sent == 1 && model_wire(0)->length == 214);
  struct virtio_net_hdr *header = (struct virtio_net_hdr *)client_slot(one, 1, 0);
  header->gso_type = 1; /* segmentation */
  CHECK(virtqueue_add(&one->transmit, divided, 3) >= 0);
  model_kick(one);
  model_run();
  *header = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 14}; /* the card cannot */
  CHECK(virtqueue_add(&one->transmit, divided, 3) >= 0);
  model_kick(one);
  model_run();
  header->csum_start = 13;
  CHECK(virtqueue_add(&one->transmit, divided, 3) >= 0);
  model_kick(one);
  model_run();
  CHECK(client_counted(one, COUNT_UNSUPPORTED) == 2 && client_counted(one, COUNT_BAD_HEADER) == 1);
  CHECK(model_card.sent == 1);
  model_card.network.offloads = NETWORK_OFFLOAD_TRANSMIT; /* now it can, but no guest */
  header->csum_start = 30;
  header->csum_offset = 6;
  CHECK(virtqueue_add(&one->transmit, divided, 3) >= 0);
  model_kick(one);
  model_run();
  CHECK(model_card.sent == 2 && model_card.checksum.start == 30 && model_card.checksum.offset == 6);
  memset(client_slot(one, 1, 0) + NETWORK_HEADER, 0xff, ETHERNET_ADDRESS);
  CHECK(virtqueue_add(&one->transmit, divided, 3) >= 0);
  model_kick(one);
  model_run();
  CHECK(model_card.sent == 2 && client_counted(one, COUNT_UNSUPPORTED) == 3);
}

/* More frames than a channel may have under way, all refused: nothing is on the card that would wake the port. */
static void a_crowd_of_refused(void) {
  begin(true, 2);
  struct client *one = &client[0];
  model_port[0].most_sends = 4;
  for (uint32_t i = 0; i < 9; i++)
    CHECK(client_send_from(one, make(0, TO_WIRE, 14, 0), CLIENT_MEMORY + CLIENT_SIZE, 100) >= 0);
  model_kick(one);
  model_run();
  CHECK(client_reap(one) == 9 && client_counted(one, COUNT_BAD_RANGE) == 9);
  send(0, TO_WIRE, 100, 1);
  CHECK(model_card.sent == 1);
}

static void small_buffers(void) {
  begin(true, 2);
  struct client *two = &client[1];
  session_client_stop(&two->window->header);
  virtqueue_driver_reset(&two->receive, &two->window->queue[0]);
  virtqueue_driver_reset(&two->transmit, &two->window->queue[1]);
  uint64_t place = CLIENT_WINDOW + (uint64_t)(client_slot(two, 0, 0) - (uint8_t *)two->window);
  struct virtqueue_buffer small = {place, NETWORK_BUFFER - 1, 1}, readable = {place, NETWORK_BUFFER, 0};
  struct virtqueue_buffer own = {CLIENT_MEMORY, NETWORK_BUFFER, 1};
  struct virtqueue_buffer divided[] = {{place, 20, 1}, {place + 100, 1, 1}, {place + 200, NETWORK_BUFFER - 21, 1}};
  CHECK(virtqueue_add(&two->receive, &small, 1) >= 0 && virtqueue_add(&two->receive, &readable, 1) >= 0);
  CHECK(virtqueue_add(&two->receive, &own, 1) >= 0 && virtqueue_add(&two->receive, divided, 3) >= 0);
  two->epoch = session_client_begin(&two->window->header, 1);
  model_kick(two);
  send(0, 1, 100, 1);
  CHECK(client_counted(two, COUNT_BAD_LENGTH) == 1 && client_counted(two, COUNT_BAD_CHAIN) == 1);
  CHECK(client_counted(two, COUNT_BAD_RANGE) == 1 && client_counted(two, COUNT_RECEIVED) == 1);
  const uint8_t *bytes = client_slot(two, 0, 0); /* header 12, then the frame: 8, 1 and the rest */
  make(0, 1, 100, 1);
  CHECK(memcmp(bytes + 12, frame, 8) == 0 && bytes[100] == frame[8] && memcmp(bytes + 200, frame + 9, 91) == 0);
}

int main(void) {
  refusals();
  refused_by_others();
  a_crowd_of_refused();
  small_buffers();
  printf("ok\n");
  return 0;
}

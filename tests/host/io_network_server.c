/* SPDX-License-Identifier: Apache-2.0
 *
 * The network server with clients that mostly keep the rules: who gets which
 * frame, tags, refusals, turns, lives of clients, a link that drops, a card that
 * falls silent.
 */
#include "io_network_model.h"
#include "runtime_check.h"

#define TYPE 0x88b5u /* IEEE 802: for experiments */
#define TO_WIRE 0xf0u
#define TO_ALL 0xffu

static uint8_t frame[NETWORK_SLOT], got[NETWORK_SLOT];

/* A frame from a client to another, to the wire or to all; its payload counts from `seed`. */
static const uint8_t *make(uint32_t from, uint32_t to, uint32_t length, uint32_t seed) {
  static const uint8_t WIRE[ETHERNET_ADDRESS] = {0x02, 0, 0, 0, 0, 0xee};
  if (to == TO_ALL)
    memset(frame, 0xff, ETHERNET_ADDRESS);
  else if (to == TO_WIRE)
    memcpy(frame, WIRE, ETHERNET_ADDRESS);
  else
    model_address(frame, to);
  if (from == TO_WIRE)
    memcpy(frame + ETHERNET_ADDRESS, WIRE, ETHERNET_ADDRESS);
  else
    model_address(frame + ETHERNET_ADDRESS, from);
  frame[12] = TYPE >> 8;
  frame[13] = TYPE & 0xff;
  for (uint32_t i = ETHERNET_HEADER; i < length && i < sizeof frame; i++)
    frame[i] = (uint8_t)(seed + i);
  return frame;
}

static void begin(bool uplink, uint32_t channels) {
  model_begin(uplink);
  for (uint32_t i = 0; i < channels; i++)
    client_open(i, model_port_of(i, channels), NULL);
  model_open();
}

static void send(uint32_t from, uint32_t to, uint32_t length, uint32_t seed) {
  CHECK(client_send(&client[from], make(from, to, length, seed), length) >= 0);
  model_kick(&client[from]);
  model_run();
  CHECK(client_reap(&client[from]) == 1);
}

/* Whether the client has got this one frame, and no other. */
static bool has(uint32_t index, uint32_t from, uint32_t to, uint32_t length, uint32_t seed) {
  make(from, to, length, seed);
  return client_take(&client[index], got) == length && memcmp(got, frame, length) == 0 &&
         client_take(&client[index], got) == 0;
}

static bool has_nothing(uint32_t index) {
  return client_take(&client[index], got) == 0;
}

static void between_guests(uint32_t uplink) {
  begin(uplink != 0, 3);
  static const uint32_t LENGTHS[] = {14, 15, 60, 64, 1500, 1514};
  for (uint32_t i = 0; i < 6; i++) {
    send(0, 1, LENGTHS[i], i);
    CHECK(has(1, 0, 1, LENGTHS[i], i) && has_nothing(2) && has_nothing(0));
  }
  send(2, TO_ALL, 200, 9);
  CHECK(has(0, 2, TO_ALL, 200, 9) && has(1, 2, TO_ALL, 200, 9) && has_nothing(2));
  CHECK(model_card.sent == uplink && client_counted(&client[2], COUNT_REQUESTS) == 1);
  send(0, 0, 100, 0);
  CHECK(has_nothing(0) && client_counted(&client[0], COUNT_NOBODY) == 1);
  send(0, TO_WIRE, 100, 0);
  CHECK(client_counted(&client[0], COUNT_NOBODY) == 2 - uplink && model_card.sent == 2 * uplink);
  CHECK(model_port[0].server->unclaimed == 0 && model_channel[1].signals != 0);
}

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

static void from_own_memory(void) {
  begin(true, 2);
  make(0, TO_WIRE, 14, 0);
  CHECK(client_send_from(&client[0], frame, CLIENT_MEMORY + 8, 1500) >= 0);
  model_card.silent = true;
  model_kick(&client[0]);
  model_run();
  CHECK(model_channel[0].in_flight == 1 && client_reap(&client[0]) == 0);
  /* Checked already: what the client writes now goes nowhere. */
  memset(client_slot(&client[0], 1, SLOTS - 1), 0xff, NETWORK_SLOT);
  model_card.silent = false;
  model_run();
  CHECK(model_card.sent == 1 && model_wire(0)->length == 1514 && model_wire(0)->whose == 0);
  CHECK(memcmp(model_wire(0)->bytes, make(0, TO_WIRE, 14, 0), 14) == 0 && model_wire(0)->bytes[14] == 0x40);
  CHECK(model_channel[0].in_flight == 0 && client_reap(&client[0]) == 1);
  /* To another guest: it would have to be read by us, and is not ours to read. */
  make(0, 1, 14, 0);
  CHECK(client_send_from(&client[0], frame, CLIENT_MEMORY, 1000) >= 0);
  make(0, TO_ALL, 14, 0);
  CHECK(client_send_from(&client[0], frame, CLIENT_MEMORY, 1000) >= 0);
  make(0, TO_WIRE, 14, 0);
  CHECK(client_send_from(&client[0], frame, CLIENT_MEMORY - 1, 1000) >= 0);
  CHECK(client_send_from(&client[0], frame, CLIENT_MEMORY + CLIENT_SIZE - 999, 1000) >= 0);
  CHECK(client_send_from(&client[0], frame, CLIENT_MEMORY, 20) >= 0);
  model_kick(&client[0]);
  model_run();
  CHECK(client_reap(&client[0]) == 5 && model_card.sent == 2 && has_nothing(1));
  CHECK(client_counted(&client[0], COUNT_OUTSIDE_CHANNEL) == 3 && client_counted(&client[0], COUNT_BAD_RANGE) == 2);
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

static void short_frames_hold_nothing_of_others(void) {
  begin(true, 2);
  send(0, TO_WIRE, 20, 3);
  CHECK(model_wire(0)->length == 60 && memcmp(model_wire(0)->bytes, make(0, TO_WIRE, 20, 3), 20) == 0);
  for (uint32_t i = 20; i < 60; i++)
    CHECK(model_wire(0)->bytes[i] == 0);
}

static void tags(void) {
  model_begin(true);
  struct channel_descriptor five = model_port_of(0, 3), plain = model_port_of(1, 3), other = model_port_of(2, 3);
  five.vlan = 5;
  other.vlan = 0xabc;
  five.talks[0] = plain.talks[0] = other.talks[0] = 0;
  client_open(0, five, NULL);
  client_open(1, plain, NULL);
  client_open(2, other, NULL);
  model_open();
  send(2, TO_WIRE, 100, 7);
  static const uint8_t TAG[] = {0x81, 0, 0x0a, 0xbc, TYPE >> 8, TYPE & 0xff};
  CHECK(model_wire(0)->length == 104 && memcmp(model_wire(0)->bytes + 12, TAG, 6) == 0);
  CHECK(memcmp(model_wire(0)->bytes + 18, make(2, TO_WIRE, 100, 7) + 14, 86) == 0);
  send(0, 1, 100, 0);
  CHECK(has_nothing(1) && client_counted(&client[0], COUNT_NOBODY) == 1);
  uint8_t tagged[ETHERNET_FRAME + ETHERNET_TAG];
  for (uint32_t id = 0; id < 3; id++) {
    static const uint8_t IDS[][2] = {{0xe0, 5}, {0x0a, 0xbc}, {0, 0}};
    make(TO_WIRE, TO_ALL, 1514, id);
    memcpy(tagged, frame, 12);
    memcpy(tagged + 12, (const uint8_t[]){0x81, 0, IDS[id][0], IDS[id][1]}, 4);
    memcpy(tagged + 16, frame + 12, 1502);
    model_arrive(tagged, sizeof tagged);
    model_run();
    CHECK(has(id == 2 ? 1 : 2 * id, TO_WIRE, TO_ALL, 1514, id));
    CHECK(has_nothing(0) && has_nothing(1) && has_nothing(2));
  }
  make(TO_WIRE, 0, 100, 0); /* without the tag of its VLAN */
  model_arrive(frame, 100);
  model_run();
  CHECK(has_nothing(0) && model_server.unclaimed == 1);
}

static void from_the_wire(void) {
  static const uint8_t GROUP[] = {0x01, 0, 0x5e, 0, 0, 0xfb};
  struct address_descriptor group = {.kind = ADDRESS_GROUP};
  memcpy(group.mac, GROUP, sizeof GROUP);
  model_begin(true);
  for (uint32_t i = 0; i < 3; i++) {
    struct channel_descriptor port = model_port_of(i, 3);
    port.address_count = i == 1;
    port.wire = i != 2;
    client_open(i, port, &group);
  }
  model_open();
  CHECK(model_card.addresses == 3); /* two that reach the wire, one group */
  model_arrive(make(TO_WIRE, 0, 64, 1), 64);
  model_run();
  CHECK(has(0, TO_WIRE, 0, 64, 1) && has_nothing(1));
  make(TO_WIRE, TO_ALL, 64, 2);
  memcpy(frame, GROUP, sizeof GROUP);
  model_arrive(frame, 64);
  model_run();
  CHECK(client_take(&client[1], got) == 64 && has_nothing(0) && has_nothing(2));
  model_arrive(make(TO_WIRE, TO_ALL, 64, 3), 64);
  model_run();
  CHECK(has(0, TO_WIRE, TO_ALL, 64, 3) && has(1, TO_WIRE, TO_ALL, 64, 3) && has_nothing(2));
  model_arrive(make(1, 0, 64, 4), 64); /* as if client 1 sent it */
  model_arrive(make(TO_WIRE, 2, 64, 4), 64);
  model_arrive(make(TO_WIRE, TO_WIRE, 64, 4), 64);
  model_arrive(make(TO_WIRE, 0, 13, 4), 13);
  model_arrive(make(TO_WIRE, 0, 1515, 4), 1515);
  model_arrive(make(TO_WIRE, 0, 64, 4), 0);
  model_run();
  CHECK(has_nothing(0) && has_nothing(1) && has_nothing(2) && client_counted(&client[1], COUNT_FORGED_BY_WIRE) == 1);
  CHECK(model_server.unclaimed == 3 && model_card.posted_count == NETWORK_RECEIVES);
  for (uint32_t i = 0; i < SLOTS + 5; i++) { /* more than it has buffers for */
    model_arrive(make(TO_WIRE, 0, 64, i), 64);
    model_run();
  }
  CHECK(client_counted(&client[0], COUNT_NO_BUFFER) == 5 && client_counted(&client[0], COUNT_RECEIVED) == SLOTS + 2);
}

static void the_link(void) {
  begin(true, 2);
  CHECK(client[0].window->config.network.status == VIRTIO_NET_S_LINK_UP &&
        client[0].window->config.network.mac[5] == 0x0a);
  uint32_t signals = model_channel[0].signals;
  model_card.up = false;
  network_server_interrupt(&model_server);
  model_run();
  CHECK(client[0].window->config.network.status == 0 && model_channel[0].signals == signals + 1);
  send(0, TO_WIRE, 64, 0);
  send(0, TO_ALL, 64, 1);
  CHECK(client_counted(&client[0], COUNT_LINK_DOWN) == 1 && model_card.sent == 0 && has(1, 0, TO_ALL, 64, 1));
  model_card.up = true;
  network_server_interrupt(&model_server);
  model_run();
  send(0, TO_WIRE, 64, 0);
  CHECK(model_card.sent == 1 && client[1].window->config.network.status == VIRTIO_NET_S_LINK_UP);
}

static void a_silent_card(uint32_t obeys) {
  begin(true, 2);
  model_card.silent = true;
  model_card.obeys = obeys != 0;
  for (uint32_t i = 0; i < SLOTS; i++)
    CHECK(client_send_from(&client[0], make(0, TO_WIRE, 14, 0), CLIENT_MEMORY + i, 500) >= 0);
  model_kick(&client[0]);
  model_run();
  CHECK(model_channel[0].in_flight == SLOTS && network_server_busy(&model_server));
  send(1, 0, 64, 5); /* guests among themselves need no card */
  CHECK(has(0, 1, 0, 64, 5));
  for (uint32_t i = 0; i < NETWORK_PATIENCE; i++)
    network_server_look(&model_server);
  model_run();
  CHECK(model_card.resets == 1 && client_reap(&client[0]) == (obeys ? SLOTS : 0));
  CHECK(model_channel[0].in_flight == (obeys ? 0 : SLOTS));
  CHECK(client_counted(&client[0], COUNT_LOST_AT_RESET) == (obeys ? SLOTS : 0));
  send(1, 0, 64, 6);
  CHECK(has(0, 1, 0, 64, 6));
  send(1, TO_WIRE, 64, 6);
  CHECK(model_card.sent == obeys && client_counted(&client[1], COUNT_LINK_DOWN) == 1 - obeys);
  CHECK(!obeys || model_card.posted_count == NETWORK_RECEIVES);
}

static void lives_of_a_client(void) {
  begin(true, 2);
  model_card.silent = true;
  for (uint32_t i = 0; i < SLOTS; i++)
    CHECK(client_send_from(&client[0], make(0, TO_WIRE, 14, 0), CLIENT_MEMORY + i, 500) >= 0);
  model_kick(&client[0]);
  model_run();
  model_channel[0].connected = false;
  model_kick(&client[0]);
  model_card.silent = false;
  model_run();
  CHECK(model_channel[0].in_flight == 0); /* or it would never start again */
  model_channel[0].connected = true;
  model_channel[0].life++;
  client_begin(&client[0]);
  model_kick(&client[0]);
  model_run();
  CHECK(client_reap(&client[0]) == 0);
  send(0, 1, 64, 1);
  CHECK(has(1, 0, 1, 64, 1));
  send(1, 0, 64, 2);
  CHECK(has(0, 1, 0, 64, 2));
}

/* The card sends a few frames each time; one client floods with the smallest, one sends what its share lets it. */
static void shares(uint32_t share, uint32_t greedy_length, uint32_t length) {
  model_begin(true);
  for (uint32_t i = 0; i < 2; i++) {
    struct channel_descriptor port = model_port_of(i, 2);
    port.share = i ? share : 1;
    client_open(i, port, NULL);
    model_port[i].share = port.share;
  }
  model_open();
  model_card.credit = 4;
  uint64_t cost[2] = {0};
  for (uint32_t round = 0; round < 4000; round++) {
    for (uint32_t i = 0; i < 2; i++) {
      client_reap(&client[i]);
      uint32_t bytes = i ? length : greedy_length;
      while (client[i].free[1] && client_send(&client[i], make(i, TO_WIRE, bytes, 0), bytes) >= 0)
        ;
      model_kick(&client[i]);
    }
    model_server.attention = true;
    network_server_run(&model_server);
  }
  for (uint32_t i = 0; i < 2; i++) {
    uint32_t bytes = i ? length : greedy_length;
    cost[i] =
        model_card.bytes_of[i] / (bytes < 60 ? 60 : bytes) * (bytes < NETWORK_SMALL_COST ? NETWORK_SMALL_COST : bytes);
  }
  uint64_t fair = (cost[0] + cost[1]) * share / (share + 1);
  CHECK(cost[1] * 100 > fair * 90 && cost[1] * 100 < fair * 110);
}

int main(void) {
  between_guests(1);
  between_guests(0);
  refusals();
  from_own_memory();
  refused_by_others();
  small_buffers();
  short_frames_hold_nothing_of_others();
  tags();
  from_the_wire();
  the_link();
  a_silent_card(1);
  a_silent_card(0);
  lives_of_a_client();
  shares(1, 64, 1514);
  shares(1, 1514, 64);
  shares(3, 64, 1514);
  printf("ok\n");
  return 0;
}

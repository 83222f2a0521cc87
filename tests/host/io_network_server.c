/* SPDX-License-Identifier: Apache-2.0
 *
 * The network server with clients that mostly keep the rules: who gets which
 * frame, tags, refusals, turns, lives of clients, a link that drops, a card that
 * falls silent.
 */
#include "io_network_kit.h"

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

static void begin_with(uint64_t accepted) {
  client_begin(&client[0]);
  client[0].window->header.accepted = accepted;
  network_channel_event(&model_port[0]);
  model_run();
}

static void features(void) {
  begin(true, 2);
  struct channel_window *window = client[0].window;
  uint64_t offered = window->header.features, refusals = client_counted(&client[0], COUNT_UNSUPPORTED);
  CHECK(window->registers.magic_value == VIRTIO_MMIO_MAGIC && window->registers.device_id == VIRTIO_ID_NETWORK);
  CHECK((offered & VIRTIO_NET_F_MAC) && (offered >> VIRTIO_FEATURE_VERSION_1 & 1));
  begin_with(offered | 1ull << 15); /* VIRTIO_NET_F_MRG_RXBUF: buffers in parts of any number */
  CHECK(!session_client_served(&window->header, client[0].epoch));
  CHECK(window->registers.status == VIRTIO_STATUS_REFUSED);
  CHECK(client_counted(&client[0], COUNT_UNSUPPORTED) == refusals + 1);
  send(1, 0, 64, 1);
  CHECK(has_nothing(0));
  begin_with(offered);
  CHECK(session_client_served(&window->header, client[0].epoch) && window->registers.status == VIRTIO_STATUS_SERVED);
  send(1, 0, 64, 2);
  CHECK(has(0, 1, 0, 64, 2));
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

/* What waits for a quota that a dead card holds comes back, and what follows it is served. */
static void a_dead_card_and_a_quota(void) {
  begin(true, 2);
  model_card.silent = true;
  model_card.obeys = false;
  model_channel[0].quota = 4;
  for (uint32_t i = 0; i < SLOTS; i++)
    CHECK(client_send_from(&client[0], make(0, TO_WIRE, 14, 0), CLIENT_MEMORY + i, 500) >= 0);
  model_kick(&client[0]);
  model_run();
  CHECK(model_channel[0].in_flight == 4);
  for (uint32_t i = 0; i < NETWORK_PATIENCE; i++)
    network_server_look(&model_server);
  model_run();
  CHECK(client_reap(&client[0]) == SLOTS - 4 && client_counted(&client[0], COUNT_LINK_DOWN) == SLOTS - 4);
  send(0, 1, 64, 6);
  CHECK(has(1, 0, 1, 64, 6) && model_channel[0].in_flight == 4);
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
  from_own_memory();
  short_frames_hold_nothing_of_others();
  tags();
  from_the_wire();
  the_link();
  features();
  a_silent_card(1);
  a_silent_card(0);
  a_dead_card_and_a_quota();
  lives_of_a_client();
  shares(1, 64, 1514);
  shares(1, 1514, 64);
  shares(3, 64, 1514);
  printf("ok\n");
  return 0;
}

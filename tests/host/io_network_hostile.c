/* SPDX-License-Identifier: Apache-2.0
 *
 * The network server against clients that write whatever they like into their
 * windows, at any time, and come and go, and against a wire that sends anything:
 * nothing outside a window is touched (the sanitizer), the card gets nobody's
 * memory but what is in flight (its model), every frame on the wire has its
 * sender's address and tag, every conversion is released, the server comes to an
 * end each time, and two honest clients beside them talk to each other.
 */
#include "io_network_model.h"
#include "runtime_check.h"

#define FRAMES 400000u
#define HOSTILE 2u /* the first so many; the last two are honest */

static uint32_t frames, honest, taken_up, looked_at;
static uint8_t frame[2 * NETWORK_SLOT];

static uint64_t some_address(const struct client *one) {
  switch (random_below(6)) {
  case 0:
    return CLIENT_MEMORY + random_below(CLIENT_SIZE);
  case 1:
    return CLIENT_WINDOW + random_below((uint32_t)one->size + 64);
  case 2:
    return CLIENT_WINDOW + one->size - random_below(32);
  case 3:
    return random_next();
  default:
    return CLIENT_WINDOW + sizeof(struct channel_window) + NETWORK_SLOT * random_below(2 * SLOTS);
  }
}

static uint32_t some_length(void) {
  static const uint32_t LENGTHS[] = {0, 1, 11, 12, 26, 40, 64, 1514, 1526, 1536, 9000, 65535, 0x7fffffff, 0xffffffff};
  return random_below(12) ? LENGTHS[random_below(14)] : (uint32_t)random_next();
}

static void spoil_descriptor(struct client *one, uint32_t queue) {
  struct virtq_desc *desc = &one->window->queue[queue].desc[random_below(QUEUE_SIZE)];
  desc->addr = some_address(one);
  desc->len = some_length();
  desc->flags = (uint16_t)(random_below(8) ? random_below(4) : random_next());
  desc->next = (uint16_t)(random_below(8) ? random_below(QUEUE_SIZE) : random_next());
}

static void some_target(uint8_t *address, uint32_t kind) {
  if (kind < MODEL_CHANNELS)
    model_address(address, kind);
  else if (kind == MODEL_CHANNELS)
    memset(address, 0xff, ETHERNET_ADDRESS);
  else
    for (uint32_t i = 0; i < ETHERNET_ADDRESS; i++)
      address[i] = (uint8_t)random_next();
}

/* Header, or header and payload, as they should be, but for what chance changes; some payloads stand in own memory. */
static void almost_right(struct client *one, uint16_t head) {
  struct virtq_desc *desc = one->window->queue[1].desc;
  uint32_t slot = random_below(SLOTS);
  uint8_t *place = client_slot(one, 1, slot);
  uint64_t address = CLIENT_WINDOW + (uint64_t)(place - (uint8_t *)one->window);
  memset(place, 0, NETWORK_HEADER);
  some_target(place + NETWORK_HEADER, random_below(7));
  model_address(place + NETWORK_HEADER + ETHERNET_ADDRESS, random_below(30) ? one->index : random_below(4));
  place[24] = 0x88;
  place[25] = 0xb5;
  if (random_below(30) == 0)
    place[random_below(26)] = (uint8_t)random_next();
  uint16_t index = head;
  for (uint32_t pieces = random_below(4); pieces; pieces--) {
    uint16_t next = (uint16_t)random_below(QUEUE_SIZE);
    desc[index] = (struct virtq_desc){address, index == head ? 26 : 1 + random_below(500), VIRTQ_DESC_F_NEXT, next};
    address = random_below(2) ? CLIENT_MEMORY + random_below(CLIENT_SIZE) : some_address(one);
    index = next;
  }
  desc[index] = (struct virtq_desc){address, index == head ? 26 + random_below(1500) : 1 + random_below(900), 0, 0};
  if (random_below(12) == 0)
    spoil_descriptor(one, 1);
}

static void offer(struct client *one) {
  struct virtq_avail *avail = &one->window->queue[1].avail;
  for (uint32_t i = random_below(24); i; i--) {
    uint16_t head = (uint16_t)random_below(QUEUE_SIZE);
    if (random_below(6))
      almost_right(one, head);
    else
      spoil_descriptor(one, 1);
    avail->ring[avail->idx % QUEUE_SIZE] = random_below(50) ? head : (uint16_t)random_next();
    avail->idx++;
    frames++;
  }
  struct virtq_avail *places = &one->window->queue[0].avail;
  for (uint32_t i = random_below(6); i; i--) {
    uint16_t head = (uint16_t)random_below(QUEUE_SIZE);
    one->window->queue[0].desc[head] = (struct virtq_desc){
        CLIENT_WINDOW + sizeof(struct channel_window) + NETWORK_SLOT * random_below(SLOTS), NETWORK_SLOT, 2, 0};
    if (random_below(6) == 0)
      spoil_descriptor(one, 0);
    places->ring[places->idx++ % QUEUE_SIZE] = head;
  }
  if (random_below(200) == 0)
    one->window->queue[random_below(2)].avail.idx = (uint16_t)random_next();
  if (random_below(20) == 0)
    one->window->queue[random_below(2)].avail.flags = (uint16_t)random_below(2);
}

static void scribble(struct client *one) {
  uint32_t *word = (uint32_t *)one->window;
  for (uint32_t i = random_below(16); i; i--)
    word[random_below((uint32_t)one->size / 4)] = (uint32_t)random_next();
}

static void begin(struct client *one) {
  taken_up++;
  client_begin(one);
}

static void restart(struct client *one) {
  model_channel[one->index].connected = false;
  if (random_below(2))
    offer(one);
  model_kick(one);
  model_run();
  CHECK(model_channel[one->index].in_flight == 0);
  model_channel[one->index].connected = true;
  model_channel[one->index].life++;
}

static void attack(struct client *one) {
  switch (random_below(40)) {
  case 0:
    scribble(one);
    break;
  case 1:
    begin(one);
    break;
  case 2:
    one->window->header.magic = random_below(2) ? CHANNEL_MAGIC : (uint32_t)random_next();
    break;
  case 3:
    one->window->header.epoch += random_below(3);
    break;
  case 4:
    restart(one);
    begin(one);
    break;
  case 5:
    model_channel[one->index].quota = 1 + random_below(40);
    break;
  default:
    if (!session_current(&model_port[one->index].session, &one->window->header))
      begin(one);
    offer(one);
  }
  model_kick(one);
}

static void the_wire_sends(void) {
  uint32_t length = random_below(4) ? random_below(1519) : random_below(2049);
  some_target(frame, random_below(8));
  some_target(frame + ETHERNET_ADDRESS, random_below(20));
  for (uint32_t i = 12; i < 20; i++)
    frame[i] = random_below(3) ? (uint8_t) "\x81\0\0\5\x88\xb5\0\0"[i - 12] : (uint8_t)random_next();
  model_arrive(frame, length);
}

/* What the last frames on the wire say of their senders. */
static void judge_wire(void) {
  for (; looked_at != model_card.sent; looked_at++) {
    const struct model_frame *seen = &model_card.wire[looked_at % WIRE_LOG];
    uint8_t address[ETHERNET_ADDRESS];
    uint32_t sender = seen->bytes[11] - 0x0au;
    CHECK(sender < MODEL_CHANNELS && (seen->whose == NO_ONE || seen->whose == sender));
    model_address(address, sender);
    CHECK(memcmp(seen->bytes + ETHERNET_ADDRESS, address, ETHERNET_ADDRESS) == 0);
    bool tagged = seen->bytes[12] == 0x81 && seen->bytes[13] == 0;
    CHECK(tagged == (sender == 1) && (!tagged || (seen->bytes[14] == 0 && seen->bytes[15] == 5)));
  }
}

static void be_honest(void) {
  static uint8_t got[NETWORK_SLOT];
  struct client *one = &client[HOSTILE], *two = &client[HOSTILE + 1];
  uint32_t length = 60 + random_below(1455), mark = (uint32_t)random_next();
  model_address(frame, two->index);
  model_address(frame + ETHERNET_ADDRESS, one->index);
  frame[12] = 0x88;
  frame[13] = 0xb6; /* a type that nobody else uses */
  memset(frame + 14, (int)mark, length - 14);
  client_reap(one);
  CHECK(client_send(one, frame, length) >= 0);
  model_kick(one);
  for (uint32_t i = 0; i < 1000; i++) {
    model_run();
    uint32_t taken;
    while ((taken = client_take(two, got)) != 0) {
      if (got[12] != 0x88 || got[13] != 0xb6 || got[11] != 0x0a + HOSTILE)
        continue; /* from the others, who may talk to it */
      CHECK(taken == length && memcmp(got, frame, length) == 0);
      honest++;
      return;
    }
  }
  CHECK(!"the honest frame did not come");
}

int main(void) {
  model_begin(true);
  for (uint32_t i = 0; i < MODEL_CHANNELS; i++) {
    struct channel_descriptor port = model_port_of(i, MODEL_CHANNELS);
    port.vlan = i == 1 ? 5 : 0;
    port.talks[0] &= i == 1 ? 0 : ~2ull;
    client_open(i, port, NULL);
  }
  model_open();
  while (frames < FRAMES) {
    for (uint32_t i = random_below(4); i; i--)
      attack(&client[random_below(HOSTILE)]);
    for (uint32_t i = random_below(8); i; i--)
      the_wire_sends();
    model_card.credit = 1 + random_below(MODEL_DEPTH);
    for (uint32_t i = random_below(3); i; i--) {
      model_server.attention = true;
      network_server_run(&model_server);
      judge_wire();
    }
    uint8_t waste[NETWORK_SLOT];
    for (uint32_t i = HOSTILE; i < MODEL_CHANNELS; i++)
      while (client_take(&client[i], waste))
        ;
    if (random_below(8) == 0) {
      model_run();
      looked_at = model_card.sent;
      be_honest();
      looked_at = model_card.sent;
    }
  }
  for (uint32_t i = 0; i < HOSTILE; i++) { /* a client that rewinds its ring is no longer served until its next epoch */
    begin(&client[i]);
    model_kick(&client[i]);
  }
  model_run();
  for (uint32_t i = 0; i < MODEL_CHANNELS; i++)
    CHECK(model_channel[i].in_flight == 0 && model_port[i].sends == 0);
  CHECK(honest > 1000 && taken_up > 1000 && model_card.sent > 10000);
  static const enum counter MET[] = {COUNT_BAD_RING,   COUNT_BAD_CHAIN,       COUNT_BAD_HEADER,
                                     COUNT_BAD_LENGTH, COUNT_BAD_RANGE,       COUNT_FALSE_SOURCE,
                                     COUNT_NOBODY,     COUNT_OUTSIDE_CHANNEL, COUNT_FORGED_BY_WIRE};
  uint64_t refused = 0, first = 0;
  for (uint32_t i = COUNT_BAD_RING; i < COUNTERS; i++) {
    uint64_t count = model_port[0].counters.count[i] + model_port[1].counters.count[i];
    refused += count;
    first = count > first ? count : first;
  }
  for (uint32_t i = 0; i < sizeof MET / sizeof MET[0]; i++)
    CHECK(model_port[0].counters.count[MET[i]] + model_port[1].counters.count[MET[i]] != 0);
  CHECK(first * 2 < refused); /* no rule refuses half of it alone: the others are reached as well */
  printf("ok: %u frames, %u on the wire, %u conversion calls, %u taken up, %u honest, %llu refused\n", frames,
         model_card.sent, model_converts, taken_up, honest, (unsigned long long)refused);
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The network server against mutated rings (io_mutate.h), of both directions: no
 * address for the card that the monitor's model did not convert, every frame
 * with its sender's address and no tag, every conversion released, and after
 * each ring the attacker's next epoch sends and receives.
 */
#include "io_mutate.h"
#include "io_network_kit.h"

#define ATTACKER 0u
#define FRIEND 1u   /* whom the attacker may talk to */
#define STRANGER 2u /* and whom not */
#define MOST 8u     /* frames of a ring */

static uint32_t looked_at;

/* --- well-formed frames --- */

static int send_some(struct client *one) {
  static const uint32_t TO[] = {FRIEND, FRIEND, TO_WIRE, TO_ALL};
  uint32_t length = mutate_below(3) ? 60 + mutate_below(1455) : 14 + mutate_below(47);
  if (mutate_below(3))
    return client_send(one, make(ATTACKER, TO[mutate_below(4)], length, 0), length);
  uint64_t payload = CLIENT_MEMORY + mutate_below((uint32_t)CLIENT_SIZE - ETHERNET_PAYLOAD);
  return client_send_from(one, make(ATTACKER, TO_WIRE, ETHERNET_HEADER, 0), payload, 46 + mutate_below(1455));
}

static void the_wire_sends(uint32_t to, uint32_t length) {
  model_arrive(make(TO_WIRE, to, length, 7), length);
}

/* --- what changes --- */

static void change_payload(void) {
  uint8_t *place = client_slot(&client[ATTACKER], 1, SLOTS - 1 - mutate_below(MOST));
  uint8_t *ethernet = place + NETWORK_HEADER;
  switch (mutate_below(6)) {
  case 0:
    place[mutate_below(NETWORK_HEADER)] = (uint8_t)mutate_any();
    break;
  case 1:
    place[0] = VIRTIO_NET_HDR_F_NEEDS_CSUM; /* csum_start, then, is 0 or what the change before left */
    place[6] = (uint8_t)mutate_below(64);
    break;
  case 2:
    ethernet[5] = (uint8_t)(0x0a + mutate_below(4));
    break;
  case 3:
    ethernet[ETHERNET_ADDRESS + mutate_below(ETHERNET_ADDRESS)] = (uint8_t)mutate_any();
    break;
  case 4:
    memcpy(ethernet + 12, mutate_below(2) ? "\x81\0" : "\x88\xa8", 2);
    break;
  default:
    ethernet[mutate_below(ETHERNET_HEADER)] = (uint8_t)mutate_any();
  }
}

/* --- a ring --- */

static void judge_wire(void) {
  if (model_card.sent - looked_at > WIRE_LOG)
    looked_at = model_card.sent - WIRE_LOG; /* a ring may hold more than the log keeps */
  for (; looked_at != model_card.sent; looked_at++) {
    const struct model_frame *seen = &model_card.wire[looked_at % WIRE_LOG];
    uint8_t address[ETHERNET_ADDRESS];
    model_address(address, ATTACKER);
    CHECK(seen->whose == NO_ONE || seen->whose == ATTACKER);
    CHECK(memcmp(seen->bytes + ETHERNET_ADDRESS, address, ETHERNET_ADDRESS) == 0);
    CHECK(memcmp(seen->bytes + 12, "\x81\0", 2) != 0 && memcmp(seen->bytes + 12, "\x88\xa8", 2) != 0);
  }
}

/* What the friend has heard came from the attacker, as it says itself, or from the wire. */
static void judge_friend(void) {
  uint8_t address[ETHERNET_ADDRESS];
  model_address(address, ATTACKER);
  while (client_take(&client[FRIEND], got))
    CHECK(memcmp(got + ETHERNET_ADDRESS, address, ETHERNET_ADDRESS) == 0);
  CHECK(has_nothing(STRANGER));
}

static void attack(void) {
  struct client *one = &client[ATTACKER];
  struct attack attack = {.window = one->window, .size = one->size, .payload = change_payload};
  for (uint32_t i = 1 + mutate_below(MOST); i && send_some(one) >= 0; i--)
    attack.chains[1]++;
  attack.descriptors[1] = QUEUE_SIZE - one->transmit.free_count;
  attack.chains[0] = attack.descriptors[0] = 4; /* the first that are filled, of SLOTS */
  for (uint32_t i = mutate_below(4); i; i--)
    the_wire_sends(ATTACKER, 60 + mutate_below(1455));
  model_channel[ATTACKER].quota = mutate_below(16) ? LIMIT_IN_FLIGHT : 0;
  mutate_ring(&attack);
  model_kick(one);
  model_run();
  mutate_end();
  model_channel[ATTACKER].quota = LIMIT_IN_FLIGHT;
  CHECK(model_channel[ATTACKER].in_flight == 0);
  judge_wire();
  judge_friend();
}

/* The attacker's header may say anything by now: an epoch that it never had. */
static void begin_anew(struct client *one) {
  static uint32_t epoch = 1000;
  const struct session *session = &model_port[one->index].session;
  for (uint32_t i = 0; i < 2 && (i == 0 || session->epoch != one->epoch); i++) {
    one->window->header.epoch = epoch++;
    client_begin(one);
    model_kick(one);
    model_run();
  }
  CHECK(session->epoch == one->epoch);
}

static void speak_and_hear(void) {
  send(ATTACKER, FRIEND, 100, 3);
  CHECK(has(FRIEND, ATTACKER, FRIEND, 100, 3));
  the_wire_sends(ATTACKER, 99);
  model_run();
  CHECK(has(ATTACKER, TO_WIRE, ATTACKER, 99, 7));
}

static void open_all(void) {
  model_begin(true);
  model_card.network.offloads = NETWORK_OFFLOAD_TRANSMIT;
  for (uint32_t i = 0; i <= STRANGER; i++) {
    struct channel_descriptor port = model_port_of(i, STRANGER + 1);
    port.talks[0] = i == STRANGER ? 0 : 1u << (FRIEND - i);
    client_open(i, port, NULL);
  }
  model_open();
}

int main(int count, char **words) {
  static const enum counter MET[] = {COUNT_BAD_RING,  COUNT_BAD_CHAIN,  COUNT_BAD_HEADER,     COUNT_BAD_LENGTH,
                                     COUNT_BAD_RANGE, COUNT_OVER_QUOTA, COUNT_UNSUPPORTED,    COUNT_FALSE_SOURCE,
                                     COUNT_OWN_TAG,   COUNT_NOBODY,     COUNT_OUTSIDE_CHANNEL};
  uint32_t rings = mutate_begin(count, words);
  open_all();
  for (uint32_t i = 0; i < rings; i++) {
    attack();
    begin_anew(&client[ATTACKER]);
    speak_and_hear();
  }
  mutate_table("network", model_port[ATTACKER].counters.count, MET, sizeof MET / sizeof MET[0]);
  return 0;
}

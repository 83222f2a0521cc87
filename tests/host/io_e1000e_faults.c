/* SPDX-License-Identifier: Apache-2.0
 *
 * The e1000e driver with a card that misbehaves: resets under load, write-backs
 * that mean nothing, reports of what never happened, silence, absence. Whatever
 * the card does, a buffer comes back once.
 */
#include "io_e1000e_kit.h"

static uint8_t with_card_out[SLOTS], with_card_in[SLOTS]; /* 1: the driver has it */

static void send_one(uint32_t slot) {
  if (with_card_out[slot])
    return;
  enum network_result result = send_frame(slot, 60 + random_below(1400));
  CHECK(result != NETWORK_REFUSED);
  with_card_out[slot] = result == NETWORK_TAKEN;
}

static void give_one(uint32_t slot) {
  if (with_card_in[slot])
    return;
  enum network_result result = give_buffer(slot, 2048);
  CHECK(result != NETWORK_REFUSED);
  with_card_in[slot] = result == NETWORK_TAKEN;
}

static uint32_t sent_back(uint32_t limit, uint32_t wanted) {
  struct network_sent sent[64];
  uint32_t count = device->driver->sent(device, sent, limit);
  CHECK(count <= limit);
  for (uint32_t i = 0; i < count; i++) {
    CHECK(sent[i].tag < SLOTS && with_card_out[sent[i].tag] && sent[i].error == wanted);
    with_card_out[sent[i].tag] = 0;
  }
  return count;
}

static void is_sound(const struct network_received *received) {
  CHECK(received->tag < SLOTS && with_card_in[received->tag]);
  CHECK(received->error ? received->length == 0 && !received->checksum_right
                        : received->length >= 1 && received->length <= NETWORK_FRAME_MAX);
  with_card_in[received->tag] = 0;
}

static uint32_t received_back(uint32_t limit, uint32_t wanted) {
  struct network_received received[64];
  uint32_t count = device->driver->received(device, received, limit);
  CHECK(count <= limit);
  for (uint32_t i = 0; i < count; i++) {
    is_sound(&received[i]);
    CHECK(!wanted || received[i].error == wanted);
  }
  return count;
}

static uint32_t held(const uint8_t *slots) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < SLOTS; i++)
    count += slots[i];
  return count;
}

/* --- resets --- */

static void fill_rings(void) {
  uint32_t some = random_below(SLOTS);
  for (uint32_t i = 0; i < some; i++) {
    send_one(random_below(SLOTS));
    give_one(random_below(SLOTS));
  }
}

/* Some not told, some under way, some done and not taken: a reset makes them one. What was taken before it stays right. */
static void one_reset(void) {
  bool lost = held(with_card_out); /* of the reset before: they come back first */
  fill_rings();
  if (random_below(2))
    device->driver->commit(device);
  model_send(random_below(60));
  sent_back(random_below(8), lost ? NETWORK_ERROR_RESET : 0);
  CHECK(device->driver->reset(device));
  CHECK(send_plain(0, 60) == NETWORK_REFUSED && give_buffer(0, 2048) == NETWORK_REFUSED);
  if (random_below(2)) { /* taken before the start, or after it, or before another reset */
    while (sent_back(7, NETWORK_ERROR_RESET) + received_back(5, NETWORK_ERROR_RESET))
      continue;
    CHECK(held(with_card_out) + held(with_card_in) == 0);
  }
  sent_back(random_below(3), NETWORK_ERROR_RESET);
  CHECK(device->driver->start(device));
  uint32_t lost_out = held(with_card_out), lost_in = held(with_card_in);
  CHECK(device->transmit_free == device->transmit_depth - lost_out);
  CHECK(device->receive_free == device->receive_depth - lost_in);
}

static void resets(bool forgets) {
  model_power(forgets);
  open_card(2);
  for (uint32_t i = 0; i < 3000; i++)
    one_reset();
  while (sent_back(7, NETWORK_ERROR_RESET) + received_back(5, NETWORK_ERROR_RESET))
    continue;
  CHECK(held(with_card_out) + held(with_card_in) == 0);
  CHECK(device->transmit_free == device->transmit_depth && device->receive_free == device->receive_depth);
  uint32_t before = model.sent;
  send_one(1);
  device->driver->commit(device);
  CHECK(model_send(9) == 1 && model.sent == before + 1 && sent_back(9, 0) == 1);
}

/* What was lost and not taken counts: there is no second place for it. */
static void reset_of_full_rings(void) {
  model_power(false);
  open_card(2);
  uint32_t depth = device->transmit_depth;
  for (uint32_t i = 0; i < depth; i++)
    CHECK(send_plain(i % SLOTS, 60) == NETWORK_TAKEN);
  for (uint32_t i = 0; i < device->receive_depth; i++)
    CHECK(give_buffer(i % SLOTS, 2048) == NETWORK_TAKEN);
  reopen();
  CHECK(device->transmit_free == 0 && send_plain(0, 60) == NETWORK_BUSY);
  CHECK(device->receive_free == 0 && give_buffer(0, 2048) == NETWORK_BUSY);
  CHECK(take_sent(1) == 1 && take_received(1) == 1 && device->transmit_free == 1 && device->receive_free == 1);
  CHECK(send_plain(0, 60) == NETWORK_TAKEN && send_plain(0, 60) == NETWORK_BUSY);
  CHECK(take_sent(300) == depth - 1 && last_sent.error == NETWORK_ERROR_RESET && take_sent(300) == 0);
}

/* --- nonsense --- */

static uint64_t random_written(void) {
  uint64_t written = random_next();
  if (random_below(200)) /* one without it stops the ring */
    written |= RECEIVE_DD;
  if (random_below(2))
    written &= ~(uint64_t)RECEIVE_BAD;
  if (random_below(2))
    written = (written & ~(0xffffull << 32)) | (uint64_t)random_below(1600) << 32;
  return written;
}

static void nonsense(void) {
  uint32_t good = 0, bad = 0;
  model_power(false);
  open_card(2);
  for (uint32_t i = 0; i < 200000; i++) {
    give_one(random_below(SLOTS));
    if (random_below(4) == 0)
      device->driver->commit(device);
    if (random_below(2))
      model_report(random_written());
    struct network_received received;
    if (device->driver->received(device, &received, 1)) {
      is_sound(&received);
      good += received.error == 0;
      bad += received.error != 0;
    }
    CHECK(device->receive_free == device->receive_depth - held(with_card_in));
    if (i % 1000 == 999) {
      CHECK(device->driver->reset(device) && device->driver->start(device));
      while (received_back(64, NETWORK_ERROR_RESET))
        continue;
      CHECK(held(with_card_in) == 0);
    }
  }
  CHECK(good > 1000 && bad > 10000);
}

static uint32_t reported(uint64_t written) {
  give_one(0);
  device->driver->commit(device);
  CHECK(model_report(written));
  struct network_received received;
  CHECK(device->driver->received(device, &received, 1) == 1);
  is_sound(&received);
  return received.error;
}

static void cases_of_nonsense(void) {
  const uint64_t whole = RECEIVE_DD | RECEIVE_EOP, sixty = 60ull << 32;
  model_power(false);
  open_card(2);
  CHECK(reported(whole | sixty) == 0);
  CHECK(reported(whole) == NETWORK_ERROR_NONSENSE);
  CHECK(reported(whole | 1518ull << 32) == 0 && reported(whole | 1519ull << 32) == NETWORK_ERROR_NONSENSE);
  CHECK(reported(whole | 0xffffull << 32) == NETWORK_ERROR_NONSENSE);
  CHECK(reported(RECEIVE_DD | sixty) == NETWORK_ERROR_NONSENSE); /* a part of a frame, and the rest of it */
  CHECK(reported(RECEIVE_DD | sixty) == NETWORK_ERROR_NONSENSE);
  CHECK(reported(whole | sixty) == NETWORK_ERROR_NONSENSE && reported(whole | sixty) == 0);
  CHECK(reported(RECEIVE_DD | sixty) == NETWORK_ERROR_NONSENSE);
  reopen();
  CHECK(reported(whole | sixty) == 0);
  CHECK(reported(whole | sixty | 1u << 24) == 1 && reported(whole | sixty | 1u << 31) == 0x80); /* CE, RXE */
  CHECK(reported(whole | sixty | RECEIVE_TCPE | RECEIVE_IPE) == 0);                             /* not ours to drop */
}

/* Claims of a card that nothing was asked of, or that is not through, free nothing twice. */
static void claims(void) {
  model_power(false);
  open_card(2);
  for (uint32_t i = 0; i < 20000; i++) {
    send_one(random_below(SLOTS));
    if (random_below(3) == 0)
      model_claim_all_sent();
    if (random_below(3) == 0)
      device->driver->commit(device);
    sent_back(random_below(20), 0);
    uint32_t used = device->transmit_depth - device->transmit_free;
    CHECK(used >= held(with_card_out));
  }
  device->driver->commit(device);
  model_claim_all_sent();
  while (sent_back(20, 0))
    continue;
  CHECK(held(with_card_out) == 0 && device->transmit_free == device->transmit_depth);
}

/* --- cards that do not obey --- */

static void broken_cards(void) {
  model_power(false);
  model.never_quiet = true; /* what it still writes would be anybody's: nothing goes on */
  CHECK(!begin(2) && device->problem && send_plain(0, 60) == NETWORK_REFUSED);
  model_power(false);
  model.never_resets = true;
  CHECK(!begin(2) && device->problem);
  model_power(false);
  model.never_reads = true;
  CHECK(!begin(2) && device->problem);
  model_power(false);
  model.gone = true;
  CHECK(!begin(2) && device->problem && device->driver->failed(device) && !device->driver->link(device));
}

static void no_registers(void) {
  struct device_descriptor found = {.interrupt_count = 2};
  found.bar[0].address = MODEL_REGISTERS;
  found.bar[0].size = 4096;
  device = e1000e_open(&(struct driver_resources){&found, &card, &memory, MODEL_BIAS});
  CHECK(device->problem && !device->driver->reset(device) && device->problem && device->driver->failed(device));
  CHECK(send_plain(0, 60) == NETWORK_REFUSED && take_sent(1) == 0 && take_received(1) == 0);
  CHECK(device->driver->filter(device, NULL, 0) && !device->driver->link(device));
}

static bool starts_with_address(uint32_t low, uint32_t high) {
  model_power(false);
  open_card(2);
  CHECK(device->driver->reset(device));
  model_set(E1000E_RAL, low);
  model_set(E1000E_RAL + 4, high);
  return device->driver->start(device);
}

static void addresses(void) {
  CHECK(starts_with_address(0x00000002, RAH_AV) && device->address[0] == 2 && device->address[5] == 0);
  CHECK(!starts_with_address(0x12005452, 0x5634) && device->problem); /* not valid */
  CHECK(!starts_with_address(0, RAH_AV) && device->problem);
  CHECK(!starts_with_address(0x12005453, RAH_AV | 0x5634) && device->problem); /* a group's */
}

/* A card that stops or goes away under load keeps what it has until a reset that it obeys. */
static void stops_under_load(void) {
  model_power(false);
  open_card(2);
  for (uint32_t i = 0; i < 12; i++) {
    send_one(i);
    give_one(i);
  }
  device->driver->commit(device);
  CHECK(sent_back(64, 0) == 0 && received_back(64, 0) == 0 && !device->driver->failed(device));
  model.gone = true;
  CHECK(device->driver->failed(device) && !device->driver->link(device) && !device->driver->reset(device));
  CHECK(sent_back(64, 0) == 0 && received_back(64, 0) == 0); /* it may still read and write them */
  model.gone = false;
  CHECK(device->driver->reset(device) && device->driver->start(device));
  CHECK(sent_back(64, NETWORK_ERROR_RESET) == 12 && received_back(64, NETWORK_ERROR_RESET) == 12);
  model_set(E1000E_TCTL, 0); /* a reset of its own */
  CHECK(device->driver->failed(device));
}

int main(void) {
  resets(false);
  resets(true);
  reset_of_full_rings();
  nonsense();
  cases_of_nonsense();
  claims();
  broken_cards();
  no_registers();
  addresses();
  stops_under_load();
  puts("ok");
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The e1000e driver against a model of the card: life cycle, frames of every
 * shape, checksums, full rings, the filter, interrupts. What goes wrong with a
 * card is in io_e1000e_faults.c.
 */
#include "io_e1000e_kit.h"

static void life_cycle(bool forgets) {
  model_power(forgets);
  open_card(2);
  CHECK(memcmp(device->address, MODEL_ADDRESS, 6) == 0);
  CHECK(device->offloads == (NETWORK_OFFLOAD_TRANSMIT | NETWORK_OFFLOAD_RECEIVE));
  CHECK(device->transmit_depth == device->transmit_free && device->transmit_depth > 200);
  CHECK(device->receive_depth == device->receive_free && device->receive_bytes == 2048);
  CHECK(model_register(E1000E_RDH) == 0 && model_register(E1000E_TDH) == 0);
  CHECK(model_register(E1000E_MTA) == 0 && model_register(E1000E_RAL + 8 * 3 + 4) == 0);
  CHECK((model_register(E1000E_CTRL) & (CTRL_SLU | CTRL_GIO_MASTER_DISABLE)) == CTRL_SLU);
  CHECK((model_register(E1000E_RCTL) & (RCTL_UPE | RCTL_MPE)) == 0);
  CHECK(!device->driver->failed(device) && device->driver->link(device) && model.doorbells == 0);
}

/* --- frames out --- */

static void send_and_compare(uint32_t bytes, uint32_t tag) {
  uint32_t before = model.sent;
  CHECK(send_frame(tag, bytes) == NETWORK_TAKEN);
  device->driver->commit(device);
  CHECK(model_send(1) == 1 && model.sent == before + 1);
  const struct model_frame *frame = &model.frame[before % MODEL_SENT];
  CHECK(frame->length == (bytes < 17 ? 17 : bytes) && memcmp(frame->bytes, outgoing(tag), bytes) == 0);
  for (uint32_t i = bytes; i < frame->length; i++)
    CHECK(frame->bytes[i] == 0);
  CHECK(take_sent(1) == 1 && last_sent.tag == tag && last_sent.error == 0);
}

static void every_length(void) {
  model_power(false);
  open_card(2);
  for (uint32_t bytes = 1; bytes <= NETWORK_FRAME_MAX; bytes++)
    send_and_compare(bytes, bytes % SLOTS);
  CHECK(device->transmit_free == device->transmit_depth);
}

/* Frames of random shapes in batches, completed in random portions; they leave, and come back, in order. */
static void random_batches(void) {
  uint32_t queued = 0, told = 0, back = 0;
  model_power(true);
  open_card(2);
  while (back < 20000) {
    for (uint32_t i = random_below(20); i && queued - back < SLOTS; i--) {
      enum network_result result = send_frame(queued % SLOTS, 17 + random_below(1500));
      CHECK(result != NETWORK_REFUSED);
      queued += result == NETWORK_TAKEN;
    }
    if (random_below(3)) {
      device->driver->commit(device);
      told = queued;
    }
    uint32_t before = model.sent;
    model_send(random_below(30));
    for (uint32_t n = before; n < model.sent; n++)
      CHECK(memcmp(model.frame[n % MODEL_SENT].bytes, outgoing(n % SLOTS), 17) == 0);
    for (; take_sent(1); back++)
      CHECK(last_sent.tag == back % SLOTS && last_sent.error == 0 && back < model.sent);
    CHECK(back <= model.sent && model.sent <= told);
  }
}

static void full_ring(void) {
  model_power(false);
  open_card(2);
  for (uint32_t round = 0; round < 5; round++) {
    uint32_t before = model.doorbells, write_backs = model.write_backs;
    for (uint32_t i = 0; i < device->transmit_depth; i++)
      CHECK(device->transmit_free == device->transmit_depth - i && send_plain(i % SLOTS, 60) == NETWORK_TAKEN);
    CHECK(device->transmit_free == 0 && send_plain(0, 60) == NETWORK_BUSY);
    device->driver->commit(device);
    device->driver->commit(device);
    CHECK(model.doorbells == before + 1 && take_sent(1) == 0);
    CHECK(model_send(1000) == device->transmit_depth);
    CHECK(model.write_backs - write_backs == (device->transmit_depth + 31) / 32);
    for (uint32_t i = 0; i < device->transmit_depth; i++)
      CHECK(take_sent(1) == 1 && last_sent.tag == i % SLOTS);
    CHECK(take_sent(1) == 0 && device->transmit_free == device->transmit_depth);
  }
}

/* The last frame of a commit may be one that the card reports anyway: it does so once. */
static void commits_of_every_size(void) {
  model_power(false);
  open_card(2);
  for (uint32_t size = 1; size <= 100; size++) {
    for (uint32_t round = 0; round < 4; round++) {
      for (uint32_t i = 0; i < size; i++)
        CHECK(send_plain(i, 60) == NETWORK_TAKEN);
      device->driver->commit(device);
      CHECK(model_send(size - 1) == size - 1 && take_sent(300) == (size - 1) / 32 * 32);
      CHECK(model_send(1) == 1 && take_sent(300) == size - (size - 1) / 32 * 32);
    }
  }
}

static enum network_result send_sizes(const uint32_t *sizes, uint32_t count) {
  struct network_segment segment[32];
  for (uint32_t i = 0; i < count; i++)
    segment[i] = (struct network_segment){device_address(outgoing(0)), sizes[i]};
  return device->driver->transmit(device, segment, count, NO_CHECKSUM, 1);
}

static void refused_frames(void) {
  uint32_t many[NETWORK_SEGMENTS + 1];
  for (uint32_t i = 0; i <= NETWORK_SEGMENTS; i++)
    many[i] = 84;
  model_power(false);
  open_card(2);
  CHECK(send_sizes(many, 0) == NETWORK_REFUSED && send_sizes(many, NETWORK_SEGMENTS + 1) == NETWORK_REFUSED);
  CHECK(send_sizes((uint32_t[]){0}, 1) == NETWORK_REFUSED && send_sizes((uint32_t[]){1519}, 1) == NETWORK_REFUSED);
  CHECK(send_sizes((uint32_t[]){60, 0}, 2) == NETWORK_REFUSED);
  CHECK(send_sizes((uint32_t[]){1500, 19}, 2) == NETWORK_REFUSED);
  CHECK(send_sizes((uint32_t[]){60, 0xffffffffu, 5}, 3) == NETWORK_REFUSED);
  device->driver->commit(device);
  CHECK(model.doorbells == 0 && device->transmit_free == device->transmit_depth);
  CHECK(send_sizes(many, NETWORK_SEGMENTS) == NETWORK_TAKEN);
  device->driver->commit(device);
  CHECK(model_send(2) == 1 && model.frame[0].length == 84 * NETWORK_SEGMENTS);
}

/* --- checksums --- */

static uint32_t sum_of(const uint8_t *bytes, uint32_t length) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < length; i++)
    sum += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

/* What is filled in makes the sum over the bytes what it was with the place as it was: all ones. */
static void sums_right(struct network_checksum checksum, uint32_t bytes) {
  struct network_segment segment = {device_address(outgoing(3)), bytes};
  CHECK(device->driver->transmit(device, &segment, 1, checksum, 3) == NETWORK_TAKEN);
  device->driver->commit(device);
  CHECK(model_send(1) == 1);
  const struct model_frame *frame = &model.frame[(model.sent - 1) % MODEL_SENT];
  uint32_t place = checksum.start + checksum.offset, seed = outgoing(3)[place] << 8 | outgoing(3)[place + 1];
  uint32_t sum = sum_of(&frame->bytes[checksum.start], bytes - checksum.start) + seed;
  CHECK(((sum & 0xffff) + (sum >> 16)) % 0xffff == 0);
  CHECK(take_sent(1) == 1);
}

static enum network_result asks(uint16_t start, uint16_t offset, uint32_t bytes) {
  struct network_segment segment = {device_address(outgoing(3)), bytes};
  return device->driver->transmit(device, &segment, 1, (struct network_checksum){start, offset}, 3);
}

static void checksums(void) {
  model_power(false);
  open_card(2);
  for (uint32_t i = 0; i < 500; i++) {
    fill_random(outgoing(3), 200);
    sums_right((struct network_checksum){34, random_below(2) ? 6 : 16}, 60 + random_below(100));
    send_and_compare(64, 5);
    if (i % 50 == 0)
      reopen();
  }
  sums_right((struct network_checksum){34, 6}, 100);
  struct network_segment long_one[] = {{device_address(outgoing(3)), 1000}, {device_address(outgoing(4)), 519}};
  CHECK(device->driver->transmit(device, long_one, 2, (struct network_checksum){34, 16}, 3) == NETWORK_REFUSED);
  sums_right((struct network_checksum){34, 16}, 100);
  CHECK(asks(250, 6, 1500) == NETWORK_REFUSED && asks(0xffff, 0xffff, 1500) == NETWORK_REFUSED);
  CHECK(asks(34, 25, 60) == NETWORK_REFUSED && asks(34, 24, 60) == NETWORK_TAKEN);
}

/* --- frames in --- */

static void received_frames(void) {
  uint32_t given = 0, arrived = 0, taken = 0, lengths[SLOTS];
  uint8_t frame[NETWORK_FRAME_MAX];
  model_power(true);
  open_card(2);
  CHECK(give_buffer(0, 2047) == NETWORK_REFUSED);
  while (taken < 20000) {
    for (uint32_t i = random_below(40); i && given - taken < SLOTS; i--, given++)
      CHECK(give_buffer(given % SLOTS, 2048) == NETWORK_TAKEN);
    device->driver->commit(device);
    for (uint32_t i = random_below(40); i && arrived < given; i--, arrived++) {
      make_frame(frame, lengths[arrived % SLOTS] = 60 + random_below(NETWORK_FRAME_MAX - 59), arrived);
      CHECK(model_receive(frame, lengths[arrived % SLOTS], 0));
    }
    for (; taken < arrived; taken++) {
      CHECK(take_received(1) == 1 && last_received.tag == taken % SLOTS && last_received.error == 0);
      CHECK(last_received.length == lengths[taken % SLOTS] && !last_received.checksum_right);
      make_frame(frame, last_received.length, taken);
      CHECK(memcmp(frame, incoming(taken % SLOTS), last_received.length) == 0);
    }
    CHECK(take_received(1) == 0 && device->receive_free == device->receive_depth - (given - taken));
  }
}

static void full_receive_ring(void) {
  uint8_t frame[60];
  make_frame(frame, 60, 1);
  model_power(false);
  open_card(2);
  for (uint32_t i = 0; i < device->receive_depth; i++)
    CHECK(give_buffer(i % SLOTS, 2048) == NETWORK_TAKEN);
  CHECK(device->receive_free == 0 && give_buffer(0, 2048) == NETWORK_BUSY && !model_receive(frame, 60, 0));
  device->driver->commit(device);
  CHECK(model.doorbells == 1);
  for (uint32_t i = 0; i < device->receive_depth; i++)
    CHECK(model_receive(frame, 60, 0));
  CHECK(!model_receive(frame, 60, 0) && take_received(1000) == device->receive_depth);
}

static bool right(uint32_t extra) {
  uint8_t frame[100];
  make_frame(frame, 100, 1);
  CHECK(give_buffer(0, 2048) == NETWORK_TAKEN);
  device->driver->commit(device);
  CHECK(model_receive(frame, 100, extra) && take_received(1) == 1);
  CHECK(last_received.error == 0 && last_received.length == 100);
  return last_received.checksum_right;
}

static void received_checksums(void) {
  model_power(false);
  open_card(2);
  CHECK(right(RECEIVE_TCPCS) && right(RECEIVE_TCPCS | RECEIVE_UDPCS) && right(RECEIVE_UDPCS));
  CHECK(!right(0) && !right(RECEIVE_TCPCS | RECEIVE_TCPE) && !right(RECEIVE_TCPCS | RECEIVE_IXSM));
  CHECK(!right(RECEIVE_UDPCS | RECEIVE_IPE) && !right(RECEIVE_TCPE));
}

/* --- the filter --- */

static bool passes(const uint8_t *address) {
  uint8_t frame[60] = {0};
  memcpy(frame, address, 6);
  CHECK(give_buffer(0, 2048) == NETWORK_TAKEN);
  device->driver->commit(device);
  if (model_receive(frame, 60, 0)) {
    CHECK(take_received(1) == 1);
    return true;
  }
  return false;
}

static void filter(bool forgets) {
  static const uint8_t everybody[6] = {255, 255, 255, 255, 255, 255}, stranger[6] = {2, 0, 0, 0, 0xaa, 0xbb};
  uint8_t groups[20][6], owners[20][6];
  for (uint32_t i = 0; i < 20; i++) {
    memcpy(groups[i], (uint8_t[]){1, 0, 0x5e, 0, (uint8_t)(16 * i), (uint8_t)i}, 6);
    memcpy(owners[i], (uint8_t[]){2, 0, 0x5e, 0, 0, (uint8_t)i}, 6);
  }
  model_power(forgets);
  open_card(2);
  CHECK(passes(MODEL_ADDRESS) && passes(everybody) && !passes(stranger) && !passes(groups[1]));
  CHECK(device->driver->filter(device, owners, 14));
  CHECK(passes(owners[0]) && passes(owners[13]) && !passes(owners[14]) && !passes(stranger) && passes(MODEL_ADDRESS));
  CHECK(!device->driver->filter(device, groups, 20)); /* by hash: more than these may pass */
  CHECK(passes(groups[0]) && passes(groups[13]) && passes(groups[19]) && !passes(owners[0]) && !passes(stranger));
  reopen();
  CHECK(passes(groups[0]) && passes(groups[19]) && !passes(owners[0]));
  CHECK(!device->driver->filter(device, owners, 15) && passes(stranger) && passes(groups[3]) && passes(owners[14]));
  CHECK(device->driver->filter(device, groups, 1) && passes(groups[0]) && !passes(groups[19]) && !passes(stranger));
}

/* --- interrupts --- */

/* A message for each event of the queues, with no access to the card; of the link one until link() is asked. */
static void interrupts(uint32_t count) {
  uint32_t other = count > 1;
  model_power(false);
  open_card(count);
  for (uint32_t i = 1; i < 5; i++) {
    CHECK(send_plain(0, 60) == NETWORK_TAKEN);
    device->driver->commit(device);
    model_send(1);
    CHECK(model.messages[0] == 2 * i - 1 && passes(MODEL_ADDRESS) && model.messages[0] == 2 * i && take_sent(1) == 1);
  }
  model.messages[0] = 0;
  model_link(false);
  CHECK(model.messages[other] == 1);
  model_link(true);
  CHECK(model.messages[other] == 1 && device->driver->link(device));
  model_link(false);
  CHECK(model.messages[other] == 2 && !device->driver->link(device));
  model_link(true);
  CHECK(model.messages[other] == 3 && device->driver->link(device));
}

int main(void) {
  fill_random(outgoing(0), SLOTS * 2048);
  life_cycle(false);
  life_cycle(true);
  every_length();
  random_batches();
  full_ring();
  commits_of_every_size();
  refused_frames();
  checksums();
  received_frames();
  full_receive_ring();
  received_checksums();
  filter(false);
  filter(true);
  interrupts(2);
  interrupts(1);
  puts("ok");
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The virtio network driver against a model of the device: frames of every
 * shape in both directions, checksums, full queues, lengths that cannot be,
 * answers to nothing, resets with frames under way.
 */
#include "drivers/virtio_net.h"
#include "io_virtio_model.h"
#include "runtime_check.h"

#define RINGS (VIRTIO_F_RING_INDIRECT_DESC | VIRTIO_F_RING_EVENT_IDX)
#define F_CSUM 1u
#define F_MAC (1u << 5)
#define F_STATUS (1u << 16)
#define F_ALL (F_CSUM | F_MAC | F_STATUS)
#define SLOTS 64u
#define ROOM 1600u

static const uint8_t OUR_ADDRESS[6] = {0x52, 0x54, 0, 1, 2, 3};
static const struct network_checksum NO_CHECKSUM = {0, 0};

static struct virtio_net card;
static struct virtio_net_memory memory;
static struct network_device *const device = &card.network;
static uint8_t outgoing[SLOTS][ROOM], incoming[SLOTS][ROOM];
static uint8_t frame[ROOM];
static struct virtio_net_header header;

static void power(uint64_t features, uint16_t queue_size) {
  model_power(features | VIRTIO_F_VERSION_1, queue_size);
  memcpy(model.configuration, OUR_ADDRESS, sizeof OUR_ADDRESS);
  model.configuration[6] = 1; /* link up */
}

static bool begin(void) {
  memset(&card, 0, sizeof card);
  memset(&memory, 0, sizeof memory);
  struct driver_resources given = model_resources(&card, &memory);
  CHECK(virtio_net_open(&given) == device && !device->problem && device->driver->reset(device));
  bool good = device->driver->start(device);
  CHECK(good == !device->problem);
  return good;
}

static uint64_t device_address(const void *place) {
  return (uintptr_t)place + MODEL_BIAS;
}

/* --- the device's side --- */

/* Sends one frame to the wire: into `frame`. Returns its length, 0: there is none. */
static uint32_t wire_takes(void) {
  struct model_chain chain;
  uint32_t length = 0;
  if (!model_take(1, &chain))
    return 0;
  CHECK(chain.count >= 2 && chain.part[0].length == VIRTIO_NET_HEADER && !chain.part[0].writable);
  memcpy(&header, chain.part[0].place, VIRTIO_NET_HEADER);
  for (uint32_t i = 1; i < chain.count; i++) {
    CHECK(!chain.part[i].writable && length + chain.part[i].length <= ROOM);
    memcpy(&frame[length], chain.part[i].place, chain.part[i].length);
    length += chain.part[i].length;
  }
  CHECK(header.gso_type == 0 && (header.flags & ~HEADER_NEEDS_CHECKSUM) == 0);
  CHECK(header.flags == 0 || (model.accepted & F_CSUM));
  model_answer(1, chain.head, 0);
  return length;
}

/* A frame comes from the wire; the device claims to have written `claimed` bytes. */
static bool wire_brings(const uint8_t *bytes, uint32_t length, uint32_t claimed) {
  struct model_chain chain;
  if (!model_take(0, &chain))
    return false;
  CHECK(chain.count == 2 && chain.part[0].length == VIRTIO_NET_HEADER && chain.part[0].writable);
  CHECK(chain.part[1].length == NETWORK_FRAME_MAX && chain.part[1].writable);
  memset(chain.part[0].place, 0, VIRTIO_NET_HEADER);
  memcpy(chain.part[1].place, bytes, length);
  model_answer(0, chain.head, claimed);
  return true;
}

/* --- the server's side --- */

static enum network_result offer(uint32_t tag) {
  return device->driver->receive(device, (struct network_segment){device_address(incoming[tag]), ROOM}, tag);
}

/* In `count` segments of random lengths. */
static enum network_result send(uint32_t tag, uint32_t length, uint32_t count, struct network_checksum checksum) {
  struct network_segment segment[NETWORK_SEGMENTS];
  uint8_t *place = outgoing[tag];
  for (uint32_t i = 0; i < count; i++) {
    uint32_t part = i + 1 == count ? length : 1 + random_below(length - (count - i - 1));
    segment[i] = (struct network_segment){device_address(place), part};
    place += part;
    length -= part;
  }
  return device->driver->transmit(device, segment, count, checksum, tag);
}

static void fill(uint8_t *bytes, uint32_t length) {
  for (uint32_t i = 0; i < length; i++)
    bytes[i] = (uint8_t)random_next();
}

static void only_sent(uint32_t tag, uint32_t error) {
  struct network_sent sent[2];
  CHECK(device->driver->sent(device, sent, 2) == 1 && sent[0].tag == tag && sent[0].error == error);
}

static struct network_received only_received(void) {
  struct network_received received[2];
  CHECK(device->driver->received(device, received, 2) == 1);
  return received[0];
}

/* --- tests --- */

static void life_cycle(uint64_t features, uint16_t queue_size, uint32_t transmit, uint32_t receive) {
  power(features, queue_size);
  CHECK(begin() && memcmp(device->address, OUR_ADDRESS, 6) == 0);
  CHECK(device->offloads == (features & F_CSUM ? NETWORK_OFFLOAD_TRANSMIT : 0));
  CHECK(device->transmit_depth == transmit && device->transmit_free == transmit);
  CHECK(device->receive_depth == receive && device->receive_free == receive);
  CHECK(device->receive_bytes == NETWORK_FRAME_MAX && device->driver->link(device) && !device->driver->failed(device));
  model.configuration[6] = 0;
  CHECK(device->driver->link(device) == !(features & F_STATUS));
  CHECK(!device->driver->filter(device, NULL, 0));
}

static void every_length(uint64_t features) {
  power(features, 256);
  CHECK(begin());
  for (uint32_t length = 1; length <= NETWORK_FRAME_MAX; length++) {
    uint32_t tag = length % SLOTS, count = 1 + length % NETWORK_SEGMENTS;
    if (count > length)
      count = length;
    fill(outgoing[tag], length);
    CHECK(send(tag, length, count, NO_CHECKSUM) == NETWORK_TAKEN);
    device->driver->commit(device);
    CHECK(wire_takes() == length && memcmp(frame, outgoing[tag], length) == 0 && header.flags == 0);
    only_sent(tag, 0);
    CHECK(offer(tag) == NETWORK_TAKEN);
    memset(incoming[tag], 0xa5, ROOM);
    device->driver->commit(device);
    CHECK(wire_brings(frame, length, length + VIRTIO_NET_HEADER));
    struct network_received received = only_received();
    CHECK(received.tag == tag && received.error == 0 && received.length == length && !received.checksum_right);
    CHECK(memcmp(incoming[tag], frame, length) == 0 && incoming[tag][length] == 0xa5);
  }
  CHECK(device->transmit_free == device->transmit_depth && device->receive_free == device->receive_depth);
}

/* Each slot has a chain of its own. */
static void several_at_once(uint64_t features) {
  uint32_t seen = 0;
  power(features, 256);
  CHECK(begin());
  for (uint32_t tag = 0; tag < 5; tag++) {
    fill(outgoing[tag], 1000);
    CHECK(send(tag, 1000, NETWORK_SEGMENTS, NO_CHECKSUM) == NETWORK_TAKEN);
  }
  device->driver->commit(device);
  while (wire_takes() == 1000)
    for (uint32_t tag = 0; tag < 5; tag++)
      seen |= (memcmp(frame, outgoing[tag], 1000) == 0) << tag;
  CHECK(seen == 31);
}

static void checksums(void) {
  power(RINGS | F_ALL, 256);
  CHECK(begin() && send(1, 60, 1, (struct network_checksum){34, 6}) == NETWORK_TAKEN);
  device->driver->commit(device);
  CHECK(wire_takes() == 60 && header.flags == HEADER_NEEDS_CHECKSUM);
  CHECK(header.checksum_start == 34 && header.checksum_offset == 6);
  only_sent(1, 0);
  CHECK(send(2, 60, 1, NO_CHECKSUM) == NETWORK_TAKEN); /* in the same slot: nothing is left of the other's */
  device->driver->commit(device);
  CHECK(wire_takes() == 60 && header.flags == 0);
  power(RINGS | F_MAC, 256);
  CHECK(begin() && send(1, 60, 1, (struct network_checksum){34, 6}) == NETWORK_REFUSED);
}

/* Both queues full, told with one doorbell each; the device takes and answers in any order; every tag comes back once. */
static void full_queues(void) {
  uint32_t seen[VIRTIO_NET_RECEIVE] = {0};
  struct network_sent sent[VIRTIO_NET_TRANSMIT + 1];
  struct network_received received[VIRTIO_NET_RECEIVE + 1];
  power(RINGS | F_ALL, 256);
  CHECK(begin());
  for (uint32_t i = 0; i < VIRTIO_NET_TRANSMIT; i++)
    CHECK(device->driver->transmit(device, &(struct network_segment){device_address(outgoing[0]), 60}, 1, NO_CHECKSUM,
                                   i) == NETWORK_TAKEN);
  for (uint32_t i = 0; i < VIRTIO_NET_RECEIVE; i++)
    CHECK(device->driver->receive(device, (struct network_segment){device_address(incoming[0]), ROOM}, i) ==
          NETWORK_TAKEN);
  CHECK(device->transmit_free == 0 && device->receive_free == 0);
  CHECK(send(0, 60, 1, NO_CHECKSUM) == NETWORK_BUSY && offer(0) == NETWORK_BUSY);
  device->driver->commit(device);
  CHECK(model.doorbells == 2);
  while (wire_takes())
    continue;
  while (wire_brings(frame, 60, 72))
    continue;
  CHECK(model.interrupts == 2); /* one for each queue: nobody looked in between */
  CHECK(device->driver->sent(device, sent, VIRTIO_NET_TRANSMIT + 1) == VIRTIO_NET_TRANSMIT);
  for (uint32_t i = 0; i < VIRTIO_NET_TRANSMIT; i++)
    CHECK(sent[i].error == 0 && seen[sent[i].tag]++ == 0);
  CHECK(device->driver->received(device, received, VIRTIO_NET_RECEIVE + 1) == VIRTIO_NET_RECEIVE);
  for (uint32_t i = 0; i < VIRTIO_NET_RECEIVE; i++)
    CHECK(received[i].length == 60 && (seen[received[i].tag] & 2) == 0 && (seen[received[i].tag] |= 2));
  CHECK(device->transmit_free == VIRTIO_NET_TRANSMIT && device->receive_free == VIRTIO_NET_RECEIVE);
}

static void refusals(void) {
  struct network_segment many[NETWORK_SEGMENTS + 1];
  power(RINGS | F_ALL, 256);
  CHECK(begin());
  for (uint32_t i = 0; i <= NETWORK_SEGMENTS; i++)
    many[i] = (struct network_segment){device_address(outgoing[0]), 10};
  CHECK(device->driver->transmit(device, many, NETWORK_SEGMENTS + 1, NO_CHECKSUM, 0) == NETWORK_REFUSED);
  CHECK(device->driver->transmit(device, many, 0, NO_CHECKSUM, 0) == NETWORK_REFUSED);
  struct network_segment small = {device_address(incoming[0]), NETWORK_FRAME_MAX - 1};
  CHECK(device->driver->receive(device, small, 0) == NETWORK_REFUSED);
  CHECK(device->transmit_free == device->transmit_depth && device->receive_free == device->receive_depth);
}

/* More bytes than the buffer has, fewer than the header: the buffer comes back, and no length with it. */
static void lengths_that_cannot_be(void) {
  static const uint32_t claims[] = {0, 1, VIRTIO_NET_HEADER, VIRTIO_NET_HEADER + NETWORK_FRAME_MAX + 1, UINT32_MAX};
  power(RINGS | F_ALL, 256);
  CHECK(begin());
  for (uint32_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
    CHECK(offer(i) == NETWORK_TAKEN);
    device->driver->commit(device);
    CHECK(wire_brings(frame, 60, claims[i]));
    struct network_received received = only_received();
    CHECK(received.tag == i && received.error == NETWORK_ERROR_NONSENSE && received.length == 0);
  }
  CHECK(!device->driver->failed(device));
}

static void answers_to_nothing(uint64_t features, uint16_t queue) {
  static const uint32_t ids[] = {0, 1, 2, 3, 127, 128, 255, 256, 0x10000, 0xffffffff};
  struct network_sent sent[4];
  struct network_received received[4];
  for (uint32_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
    power(features | F_ALL, 256);
    CHECK(begin());
    model_forge(queue, ids[i], 72);
    model_forge(queue, ids[i], 72);
    CHECK(device->driver->sent(device, sent, 4) == 0 && device->driver->received(device, received, 4) == 0);
    CHECK(device->driver->failed(device) && device->transmit_free == device->transmit_depth);
    CHECK(device->driver->reset(device) && device->driver->start(device) && !device->driver->failed(device));
  }
}

/* All that the device had comes back once, from where it belongs, and the new life works. */
static void reset_with_frames(uint16_t queue_size_afterwards, bool starts) {
  struct network_sent sent[8];
  struct network_received received[8];
  uint32_t out = 0, in = 0;
  power(RINGS | F_ALL, 256);
  CHECK(begin());
  for (uint32_t i = 0; i < 50; i++)
    CHECK(send(i, 60, 2, NO_CHECKSUM) == NETWORK_TAKEN && offer(i) == NETWORK_TAKEN);
  device->driver->commit(device);
  model.silent = true;
  CHECK(device->driver->sent(device, sent, 8) == 0 && device->driver->received(device, received, 8) == 0);
  model.silent = false;
  model.queue_size[0] = model.queue_size[1] = queue_size_afterwards;
  CHECK(device->driver->reset(device) && device->driver->start(device) == starts);
  for (uint32_t count; (count = device->driver->sent(device, sent, 8)) != 0; out += count)
    for (uint32_t i = 0; i < count; i++)
      CHECK(sent[i].error == NETWORK_ERROR_RESET && sent[i].tag < 50);
  for (uint32_t count; (count = device->driver->received(device, received, 8)) != 0; in += count)
    for (uint32_t i = 0; i < count; i++)
      CHECK(received[i].error == NETWORK_ERROR_RESET && received[i].tag < 50 && received[i].length == 0);
  CHECK(out == 50 && in == 50 && (send(1, 60, 1, NO_CHECKSUM) == NETWORK_TAKEN) == starts);
  if (!starts)
    return;
  device->driver->commit(device);
  CHECK(wire_takes() == 60);
  only_sent(1, 0);
  CHECK(device->transmit_free == device->transmit_depth && device->receive_free == device->receive_depth);
}

static void broken_devices(void) {
  power(RINGS | F_CSUM, 256);
  CHECK(!begin()); /* no address */
  power(RINGS | F_ALL, 16);
  CHECK(!begin() && send(0, 60, 1, NO_CHECKSUM) == NETWORK_REFUSED && offer(0) == NETWORK_REFUSED);
  power(RINGS | F_ALL, 256);
  model.queues = 1;
  CHECK(!begin());
  power(RINGS | F_ALL, 256);
  CHECK(begin());
  model.status |= STATUS_NEEDS_RESET;
  CHECK(device->driver->failed(device));
  model.never_resets = true;
  CHECK(!device->driver->reset(device) && device->problem && offer(0) == NETWORK_REFUSED);
}

int main(void) {
  life_cycle(RINGS | F_ALL, 256, VIRTIO_NET_TRANSMIT, VIRTIO_NET_RECEIVE);
  life_cycle(VIRTIO_F_RING_EVENT_IDX | F_MAC, 256, 256 / VIRTIO_NET_SENDS_DIRECT, 256 / VIRTIO_NET_TAKES);
  life_cycle(RINGS | F_MAC, 32, 32, 32);
  every_length(RINGS | F_ALL);
  every_length(F_MAC);
  several_at_once(RINGS | F_ALL);
  several_at_once(F_MAC);
  checksums();
  full_queues();
  refusals();
  lengths_that_cannot_be();
  for (uint16_t queue = 0; queue < 2; queue++) {
    answers_to_nothing(RINGS, queue);
    answers_to_nothing(0, queue);
  }
  reset_with_frames(256, true);
  reset_with_frames(32, true);
  reset_with_frames(8, false);
  broken_devices();
  puts("ok");
  return 0;
}

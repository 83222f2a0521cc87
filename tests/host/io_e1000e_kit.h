/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the e1000e driver share: one card, buffers by number, and
 * calls of the driver with one of them.
 */
#ifndef IO_E1000E_KIT_H
#define IO_E1000E_KIT_H

#include "drivers/e1000e.h"
#include "io_e1000e_model.h"
#include "runtime_check.h"

#define SLOTS 250u /* buffers in each direction; a tag is the number of one */
#define NO_CHECKSUM ((struct network_checksum){0, 0})

static struct e1000e card;
static struct e1000e_memory memory;
static struct network_device *device;
static _Alignas(64) uint8_t out_buffer[SLOTS][2048], in_buffer[SLOTS][2048];
static struct network_sent last_sent;
static struct network_received last_received;

static inline uint8_t *outgoing(uint32_t slot) {
  return out_buffer[slot];
}

static inline uint8_t *incoming(uint32_t slot) {
  return in_buffer[slot];
}

static inline uint64_t device_address(const void *place) {
  return (uintptr_t)place + MODEL_BIAS;
}

static inline void fill_random(uint8_t *bytes, size_t count) {
  for (size_t i = 0; i < count; i++)
    bytes[i] = (uint8_t)(random_next() >> 32);
}

static inline void make_frame(uint8_t *frame, uint32_t length, uint32_t seed) {
  memcpy(frame, MODEL_ADDRESS, 6);
  for (uint32_t i = 6; i < length; i++)
    frame[i] = (uint8_t)(seed * 31 + i * 7 + (seed >> 8));
}

/* The order is the monitor's rule: silent first, then bus mastering, then rings. */
static inline bool begin(uint32_t interrupts) {
  struct device_descriptor found = {.interrupt_count = interrupts};
  found.bar[0].address = MODEL_REGISTERS;
  found.bar[0].size = E1000E_BYTES;
  memset(&memory, 0xa5, sizeof memory);
  memset(memory.zeroes, 0, sizeof memory.zeroes);
  device = e1000e_open(&(struct driver_resources){&found, &card, &memory, MODEL_BIAS});
  if (!device->driver->reset(device))
    return false;
  model.master = true;
  return device->driver->start(device);
}

static inline void open_card(uint32_t interrupts) {
  CHECK(begin(interrupts));
}

static inline void reopen(void) {
  CHECK(device->driver->reset(device) && device->driver->start(device));
}

/* One segment. */
static inline enum network_result send_plain(uint32_t slot, uint32_t bytes) {
  struct network_segment segment = {device_address(outgoing(slot)), bytes};
  return device->driver->transmit(device, &segment, 1, NO_CHECKSUM, slot);
}

/* Segments of random lengths. */
static inline enum network_result send_frame(uint32_t slot, uint32_t bytes) {
  struct network_segment segment[NETWORK_SEGMENTS];
  uint32_t count = 0, place = 0;
  while (place < bytes) {
    uint32_t left = bytes - place, part = count == NETWORK_SEGMENTS - 1 ? left : 1 + random_below(left);
    segment[count++] = (struct network_segment){device_address(outgoing(slot) + place), part};
    place += part;
  }
  return device->driver->transmit(device, segment, count, NO_CHECKSUM, slot);
}

static inline enum network_result give_buffer(uint32_t slot, uint32_t bytes) {
  return device->driver->receive(device, (struct network_segment){device_address(incoming(slot)), bytes}, slot);
}

static inline uint32_t take_sent(uint32_t limit) {
  struct network_sent sent[300];
  uint32_t count = device->driver->sent(device, sent, limit < 300 ? limit : 300);
  if (count)
    last_sent = sent[count - 1];
  return count;
}

static inline uint32_t take_received(uint32_t limit) {
  struct network_received received[300];
  uint32_t count = device->driver->received(device, received, limit < 300 ? limit : 300);
  if (count)
    last_received = received[count - 1];
  return count;
}

#endif

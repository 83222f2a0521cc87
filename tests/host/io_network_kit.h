/* SPDX-License-Identifier: Apache-2.0
 *
 * What the host tests of the network server say often: a frame, sent, and who
 * has it.
 */
#ifndef IO_NETWORK_KIT_H
#define IO_NETWORK_KIT_H

#include "io_network_model.h"
#include "runtime_check.h"

#define TYPE 0x88b5u /* IEEE 802: for experiments */
#define TO_WIRE 0xf0u
#define TO_ALL 0xffu

static uint8_t frame[NETWORK_SLOT], got[NETWORK_SLOT];

/* A frame from a client to another, to the wire or to all; its payload counts from `seed`. */
static inline const uint8_t *make(uint32_t from, uint32_t to, uint32_t length, uint32_t seed) {
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

static inline void begin(bool uplink, uint32_t channels) {
  model_begin(uplink);
  for (uint32_t i = 0; i < channels; i++)
    client_open(i, model_port_of(i, channels), NULL);
  model_open();
}

static inline void send(uint32_t from, uint32_t to, uint32_t length, uint32_t seed) {
  CHECK(client_send(&client[from], make(from, to, length, seed), length) >= 0);
  model_kick(&client[from]);
  model_run();
  CHECK(client_reap(&client[from]) == 1);
}

/* Whether the client has got this one frame, and no other. */
static inline bool has(uint32_t index, uint32_t from, uint32_t to, uint32_t length, uint32_t seed) {
  make(from, to, length, seed);
  return client_take(&client[index], got) == length && memcmp(got, frame, length) == 0 &&
         client_take(&client[index], got) == 0;
}

static inline bool has_nothing(uint32_t index) {
  return client_take(&client[index], got) == 0;
}

#endif

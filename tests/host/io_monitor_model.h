/* SPDX-License-Identifier: Apache-2.0
 *
 * The monitor's side of the I/O server for its host tests: conversion with
 * extents, rights, lives and quota, and the count of what is in flight.
 */
#ifndef IO_MONITOR_MODEL_H
#define IO_MONITOR_MODEL_H

#include "calls.h"
#include "descriptor.h"

#ifndef MODEL_CHANNELS
#define MODEL_CHANNELS 4u
#endif
#define CLIENT_MEMORY 0x400000ull /* partition-relative, of every client */
#define CLIENT_SIZE 0x100000ull
#define CLIENT_WRITABLE 0xf0000ull /* the rest of it no device may write */
#define CLIENT_WINDOW 0x40000000ull
#define EXTENT_SIZE 0x80000ull

struct model_channel {
  uint32_t life, quota, in_flight, signals;
  bool connected;
  bool bytes; /* its endpoint is a card: no extent, and any length */
  uint32_t rights;
  uint64_t physical, start; /* of its memory, of its extent */
};

extern struct model_channel model_channel[MODEL_CHANNELS];
extern uint64_t model_now;
extern uint32_t model_converts;

void model_channel_open(uint32_t index);

/* Whether the last conversions of this channel allow a device to read or write (`access`) these bytes; of a disk, against
   this offset on it. */
bool model_converted(uint32_t index, uint64_t physical, uint64_t length, uint32_t access, uint64_t offset);

/* A server's descriptor of a channel whose window is at `window`. */
struct channel_descriptor model_descriptor(uint32_t index, void *window, uint64_t size, const char *peer);

#endif

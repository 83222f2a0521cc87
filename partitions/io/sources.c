/* SPDX-License-Identifier: Apache-2.0 */
#include "sources.h"

static struct source sources[LIMIT_EVENTS];

void source_set(uint32_t event, struct source source) {
  if (event < LIMIT_EVENTS)
    sources[event] = source;
}

/* A device is acknowledged first and looked at afterwards: what it does in between comes as another interrupt. */
static void dispatch(const struct source *source) {
  switch (source->kind) {
  case SOURCE_BLOCK_DEVICE:
    calls_acknowledge(source->device, source->interrupt);
    block_server_interrupt(source->block);
    break;
  case SOURCE_CONSOLE_DEVICE:
    calls_acknowledge(source->device, source->interrupt);
    console_server_interrupt(source->console);
    break;
  case SOURCE_NETWORK_DEVICE:
    calls_acknowledge(source->device, source->interrupt);
    network_server_interrupt(source->network);
    break;
  case SOURCE_BLOCK_CLIENT:
    block_channel_event(source->block_client);
    break;
  case SOURCE_CONSOLE_CLIENT:
    console_client_event(source->console_client);
    break;
  case SOURCE_NETWORK_CLIENT:
    network_channel_event(source->network_client);
    break;
  case SOURCE_NONE:
    break;
  }
}

void sources_dispatch(const struct events *events) {
  for (uint64_t words = events->summary; words; words &= words - 1) {
    uint32_t word = (uint32_t)__builtin_ctzll(words);
    for (uint64_t bits = events->word[word]; bits; bits &= bits - 1)
      dispatch(&sources[64 * word + (uint32_t)__builtin_ctzll(bits)]);
  }
}

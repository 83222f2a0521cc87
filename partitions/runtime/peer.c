/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages between guests. The end that declares the channel is the client.
 */
#include "runtime.h"

#define SLOTS 8u /* messages under way in each direction */

bool peer_open(struct peer *peer, const struct channel_descriptor *channel) {
  if (channel && channel->class != CLASS_PEER)
    channel = NULL;
  return pair_open(&peer->pair, channel, SLOTS, 0);
}

size_t peer_limit(const struct peer *peer) {
  return peer->pair.slot_size;
}

enum status peer_send(struct peer *peer, const void *message, size_t size, uint64_t deadline) {
  return pair_send(&peer->pair, message, size, deadline);
}

int peer_receive(struct peer *peer, void *buffer, size_t size, uint64_t deadline) {
  return pair_receive(&peer->pair, buffer, size, deadline);
}

void *peer_reserve(struct peer *peer, uint64_t deadline) {
  return pair_reserve(&peer->pair, deadline);
}

enum status peer_commit(struct peer *peer, size_t size) {
  return pair_commit(&peer->pair, size);
}

const void *peer_peek(struct peer *peer, size_t *size, uint64_t deadline) {
  return pair_peek(&peer->pair, size, deadline);
}

enum status peer_done(struct peer *peer) {
  return pair_done(&peer->pair);
}

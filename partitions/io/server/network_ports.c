/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose is an address. The tables are filled when channels are opened and only
 * read afterwards: no frame changes them.
 */
#include "network_server.h"

#define HASH_MULTIPLIER 0x9e3779b97f4a7c15ull /* Knuth, The Art of Computer Programming 3, 6.4: the golden ratio */

_Static_assert(NETWORK_BUCKETS == 512, "the hash has nine bits");

static uint32_t bucket_of(uint64_t address) {
  return (uint32_t)(address * HASH_MULTIPLIER >> 55);
}

static void set_bit(uint64_t *words, uint32_t bit) {
  words[bit / 64] |= 1ull << bit % 64;
}

static struct network_group *group_for(struct network_server *server, uint64_t address) {
  for (uint32_t i = 0; i < server->groups; i++) {
    if (server->group[i].address == address)
      return &server->group[i];
  }
  if (server->groups == LIMIT_GROUPS)
    return NULL;
  server->group[server->groups].address = address;
  return &server->group[server->groups++];
}

void network_ports_add(struct network_server *server, struct network_channel *channel,
                       const struct address_descriptor *groups, uint32_t count) {
  uint32_t bucket = bucket_of(channel->address);
  while (server->bucket[bucket])
    bucket = (bucket + 1) % NETWORK_BUCKETS;
  server->bucket[bucket] = (uint16_t)(1 + channel->position);
  server->port[channel->position] = channel;
  server->ports++;
  server->shares += channel->share;
  for (uint32_t i = 0; i < count; i++) {
    struct network_group *group =
        groups[i].kind == ADDRESS_GROUP ? group_for(server, network_address(groups[i].mac)) : NULL;
    if (group)
      set_bit(group->members, channel->position);
  }
}

struct network_channel *network_port(const struct network_server *server, uint64_t address) {
  for (uint32_t bucket = bucket_of(address); server->bucket[bucket]; bucket = (bucket + 1) % NETWORK_BUCKETS) {
    struct network_channel *channel = server->port[server->bucket[bucket] - 1];
    if (channel->address == address)
      return channel;
  }
  return NULL;
}

const struct network_group *network_group(const struct network_server *server, uint64_t address) {
  for (uint32_t i = 0; i < server->groups; i++) {
    if (server->group[i].address == address)
      return &server->group[i];
  }
  return NULL;
}

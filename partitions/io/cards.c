/* SPDX-License-Identifier: Apache-2.0 */
#include "cards.h"
#include "attach.h"
#include "drivers/table.h"
#include "server/log.h"

_Static_assert(LIMIT_IO_SWITCHES >= LIMIT_IO_CARDS, "each card has a switch");

static struct card {
  union network_state state;
  struct network_uplink uplink;
} card[LIMIT_IO_CARDS]; /* 270 KiB each, with what follows */

static union network_memory card_memory[LIMIT_IO_CARDS];
static _Alignas(4096) struct network_frames card_frames[LIMIT_IO_CARDS];

static struct switchboard {
  struct network_server server;
  uint32_t position; /* of the card; NONE: none */
  uint32_t endpoint; /* of a switch without one */
} switches[LIMIT_IO_SWITCHES];

static uint32_t cards, count;
static uint64_t look_at = NEVER, look_ticks;

static struct network_server *new_switch(struct network_uplink *uplink, const char *name, uint32_t position,
                                         uint32_t endpoint) {
  struct switchboard *new = &switches[count++];
  new->position = position;
  new->endpoint = endpoint;
  network_server_init(&new->server, uplink, name);
  return &new->server;
}

/* The order is the monitor's rule: silent first, then bus mastering, then rings. */
static bool start(struct network_device *network, uint32_t device) {
  if (network->problem || !network->driver->reset(network))
    return false;
  if (!calls_quiet(device)) {
    network->problem = "the monitor does not let it do DMA";
    return false;
  }
  return network->driver->start(network);
}

void cards_open(const struct descriptor_page *page, uint32_t position) {
  const struct device_descriptor *device = attach_device(page, position);
  network_opener *open = driver_of_network(device);
  if (!open)
    return;
  if (cards == LIMIT_IO_CARDS) {
    log_line(device->name, "one network card more than this partition serves");
    return;
  }
  struct card *new = &card[cards];
  struct driver_resources given = {.device = device, .state = &new->state, .memory = &card_memory[cards]};
  bool reachable = attach_bias(page, given.memory, &given.bias);
  struct network_device *network = open(&given);
  new->uplink.device = network;
  new->uplink.memory = &card_frames[cards++];
  new->uplink.bias = given.bias;
  look_ticks = calls_ticks(NETWORK_LOOK_NS);
  if (!reachable)
    network->problem = "cannot reach this partition's memory";
  bool started = start(network, device->index);
  if (started && network->receive_bytes > NETWORK_RECEIVE_BYTES)
    network->problem = "wants larger buffers than there are";
  struct network_server *server = new_switch(&new->uplink, device->name, position, NONE);
  if (network->problem || !started)
    log_line(device->name, network->problem);
  else
    attach_listen(device, (struct source){.kind = SOURCE_NETWORK_DEVICE, .network = server});
}

struct network_server *cards_find(const struct channel_descriptor *channel) {
  for (uint32_t i = 0; i < count; i++) {
    if (channel->device != NONE ? switches[i].position == channel->device
                                : switches[i].position == NONE && switches[i].endpoint == channel->endpoint)
      return &switches[i].server;
  }
  if (channel->device != NONE || count == LIMIT_IO_SWITCHES)
    return NULL;
  return new_switch(NULL, channel->name, NONE, channel->endpoint);
}

void cards_begin(void) {
  for (uint32_t i = 0; i < count; i++)
    network_server_open(&switches[i].server);
}

bool cards_run(void) {
  bool more = false;
  for (uint32_t i = 0; i < count; i++)
    more |= network_server_run(&switches[i].server);
  return more;
}

static bool some_are_busy(void) {
  for (uint32_t i = 0; i < count; i++) {
    if (network_server_busy(&switches[i].server))
      return true;
  }
  return false;
}

uint64_t cards_deadline(void) {
  if (!some_are_busy())
    look_at = NEVER;
  else if (look_at == NEVER)
    look_at = calls_now() + look_ticks;
  return look_at;
}

void cards_look(void) {
  if (look_at == NEVER || calls_now() < look_at)
    return;
  look_at = NEVER;
  for (uint32_t i = 0; i < count; i++)
    network_server_look(&switches[i].server);
}

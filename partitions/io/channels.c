/* SPDX-License-Identifier: Apache-2.0 */
#include "channels.h"
#include "cards.h"
#include "disks.h"
#include "labels.h"
#include "lines.h"
#include "server/log.h"
#include "sources.h"

static struct block_channel block_channel[BLOCK_CHANNELS];
static struct console_client console_client[LIMIT_IO_CONSOLE_CHANNELS];
static struct network_channel network_channel[LIMIT_IO_NETWORK_CHANNELS];
static uint32_t block_channels, console_clients, network_channels;
static char console_memory[LIMIT_CONSOLE_BUFFERS]; /* each console channel's buffer */
static uint32_t console_memory_used;

static bool open_block(const struct descriptor_page *page, const struct channel_descriptor *channel) {
  struct block_server *server = disks_find(channel->device);
  if (!server || block_channels == BLOCK_CHANNELS)
    return false;
  struct block_channel *new = &block_channel[block_channels++];
  uint32_t device_block = server->device->block_size;
  if (device_block && channel->block_size % device_block != 0)
    log_line(channel->peer, "the disk's blocks are larger than the layout says: parts of one are refused");
  new->refused = channel->label != NONE && !labels_as_planned(page, channel->label, server->device, server->name);
  block_channel_init(new, server, channel, calls_life());
  source_set(channel->event, (struct source){.kind = SOURCE_BLOCK_CLIENT, .block_client = new});
  return true;
}

/* Null: none declared. */
static char *console_buffer(uint32_t size) {
  if (size == 0 || size > sizeof console_memory - console_memory_used)
    return NULL;
  console_memory_used += size;
  return &console_memory[console_memory_used - size];
}

static bool open_console(const struct channel_descriptor *channel) {
  struct console_server *server = lines_find(channel->device);
  if (!server || console_clients == LIMIT_IO_CONSOLE_CHANNELS)
    return false;
  struct console_client *new = &console_client[console_clients++];
  if (!console_client_init(new, server, channel, calls_life(), console_buffer(channel->buffer)))
    return false;
  source_set(channel->event, (struct source){.kind = SOURCE_CONSOLE_CLIENT, .console_client = new});
  return true;
}

static bool open_network(const struct descriptor_page *page, const struct channel_descriptor *channel,
                         uint32_t position) {
  const struct address_descriptor *addresses =
      (const struct address_descriptor *)((const char *)page + page->addresses.offset);
  struct network_server *server = cards_find(channel);
  if (!server || network_channels == LIMIT_IO_NETWORK_CHANNELS)
    return false;
  struct network_channel *new = &network_channel[network_channels++];
  network_channel_init(new, server, channel, position, addresses + channel->first_address, calls_life());
  source_set(channel->event, (struct source){.kind = SOURCE_NETWORK_CLIENT, .network_client = new});
  return true;
}

static bool open(const struct descriptor_page *page, uint32_t position) {
  const struct channel_descriptor *channel =
      (const struct channel_descriptor *)((const char *)page + page->channels.offset) + position;
  if (channel->end != END_SERVER || channel->size < sizeof(struct channel_window))
    return false;
  switch (channel->class) {
  case CLASS_BLOCK:
    return open_block(page, channel);
  case CLASS_CONSOLE:
    return open_console(channel);
  case CLASS_NETWORK:
    return open_network(page, channel, position);
  default:
    return false;
  }
}

void channels_open(const struct descriptor_page *page) {
  const struct channel_descriptor *channel =
      (const struct channel_descriptor *)((const char *)page + page->channels.offset);
  for (uint32_t i = 0; i < page->channels.count; i++) {
    if (!open(page, i) && channel[i].end == END_SERVER)
      log_line(channel[i].peer, "this channel has no server");
  }
  cards_begin();
}

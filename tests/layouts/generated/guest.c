/* SPDX-License-Identifier: Apache-2.0
 *
 * The guest of generated layouts. It uses everything that its descriptor page names, a little: all its memory, each
 * region and configuration, each channel. Exits with 0, or with the line of the first thing that did not work.
 */
#include "parclose.h"

#define PAGE 4096u
#define MOST_CHANNELS 16u
#define PATIENCE_NS 20000000000ull
#define NEED(what)                                                                                                     \
  do {                                                                                                                 \
    if (!(what))                                                                                                       \
      exit(__LINE__);                                                                                                  \
  } while (0)

static struct peer peers[MOST_CHANNELS];
static struct block block;
static struct console console;
static struct network network;
static uint8_t sector[4096];

static const void *row(struct table table, uint32_t index, size_t size) {
  return (const uint8_t *)DESCRIPTOR_PAGE + table.offset + index * size;
}

static const struct channel_descriptor *channel_row(uint32_t index) {
  return row(DESCRIPTOR_PAGE->channels, index, sizeof(struct channel_descriptor));
}

static void touch_memory(void) {
  for (volatile uint64_t *word = heap_start(); word < (uint64_t *)heap_end(); word += PAGE / sizeof *word)
    *word = (uint64_t)word;
  for (volatile uint64_t *word = heap_start(); word < (uint64_t *)heap_end(); word += PAGE / sizeof *word)
    NEED(*word == (uint64_t)word);
}

static void touch_regions(void) {
  for (uint32_t index = 0; index < DESCRIPTOR_PAGE->regions.count; index++) {
    const struct region_descriptor *region = row(DESCRIPTOR_PAGE->regions, index, sizeof *region);
    for (uint64_t offset = 0; offset < region->size; offset += PAGE) {
      volatile uint8_t *byte = (uint8_t *)region->address + offset;
      uint8_t seen = *byte;
      if (region->kind == REGION_SHARED && (region->rights & RIGHT_WRITE))
        *byte = seen;
    }
  }
}

static void touch_configs(void) {
  for (uint32_t index = 0; index < DESCRIPTOR_PAGE->configs.count; index++) {
    const struct config_descriptor *blob = row(DESCRIPTOR_PAGE->configs, index, sizeof *blob);
    size_t size = 0;
    const uint8_t *bytes = config(blob->name, &size);
    NEED(bytes && size == blob->size && bytes[0] && bytes[size - 1]);
  }
}

/* The first and the last block of the extent: what is read is what is there, and goes back where that is permitted. */
static void use_block(const struct channel_descriptor *row) {
  NEED(block_open(&block, row));
  uint64_t last = block_capacity(&block) - row->block_size;
  NEED(block_capacity(&block) == row->capacity);
  for (uint64_t offset = 0;; offset = last) {
    NEED(block_read(&block, offset, sector, row->block_size) == BLOCK_OK);
    enum block_result wanted = row->rights & RIGHT_WRITE ? BLOCK_OK : BLOCK_INVALID;
    NEED(block_write(&block, offset, sector, row->block_size) == wanted);
    if (offset == last)
      break;
  }
  NEED(block_read(&block, row->capacity, sector, row->block_size) == BLOCK_INVALID);
}

static void use_network(const struct channel_descriptor *row) {
  uint8_t frame[64] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  NEED(network_open(&network, row));
  network_address(&network, frame + ETHERNET_ADDRESS);
  frame[12] = 0x88; /* IEEE 802, for experiments */
  frame[13] = 0xb5;
  for (int i = 0; i < 100; i++)
    NEED(network_send(&network, frame, sizeof frame, deadline_in_ns(PATIENCE_NS)) == STATUS_OK);
}

static void use_servers(void) {
  for (uint32_t index = 0; index < DESCRIPTOR_PAGE->channels.count; index++) {
    const struct channel_descriptor *row = channel_row(index);
    if (row->class == CLASS_BLOCK)
      use_block(row);
    if (row->class == CLASS_NETWORK)
      use_network(row);
    if (row->class == CLASS_CONSOLE) {
      NEED(console_open(&console, row));
      uint64_t limit = deadline_in_ns(PATIENCE_NS);
      NEED(console_write(&console, "here\n", 5, limit) == 5 && console_drain(&console, limit));
    }
  }
}

static void send(uint32_t index, uint8_t what) {
  NEED(peer_send(&peers[index], &what, sizeof what, deadline_in_ns(PATIENCE_NS)) == STATUS_OK);
}

static void receive(uint32_t index, uint8_t what) {
  uint8_t found = 0;
  NEED(peer_receive(&peers[index], &found, sizeof found, deadline_in_ns(PATIENCE_NS)) == 1 && found == what);
}

/* All questions before any answer, so that nobody waits in a circle. */
static void use_peers(void) {
  uint32_t count = DESCRIPTOR_PAGE->channels.count;
  NEED(count <= MOST_CHANNELS);
  for (uint32_t index = 0; index < count; index++)
    NEED(channel_row(index)->class != CLASS_PEER || peer_open(&peers[index], channel_row(index)));
  for (int step = 0; step < 4; step++)
    for (uint32_t index = 0; index < count; index++) {
      const struct channel_descriptor *row = channel_row(index);
      bool server = row->end == END_SERVER;
      if (row->class != CLASS_PEER || server != (step == 1 || step == 2))
        continue;
      (step % 2 ? receive : send)(index, step < 2 ? 'q' : 'a');
    }
}

int main(void) {
  touch_memory();
  touch_regions();
  touch_configs();
  use_servers();
  use_peers();
  return 0;
}

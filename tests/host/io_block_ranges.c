/* SPDX-License-Identifier: Apache-2.0
 *
 * The block server and what is neither a plain read nor a plain write: ranges,
 * writes that are to be on the medium, and what a client may read of its
 * endpoint.
 */
#include "io_block_kit.h"

/* --- ranges: discard and write zeroes --- */

/* The range stands in the data area. */
static uint8_t ask_range(struct client *one, uint32_t type, uint64_t sector, uint32_t sectors, uint32_t flags) {
  struct virtio_blk_discard_write_zeroes *range = (void *)(one->window + 1);
  struct virtqueue_buffer data = {window_address(one, range), sizeof *range, 0};
  *range = (struct virtio_blk_discard_write_zeroes){sector, sectors, flags};
  int head = add(one, type, 0, &data, 1);
  uint16_t used;
  uint32_t written;
  CHECK(head >= 0);
  kick(one);
  model_drain();
  CHECK(virtqueue_take_used(&one->queue, &used, &written) && used == head && written == 1);
  return one->window->request[head].status;
}

static bool all_are(uint32_t client_index, uint64_t sector, uint64_t sectors, uint8_t value) {
  const uint8_t *byte = &model_extent[client_index][sector * 512];
  for (uint64_t i = 0; i < sectors * 512; i++) {
    if (byte[i] != value)
      return false;
  }
  return true;
}

/* Each is cut at the device's limit, does what it says, and ends at the block it says. */
static void ranges(void) {
  model_begin();
  client_open(0);
  struct client *one = &client[0];
  uint32_t all = EXTENT_SIZE / 512;
  memset(model_extent[0], 0x11, EXTENT_SIZE);
  CHECK(ask_range(one, VIRTIO_BLK_T_DISCARD, 3, 1, 0) == VIRTIO_BLK_S_OK);
  CHECK(all_are(0, 0, 3, 0x11) && all_are(0, 3, 1, MODEL_DISCARDED) && all_are(0, 4, all - 4, 0x11));
  CHECK(ask_range(one, VIRTIO_BLK_T_WRITE_ZEROES, 9, all - 10, 0) == VIRTIO_BLK_S_OK && model_disk.unmapped == 0);
  CHECK(all_are(0, 4, 5, 0x11) && all_are(0, 9, all - 10, 0) && all_are(0, all - 1, 1, 0x11));
  CHECK(model_disk.ranges[0] == 1 + ((all - 10) * 512 + 0x5fff) / 0x6000);
  CHECK(ask_range(one, VIRTIO_BLK_T_WRITE_ZEROES, 0, all, VIRTIO_BLK_RANGE_UNMAP) == VIRTIO_BLK_S_OK);
  CHECK(model_disk.unmapped == (EXTENT_SIZE + 0x5fff) / 0x6000 && all_are(0, 0, all, 0));
  model_disk.fail_percent = 100;
  CHECK(ask_range(one, VIRTIO_BLK_T_DISCARD, 3, 1, 0) == VIRTIO_BLK_S_IOERR);
}

/* Refused before the device hears of it; model_disk checks the rest of them. */
static void wrong_ranges(void) {
  static const uint32_t TYPES[] = {VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES};
  model_begin();
  client_open(0);
  struct client *one = &client[0];
  uint32_t all = EXTENT_SIZE / 512;
  for (uint32_t i = 0; i < 2; i++) {
    CHECK(ask_range(one, TYPES[i], 0, all + 1, 0) == VIRTIO_BLK_S_IOERR);
    CHECK(ask_range(one, TYPES[i], all, 1, 0) == VIRTIO_BLK_S_IOERR);
    CHECK(ask_range(one, TYPES[i], 0, 0, 0) == VIRTIO_BLK_S_IOERR);
    CHECK(ask_range(one, TYPES[i], 0, UINT32_MAX, 0) == VIRTIO_BLK_S_IOERR);
    CHECK(ask_range(one, TYPES[i], UINT64_MAX, 1, 0) == VIRTIO_BLK_S_IOERR);
    CHECK(ask_range(one, TYPES[i], UINT64_MAX / 512, 2, 0) == VIRTIO_BLK_S_IOERR);
    CHECK(ask_range(one, TYPES[i], -(uint64_t)1 << 55, 8, 0) == VIRTIO_BLK_S_IOERR);
    CHECK(ask_range(one, TYPES[i], 0, 1, 2) == VIRTIO_BLK_S_UNSUPP);
    CHECK(ask(one, TYPES[i], 0, CLIENT_MEMORY, 16) == VIRTIO_BLK_S_IOERR); /* no range in its own memory */
  }
  CHECK(ask_range(one, VIRTIO_BLK_T_DISCARD, 0, 1, VIRTIO_BLK_RANGE_UNMAP) == VIRTIO_BLK_S_UNSUPP);
  model_channel[0].rights = RIGHT_READ;
  CHECK(ask_range(one, VIRTIO_BLK_T_DISCARD, 0, 1, 0) == VIRTIO_BLK_S_IOERR);
  CHECK(ask_range(one, VIRTIO_BLK_T_WRITE_ZEROES, 0, 1, 0) == VIRTIO_BLK_S_IOERR);
  model_channel[0].rights |= RIGHT_WRITE;
  CHECK(model_disk.ranges[0] == 0 && model_channel[0].in_flight == 0);
  model_disk.block.features = 0;
  CHECK(ask_range(one, VIRTIO_BLK_T_DISCARD, 0, 1, 0) == VIRTIO_BLK_S_UNSUPP);
  CHECK(ask_range(one, VIRTIO_BLK_T_WRITE_ZEROES, 0, 1, 0) == VIRTIO_BLK_S_UNSUPP);
}

/* --- writes that are on the medium before they are answered --- */

static uint8_t write_through(struct client *one, uint32_t length) {
  struct virtqueue_buffer data = {CLIENT_MEMORY, length, 0};
  int head = add(one, VIRTIO_BLK_T_OUT, 0, &data, 1);
  uint16_t used;
  uint32_t written;
  one->window->request[head].header.reserved = VIRTIO_BLK_THROUGH;
  kick(one);
  model_drain();
  CHECK(virtqueue_take_used(&one->queue, &used, &written) && used == head && written == 1);
  return one->window->request[head].status;
}

static void through(void) {
  model_begin();
  client_open(0);
  CHECK(write_through(&client[0], 8192) == VIRTIO_BLK_S_OK && model_disk.through == 2 && model_disk.flushes == 0);
  model_disk.block.features = BLOCK_CACHE;
  CHECK(write_through(&client[0], 8192) == VIRTIO_BLK_S_OK && model_disk.through == 2 && model_disk.flushes == 1);
  model_disk.block.features = 0;
  CHECK(write_through(&client[0], 8192) == VIRTIO_BLK_S_OK && model_disk.through == 2 && model_disk.flushes == 1);
  model_disk.block.features = BLOCK_CACHE;
  model_disk.fail_percent = 100;
  CHECK(write_through(&client[0], 512) == VIRTIO_BLK_S_IOERR && model_disk.flushes == 1);
}

/* --- what the client may read of its endpoint --- */

static bool offers(uint32_t feature) {
  return client[0].window->header.features >> feature & 1;
}

static void configuration(void) {
  model_begin();
  client_open(0);
  model_run();
  const struct virtio_blk_config *config = &client[0].window->config.disk;
  CHECK(config->capacity == EXTENT_SIZE / 512 && config->blk_size == 512 && config->seg_max == BLOCK_SEGMENTS);
  CHECK(config->max_discard_seg == 1 && config->discard_sector_alignment == 8 && config->write_zeroes_may_unmap);
  CHECK(offers(VIRTIO_BLK_F_DISCARD) && offers(VIRTIO_BLK_F_WRITE_ZEROES) && offers(VIRTIO_BLK_F_FLUSH));
  CHECK(!offers(VIRTIO_BLK_F_RO) && offers(VIRTIO_FEATURE_VERSION_1));
  memset(&client[0].window->config, 0xee, sizeof client[0].window->config);
  model_disk.block.features = 0;
  client_begin(&client[0]);
  model_run();
  CHECK(config->capacity == EXTENT_SIZE / 512 && !config->max_discard_seg && !offers(VIRTIO_BLK_F_DISCARD));
}

int main(void) {
  ranges();
  wrong_ranges();
  through();
  configuration();
  puts("ok");
  return 0;
}

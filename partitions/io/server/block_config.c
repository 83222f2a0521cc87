/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client may read of its endpoint: features and configuration of a
 * virtio block device. Copies: the client may write there, we never read it.
 */
#include "block_server.h"
#include "registers.h"

uint64_t block_features(const struct block_channel *channel) {
  uint32_t device = channel->server->device->features;
  bool writes = channel->rights & RIGHT_WRITE;
  return FEATURE(VIRTIO_FEATURE_VERSION_1) | FEATURE(VIRTIO_BLK_F_SEG_MAX) | FEATURE(VIRTIO_BLK_F_BLK_SIZE) |
         FEATURE(VIRTIO_BLK_F_TOPOLOGY) | (writes ? 0 : FEATURE(VIRTIO_BLK_F_RO)) |
         (device & BLOCK_CACHE ? FEATURE(VIRTIO_BLK_F_FLUSH) : 0) |
         (writes && (device & BLOCK_DISCARD) ? FEATURE(VIRTIO_BLK_F_DISCARD) : 0) |
         (writes && (device & BLOCK_ZEROES) ? FEATURE(VIRTIO_BLK_F_WRITE_ZEROES) : 0);
}

/* Requests of any length are cut, so no range is too long. */
static void write_ranges(volatile struct virtio_blk_config *config, const struct block_device *device) {
  bool discard = device->features & BLOCK_DISCARD, zeroes = device->features & BLOCK_ZEROES;
  config->max_discard_sectors = discard ? UINT32_MAX : 0;
  config->max_discard_seg = discard;
  config->discard_sector_alignment = discard ? device->discard_alignment / VIRTIO_BLK_SECTOR : 0;
  config->max_write_zeroes_sectors = zeroes ? UINT32_MAX : 0;
  config->max_write_zeroes_seg = zeroes;
  config->write_zeroes_may_unmap = (device->features & BLOCK_ZEROES_UNMAP) != 0;
}

void block_config_write(const struct block_channel *channel) {
  const struct block_device *device = channel->server->device;
  volatile struct virtio_blk_config *config = &channel->window.shared->config.disk;
  config->capacity = channel->refused ? 0 : channel->capacity / VIRTIO_BLK_SECTOR;
  config->seg_max = BLOCK_SEGMENTS;
  config->blk_size = channel->block_size;
  config->min_io_size = 1;
  config->opt_io_size = channel->block_size ? device->longest / channel->block_size : 0;
  config->writeback = (device->features & BLOCK_CACHE) != 0;
  config->num_queues = 1;
  write_ranges(config, device);
  registers_write(channel->window.shared, VIRTIO_ID_BLOCK, block_features(channel));
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * From a chain of buffers to a request (virtio 1.1, 5.2.6). Header and status
 * stand inside the window, and so does a range; data buffers are the monitor's
 * to check.
 */
#include "block_server.h"

#define IDENTITY_BYTES 20u

/* The header is read once: the client may change it while we look. */
static bool read_header(const struct virtqueue_buffer *buffer, const struct window *window,
                        struct virtio_blk_req *header) {
  if (buffer->writable || buffer->length != sizeof *header)
    return false;
  const uint8_t *shared = window_resolve(window, buffer->address, sizeof *header);
  if (!shared)
    return false;
  __builtin_memcpy(header, shared, sizeof *header);
  __asm__ volatile("" : "+m"(*header)); /* the copy is what is looked at from here on */
  return true;
}

static uint8_t *find_status(const struct virtqueue_buffer *buffer, const struct window *window) {
  if (!buffer->writable || buffer->length != 1)
    return NULL;
  return window_resolve(window, buffer->address, 1);
}

static bool wrong(struct block_request *request, enum counter why) {
  request->wrong = (uint8_t)why;
  return false;
}

/* Every data buffer has the direction of the request, a length, and the sum stays in 32 bits. */
static bool read_data(struct block_request *request, const struct virtqueue_chain *chain, bool writable) {
  uint64_t length = 0;
  request->segments = chain->count - 2u;
  for (uint32_t i = 0; i < request->segments; i++) {
    const struct virtqueue_buffer *buffer = &chain->buffer[i + 1];
    if ((buffer->writable != 0) != writable)
      return wrong(request, COUNT_BAD_CHAIN);
    if (buffer->length == 0)
      return wrong(request, COUNT_BAD_LENGTH);
    request->segment[i] = (struct block_segment){buffer->address, buffer->length};
    length += buffer->length;
  }
  request->length = (uint32_t)length;
  if (length == 0 || length > UINT32_MAX / 2)
    return wrong(request, COUNT_BAD_LENGTH);
  return request->offset + length > request->offset || wrong(request, COUNT_OUTSIDE_EXTENT);
}

static bool write_identity(struct block_request *request, const struct virtqueue_chain *chain,
                           const struct window *window, const char *identity) {
  if (chain->count != 3 || !chain->buffer[1].writable)
    return wrong(request, COUNT_BAD_CHAIN);
  if (chain->buffer[1].length < IDENTITY_BYTES)
    return wrong(request, COUNT_BAD_LENGTH);
  volatile uint8_t *place = window_resolve(window, chain->buffer[1].address, IDENTITY_BYTES);
  if (!place)
    return wrong(request, COUNT_OUTSIDE_CHANNEL);
  for (uint32_t i = 0; i < IDENTITY_BYTES; i++) {
    place[i] = (uint8_t)*identity;
    identity += *identity != 0;
  }
  return true;
}

/* The range is read once, too. It holds a block at least, so that its last one can be named; the sum does not wrap. */
static bool read_range(const struct block_channel *channel, struct block_request *request,
                       const struct virtqueue_chain *chain, uint32_t *flags) {
  struct virtio_blk_discard_write_zeroes range;
  const struct virtqueue_buffer *buffer = &chain->buffer[1];
  if (chain->count != 3 || buffer->writable)
    return wrong(request, COUNT_BAD_CHAIN);
  if (buffer->length != sizeof range)
    return wrong(request, COUNT_BAD_LENGTH);
  const uint8_t *shared = window_resolve(&channel->window, buffer->address, sizeof range);
  if (!shared)
    return wrong(request, COUNT_OUTSIDE_CHANNEL);
  __builtin_memcpy(&range, shared, sizeof range);
  __asm__ volatile("" : "+m"(range));
  uint64_t length = (uint64_t)range.num_sectors * VIRTIO_BLK_SECTOR;
  if (length < channel->block_size)
    return wrong(request, COUNT_BAD_LENGTH);
  if (range.sector > (UINT64_MAX - length) / VIRTIO_BLK_SECTOR)
    return wrong(request, COUNT_OUTSIDE_EXTENT);
  *flags = range.flags;
  request->offset = range.sector * VIRTIO_BLK_SECTOR;
  request->left = length;
  return true;
}

/* 5.2.6.2: flags that the device does not know make a request that it does not support. */
static enum block_reading read_range_kind(const struct block_channel *channel, struct block_request *request,
                                          const struct virtqueue_chain *chain, uint8_t *status) {
  uint32_t features = channel->server->device->features, flags;
  bool discard = request->kind == KIND_DISCARD;
  if (!(features & (discard ? BLOCK_DISCARD : BLOCK_ZEROES))) {
    *status = VIRTIO_BLK_S_UNSUPP;
    wrong(request, COUNT_UNSUPPORTED);
    return BLOCK_ANSWER;
  }
  if (!read_range(channel, request, chain, &flags))
    return BLOCK_ANSWER;
  request->unmap = flags & VIRTIO_BLK_RANGE_UNMAP;
  if (flags & ~(discard ? 0 : VIRTIO_BLK_RANGE_UNMAP)) {
    *status = VIRTIO_BLK_S_UNSUPP;
    wrong(request, COUNT_UNSUPPORTED);
    return BLOCK_ANSWER;
  }
  request->segments = 2; /* conversions: of its first block and of its last */
  return BLOCK_READ_OK;
}

/* A write that must be on the medium: the device does it, or a flush follows where it has a cache to flush. */
static void read_through(const struct block_channel *channel, struct block_request *request,
                         const struct virtio_blk_req *header) {
  uint32_t features = channel->server->device->features;
  if (!(header->reserved & VIRTIO_BLK_THROUGH))
    return;
  request->through = features & BLOCK_FUA;
  request->settle = !request->through && (features & BLOCK_CACHE);
}

static enum block_reading read_kind(const struct block_channel *channel, struct block_request *request,
                                    const struct virtqueue_chain *chain, const struct virtio_blk_req *header,
                                    uint8_t *status) {
  *status = VIRTIO_BLK_S_IOERR;
  switch (header->type) {
  case VIRTIO_BLK_T_IN:
    request->kind = KIND_READ;
    return read_data(request, chain, true) ? BLOCK_READ_OK : BLOCK_ANSWER;
  case VIRTIO_BLK_T_OUT:
    request->kind = KIND_WRITE;
    read_through(channel, request, header);
    return read_data(request, chain, false) ? BLOCK_READ_OK : BLOCK_ANSWER;
  case VIRTIO_BLK_T_FLUSH:
    request->kind = KIND_FLUSH;
    return chain->count == 2 || wrong(request, COUNT_BAD_CHAIN) ? BLOCK_READ_OK : BLOCK_ANSWER;
  case VIRTIO_BLK_T_GET_ID:
    request->kind = KIND_IDENTITY;
    if (write_identity(request, chain, &channel->window, channel->name))
      *status = VIRTIO_BLK_S_OK;
    return BLOCK_ANSWER;
  case VIRTIO_BLK_T_DISCARD:
    request->kind = KIND_DISCARD;
    return read_range_kind(channel, request, chain, status);
  case VIRTIO_BLK_T_WRITE_ZEROES:
    request->kind = KIND_ZEROES;
    return read_range_kind(channel, request, chain, status);
  default:
    *status = VIRTIO_BLK_S_UNSUPP;
    wrong(request, COUNT_UNSUPPORTED);
    return BLOCK_ANSWER;
  }
}

enum block_reading block_request_read(const struct block_channel *channel, struct block_request *request,
                                      const struct virtqueue_chain *chain, uint8_t *status) {
  struct virtio_blk_req header;
  request->segments = 0;
  request->length = 0;
  request->pieces = 0;
  request->cost = 0;
  request->left = 0;
  request->failed = request->through = request->settle = false;
  request->wrong = COUNT_BAD_HEADER;
  request->head = chain->head;
  request->status = find_status(&chain->buffer[chain->count - 1], &channel->window);
  if (!request->status)
    return BLOCK_NO_STATUS;
  *status = VIRTIO_BLK_S_IOERR;
  if (channel->refused || chain->count < 2 || !read_header(&chain->buffer[0], &channel->window, &header))
    return BLOCK_ANSWER;
  if (header.sector > UINT64_MAX / VIRTIO_BLK_SECTOR) {
    wrong(request, COUNT_OUTSIDE_EXTENT);
    return BLOCK_ANSWER;
  }
  request->offset = header.sector * VIRTIO_BLK_SECTOR;
  return read_kind(channel, request, chain, &header, status);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * From a chain of buffers to a request (virtio 1.1, 5.2.6). Header and status
 * stand inside the window; data buffers are the monitor's to check.
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

/* Every data buffer has the direction of the request, a length, and the sum stays in 32 bits. */
static bool read_data(struct block_request *request, const struct virtqueue_chain *chain, bool writable) {
  uint64_t length = 0;
  request->segments = chain->count - 2u;
  for (uint32_t i = 0; i < request->segments; i++) {
    const struct virtqueue_buffer *buffer = &chain->buffer[i + 1];
    if ((buffer->writable != 0) != writable || buffer->length == 0)
      return false;
    request->segment[i] = (struct block_segment){buffer->address, buffer->length};
    length += buffer->length;
  }
  request->length = (uint32_t)length;
  return length != 0 && length <= UINT32_MAX / 2 && request->offset + length > request->offset;
}

static bool write_identity(const struct virtqueue_chain *chain, const struct window *window, const char *identity) {
  if (chain->count != 3 || !chain->buffer[1].writable || chain->buffer[1].length < IDENTITY_BYTES)
    return false;
  volatile uint8_t *place = window_resolve(window, chain->buffer[1].address, IDENTITY_BYTES);
  if (!place)
    return false;
  for (uint32_t i = 0; i < IDENTITY_BYTES; i++) {
    place[i] = (uint8_t)*identity;
    identity += *identity != 0;
  }
  return true;
}

static enum block_reading read_kind(struct block_request *request, const struct virtqueue_chain *chain,
                                    const struct window *window, const char *identity, uint32_t type, uint8_t *status) {
  *status = VIRTIO_BLK_S_IOERR;
  switch (type) {
  case VIRTIO_BLK_T_IN:
    request->kind = KIND_READ;
    return read_data(request, chain, true) ? BLOCK_READ_OK : BLOCK_ANSWER;
  case VIRTIO_BLK_T_OUT:
    request->kind = KIND_WRITE;
    return read_data(request, chain, false) ? BLOCK_READ_OK : BLOCK_ANSWER;
  case VIRTIO_BLK_T_FLUSH:
    request->kind = KIND_FLUSH;
    return chain->count == 2 ? BLOCK_READ_OK : BLOCK_ANSWER;
  case VIRTIO_BLK_T_GET_ID:
    request->kind = KIND_IDENTITY;
    if (write_identity(chain, window, identity))
      *status = VIRTIO_BLK_S_OK;
    return BLOCK_ANSWER;
  default:
    *status = VIRTIO_BLK_S_UNSUPP;
    return BLOCK_ANSWER;
  }
}

enum block_reading block_request_read(struct block_request *request, const struct virtqueue_chain *chain,
                                      const struct window *window, const char *identity, uint8_t *status) {
  struct virtio_blk_req header;
  request->segments = 0;
  request->length = 0;
  request->pieces = 0;
  request->failed = false;
  request->head = chain->head;
  request->status = find_status(&chain->buffer[chain->count - 1], window);
  if (!request->status)
    return BLOCK_NO_STATUS;
  *status = VIRTIO_BLK_S_IOERR;
  if (chain->count < 2 || !read_header(&chain->buffer[0], window, &header))
    return BLOCK_ANSWER;
  if (header.sector > UINT64_MAX / VIRTIO_BLK_SECTOR)
    return BLOCK_ANSWER;
  request->offset = header.sector * VIRTIO_BLK_SECTOR;
  return read_kind(request, chain, window, identity, header.type, status);
}

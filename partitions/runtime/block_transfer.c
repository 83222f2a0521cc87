/* SPDX-License-Identifier: Apache-2.0
 *
 * The synchronous calls of a block channel: a transfer of any size, cut into
 * pieces, as many of them under way as there is room for.
 */
#include "runtime.h"

struct transfer {
  uint32_t type;
  uint64_t offset;
  uint8_t *buffer;
  uint64_t left;
  uint32_t most; /* of one request */
  bool flush;    /* one request without data */
  uint64_t mine; /* pieces under way, a bit for each */
  enum block_result result;
};

_Static_assert(BLOCK_DEPTH <= 64, "a bit for each piece");

/* A piece of a call that ended by its deadline stays in use until the server answers it. */
static int free_piece(const struct block *block) {
  for (unsigned i = 0; i < BLOCK_DEPTH; i++)
    if (block->piece[i].result != BLOCK_PENDING)
      return (int)i;
  return -1;
}

static bool submit_next(struct block *block, struct transfer *transfer) {
  int index = free_piece(block);
  if (index < 0)
    return false;
  struct block_request *piece = &block->piece[index];
  uint32_t size = transfer->left < transfer->most ? (uint32_t)transfer->left : transfer->most;
  *piece = (struct block_request){transfer->type, size, transfer->offset, transfer->buffer, BLOCK_OK};
  if (!block_submit(block, piece))
    return false;
  transfer->mine |= 1ull << index;
  transfer->offset += size;
  if (transfer->buffer)
    transfer->buffer += size;
  transfer->left -= size;
  transfer->flush = false;
  return true;
}

/* What was lost with a server is asked for once more: reading or writing the same blocks twice does no harm. */
static void collect(struct block *block, struct transfer *transfer) {
  for (uint64_t mine = transfer->mine; mine; mine &= mine - 1) {
    unsigned i = (unsigned)__builtin_ctzll(mine);
    enum block_result result = block->piece[i].result;
    if (result == BLOCK_PENDING)
      continue;
    if (result == BLOCK_LOST && block_submit(block, &block->piece[i]))
      continue;
    transfer->mine &= ~(1ull << i);
    if (result != BLOCK_OK && transfer->result == BLOCK_OK)
      transfer->result = result;
  }
}

static bool unfinished(const struct transfer *transfer) {
  return transfer->mine || (transfer->result == BLOCK_OK && (transfer->left || transfer->flush));
}

static enum block_result run(struct block *block, struct transfer transfer) {
  if (!block->channel)
    return BLOCK_INVALID;
  uint64_t deadline = deadline_in_ns(block->timeout_ns);
  while (unfinished(&transfer)) {
    while (transfer.result == BLOCK_OK && (transfer.left || transfer.flush) && submit_next(block, &transfer))
      ;
    collect(block, &transfer);
    if (!unfinished(&transfer))
      break;
    if (block_wait(block, deadline) == 0 && clock_now() >= deadline)
      return BLOCK_TIMEOUT;
    collect(block, &transfer);
  }
  return transfer.result;
}

enum block_result block_read(struct block *block, uint64_t offset, void *buffer, size_t size) {
  return run(block,
             (struct transfer){
                 .type = VIRTIO_BLK_T_IN, .offset = offset, .buffer = buffer, .left = size, .most = BLOCK_PIECE});
}

static enum block_result write(struct block *block, uint32_t type, uint64_t offset, const void *buffer, size_t size) {
  uint8_t *data = (uint8_t *)(uintptr_t)buffer; /* only read */
  return run(block,
             (struct transfer){.type = type, .offset = offset, .buffer = data, .left = size, .most = BLOCK_PIECE});
}

enum block_result block_write(struct block *block, uint64_t offset, const void *buffer, size_t size) {
  return write(block, VIRTIO_BLK_T_OUT, offset, buffer, size);
}

enum block_result block_write_through(struct block *block, uint64_t offset, const void *buffer, size_t size) {
  return write(block, VIRTIO_BLK_T_OUT | BLOCK_THROUGH, offset, buffer, size);
}

enum block_result block_flush(struct block *block) {
  return run(block, (struct transfer){.type = VIRTIO_BLK_T_FLUSH, .flush = true});
}

static enum block_result run_range(struct block *block, uint32_t type, uint64_t offset, uint64_t size) {
  return run(block, (struct transfer){.type = type, .offset = offset, .left = size, .most = BLOCK_RANGE});
}

enum block_result block_discard(struct block *block, uint64_t offset, uint64_t size) {
  return run_range(block, VIRTIO_BLK_T_DISCARD, offset, size);
}

enum block_result block_zeroes(struct block *block, uint64_t offset, uint64_t size, bool unmap) {
  return run_range(block, VIRTIO_BLK_T_WRITE_ZEROES | (unmap ? BLOCK_UNMAP : 0), offset, size);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * How much a channel may give to the device when others want it, too: how long
 * its turns are, how much is under way, how long a command.
 */
#include "block_server.h"

/* Whether others want the device, too, or did so lately. The channel whose turn it is stands first. */
static bool is_shared(const struct block_channel *channel) {
  struct block_server *server = channel->server;
  if (channel->next_active || server->cost > channel->cost)
    server->shared_until = server->now + server->shared_ticks;
  return server->now < server->shared_until;
}

/* What a device has taken it serves in an order of its own, most for whom has most there. So no more is given to it than
   keeps it busy: what waits, waits here, where turns decide. */
int64_t block_window(const struct block_channel *channel) {
  return is_shared(channel) ? BLOCK_SHARED_WINDOW : BLOCK_WINDOW;
}

/* Who is alone has its turns at once: what is left is as if each had been given. */
void block_next_turn(struct block_channel *channel) {
  bool shared = is_shared(channel);
  int64_t brings = (int64_t)channel->share * (shared ? BLOCK_SHARED_QUANTUM : BLOCK_QUANTUM);
  if (!shared)
    channel->deficit %= brings;
  channel->deficit += brings;
}

/* --- one command --- */

static enum block_result submit_range(struct block_device *device, struct block_request *request, uint32_t tag) {
  const struct block_driver *driver = device->driver;
  bool discard = request->kind == KIND_DISCARD;
  uint32_t longest = discard ? device->longest_discard : device->longest_zeroes;
  uint64_t offset = request->transfer.offset, length = request->left < longest ? request->left : longest;
  if (discard ? !driver->discard : !driver->zeroes)
    return BLOCK_REFUSED;
  enum block_result result = discard ? driver->discard(device, offset, length, tag)
                                     : driver->zeroes(device, offset, length, request->unmap, tag);
  if (result == BLOCK_TAKEN) {
    request->transfer.offset += length;
    request->left -= length;
  }
  return result;
}

/* Of a long transfer no more than BLOCK_SHARED_COMMAND: its command would keep the device from the others for long. */
static enum block_result submit_part(struct block_device *device, struct block_transfer *transfer, uint32_t tag) {
  struct block_transfer part = *transfer;
  uint32_t length = 0;
  for (part.count = 0; part.count < transfer->count; part.count++) {
    if (transfer->segment[part.count].length > BLOCK_SHARED_COMMAND - length)
      break;
    length += transfer->segment[part.count].length;
  }
  uint32_t whole = part.count ? 0 : transfer->segment->length; /* of a segment that is divided */
  uint64_t start = transfer->segment->physical;
  if (whole) {
    transfer->segment->length = BLOCK_SHARED_COMMAND;
    part.count = 1;
  }
  uint32_t count = part.count;
  enum block_result result = device->driver->submit(device, &part, tag);
  uint64_t moved = part.offset - transfer->offset;
  if (whole) {
    *transfer->segment = (struct block_segment){start + moved, whole - (uint32_t)moved};
  } else {
    transfer->segment = part.segment;
    transfer->count -= count - part.count;
  }
  transfer->offset = part.offset;
  return result;
}

enum block_result block_give_other(struct block_channel *channel, struct block_request *request, uint32_t tag) {
  struct block_device *device = channel->server->device;
  if (request->kind == KIND_FLUSH)
    return device->driver->flush(device, tag);
  if (request->kind > KIND_WRITE)
    return submit_range(device, request, tag);
  if (request->transfer.through && !(device->features & BLOCK_FUA)) { /* lost at a reset since the request was read */
    request->transfer.through = false;
    request->settle = device->features & BLOCK_CACHE;
  }
  if (request->length > BLOCK_SHARED_COMMAND && is_shared(channel))
    return submit_part(device, &request->transfer, tag);
  return device->driver->submit(device, &request->transfer, tag);
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns, submission, completion. Deficit round robin (Shreedhar and Varghese,
 * 1995): a channel's turn brings share × quantum bytes; what it does not use
 * while it has work, it keeps.
 */
#include "block_server.h"
#include "../calls.h"
#include "log.h"
#include "registers.h"

#define POLL_AT_ONCE 32u
#define ERRORS_SHOWN 16u

void block_request_free(struct block_server *server, struct block_request *request) {
  request->next = server->free;
  server->free = request;
}

void block_server_init(struct block_server *server, struct block_device *device, const char *name) {
  server->device = device;
  server->name = name;
  server->free = NULL;
  server->active_first = server->active_last = NULL;
  server->signal_first = NULL;
  server->cost = 0;
  server->now = server->shared_until = 0;
  server->shared_ticks = calls_ticks(BLOCK_SHARED_NS);
  server->errors = 0;
  server->attention = server->completions = true;
  server->dead = false;
  for (uint32_t i = BLOCK_REQUESTS; i-- > 0;) {
    server->request[i].pieces = 0;
    block_request_free(server, &server->request[i]);
  }
}

void block_channel_init(struct block_channel *channel, struct block_server *server,
                        const struct channel_descriptor *descriptor, uint32_t life) {
  struct channel_window *shared = (struct channel_window *)(uintptr_t)descriptor->address;
  *channel = (struct block_channel){
      .server = server,
      .window = {shared, descriptor->size, descriptor->client_address},
      .index = descriptor->index,
      .share = descriptor->share ? descriptor->share : 1,
      .block_size = descriptor->block_size,
      .rights = descriptor->rights,
      .capacity = descriptor->capacity,
      .broken = true, /* until its first epoch */
      .refused = channel->refused,
      .name = descriptor->name,
  };
  block_config_write(channel);
  session_server_begin(&channel->session, &shared->header, life);
  calls_signal(channel->index, 0);
  block_channel_event(channel);
}

/* --- who has something to do, who has something to hear --- */

static void activate(struct block_channel *channel) {
  struct block_server *server = channel->server;
  if (channel->active)
    return;
  channel->active = true;
  if (channel->deficit > 0)
    channel->deficit = 0; /* what it owes it pays, however long it had nothing to do */
  channel->next_active = NULL;
  if (server->active_first)
    server->active_last->next_active = channel;
  else
    server->active_first = channel;
  server->active_last = channel;
}

static void deactivate_first(struct block_server *server) {
  struct block_channel *channel = server->active_first;
  server->active_first = channel->next_active;
  channel->active = false;
}

static void rotate(struct block_server *server) {
  struct block_channel *channel = server->active_first;
  int64_t deficit = channel->deficit;
  deactivate_first(server);
  activate(channel);
  channel->deficit = deficit;
}

static void note_signal(struct block_channel *channel) {
  struct block_server *server = channel->server;
  if (channel->signalling)
    return;
  channel->signalling = true;
  channel->next_signal = server->signal_first;
  server->signal_first = channel;
}

static void send_signals(struct block_server *server) {
  for (struct block_channel *channel = server->signal_first; channel; channel = channel->next_signal) {
    __builtin_memcpy(&channel->window.shared->counters, channel->count, sizeof channel->count);
    if (channel->wants_signal && virtqueue_wants_interrupt(&channel->queue))
      calls_signal(channel->index, channel->release);
    else if (channel->release)
      calls_release(channel->index, channel->release);
    channel->in_flight -= channel->release;
    channel->release = 0;
    channel->wants_signal = channel->signalling = false;
  }
  server->signal_first = NULL;
}

/* `place`: of the status byte, null: the chain has none. */
static inline void answer(struct block_channel *channel, uint16_t head, uint8_t *place, uint8_t status,
                          uint32_t length) {
  if (!session_current(&channel->session, &channel->window.shared->header))
    return;
  if (place)
    *(volatile uint8_t *)place = status;
  virtqueue_put_used(&channel->queue, head, length);
  channel->wants_signal = true;
  note_signal(channel);
}

void block_answer(struct block_channel *channel, uint16_t head, uint8_t *place, uint8_t status, uint32_t length) {
  answer(channel, head, place, status, length);
}

/* Nobody waits for this client's requests any more: what is under way will be released, not answered, and what the device has
   not yet taken it shall not get. A client that is gone cannot start again before all of it is released. */
static void abandon(struct block_channel *channel) {
  channel->generation++;
  for (struct block_request *request = channel->ready.first; request; request = request->next)
    request->failed = true;
}

void block_channel_event(struct block_channel *channel) {
  struct channel_header *header = &channel->window.shared->header;
  if (channel->ready.first && !calls_client_lives(channel->index, channel->session.client_life))
    abandon(channel);
  if (session_server_take_up(&channel->session, header)) {
    abandon(channel);
    while (channel->fresh.first)
      block_request_free(channel->server, block_list_take(&channel->fresh));
    virtqueue_device_reset(&channel->queue, &channel->window.shared->queue[1]); /* not used: only emptied */
    virtqueue_device_reset(&channel->queue, &channel->window.shared->queue[0]);
    block_config_write(channel);
    channel->blocked = false;
    channel->broken = !registers_agree(channel->window.shared, block_features(channel));
    if (channel->broken)
      block_count(channel, COUNT_UNSUPPORTED);
    else
      session_server_ready(&channel->session, header);
    channel->wants_signal = true;
    note_signal(channel);
  }
  activate(channel);
  channel->server->attention = true;
}

void block_server_interrupt(struct block_server *server) {
  server->attention = server->completions = true;
}

/* --- completion --- */

static void count_answer(struct block_channel *channel, const struct block_request *request) {
  uint64_t ticks = channel->server->now - request->taken_at;
  block_count(channel, request->failed ? COUNT_ERRORS : COUNT_REQUESTS);
  channel->count[COUNT_BYTES] += request->failed ? 0 : request->length;
  if (ticks > channel->count[COUNT_WORST_TICKS] && (int64_t)ticks > 0)
    channel->count[COUNT_WORST_TICKS] = ticks;
}

/* The request has left the device, or never reached it. */
static void finish(struct block_request *request) {
  struct block_channel *channel = request->channel;
  uint32_t written = request->kind == KIND_READ && !request->failed ? request->length + 1 : 1;
  if (request->generation == channel->generation) {
    count_answer(channel, request);
    answer(channel, request->head, request->status, request->failed ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK, written);
  }
  channel->release += request->segments;
  note_signal(channel);
  block_request_free(channel->server, request);
  if (channel->blocked || virtqueue_pending(&channel->queue)) {
    channel->blocked = false;
    activate(channel);
  }
}

/* A request whose buffers did not fit one command is in the ready list still, until its last piece is submitted. */
static bool all_submitted(const struct block_request *request) {
  return (request->transfer.count == 0 && request->left == 0) || request->failed;
}

/* None of its commands is in the device any more, and it is in no list. */
static void conclude(struct block_request *request) {
  struct block_channel *channel = request->channel;
  if (!request->settle || request->failed || request->generation != channel->generation) {
    finish(request);
    return;
  }
  request->settle = false;
  request->kind = KIND_FLUSH;
  block_list_put(&channel->ready, request);
  activate(channel);
}

static void count_cost(struct block_request *request, int64_t cost) {
  request->cost += cost;
  request->channel->cost += cost;
  request->channel->server->cost += cost;
}

static void count_piece(struct block_request *request, int64_t cost) {
  request->pieces++;
  request->looks = 0;
  count_cost(request, cost);
}

static void uncount_piece(struct block_request *request) {
  /* which of several pieces it was does not matter */
  count_cost(request, request->pieces == 1 ? -request->cost : -(request->cost / request->pieces));
  request->pieces--;
  request->looks = 0;
}

static const char *const NAMES[] = {
    [KIND_READ] = "read",        [KIND_WRITE] = "write",     [KIND_FLUSH] = "flush",
    [KIND_IDENTITY] = "nothing", [KIND_DISCARD] = "discard", [KIND_ZEROES] = "write of zeroes",
};

static void complete(struct block_server *server, const struct block_completion *completion) {
  if (completion->tag >= BLOCK_REQUESTS || !server->request[completion->tag].pieces)
    return;
  struct block_request *request = &server->request[completion->tag];
  if (completion->error) {
    request->failed = true;
    if (server->errors++ < ERRORS_SHOWN)
      log_device_error(server->name, NAMES[request->kind], server->device->driver->error_words, completion->error);
  }
  uncount_piece(request);
  if (request->pieces == 0 && all_submitted(request) && request != request->channel->ready.first)
    conclude(request);
}

static void take_completions(struct block_server *server) {
  struct block_completion completion[POLL_AT_ONCE];
  server->now = calls_now();
  uint32_t count = server->device->driver->poll(server->device, completion, POLL_AT_ONCE);
  for (uint32_t i = 0; i < count; i++)
    complete(server, &completion[i]);
  server->completions = count == POLL_AT_ONCE;
}

/* --- submission --- */

enum turn { TURN_IDLE, TURN_OVER, TURN_FULL };

/* Most are short, and need nothing of block_give_other. */
static inline enum block_result give(struct block_channel *channel, struct block_request *request, uint32_t tag) {
  struct block_device *device = channel->server->device;
  if (request->kind > KIND_WRITE || request->length > BLOCK_SHARED_COMMAND || request->transfer.through)
    return block_give_other(channel, request, tag);
  return device->driver->submit(device, &request->transfer, tag);
}

/* One command for the first ready request. Returns BLOCK_BUSY where the device takes no more. */
static enum block_result submit_piece(struct block_channel *channel, struct block_request *request) {
  uint32_t tag = (uint32_t)(request - channel->server->request);
  uint64_t before = request->transfer.offset;
  enum block_result result = BLOCK_TAKEN;
  if (!request->failed)
    result = give(channel, request, tag);
  if (result == BLOCK_BUSY)
    return result;
  int64_t cost = block_cost(request, request->transfer.offset - before);
  if (result == BLOCK_REFUSED)
    request->failed = true;
  else if (!request->failed)
    count_piece(request, cost);
  channel->deficit -= cost;
  if (!all_submitted(request))
    return BLOCK_TAKEN;
  block_list_take(&channel->ready);
  if (request->pieces == 0)
    conclude(request);
  return BLOCK_TAKEN;
}

static bool more_to_read(const struct block_channel *channel) {
  return !channel->broken && !channel->blocked && (channel->fresh.first || virtqueue_pending(&channel->queue));
}

static enum turn give_turn(struct block_channel *channel) {
  if (channel->deficit <= 0)
    block_next_turn(channel);
  int64_t window = block_window(channel);
  while (channel->deficit > 0) {
    if (!channel->ready.first) {
      if (more_to_read(channel))
        block_intake(channel);
      if (!channel->ready.first)
        return more_to_read(channel) ? TURN_OVER : TURN_IDLE;
    }
    if (channel->server->cost >= window || submit_piece(channel, channel->ready.first) == BLOCK_BUSY)
      return TURN_FULL;
  }
  return TURN_OVER;
}

static uint32_t commands_under_way(const struct block_server *server) {
  return server->device->depth - server->device->free;
}

static bool give_turns(struct block_server *server) {
  for (uint32_t i = 0; i < BLOCK_TURNS; i++) {
    struct block_channel *channel = server->active_first;
    if (!channel)
      return false;
    switch (give_turn(channel)) {
    case TURN_IDLE:
      deactivate_first(server);
      break;
    case TURN_OVER:
      rotate(server);
      break;
    case TURN_FULL:
      return false; /* it goes on where it is when a command has ended */
    }
  }
  /* All requests in use while the device works: a completion has to come first. */
  return server->active_first && (server->free || !commands_under_way(server));
}

bool block_server_run(struct block_server *server) {
  if (!server->attention)
    return false;
  if (server->completions)
    take_completions(server);
  bool more = give_turns(server) || server->completions;
  server->device->driver->commit(server->device);
  send_signals(server);
  server->attention = more;
  return more;
}

/* --- a device that does not answer --- */

bool block_server_busy(const struct block_server *server) {
  return !server->dead && commands_under_way(server) != 0;
}

/* What the driver issues again is waited for anew. */
static void restart_device(struct block_server *server) {
  struct block_device *device = server->device;
  for (uint32_t i = 0; i < BLOCK_REQUESTS; i++)
    server->request[i].looks = 0;
  log_line(server->name, "does not answer: reset");
  if (!device->driver->reset(device)) {
    server->dead = true; /* it may still write: what it has stays counted as in flight */
    log_line(server->name, device->problem);
    return;
  }
  if (!device->driver->start(device))
    log_line(server->name, device->problem);
}

/* Halfway the device is asked to give it up, where it can be asked. */
static bool some_command_is_late(struct block_server *server) {
  const struct block_driver *driver = server->device->driver;
  bool late = false;
  for (uint32_t i = 0; i < BLOCK_REQUESTS; i++) {
    struct block_request *request = &server->request[i];
    if (!request->pieces)
      continue;
    if (++request->looks == BLOCK_PATIENCE / 2 && driver->late)
      driver->late(server->device, i);
    late = late || request->looks >= BLOCK_PATIENCE;
  }
  return late;
}

void block_server_look(struct block_server *server) {
  if (!block_server_busy(server))
    return;
  block_server_interrupt(server);
  block_server_run(server); /* an interrupt may have been lost */
  if (some_command_is_late(server) || server->device->driver->failed(server->device)) {
    restart_device(server);
    block_server_interrupt(server);
  }
}

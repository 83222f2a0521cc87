/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's end of a two-way channel: it lends the server empty slots of one
 * half of the data area and hands it full ones of the other half. What the
 * server had not taken when it was restarted is handed over again.
 */
#include "runtime.h"

enum { TO_CLIENT, TO_SERVER };

static uint64_t slot_address(const struct pair *pair, unsigned queue, uint32_t slot) {
  uint64_t number = (uint64_t)queue * pair->slots + slot;
  return pair->channel->address + sizeof(struct channel_window) + number * pair->slot_size;
}

static void hand_over(struct pair *pair, unsigned queue, uint32_t slot, uint32_t length) {
  struct virtqueue_buffer buffer = {slot_address(pair, queue, slot), length, queue == TO_CLIENT};
  int head = virtqueue_add(&pair->driver[queue], &buffer, 1);
  if (head >= 0) /* always: there are fewer slots than descriptors */
    pair->slot_of[queue][head] = (uint8_t)slot;
}

static void tell(struct pair *pair, unsigned queue) {
  if (virtqueue_wants_kick(&pair->driver[queue]))
    monitor_signal(pair->channel->index, 0);
}

static void begin(struct pair *pair) {
  struct channel_header *header = &pair->window->header;
  session_client_stop(header);
  for (unsigned queue = 0; queue < CHANNEL_QUEUES; queue++)
    virtqueue_driver_reset(&pair->driver[queue], &pair->window->queue[queue]);
  for (uint32_t slot = 0; slot < pair->slots; slot++)
    if (!pair->arrived[slot])
      hand_over(pair, TO_CLIENT, slot, pair->slot_size);
  for (uint32_t i = 0; i < pair->slots; i++) { /* the slot that would be filled next is the oldest */
    uint32_t slot = (pair->sent + i) % pair->slots;
    if (pair->length[slot])
      hand_over(pair, TO_SERVER, slot, pair->length[slot]);
  }
  pair->epoch = session_client_begin(header, channel_life(pair->channel));
  monitor_signal(pair->channel->index, 0);
}

void pair_client_open(struct pair *pair) {
  begin(pair);
}

static bool take_used(struct pair *pair, unsigned queue, uint32_t *slot, uint32_t *length) {
  uint16_t head;
  if (!session_client_served(&pair->window->header, pair->epoch))
    return false;
  if (!virtqueue_take_used(&pair->driver[queue], &head, length))
    return false;
  *slot = pair->slot_of[queue][head];
  return true;
}

/* Takes all that the server has done; after its restart, it gets once more what it has not done. */
static void refresh(struct pair *pair) {
  bool lost = session_client_lost(&pair->window->header, pair->epoch);
  uint32_t slot, length;
  while (take_used(pair, TO_SERVER, &slot, &length))
    pair->length[slot] = 0;
  while (take_used(pair, TO_CLIENT, &slot, &length)) {
    pair->arrived[slot] = 1 + (length < pair->slot_size ? length : pair->slot_size);
    pair->inbox[pair->inbox_end++ % PAIR_SLOTS] = (uint8_t)slot;
  }
  if (lost)
    begin(pair);
}

void *pair_client_reserve(struct pair *pair) {
  refresh(pair);
  uint32_t slot = pair->sent % pair->slots;
  return pair->length[slot] ? NULL : (void *)slot_address(pair, TO_SERVER, slot);
}

enum status pair_client_commit(struct pair *pair, size_t size) {
  uint32_t slot = pair->sent % pair->slots;
  if (pair->length[slot])
    return STATUS_BAD_ARGUMENT;
  pair->length[slot] = (uint32_t)size;
  pair->sent++;
  hand_over(pair, TO_SERVER, slot, (uint32_t)size);
  tell(pair, TO_SERVER);
  return STATUS_OK;
}

const void *pair_client_peek(struct pair *pair, size_t *size) {
  if (pair->inbox_start == pair->inbox_end)
    refresh(pair);
  if (pair->inbox_start == pair->inbox_end)
    return NULL;
  uint32_t slot = pair->inbox[pair->inbox_start % PAIR_SLOTS];
  *size = pair->arrived[slot] - 1;
  return (const void *)slot_address(pair, TO_CLIENT, slot);
}

enum status pair_client_done(struct pair *pair) {
  if (pair->inbox_start == pair->inbox_end)
    return STATUS_BAD_ARGUMENT;
  uint32_t slot = pair->inbox[pair->inbox_start++ % PAIR_SLOTS];
  pair->arrived[slot] = 0;
  hand_over(pair, TO_CLIENT, slot, pair->slot_size);
  tell(pair, TO_CLIENT);
  return STATUS_OK;
}

bool pair_client_idle(struct pair *pair) {
  refresh(pair);
  for (uint32_t slot = 0; slot < pair->slots; slot++)
    if (pair->length[slot])
      return false;
  return true;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The block server against clients that write whatever they like into their
 * windows, at any time, and come and go: nothing outside a window is touched
 * (the sanitizer), nothing outside a client's memory and extent is moved (the
 * disk's model), every conversion is released, the server comes to an end each
 * time, and an honest client beside them is served.
 */
#include "io_block_model.h"
#include "runtime_check.h"

#define REQUESTS 400000u
#define HONEST (MODEL_CHANNELS - 1)

static uint32_t requests, honest_answers, taken_up;

static uint64_t some_address(const struct client *one) {
  switch (random_below(6)) {
  case 0:
    return CLIENT_MEMORY + random_below(CLIENT_SIZE);
  case 1:
    return CLIENT_MEMORY + 4096 * random_below(CLIENT_SIZE / 4096);
  case 2:
    return CLIENT_WINDOW + random_below((uint32_t)one->size + 64);
  case 3:
    return CLIENT_WINDOW + one->size - random_below(32);
  case 4:
    return random_next();
  default:
    return CLIENT_WINDOW + offsetof(struct channel_window, request) + 32 * random_below(QUEUE_SIZE) +
           16 * random_below(2);
  }
}

static uint32_t some_length(void) {
  static const uint32_t LENGTHS[] = {0, 1, 16, 16, 1, 512, 512, 4096, 65536, 0x7fffffff, 0xffffffff, 20};
  return random_below(12) ? LENGTHS[random_below(12)] : (uint32_t)random_next();
}

static void spoil_descriptor(struct client *one) {
  struct virtq_desc *desc = &one->window->queue[0].desc[random_below(QUEUE_SIZE)];
  desc->addr = some_address(one);
  desc->len = some_length();
  desc->flags = (uint16_t)(random_below(8) ? random_below(4) : random_next());
  desc->next = (uint16_t)(random_below(8) ? random_below(QUEUE_SIZE) : random_next());
}

/* A request as it should be, but for what chance changes. */
static void almost_right(struct client *one, uint16_t head) {
  struct virtq_desc *desc = one->window->queue[0].desc;
  struct channel_request *request = &one->window->request[head];
  uint64_t place = CLIENT_WINDOW + (uint64_t)((uint8_t *)request - (uint8_t *)one->window);
  uint16_t second = (uint16_t)random_below(QUEUE_SIZE), third = (uint16_t)random_below(QUEUE_SIZE);
  bool write = random_below(2);
  request->header = (struct virtio_blk_req){write, random_below(4) ? 0 : (uint32_t)random_next(),
                                            random_below(EXTENT_SIZE / 512 + 8)};
  desc[head] = (struct virtq_desc){place, 16, VIRTQ_DESC_F_NEXT, second};
  desc[second] = (struct virtq_desc){CLIENT_MEMORY + 512 * random_below(CLIENT_SIZE / 512), 512 << random_below(5),
                                     (uint16_t)(VIRTQ_DESC_F_NEXT | (write ? 0 : VIRTQ_DESC_F_WRITE)), third};
  desc[third] = (struct virtq_desc){place + 16, 1, VIRTQ_DESC_F_WRITE, 0};
  switch (random_below(12)) {
  case 0:
    request->header.type = (uint32_t)random_below(16);
    break;
  case 1:
    request->header.sector = random_next();
    break;
  case 2:
    desc[random_below(2) ? head : third].addr = some_address(one);
    break;
  case 3:
    desc[random_below(2) ? second : third].len = some_length();
    break;
  case 4:
    desc[second].addr = some_address(one);
    break;
  case 5:
    spoil_descriptor(one);
    break;
  default:
    break;
  }
}

/* A range, right but for what chance changes: it may lie half outside, and stands in the data area or anywhere. */
static void almost_right_range(struct client *one, uint16_t head) {
  struct virtq_desc *desc = one->window->queue[0].desc;
  struct virtio_blk_discard_write_zeroes *range = (void *)((uint8_t *)(one->window + 1) + 16 * random_below(8));
  almost_right(one, head);
  uint16_t second = desc[head].next % QUEUE_SIZE;
  one->window->request[head].header.type = random_below(2) ? VIRTIO_BLK_T_DISCARD : VIRTIO_BLK_T_WRITE_ZEROES;
  *range = (struct virtio_blk_discard_write_zeroes){random_below(EXTENT_SIZE / 512 + 8), random_below(64),
                                                    random_below(8) == 0};
  desc[second].addr = CLIENT_WINDOW + (uint64_t)((uint8_t *)range - (uint8_t *)one->window);
  desc[second].len = random_below(20) ? sizeof *range : some_length();
  desc[second].flags = random_below(20) ? VIRTQ_DESC_F_NEXT : (uint16_t)random_below(4);
  if (random_below(8) == 0)
    range->sector = random_below(2) ? random_next() : -(uint64_t)random_below(64);
  if (random_below(8) == 0)
    range->num_sectors = random_below(2) ? (uint32_t)random_next() : EXTENT_SIZE / 512;
  if (random_below(20) == 0)
    desc[second].addr = some_address(one);
}

static void offer(struct client *one) {
  struct virtq_avail *avail = &one->window->queue[0].avail;
  for (uint32_t i = random_below(24); i; i--) {
    uint16_t head = (uint16_t)random_below(QUEUE_SIZE);
    if (random_below(4) == 0)
      almost_right_range(one, head);
    else if (random_below(4))
      almost_right(one, head);
    else
      spoil_descriptor(one);
    avail->ring[avail->idx % QUEUE_SIZE] = random_below(50) ? head : (uint16_t)random_next();
    avail->idx++;
    requests++;
  }
  if (random_below(200) == 0)
    avail->idx = (uint16_t)random_next();
  if (random_below(20) == 0)
    avail->flags = (uint16_t)random_below(2);
}

/* Anything anywhere in the window. */
static void scribble(struct client *one) {
  uint32_t *word = (uint32_t *)one->window;
  for (uint32_t i = random_below(16); i; i--)
    word[random_below((uint32_t)one->size / 4)] = (uint32_t)random_next();
}

static void begin(struct client *one) {
  taken_up++;
  one->window->header.client_life = one->life = model_channel[one->index].life;
  client_begin(one);
}

/* The monitor starts a client again when nothing is in flight any more. */
static void restart(struct client *one) {
  model_channel[one->index].connected = false;
  model_run();
  if (random_below(2))
    offer(one);
  model_drain();
  model_channel[one->index].connected = true;
  model_channel[one->index].life++;
}

static void attack(struct client *one) {
  switch (random_below(40)) {
  case 0:
    scribble(one);
    break;
  case 1:
    begin(one);
    break;
  case 2:
    one->window->header.magic = random_below(2) ? CHANNEL_MAGIC : (uint32_t)random_next();
    break;
  case 3:
    one->window->header.epoch += random_below(3);
    break;
  case 4:
    restart(one);
    begin(one);
    break;
  case 5:
    model_channel[one->index].quota = 1 + random_below(40);
    break;
  case 6:
    model_drain();
    model_channel[one->index].rights = RIGHT_READ | (random_below(4) ? RIGHT_WRITE : 0);
    break;
  case 7:
    model_disk.block.features ^= 1u << random_below(5); /* a device after a reset */
    break;
  default:
    if (!session_current(&model_server_channel[one->index].session, &one->window->header))
      begin(one);
    offer(one);
  }
  block_channel_event(&model_server_channel[one->index]);
}

/* The client beside them reads one block and finds what is there. */
static void be_honest(void) {
  struct client *one = &client[HONEST];
  uint32_t block = random_below(EXTENT_SIZE / 512), written;
  uint16_t used, head = (uint16_t)virtqueue_next_head(&one->queue);
  struct channel_request *request = &one->window->request[head];
  uint64_t place = CLIENT_WINDOW + (uint64_t)((uint8_t *)request - (uint8_t *)one->window);
  const struct virtqueue_buffer buffer[] = {{place, 16, 0}, {CLIENT_MEMORY, 512, 1}, {place + 16, 1, 1}};
  request->header = (struct virtio_blk_req){.type = VIRTIO_BLK_T_IN, .sector = block};
  memset(&model_extent[HONEST][block * 512], (int)block, 512);
  CHECK(virtqueue_add(&one->queue, buffer, 3) == head);
  block_channel_event(&model_server_channel[HONEST]);
  for (uint32_t i = 0; !virtqueue_take_used(&one->queue, &used, &written); i++) {
    CHECK(i < 1000);
    model_run();
  }
  CHECK(used == head && written == 513 && request->status == VIRTIO_BLK_S_OK);
  CHECK(model_memory[HONEST][0] == (uint8_t)block && model_memory[HONEST][511] == (uint8_t)block);
  honest_answers++;
}

int main(void) {
  model_begin();
  for (uint32_t i = 0; i < MODEL_CHANNELS; i++)
    client_open(i);
  for (uint32_t i = 0; i < CLIENT_SIZE; i++)
    model_memory[0][i] = (uint8_t)random_next();
  while (requests < REQUESTS) {
    for (uint32_t i = random_below(4); i; i--)
      attack(&client[random_below(HONEST)]);
    model_disk.silent = random_below(20) == 0;
    if (model_disk.silent)
      model_run();
    model_disk.silent = false;
    model_run();
    if (random_below(8) == 0)
      be_honest();
  }
  model_drain();
  CHECK(honest_answers > 1000 && taken_up > 1000);
  for (uint32_t i = 0; i < MODEL_CHANNELS; i++)
    CHECK(model_disk.moved[i] > 100000 && (i == HONEST || model_disk.ranges[i] > 1000));
  printf("ok: %u requests, %u conversion calls, %u taken up, %u honest\n", requests, model_converts, taken_up,
         honest_answers);
  return 0;
}

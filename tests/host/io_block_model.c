/* SPDX-License-Identifier: Apache-2.0 */
#include "io_block_model.h"
#include "runtime_check.h"
#include "server/log.h"

struct model_disk model_disk;
uint8_t *model_memory[MODEL_CHANNELS];
uint8_t *model_extent[MODEL_CHANNELS];
struct block_server model_server;
struct block_channel model_server_channel[MODEL_CHANNELS];
struct client client[MODEL_CHANNELS];

void log_line(const char *subject, const char *words) {
  (void)subject, (void)words;
}

void log_device_error(const char *device, const char *what, const char *const words[2], uint32_t error) {
  (void)device, (void)what, (void)words, (void)error;
}

/* --- the disk --- */

/* Every byte of a piece: of one client's memory, and in that client's own extent. */
static void move(const struct block_segment *segment, uint32_t length, uint64_t offset,
                 enum block_direction direction) {
  for (uint32_t i = 0; i < MODEL_CHANNELS; i++) {
    const struct model_channel *channel = &model_channel[i];
    if (segment->physical < channel->physical || segment->physical - channel->physical >= CLIENT_SIZE)
      continue;
    CHECK(length <= CLIENT_SIZE - (segment->physical - channel->physical) && channel->in_flight != 0);
    CHECK(model_converted(i, segment->physical, length, direction == BLOCK_READ ? RIGHT_WRITE : RIGHT_READ, offset));
    CHECK(offset >= channel->start && offset - channel->start <= EXTENT_SIZE - length);
    uint8_t *memory = &model_memory[i][segment->physical - channel->physical];
    uint8_t *disk = &model_extent[i][offset - channel->start];
    memcpy(direction == BLOCK_READ ? memory : disk, direction == BLOCK_READ ? disk : memory, length);
    model_disk.moved[i] += length;
    return;
  }
  CHECK(!"an address that no conversion gave");
}

static void take_command(uint32_t tag) {
  uint32_t slot = random_below(MODEL_DEPTH);
  while (model_disk.busy[slot])
    slot = (slot + 1) % MODEL_DEPTH;
  model_disk.busy[slot] = true;
  model_disk.tag[slot] = tag;
  model_disk.error[slot] = random_below(100) < model_disk.fail_percent ? 0x281 : 0;
  model_disk.block.free--;
}

static enum block_result submit(struct block_device *device, struct block_transfer *transfer, uint32_t tag) {
  if (device->free == 0)
    return BLOCK_BUSY;
  if (transfer->segment->physical & 3)
    return BLOCK_REFUSED;
  CHECK(!transfer->through || (device->features & BLOCK_FUA));
  model_disk.through += transfer->through;
  for (uint32_t left = device->longest; transfer->count && left;) {
    struct block_segment *segment = transfer->segment;
    uint32_t length = segment->length < left ? segment->length : left;
    move(segment, length, transfer->offset, transfer->direction);
    transfer->offset += length;
    segment->physical += length;
    segment->length -= length;
    left -= length;
    if (segment->length)
      break;
    transfer->segment++;
    transfer->count--;
    if (random_below(8) == 0)
      break; /* what cannot be said in one command */
  }
  take_command(tag);
  return BLOCK_TAKEN;
}

static enum block_result flush(struct block_device *device, uint32_t tag) {
  if (device->free == 0)
    return BLOCK_BUSY;
  model_disk.flushes++;
  take_command(tag);
  return BLOCK_TAKEN;
}

/* A range has no buffer that tells whose it is: the request's channel does. All of it lies in that client's extent, and the
   client may write there. */
static enum block_result range(struct block_device *device, uint64_t offset, uint64_t length, uint32_t tag,
                               uint8_t value) {
  uint32_t index = model_server.request[tag].channel->index;
  const struct model_channel *channel = &model_channel[index];
  CHECK(length != 0 && length <= device->longest_zeroes);
  if (device->free == 0)
    return BLOCK_BUSY;
  CHECK(offset >= channel->start && length <= EXTENT_SIZE && offset - channel->start <= EXTENT_SIZE - length);
  CHECK(channel->rights & RIGHT_WRITE);
  memset(&model_extent[index][offset - channel->start], value, length);
  model_disk.ranges[index]++;
  take_command(tag);
  return BLOCK_TAKEN;
}

static enum block_result discard(struct block_device *device, uint64_t offset, uint64_t length, uint32_t tag) {
  return range(device, offset, length, tag, MODEL_DISCARDED);
}

static enum block_result zeroes(struct block_device *device, uint64_t offset, uint64_t length, bool unmap,
                                uint32_t tag) {
  model_disk.unmapped += unmap;
  return range(device, offset, length, tag, 0);
}

static uint32_t poll(struct block_device *device, struct block_completion *completion, uint32_t limit) {
  uint32_t count = 0;
  for (uint32_t slot = 0; slot < MODEL_DEPTH && count < limit && !model_disk.silent; slot++) {
    if (!model_disk.busy[slot])
      continue;
    model_disk.busy[slot] = false;
    device->free++;
    completion[count++] = (struct block_completion){model_disk.tag[slot], model_disk.error[slot]};
  }
  return count;
}

static void commit(struct block_device *device) {
  (void)device;
}

static bool failed(struct block_device *device) {
  (void)device;
  return model_disk.failed;
}

static bool reset(struct block_device *device) {
  (void)device;
  model_disk.resets++;
  if (!model_disk.obeys)
    return false;
  for (uint32_t slot = 0; slot < MODEL_DEPTH; slot++)
    model_disk.error[slot] = BLOCK_ERROR_RESET;
  model_disk.silent = model_disk.failed = false;
  return true;
}

static bool start(struct block_device *device) {
  (void)device;
  return true;
}

static void late(struct block_device *device, uint32_t tag) {
  CHECK(device == &model_disk.block && tag < BLOCK_REQUESTS);
  model_disk.late++;
}

static const struct block_driver DRIVER = {
    .late = late,
    .reset = reset,
    .start = start,
    .submit = submit,
    .flush = flush,
    .discard = discard,
    .zeroes = zeroes,
    .commit = commit,
    .poll = poll,
    .failed = failed,
};

/* --- server and clients --- */

void model_begin(void) {
  memset(&model_disk, 0, sizeof model_disk);
  memset(model_channel, 0, sizeof model_channel);
  model_disk.block = (struct block_device){
      .driver = &DRIVER, .block_size = 512, .longest = 4096, .depth = MODEL_DEPTH, .free = MODEL_DEPTH};
  model_disk.block.longest_discard = model_disk.block.longest_zeroes = 0x6000;
  model_disk.block.discard_alignment = 4096;
  model_disk.block.features = BLOCK_DISCARD | BLOCK_ZEROES | BLOCK_ZEROES_UNMAP | BLOCK_FUA | BLOCK_CACHE;
  model_disk.obeys = true;
  block_server_init(&model_server, &model_disk.block, "disk");
  for (uint32_t i = 0; i < MODEL_CHANNELS; i++) {
    free(model_memory[i]);
    free(model_extent[i]);
    free(client[i].window);
    model_memory[i] = calloc(1, CLIENT_SIZE);
    model_extent[i] = calloc(1, EXTENT_SIZE);
    client[i].window = NULL;
  }
}

/* Memory of its own for each window, so that the sanitizer sees an access one byte outside. */
void client_open(uint32_t index) {
  struct client *new = &client[index];
  model_channel_open(index);
  new->size = sizeof *new->window + DATA_AREA;
  new->window = aligned_alloc(4096, new->size);
  memset(new->window, 0, new->size);
  new->index = index;
  new->life = 1;
  struct channel_descriptor descriptor = model_descriptor(index, new->window, new->size, "client");
  static struct channel_descriptor kept[MODEL_CHANNELS];
  kept[index] = descriptor;
  block_channel_init(&model_server_channel[index], &model_server, &kept[index], 1);
  client_begin(new);
}

void client_begin(struct client *one) {
  session_client_stop(&one->window->header);
  virtqueue_driver_reset(&one->queue, &one->window->queue[0]);
  one->epoch = session_client_begin(&one->window->header, one->life);
  block_channel_event(&model_server_channel[one->index]);
}

void model_run(void) {
  block_server_interrupt(&model_server);
  for (uint32_t i = 0; block_server_run(&model_server); i++)
    CHECK(i < 10000); /* it always comes to an end */
}

void model_drain(void) {
  for (uint32_t i = 0; i < 10000; i++) {
    model_run();
    uint32_t in_flight = 0;
    for (uint32_t j = 0; j < MODEL_CHANNELS; j++)
      in_flight += model_channel[j].in_flight;
    if (in_flight == 0 && model_disk.block.free == MODEL_DEPTH)
      return;
  }
  CHECK(!"conversions stay in flight");
}

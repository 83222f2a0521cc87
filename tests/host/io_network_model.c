/* SPDX-License-Identifier: Apache-2.0 */
#include "io_network_model.h"
#include "runtime_check.h"
#include "server/log.h"

#define BIAS 0x100000000000ull /* between our addresses and the card's */

struct model_card model_card;
struct network_server model_server;
struct network_channel model_port[MODEL_CHANNELS];
struct network_frames model_frames;
uint8_t *model_memory[MODEL_CHANNELS];
struct client client[MODEL_CHANNELS];

static struct network_uplink uplink;
static char name[] = "plant";

void log_line(const char *subject, const char *words) {
  (void)subject;
  (void)words;
}

/* --- the card --- */

/* The bytes behind an address of the card's; whose they are. */
static uint8_t *bytes_at(uint64_t physical, uint32_t length, uint32_t *whose) {
  uint64_t own = physical - BIAS - (uintptr_t)&model_frames;
  *whose = NO_ONE;
  if (own < sizeof model_frames && length <= sizeof model_frames - own)
    return (uint8_t *)&model_frames + own;
  for (uint32_t i = 0; i < MODEL_CHANNELS; i++) {
    uint64_t at = physical - model_channel[i].physical;
    if (model_channel[i].physical && at < CLIENT_SIZE && length <= CLIENT_SIZE - at) {
      CHECK(model_channel[i].in_flight != 0 && model_converted(i, physical, length, RIGHT_READ, 0));
      *whose = i;
      return model_memory[i] + at;
    }
  }
  CHECK(!"the card was given memory that is nobody's");
  return NULL;
}

static struct model_card *card_of(struct network_device *device) {
  return (struct model_card *)device;
}

static bool reset(struct network_device *device) {
  struct model_card *card = card_of(device);
  card->resets++;
  for (; card->obeys && card->first != card->last; card->first++)
    card->lost[card->lost_count++] = card->queued[card->first % MODEL_DEPTH].tag;
  card->silent = !card->obeys;
  device->problem = card->obeys ? NULL : "does not obey";
  return card->obeys;
}

static bool start(struct network_device *device) {
  struct model_card *card = card_of(device);
  for (uint32_t i = 0; i < card->posted_count; i++)
    card->arrived[card->arrived_count++] =
        (struct network_received){.tag = card->posted_tag[i], .error = NETWORK_ERROR_RESET};
  card->posted_count = 0;
  device->transmit_depth = device->transmit_free = MODEL_DEPTH;
  device->receive_depth = NETWORK_RECEIVES;
  device->receive_bytes = NETWORK_RECEIVE_BYTES;
  return true;
}

static bool filter(struct network_device *device, const uint8_t (*addresses)[NETWORK_ADDRESS], uint32_t count) {
  (void)addresses;
  card_of(device)->addresses = count;
  return true;
}

static enum network_result transmit(struct network_device *device, const struct network_segment *segments,
                                    uint32_t count, struct network_checksum checksum, uint32_t tag) {
  struct model_card *card = card_of(device);
  CHECK(count != 0 && count <= NETWORK_SEGMENTS && checksum.start <= ETHERNET_FRAME + ETHERNET_TAG);
  if (card->last - card->first == MODEL_DEPTH)
    return NETWORK_BUSY;
  struct model_queued *queued = &card->queued[card->last++ % MODEL_DEPTH];
  uint32_t length = 0, whose;
  for (uint32_t i = 0; i < count; i++) {
    CHECK(segments[i].length != 0);
    length += segments[i].length;
    bytes_at(segments[i].physical, segments[i].length, &whose);
  }
  CHECK(length >= ETHERNET_SHORTEST && length <= NETWORK_FRAME_MAX);
  memcpy(queued->segment, segments, count * sizeof *segments);
  queued->count = count;
  queued->tag = tag;
  card->checksum = checksum;
  return NETWORK_TAKEN;
}

static enum network_result receive(struct network_device *device, struct network_segment buffer, uint32_t tag) {
  struct model_card *card = card_of(device);
  uint32_t whose;
  bytes_at(buffer.physical, buffer.length, &whose);
  CHECK(whose == NO_ONE && buffer.length >= NETWORK_RECEIVE_BYTES);
  for (uint32_t i = 0; i < card->posted_count; i++)
    CHECK(card->posted_tag[i] != tag);
  CHECK(card->posted_count < NETWORK_RECEIVES);
  card->posted[card->posted_count] = buffer;
  card->posted_tag[card->posted_count++] = tag;
  return NETWORK_TAKEN;
}

static void commit(struct network_device *device) {
  (void)device;
}

/* Memory is read only now: what changed since transmit is what goes out. */
static void put_on_wire(struct model_card *card, const struct model_queued *queued) {
  struct model_frame *frame = &card->wire[card->sent++ % WIRE_LOG];
  *frame = (struct model_frame){.whose = NO_ONE};
  for (uint32_t i = 0; i < queued->count; i++) {
    uint32_t whose;
    const uint8_t *bytes = bytes_at(queued->segment[i].physical, queued->segment[i].length, &whose);
    memcpy(frame->bytes + frame->length, bytes, queued->segment[i].length);
    frame->length += queued->segment[i].length;
    frame->whose = whose != NO_ONE ? whose : frame->whose;
  }
  for (uint32_t i = 0; i < MODEL_CHANNELS; i++) {
    uint8_t address[ETHERNET_ADDRESS];
    model_address(address, i);
    if (memcmp(frame->bytes + ETHERNET_ADDRESS, address, ETHERNET_ADDRESS) == 0)
      card->bytes_of[i] += frame->length;
  }
}

static uint32_t sent(struct network_device *device, struct network_sent *report, uint32_t limit) {
  struct model_card *card = card_of(device);
  uint32_t count = 0;
  while (card->lost_count && count < limit)
    report[count++] = (struct network_sent){card->lost[--card->lost_count], NETWORK_ERROR_RESET};
  for (uint32_t i = 0; !card->silent && i < card->credit && card->first != card->last && count < limit; i++) {
    const struct model_queued *queued = &card->queued[card->first++ % MODEL_DEPTH];
    put_on_wire(card, queued);
    report[count++] = (struct network_sent){queued->tag, 0};
  }
  return count;
}

static uint32_t received(struct network_device *device, struct network_received *report, uint32_t limit) {
  struct model_card *card = card_of(device);
  uint32_t count = card->arrived_count < limit ? card->arrived_count : limit;
  memcpy(report, card->arrived, count * sizeof *report);
  card->arrived_count -= count;
  memmove(card->arrived, card->arrived + count, card->arrived_count * sizeof *report);
  return count;
}

static bool link(struct network_device *device) {
  return card_of(device)->up;
}

static bool failed(struct network_device *device) {
  (void)device;
  return false;
}

static const struct network_driver DRIVER = {.reset = reset,
                                             .start = start,
                                             .filter = filter,
                                             .transmit = transmit,
                                             .receive = receive,
                                             .commit = commit,
                                             .sent = sent,
                                             .received = received,
                                             .link = link,
                                             .failed = failed};

void model_arrive(const uint8_t *frame, uint32_t length) {
  struct model_card *card = &model_card;
  uint32_t whose;
  if (card->posted_count == 0 || card->arrived_count == NETWORK_RECEIVES)
    return; /* the card drops it */
  struct network_segment buffer = card->posted[0];
  uint8_t *place = bytes_at(buffer.physical, buffer.length, &whose);
  memcpy(place, frame, length < buffer.length ? length : buffer.length);
  card->arrived[card->arrived_count++] = (struct network_received){.tag = card->posted_tag[0], .length = length};
  card->posted_count--;
  memmove(card->posted, card->posted + 1, card->posted_count * sizeof card->posted[0]);
  memmove(card->posted_tag, card->posted_tag + 1, card->posted_count * sizeof card->posted_tag[0]);
}

const struct model_frame *model_wire(uint32_t back) {
  return &model_card.wire[(model_card.sent - 1 - back) % WIRE_LOG];
}

/* --- server and clients --- */

void model_address(uint8_t *address, uint32_t index) {
  const uint8_t made[ETHERNET_ADDRESS] = {0x52, 0x54, 0, 0, 0, (uint8_t)(0x0a + index)};
  memcpy(address, made, sizeof made);
}

void model_begin(bool with_uplink) {
  model_card = (struct model_card){.obeys = true, .up = true, .credit = MODEL_DEPTH};
  model_card.network.driver = &DRIVER;
  uplink = (struct network_uplink){.device = &model_card.network, .memory = &model_frames, .bias = BIAS};
  memset(&model_frames, 0xa5, sizeof model_frames); /* another client's, says whoever sees it */
  memset(model_channel, 0, sizeof model_channel);
  start(&model_card.network);
  network_server_init(&model_server, with_uplink ? &uplink : NULL, name);
}

struct channel_descriptor model_port_of(uint32_t index, uint32_t channels) {
  struct channel_descriptor descriptor = {.wire = 1};
  model_address(descriptor.mac, index);
  descriptor.talks[0] = ((1ull << channels) - 1) & ~(1ull << index);
  return descriptor;
}

uint8_t *client_slot(struct client *one, uint32_t queue, uint32_t slot) {
  return (uint8_t *)(one->window + 1) + NETWORK_SLOT * (queue * SLOTS + slot);
}

static uint64_t address_of(const struct client *one, const void *place) {
  return CLIENT_WINDOW + (uint64_t)((const uint8_t *)place - (const uint8_t *)one->window);
}

static void post(struct client *one, uint32_t slot) {
  struct virtqueue_buffer buffer = {address_of(one, client_slot(one, 0, slot)), NETWORK_SLOT, 1};
  int head = virtqueue_add(&one->receive, &buffer, 1);
  CHECK(head >= 0);
  one->slot_of[0][head] = (uint16_t)slot;
}

void client_begin(struct client *one) {
  session_client_stop(&one->window->header);
  virtqueue_driver_reset(&one->receive, &one->window->queue[0]);
  virtqueue_driver_reset(&one->transmit, &one->window->queue[1]);
  one->free[1] = SLOTS;
  for (uint32_t i = 0; i < SLOTS; i++) {
    one->free_slots[1][i] = i;
    post(one, i);
  }
  one->epoch = session_client_begin(&one->window->header, model_channel[one->index].life);
}

void client_open(uint32_t index, struct channel_descriptor descriptor, const struct address_descriptor *groups) {
  struct client *one = &client[index];
  one->size = sizeof(struct channel_window) + DATA_AREA;
  free(one->window);
  free(model_memory[index]);
  one->window = aligned_alloc(4096, one->size);
  model_memory[index] = malloc(CLIENT_SIZE);
  memset(one->window, 0, one->size);
  memset(model_memory[index], (int)(0x40 + index), CLIENT_SIZE);
  one->index = index;
  model_channel_open(index);
  model_channel[index].bytes = true;
  struct channel_descriptor common = model_descriptor(index, one->window, one->size, "client");
  descriptor.index = index;
  descriptor.address = common.address;
  descriptor.size = common.size;
  descriptor.client_address = common.client_address;
  client_begin(one);
  network_channel_init(&model_port[index], &model_server, &descriptor, index, groups, 1);
}

void model_open(void) {
  network_server_open(&model_server);
  model_run();
}

void model_run(void) {
  for (uint32_t i = 0; i < 10000; i++) {
    model_server.attention = true;
    if (!network_server_run(&model_server) && (model_card.silent || model_card.first == model_card.last) &&
        model_card.arrived_count == 0)
      return;
  }
  CHECK(!"the server does not come to an end");
}

void model_kick(struct client *one) {
  network_channel_event(&model_port[one->index]);
}

/* --- what clients do --- */

int client_send_from(struct client *one, const uint8_t *header, uint64_t address, uint32_t length) {
  if (!one->free[1])
    return -1;
  uint32_t slot = one->free_slots[1][--one->free[1]];
  uint8_t *place = client_slot(one, 1, slot);
  memset(place, 0, NETWORK_HEADER);
  memcpy(place + NETWORK_HEADER, header, ETHERNET_HEADER);
  struct virtqueue_buffer buffers[] = {{address_of(one, place), NETWORK_HEADER + ETHERNET_HEADER, 0},
                                       {address, length, 0}};
  int head = virtqueue_add(&one->transmit, buffers, length ? 2 : 1);
  if (head >= 0)
    one->slot_of[1][head] = (uint16_t)slot;
  return head;
}

int client_send(struct client *one, const uint8_t *frame, uint32_t length) {
  if (!one->free[1])
    return -1;
  uint32_t slot = one->free_slots[1][--one->free[1]];
  uint8_t *place = client_slot(one, 1, slot);
  memset(place, 0, NETWORK_HEADER);
  memcpy(place + NETWORK_HEADER, frame, length < NETWORK_SLOT - NETWORK_HEADER ? length : 0);
  struct virtqueue_buffer buffer = {address_of(one, place), NETWORK_HEADER + length, 0};
  int head = virtqueue_add(&one->transmit, &buffer, 1);
  if (head >= 0)
    one->slot_of[1][head] = (uint16_t)slot;
  return head;
}

uint32_t client_reap(struct client *one) {
  uint16_t head;
  uint32_t length, count = 0;
  for (; virtqueue_take_used(&one->transmit, &head, &length); count++)
    one->free_slots[1][one->free[1]++] = one->slot_of[1][head];
  return count;
}

uint32_t client_take(struct client *one, uint8_t *frame) {
  uint16_t head;
  uint32_t length;
  if (!virtqueue_take_used(&one->receive, &head, &length))
    return 0;
  CHECK(length > NETWORK_HEADER && length <= NETWORK_BUFFER);
  uint32_t slot = one->slot_of[0][head];
  memcpy(frame, client_slot(one, 0, slot) + NETWORK_HEADER, length - NETWORK_HEADER);
  post(one, slot);
  return length - NETWORK_HEADER;
}

uint64_t client_counted(const struct client *one, uint32_t of) {
  CHECK(model_port[one->index].counters.count[of] == one->window->counters.count[of]);
  return one->window->counters.count[of];
}

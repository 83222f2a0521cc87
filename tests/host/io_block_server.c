/* SPDX-License-Identifier: Apache-2.0
 *
 * The block server with honest clients: data, statuses, refusals, order, turns,
 * quota, lives of both sides, and a disk that falls silent.
 */
#include "io_block_kit.h"

#define SLOT 0x4000u /* bytes of memory and extent that one request has for itself */

static void statuses(void) {
  model_begin();
  client_open(0);
  struct client *one = &client[0];
  uint64_t last = EXTENT_SIZE / 512 - 1;
  CHECK(ask(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 4096) == VIRTIO_BLK_S_OK);
  CHECK(ask(one, VIRTIO_BLK_T_OUT, last, CLIENT_MEMORY, 512) == VIRTIO_BLK_S_OK);
  CHECK(ask(one, VIRTIO_BLK_T_FLUSH, 0, 0, 0) == VIRTIO_BLK_S_OK && model_disk.flushes == 1);
  CHECK(ask(one, VIRTIO_BLK_T_OUT, 0, CLIENT_MEMORY + CLIENT_WRITABLE, 512) == VIRTIO_BLK_S_OK);
  CHECK(ask(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY + CLIENT_WRITABLE, 512) == VIRTIO_BLK_S_IOERR);
  CHECK(ask(one, VIRTIO_BLK_T_IN, last, CLIENT_MEMORY, 1024) == VIRTIO_BLK_S_IOERR);
  CHECK(ask(one, VIRTIO_BLK_T_IN, 1ull << 55, CLIENT_MEMORY, 512) == VIRTIO_BLK_S_IOERR);
  CHECK(ask(one, VIRTIO_BLK_T_IN, UINT64_MAX, CLIENT_MEMORY, 512) == VIRTIO_BLK_S_IOERR);
  CHECK(ask(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY - 512, 1024) == VIRTIO_BLK_S_IOERR);
  CHECK(ask(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 100) == VIRTIO_BLK_S_IOERR);
  CHECK(ask(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY + 2, 512) == VIRTIO_BLK_S_IOERR); /* the driver refuses */
  CHECK(ask(one, VIRTIO_BLK_T_IN, 0, CLIENT_WINDOW + 0x4000, 512) == VIRTIO_BLK_S_IOERR);
  CHECK(ask(one, VIRTIO_BLK_T_IN, 0, 0, 0) == VIRTIO_BLK_S_IOERR);
  CHECK(ask(one, 99, 0, CLIENT_MEMORY, 512) == VIRTIO_BLK_S_UNSUPP);
  CHECK(ask(one, VIRTIO_BLK_T_GET_ID, 0, window_address(one, one->window + 1), 20) == VIRTIO_BLK_S_OK);
  CHECK(strcmp((const char *)(one->window + 1), "extent0") == 0);
  CHECK(ask(one, VIRTIO_BLK_T_GET_ID, 0, CLIENT_MEMORY, 20) ==
        VIRTIO_BLK_S_IOERR); /* the server writes nobody's memory */
  model_disk.fail_percent = 100;
  CHECK(ask(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 512) == VIRTIO_BLK_S_IOERR);
  model_disk.fail_percent = 0;
  model_channel[0].rights = RIGHT_READ;
  CHECK(ask(one, VIRTIO_BLK_T_OUT, 0, CLIENT_MEMORY, 512) == VIRTIO_BLK_S_IOERR);
}

/* One wrong request among many right ones: the others succeed, and each call converts as many as it can. */
static void batches(void) {
  model_begin();
  client_open(0);
  struct client *one = &client[0];
  for (uint32_t wrong = 0; wrong < 33; wrong++) {
    int head[32];
    uint16_t used;
    uint32_t written, answered = 0, before = model_converts, signals = model_channel[0].signals;
    for (uint32_t i = 0; i < 32; i++) {
      head[i] = add_one(one, VIRTIO_BLK_T_IN, i == wrong ? EXTENT_SIZE / 512 : i, CLIENT_MEMORY + i * 4096, 512);
      CHECK(head[i] >= 0);
    }
    kick(one);
    model_drain();
    for (; virtqueue_take_used(&one->queue, &used, &written); answered++)
      CHECK(written == (one->window->request[used].status ? 1 : 513));
    CHECK(answered == 32 && model_converts - before == 32 / LIMIT_BATCH + (wrong < 32));
    CHECK(model_channel[0].signals - signals <= 2);
    for (uint32_t i = 0; i < 32; i++)
      CHECK(one->window->request[head[i]].status == (i == wrong ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK));
  }
}

/* Found by io_block_mutated: a flush has no entry, and after a batch that fills the call page there is none to look at. */
static void flush_after_full_batch(void) {
  struct virtqueue_buffer data[4];
  uint16_t used;
  uint32_t written, answered = 0;
  model_begin();
  client_open(0);
  for (uint32_t i = 0; i < LIMIT_BATCH; i++) {
    data[i % 4] = (struct virtqueue_buffer){CLIENT_MEMORY + i * 512, 512, 1};
    CHECK(i % 4 != 3 || add(&client[0], VIRTIO_BLK_T_IN, 0, data, 4) >= 0);
  }
  CHECK(add(&client[0], VIRTIO_BLK_T_FLUSH, 0, NULL, 0) >= 0);
  kick(&client[0]);
  model_drain();
  for (; virtqueue_take_used(&client[0].queue, &used, &written); answered++)
    CHECK(client[0].window->request[used].status == VIRTIO_BLK_S_OK);
  CHECK(answered == 5 && model_disk.flushes == 1);
}

/* --- random traffic of all clients, every byte compared --- */

struct pending {
  bool busy, write;
  uint32_t bytes;
  uint8_t expected[SLOT];
};

static struct pending pending[MODEL_CHANNELS][QUEUE_SIZE];

/* Buffers of random lengths one after the other, so that the data stand in one piece. */
static uint32_t cut(struct virtqueue_buffer *data, uint64_t address, uint32_t bytes, bool writable) {
  uint32_t count = 0;
  while (bytes) {
    uint32_t part = count == 15 ? bytes : 512 * (1 + random_below(bytes / 512));
    data[count++] = (struct virtqueue_buffer){address, part, writable};
    address += part;
    bytes -= part;
  }
  return count;
}

static void add_random(struct client *one) {
  int next = virtqueue_next_head(&one->queue);
  if (next < 0 || next >= (int)(EXTENT_SIZE / SLOT))
    return;
  struct virtqueue_buffer data[16];
  struct pending *request = &pending[one->index][next];
  bool write = random_below(2);
  uint32_t bytes = 512 * (1 + random_below(SLOT / 512));
  uint32_t count = cut(data, CLIENT_MEMORY + (uint32_t)next * SLOT, bytes, !write);
  int head = add(one, write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN, (uint32_t)next * SLOT / 512, data, count);
  if (head < 0)
    return;
  CHECK(head == next && !request->busy);
  uint8_t *memory = &model_memory[one->index][head * SLOT], *disk = &model_extent[one->index][head * SLOT];
  *request = (struct pending){.busy = true, .write = write, .bytes = bytes};
  for (uint32_t i = 0; i < bytes; i++)
    (write ? memory : disk)[i] = request->expected[i] = (uint8_t)random_next();
}

static void check_random(struct client *one) {
  uint16_t head;
  uint32_t written;
  while (virtqueue_take_used(&one->queue, &head, &written)) {
    struct pending *request = &pending[one->index][head];
    CHECK(request->busy && one->window->request[head].status == VIRTIO_BLK_S_OK);
    CHECK(written == (request->write ? 1 : request->bytes + 1));
    const uint8_t *target = (request->write ? model_extent : model_memory)[one->index];
    CHECK(memcmp(&target[head * SLOT], request->expected, request->bytes) == 0);
    request->busy = false;
  }
}

static void random_traffic(uint32_t quota) {
  model_begin();
  memset(pending, 0, sizeof pending);
  for (uint32_t i = 0; i < MODEL_CHANNELS; i++) {
    client_open(i);
    model_channel[i].quota = quota;
  }
  for (uint32_t round = 0; round < 3000; round++) {
    struct client *one = &client[random_below(MODEL_CHANNELS)];
    for (uint32_t i = random_below(20); i; i--)
      add_random(one);
    kick(one);
    if (random_below(3) == 0)
      model_run();
    check_random(&client[random_below(MODEL_CHANNELS)]);
  }
  model_drain();
  for (uint32_t i = 0; i < MODEL_CHANNELS; i++) {
    check_random(&client[i]);
    for (uint32_t head = 0; head < QUEUE_SIZE; head++)
      CHECK(!pending[i][head].busy);
    CHECK(model_disk.moved[i] > 1 << 20);
  }
}

/* --- turns --- */

static void keep_full(struct client *one, uint32_t bytes) {
  uint16_t used;
  uint32_t written;
  while (virtqueue_take_used(&one->queue, &used, &written))
    CHECK(one->window->request[used].status == VIRTIO_BLK_S_OK);
  while (add_one(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, bytes) >= 0)
    ;
  kick(one);
}

/* Tenths of what client 1 moves for each byte of client 0's, where both always have work. */
static uint64_t tenths(uint32_t share, uint32_t bytes) {
  model_begin();
  client_open(0);
  client_open(1);
  model_server_channel[1].share = share;
  for (uint32_t i = 0; i < 2000; i++) {
    keep_full(&client[0], bytes);
    keep_full(&client[1], 8192);
    block_server_interrupt(&model_server);
    block_server_run(&model_server);
  }
  return 10 * model_disk.moved[1] / model_disk.moved[0];
}

/* Bytes go by share; and tiny commands, which take a device as long, do not crowd out the others. */
static void turns(void) {
  uint64_t equal = tenths(1, 8192), threefold = tenths(3, 8192), tiny = tenths(1, 512);
  CHECK(equal >= 9 && equal <= 11);
  CHECK(threefold >= 27 && threefold <= 32);
  CHECK(tiny >= 70);
}

/* --- lives --- */

static void client_restarts(void) {
  model_begin();
  client_open(0);
  struct client *one = &client[0];
  model_disk.silent = true;
  int head = add_one(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 512);
  kick(one);
  model_run();
  CHECK(head >= 0 && model_channel[0].in_flight == 1);
  one->life = model_channel[0].life = 2;
  client_begin(one);
  model_run();
  CHECK(session_client_served(&one->window->header, one->epoch));
  one->window->request[head].status = 0x77;
  model_disk.silent = false;
  model_drain();
  uint16_t used;
  uint32_t written;
  CHECK(one->window->request[head].status == 0x77 && !virtqueue_take_used(&one->queue, &used, &written));
  CHECK(ask(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 512) == VIRTIO_BLK_S_OK);
}

/* Requests that say an earlier life than the client has are forgotten, and cost nothing. */
static void stale_requests(void) {
  model_begin();
  client_open(0);
  struct client *one = &client[0];
  model_channel[0].life = 2;
  int head = add_one(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 512);
  kick(one);
  model_drain();
  CHECK(one->window->request[head].status == 0xee && model_disk.moved[0] == 0);
  one->life = 2;
  client_begin(one);
  CHECK(ask(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 512) == VIRTIO_BLK_S_OK);
}

static void server_restarts(void) {
  model_begin();
  client_open(0);
  struct client *one = &client[0];
  struct channel_descriptor descriptor = model_descriptor(0, one->window, one->size, "client");
  CHECK(ask(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 512) == VIRTIO_BLK_S_OK);
  add_one(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 512);
  uint64_t before = model_disk.moved[0];
  block_server_init(&model_server, &model_disk.block, "disk");
  block_channel_init(&model_server_channel[0], &model_server, &descriptor, 2);
  model_drain();
  CHECK(model_disk.moved[0] == before); /* an epoch that another life took up is nobody's */
  CHECK(session_client_lost(&one->window->header, one->epoch));
  client_begin(one);
  CHECK(ask(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 512) == VIRTIO_BLK_S_OK);
}

/* --- a disk that falls silent --- */

static void look(uint32_t times) {
  for (uint32_t i = 0; i < times; i++)
    block_server_look(&model_server);
}

static void silent_disk(void) {
  model_begin();
  client_open(0);
  struct client *one = &client[0];
  model_disk.silent = true;
  int head = add_one(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 512);
  kick(one);
  model_run();
  look(BLOCK_PATIENCE / 2 - 1);
  CHECK(model_disk.late == 0);
  look(1);
  CHECK(model_disk.late == 1); /* the driver is told once */
  look(BLOCK_PATIENCE - BLOCK_PATIENCE / 2 - 1);
  CHECK(model_disk.late == 1 && model_disk.resets == 0 && model_channel[0].in_flight == 1);
  look(1);
  model_drain();
  CHECK(model_disk.resets == 1 && one->window->request[head].status == VIRTIO_BLK_S_IOERR);
  model_disk.silent = model_disk.failed = true;
  model_disk.obeys = false;
  add_one(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 512);
  kick(one);
  model_run();
  look(1);
  model_run();
  CHECK(model_disk.resets == 2 && !block_server_busy(&model_server));
  CHECK(model_channel[0].in_flight == 1); /* it may still be written: never released */
}

/* --- what is counted, in the channel's window --- */

static uint64_t counted(const struct client *one, enum counter what) {
  return one->window->counters.count[what];
}

static void refusals_are_counted(struct client *one) {
  uint64_t last = EXTENT_SIZE / 512 - 1;
  struct virtqueue_buffer writable = {CLIENT_MEMORY, 512, 1};
  ask(one, VIRTIO_BLK_T_IN, last, CLIENT_MEMORY, 1024);
  ask(one, VIRTIO_BLK_T_IN, UINT64_MAX, CLIENT_MEMORY, 512);
  CHECK(counted(one, COUNT_OUTSIDE_EXTENT) == 2);
  ask(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 100);
  CHECK(counted(one, COUNT_UNALIGNED) == 1);
  ask(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY - 512, 1024);
  CHECK(counted(one, COUNT_BAD_RANGE) == 1);
  ask(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY + CLIENT_WRITABLE, 512);
  CHECK(counted(one, COUNT_NO_RIGHT) == 1);
  ask(one, VIRTIO_BLK_T_IN, 0, 0, 0);
  CHECK(counted(one, COUNT_BAD_LENGTH) == 1);
  ask(one, 99, 0, CLIENT_MEMORY, 512);
  CHECK(counted(one, COUNT_UNSUPPORTED) == 1);
  ask(one, VIRTIO_BLK_T_GET_ID, 0, CLIENT_MEMORY, 20);
  CHECK(counted(one, COUNT_OUTSIDE_CHANNEL) == 1);
  add(one, VIRTIO_BLK_T_OUT, 0, &writable, 1);
  kick(one);
  model_drain();
  CHECK(counted(one, COUNT_BAD_CHAIN) == 1);
}

static void counts(void) {
  model_begin();
  client_open(0);
  client_open(1);
  struct client *one = &client[0];
  ask(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 4096);
  ask(one, VIRTIO_BLK_T_OUT, 8, CLIENT_MEMORY, 512);
  CHECK(counted(one, COUNT_REQUESTS) == 2 && counted(one, COUNT_BYTES) == 4608);
  for (uint32_t what = COUNT_BAD_RING; what < COUNTERS; what++)
    CHECK(counted(one, what) == 0);
  refusals_are_counted(one);
  model_disk.fail_percent = 100;
  add_one(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 512);
  kick(one);
  model_drain();
  CHECK(counted(one, COUNT_ERRORS) == 1);
  CHECK(counted(one, COUNT_REQUESTS) == 2 && counted(one, COUNT_BYTES) == 4608);
  for (uint32_t what = 0; what < COUNTERS; what++)
    CHECK(counted(&client[1], what) == 0); /* all of it is the other's */
}

static void worst_time(void) {
  model_begin();
  client_open(0);
  struct client *one = &client[0];
  ask(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 512);
  uint64_t before = counted(one, COUNT_WORST_TICKS);
  model_disk.silent = true;
  add_one(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 512);
  kick(one);
  model_run();
  model_now += before + 12345;
  model_disk.silent = false;
  model_drain();
  uint64_t worst = counted(one, COUNT_WORST_TICKS);
  CHECK(worst >= before + 12345 && worst < before + 99999);
  add_one(one, VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 512);
  kick(one);
  model_disk.silent = true;
  model_run();
  model_now -= 50000; /* a clock that goes back is no worst time */
  model_disk.silent = false;
  model_drain();
  CHECK(counted(one, COUNT_WORST_TICKS) == worst);
}

int main(void) {
  statuses();
  batches();
  flush_after_full_batch();
  random_traffic(LIMIT_IN_FLIGHT);
  random_traffic(17);
  turns();
  client_restarts();
  stale_requests();
  server_restarts();
  silent_disk();
  counts();
  worst_time();
  puts("ok");
  return 0;
}

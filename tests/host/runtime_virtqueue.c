/* SPDX-License-Identifier: Apache-2.0
 *
 * Both sides of a virtqueue against each other, and each against a liar.
 */
#include "runtime_check.h"
#include "virtqueue.h"

static struct channel_queue queue;
static struct virtqueue_driver driver;
static struct virtqueue_device device;

static void reset(void) {
  memset(&queue, 0xee, sizeof queue);
  virtqueue_driver_reset(&driver, &queue);
  virtqueue_device_reset(&device, &queue);
}

static int add_random(uint64_t token, unsigned *count) {
  struct virtqueue_buffer buffers[VIRTQUEUE_CHAIN];
  *count = 1 + random_below(VIRTQUEUE_CHAIN);
  unsigned readable = random_below(*count + 1);
  for (unsigned i = 0; i < *count; i++)
    buffers[i] = (struct virtqueue_buffer){token * 100 + i, (uint32_t)token + i, i >= readable};
  return virtqueue_add(&driver, buffers, *count);
}

static void check_chain(const struct virtqueue_chain *chain, uint64_t token, unsigned count) {
  CHECK(chain->count == count);
  for (unsigned i = 0; i < count; i++) {
    CHECK(chain->buffer[i].address == token * 100 + i);
    CHECK(chain->buffer[i].length == (uint32_t)token + i);
    CHECK(chain->buffer[i].writable == (i >= chain->readable));
  }
}

struct expected {
  uint64_t token;
  unsigned count;
  bool used;
};

static struct expected expected[QUEUE_SIZE];

/* The device takes one chain, the driver takes back whatever has been put. In any order, more than 65536 times. */
static void step_device(uint16_t *held, unsigned *held_count) {
  struct virtqueue_chain chain;
  if (virtqueue_take_chain(&device, &chain) == VIRTQUEUE_CHAIN_OK) {
    check_chain(&chain, expected[chain.head].token, expected[chain.head].count);
    held[(*held_count)++] = chain.head;
  }
  if (*held_count && random_below(2)) {
    unsigned pick = random_below(*held_count);
    expected[held[pick]].used = true;
    virtqueue_put_used(&device, held[pick], (uint32_t)expected[held[pick]].token);
    held[pick] = held[--*held_count];
  }
}

static void test_traffic(void) {
  uint16_t held[QUEUE_SIZE], head;
  unsigned held_count = 0, in_flight = 0;
  uint32_t length;
  reset();
  for (uint64_t token = 1; token < 200000; token++) {
    struct expected next = {.token = token};
    int next_head = virtqueue_next_head(&driver), added = add_random(token, &next.count);
    if (added >= 0) {
      CHECK(added == next_head && expected[added].token == 0);
      expected[added] = next;
      in_flight++;
    } else {
      CHECK(driver.free_count < next.count);
    }
    step_device(held, &held_count);
    while (virtqueue_take_used(&driver, &head, &length)) {
      CHECK(expected[head].used && length == (uint32_t)expected[head].token);
      expected[head] = (struct expected){0};
      in_flight--;
    }
  }
  CHECK(device.used > 1000 || device.available > 1000);
  unsigned descriptors = driver.free_count;
  for (unsigned i = 0; i < QUEUE_SIZE; i++)
    descriptors += driver.chain[i];
  CHECK(descriptors == QUEUE_SIZE);
  CHECK(in_flight <= QUEUE_SIZE);
}

static void test_full(void) {
  struct virtqueue_buffer buffer = {1, 1, 0};
  reset();
  for (unsigned i = 0; i < QUEUE_SIZE; i++)
    CHECK(virtqueue_add(&driver, &buffer, 1) >= 0);
  CHECK(virtqueue_add(&driver, &buffer, 1) == -1 && virtqueue_next_head(&driver) == -1);
  CHECK(virtqueue_add(&driver, &buffer, 0) == -1);
}

static void offer(uint16_t head) {
  queue.avail.ring[queue.avail.idx % QUEUE_SIZE] = head;
  queue.avail.idx++;
}

static void test_lying_driver(void) {
  struct virtqueue_chain chain;
  reset();
  for (unsigned i = 0; i < QUEUE_SIZE; i++) /* a ring of descriptors without an end */
    queue.desc[i] = (struct virtq_desc){i, 1, VIRTQ_DESC_F_NEXT, (uint16_t)((i + 1) % QUEUE_SIZE)};
  offer(5);
  CHECK(virtqueue_take_chain(&device, &chain) == VIRTQUEUE_BAD && chain.head == 5);
  queue.desc[9] = (struct virtq_desc){1, 1, VIRTQ_DESC_F_INDIRECT, 0};
  offer(9);
  CHECK(virtqueue_take_chain(&device, &chain) == VIRTQUEUE_BAD && chain.head == 9);
  queue.desc[1] = (struct virtq_desc){1, 1, VIRTQ_DESC_F_WRITE | VIRTQ_DESC_F_NEXT, 2};
  queue.desc[2] = (struct virtq_desc){1, 1, 0, 0};
  offer(1);
  CHECK(virtqueue_take_chain(&device, &chain) == VIRTQUEUE_BAD && chain.head == 1);
  queue.desc[3] =
      (struct virtq_desc){7, 8, VIRTQ_DESC_F_NEXT, 0xfff0 | 4}; /* next and head outside the table: masked */
  queue.desc[0xfff4 % QUEUE_SIZE] = (struct virtq_desc){9, 10, 0, 0};
  offer((uint16_t)(3 + 7 * QUEUE_SIZE));
  CHECK(virtqueue_take_chain(&device, &chain) == VIRTQUEUE_CHAIN_OK && chain.head == 3 && chain.count == 2);
  CHECK(chain.buffer[1].address == 9);
  CHECK(virtqueue_take_chain(&device, &chain) == VIRTQUEUE_NOTHING && !virtqueue_pending(&device));
  queue.avail.idx = (uint16_t)(queue.avail.idx + QUEUE_SIZE + 1);
  CHECK(virtqueue_take_chain(&device, &chain) == VIRTQUEUE_BROKEN);
}

static void answer(uint32_t id, uint32_t length) {
  queue.used.ring[queue.used.idx % QUEUE_SIZE] = (struct virtq_used_elem){id, length};
  queue.used.idx++;
}

static void test_lying_device(void) {
  struct virtqueue_buffer buffers[3] = {{1, 1, 0}, {2, 2, 0}, {3, 3, 1}};
  uint16_t head;
  uint32_t length;
  reset();
  int first = virtqueue_add(&driver, buffers, 3), second = virtqueue_add(&driver, buffers, 2);
  for (unsigned i = 0; i < QUEUE_SIZE; i++) /* the shared links are no longer what the driver wrote */
    queue.desc[i].next = 0;
  answer(0xffffffff, 1);
  answer(QUEUE_SIZE, 1);
  answer((uint32_t)first + 1, 1); /* not a head */
  answer((uint32_t)second, 77);
  answer((uint32_t)second, 78); /* twice */
  CHECK(virtqueue_take_used(&driver, &head, &length) && head == second && length == 77);
  CHECK(!virtqueue_take_used(&driver, &head, &length));
  CHECK(driver.free_count == QUEUE_SIZE - 3);
  queue.used.idx = (uint16_t)(queue.used.idx + 1000); /* more answers than there can be */
  while (virtqueue_take_used(&driver, &head, &length))
    CHECK(head == first);
  CHECK(driver.free_count == QUEUE_SIZE || driver.free_count == QUEUE_SIZE - 3);
}

static void test_notification(void) {
  reset();
  CHECK(virtqueue_wants_kick(&driver) && virtqueue_wants_interrupt(&device));
  virtqueue_device_kicks(&device, false);
  virtqueue_driver_interrupts(&driver, false);
  CHECK(!virtqueue_wants_kick(&driver) && !virtqueue_wants_interrupt(&device));
  virtqueue_device_kicks(&device, true);
  virtqueue_driver_interrupts(&driver, true);
  CHECK(virtqueue_wants_kick(&driver) && virtqueue_wants_interrupt(&device));
}

int main(void) {
  test_traffic();
  test_full();
  test_lying_driver();
  test_lying_device();
  test_notification();
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Fairness: the block server with 2, 8 and 32 clients of a disk that answers in order, so many bytes in a step. One client is
 * greedy, the others keep a few reads of 4 KiB under way. What a modest one gets is compared with its equal share of all that
 * the disk did, each command counted as 4 KiB at the least. Time is counted in steps, so every run says the same.
 *
 * Prints for each case: clients, the greedy one's way, the least share, the longest wait as a multiple of what one round of all
 * clients takes.
 */
#include "io_block_kit.h"

#define MODEST_DEPTH 16u
#define STEP 65536 /* bytes that the disk moves in a step */
#define STEPS 4000u
#define WARM 400u /* steps before the count */
#define FLOOD 1000u

struct way {
  const char *name;
  uint32_t depth, bytes, signals;
};

static const struct way ways[] = {
    {"modest", MODEST_DEPTH, 4096, 0}, {"deep", 42, 4096, 0}, {"tiny", 42, 512, 0}, {"big", 42, 262144, 0},
    {"signals", 42, 4096, FLOOD},
};

/* --- a disk that answers in order --- */

struct command {
  uint32_t tag;
  int64_t cost;
};

static struct command queue[MODEL_DEPTH];
static uint32_t first, waiting;
static int64_t credit, served[MODEL_CHANNELS];
static uint64_t submitted_at[MODEL_CHANNELS][QUEUE_SIZE], longest_wait;
static uint64_t step;

static enum block_result submit(struct block_device *device, struct block_transfer *transfer, uint32_t tag) {
  int64_t bytes = 0;
  if (device->free == 0)
    return BLOCK_BUSY;
  for (; transfer->count; transfer->count--, transfer->segment++)
    bytes += transfer->segment->length;
  transfer->offset += (uint64_t)bytes;
  queue[(first + waiting++) % MODEL_DEPTH] = (struct command){tag, bytes < 4096 ? 4096 : bytes};
  device->free--;
  return BLOCK_TAKEN;
}

static uint32_t poll(struct block_device *device, struct block_completion *completion, uint32_t limit) {
  uint32_t count = 0;
  while (waiting && count < limit && queue[first].cost <= credit) {
    credit -= queue[first].cost;
    served[model_server.request[queue[first].tag].channel->index] += queue[first].cost;
    completion[count++] = (struct block_completion){queue[first].tag, 0};
    first = (first + 1) % MODEL_DEPTH;
    waiting--;
    device->free++;
  }
  return count;
}

/* --- clients --- */

static uint32_t under_way[MODEL_CHANNELS];

static void take_answers(uint32_t index) {
  uint16_t head;
  uint32_t written;
  while (virtqueue_take_used(&client[index].queue, &head, &written)) {
    CHECK(client[index].window->request[head].status == VIRTIO_BLK_S_OK);
    uint64_t wait = step - submitted_at[index][head];
    if (index && step > WARM && wait > longest_wait)
      longest_wait = wait;
    under_way[index]--;
  }
}

static void fill_up(uint32_t index, const struct way *way) {
  for (; under_way[index] < way->depth; under_way[index]++) {
    int head = add_one(&client[index], VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, way->bytes);
    CHECK(head >= 0);
    submitted_at[index][head] = step;
  }
  kick(&client[index]);
  for (uint32_t i = 0; i < way->signals; i++)
    kick(&client[index]);
}

static void begin(uint32_t clients, struct block_driver *driver) {
  model_begin();
  *driver = *model_disk.block.driver;
  driver->submit = submit;
  driver->poll = poll;
  model_disk.block.driver = driver;
  model_disk.block.longest = 1u << 20;
  first = waiting = 0;
  credit = 0;
  longest_wait = 0;
  memset(served, 0, sizeof served);
  memset(under_way, 0, sizeof under_way);
  for (uint32_t i = 0; i < clients; i++)
    client_open(i);
}

static int64_t least_of_the_modest(uint32_t clients) {
  int64_t least = INT64_MAX;
  for (uint32_t i = 1; i < clients; i++)
    if (served[i] < least)
      least = served[i];
  return least;
}

/* Returns the least share. */
static double run(uint32_t clients, const struct way *greedy) {
  struct block_driver driver;
  begin(clients, &driver);
  for (step = 0; step < STEPS + WARM; step++) {
    if (step == WARM)
      memset(served, 0, sizeof served);
    model_now += 1000000;
    credit = waiting ? credit + STEP : 0;
    for (uint32_t i = 0; i < clients; i++) {
      take_answers(i);
      fill_up(i, i ? &ways[0] : greedy);
    }
    block_server_interrupt(&model_server);
    for (uint32_t i = 0; i < FLOOD && block_server_run(&model_server); i++)
      ;
  }
  int64_t all = 0;
  for (uint32_t i = 0; i < clients; i++)
    all += served[i];
  double share = (double)(least_of_the_modest(clients) * clients) / (double)all;
  double round = (double)(clients * MODEST_DEPTH * 4096u) / STEP;
  printf("%u %s %.4f %.2f\n", clients, greedy->name, share, (double)longest_wait / round);
  return share;
}

int main(void) {
  static const uint32_t clients[] = {2, 8, 32};
  double least = 1;
  puts("ok");
  for (uint32_t i = 0; i < 3; i++)
    for (uint32_t k = 0; k < sizeof ways / sizeof *ways; k++) {
      double share = run(clients[i], &ways[k]);
      least = share < least ? share : least;
    }
  CHECK(least >= 0.9);
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The block server against mutated rings (io_mutate.h): no device command that
 * the monitor's model did not convert, no other window touched, every
 * conversion released, and after each ring the attacker's next epoch and an
 * honest client are served.
 */
#include "io_block_kit.h"
#include "io_mutate.h"

#define ATTACKER 0u
#define HONEST 1u
#define LAST (EXTENT_SIZE / 512 - 1)

static uint8_t *seen; /* the honest client's window before the attack */

/* --- well-formed requests --- */

static int add_transfer(struct client *one, uint32_t type) {
  struct virtqueue_buffer data[4];
  uint32_t count = 1 + mutate_below(4), sectors = 0;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t length = 512 << mutate_below(4);
    data[i] = (struct virtqueue_buffer){CLIENT_MEMORY + 512 * mutate_below(1024), length, type == VIRTIO_BLK_T_IN};
    sectors += length / 512;
  }
  uint64_t sector = mutate_below(3) ? mutate_below(LAST + 2 - sectors) : LAST + 1 - sectors;
  return add(one, type, sector, data, count);
}

static int add_range(struct client *one, uint32_t type) {
  struct virtio_blk_discard_write_zeroes *range = (void *)((uint8_t *)(one->window + 1) + 16 * mutate_below(8));
  struct virtqueue_buffer data = {window_address(one, range), sizeof *range, 0};
  *range = (struct virtio_blk_discard_write_zeroes){mutate_below(LAST - 64), 1 + mutate_below(64), 0};
  return add(one, type, 0, &data, 1);
}

static int add_some(struct client *one) {
  struct virtqueue_buffer identity = {window_address(one, one->window + 1) + 256, 20, 1};
  switch (mutate_below(10)) {
  case 0:
    return add(one, VIRTIO_BLK_T_FLUSH, 0, NULL, 0);
  case 1:
    return add(one, VIRTIO_BLK_T_GET_ID, 0, &identity, 1);
  case 2:
    return add_range(one, VIRTIO_BLK_T_DISCARD);
  case 3:
    return add_range(one, VIRTIO_BLK_T_WRITE_ZEROES);
  default:
    return add_transfer(one, mutate_below(2) ? VIRTIO_BLK_T_IN : VIRTIO_BLK_T_OUT);
  }
}

/* --- what changes --- */

static uint64_t some_sector(void) {
  const uint64_t SECTORS[] = {LAST, LAST + 1, 0, UINT64_MAX, UINT64_MAX / 512, UINT64_MAX / 512 + 1, mutate_any()};
  return SECTORS[mutate_below(7)];
}

static void change_payload(void) {
  struct client *one = &client[ATTACKER];
  struct virtio_blk_req *header = &one->window->request[mutate_below(16)].header;
  struct virtio_blk_discard_write_zeroes *range = (void *)((uint8_t *)(one->window + 1) + 16 * mutate_below(8));
  switch (mutate_below(8)) {
  case 0:
    header->type = mutate_below(4) ? mutate_below(16) : (uint32_t)mutate_any();
    break;
  case 1:
    header->reserved = (uint32_t)mutate_any();
    break;
  case 2:
    range->num_sectors = mutate_length();
    break;
  case 3:
    range->flags = (uint32_t)(mutate_below(2) ? 1 : mutate_any());
    break;
  case 4:
    range->sector = some_sector();
    break;
  default:
    header->sector = some_sector();
  }
}

/* --- a ring --- */

/* The attacker's header may say anything by now: an epoch that it never had. */
static void begin_anew(struct client *one) {
  static uint32_t epoch = 1000;
  const struct session *session = &model_server_channel[one->index].session;
  for (uint32_t i = 0; i < 2 && (i == 0 || session->epoch != one->epoch); i++) {
    one->window->header.epoch = epoch++;
    client_begin(one);
  }
  CHECK(session->epoch == one->epoch);
}

static void attack(void) {
  struct client *one = &client[ATTACKER];
  struct attack attack = {.window = one->window, .size = one->size, .payload = change_payload};
  for (uint32_t i = 1 + mutate_below(8); i && add_some(one) >= 0; i--)
    attack.chains[0]++;
  attack.descriptors[0] = QUEUE_SIZE - one->queue.free_count;
  model_channel[ATTACKER].quota = mutate_below(16) ? LIMIT_IN_FLIGHT : 1 + mutate_below(4);
  memcpy(seen, client[HONEST].window, client[HONEST].size);
  mutate_ring(&attack);
  kick(one);
  model_run();
  mutate_end();
  model_drain();
  CHECK(memcmp(seen, client[HONEST].window, client[HONEST].size) == 0);
  model_channel[ATTACKER].quota = LIMIT_IN_FLIGHT;
}

static void ask_both(void) {
  uint32_t sector = mutate_below(LAST);
  memset(&model_extent[HONEST][512 * sector], (int)sector, 512);
  CHECK(ask(&client[ATTACKER], VIRTIO_BLK_T_IN, LAST, CLIENT_MEMORY, 512) == VIRTIO_BLK_S_OK);
  CHECK(ask(&client[HONEST], VIRTIO_BLK_T_IN, sector, CLIENT_MEMORY, 512) == VIRTIO_BLK_S_OK);
  CHECK(model_memory[HONEST][0] == (uint8_t)sector && model_memory[HONEST][511] == (uint8_t)sector);
}

int main(int count, char **words) {
  static const enum counter MET[] = {COUNT_BAD_RING,   COUNT_BAD_CHAIN,  COUNT_BAD_HEADER,     COUNT_BAD_LENGTH,
                                     COUNT_BAD_RANGE,  COUNT_NO_RIGHT,   COUNT_OUTSIDE_EXTENT, COUNT_UNALIGNED,
                                     COUNT_OVER_QUOTA, COUNT_UNSUPPORTED};
  uint32_t rings = mutate_begin(count, words);
  model_begin();
  client_open(ATTACKER);
  client_open(HONEST);
  seen = malloc(client[HONEST].size);
  for (uint32_t i = 0; i < rings; i++) {
    attack();
    begin_anew(&client[ATTACKER]);
    ask_both();
  }
  mutate_table("block", model_server_channel[ATTACKER].count, MET, sizeof MET / sizeof MET[0]);
  return 0;
}

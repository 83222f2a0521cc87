/* SPDX-License-Identifier: Apache-2.0
 *
 * A disk's channel as an ordinary virtio driver sees it: the registers of
 * virtio's memory bus by their offsets, and features offered and accepted.
 */
#include "io_block_kit.h"

static uint32_t read32(uint32_t offset) {
  return *(const uint32_t *)((const uint8_t *)&client[0].window->registers + offset);
}

/* OASIS virtio 1.1, 4.2.2 and 5.2.4, in numbers. */
static void identity(void) {
  model_begin();
  client_open(0);
  model_run();
  CHECK(read32(0x000) == 0x74726976 && read32(0x004) == 2 && read32(0x008) == 2 && read32(0x00c) != 0);
  CHECK(read32(0x010) == (uint32_t)client[0].window->header.features && read32(0x034) == 128);
  CHECK(read32(0x070) == VIRTIO_STATUS_SERVED);
  CHECK(read32(0x100) == EXTENT_SIZE / 512 && read32(0x104) == 0);   /* capacity */
  CHECK(read32(0x10c) == BLOCK_SEGMENTS && read32(0x114) == 512);    /* seg_max, blk_size */
  CHECK(read32(0x124) == UINT32_MAX && read32(0x130) == UINT32_MAX); /* discard, write zeroes */
  CHECK(((uintptr_t)&client[0].window->registers & 511) == 0);
}

/* As session_client_begin, but with features of the test's choice. */
static void begin_with(uint64_t accepted) {
  struct client *one = &client[0];
  session_client_stop(&one->window->header);
  virtqueue_driver_reset(&one->queue, &one->window->queue[0]);
  one->epoch = session_client_begin(&one->window->header, one->life);
  one->window->header.accepted = accepted;
  kick(one);
  model_run();
}

static bool served(void) {
  return session_client_served(&client[0].window->header, client[0].epoch);
}

static bool works(void) {
  return ask(&client[0], VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 512) == VIRTIO_BLK_S_OK;
}

static void refused(uint64_t accepted) {
  uint64_t before = client[0].window->counters.count[COUNT_UNSUPPORTED];
  begin_with(accepted);
  CHECK(client[0].window->counters.count[COUNT_UNSUPPORTED] == before + 1);
  CHECK(!served() && read32(0x070) == VIRTIO_STATUS_REFUSED);
  CHECK(add_one(&client[0], VIRTIO_BLK_T_IN, 0, CLIENT_MEMORY, 512) >= 0);
  kick(&client[0]);
  model_drain();
  uint16_t head;
  uint32_t length;
  CHECK(!virtqueue_take_used(&client[0].queue, &head, &length) && !served());
}

static void negotiation(void) {
  model_begin();
  client_open(0);
  model_run();
  uint64_t offered = client[0].window->header.features;
  CHECK(client[0].window->header.accepted == (offered & 1ull << VIRTIO_FEATURE_VERSION_1) && works());
  begin_with(offered);
  CHECK(served() && read32(0x070) == VIRTIO_STATUS_SERVED && works());
  begin_with(0);
  CHECK(served() && works());
  for (uint32_t bit = 0; bit < 64; bit++) {
    if (offered >> bit & 1)
      continue;
    refused(offered | 1ull << bit);
    begin_with(offered); /* an epoch without it is served again */
    CHECK(served() && works());
  }
}

/* What the server believes does not come from here: a client that writes everywhere hurts its own view alone. */
static void overwritten(void) {
  model_begin();
  client_open(0);
  model_run();
  memset(&client[0].window->registers, 0xff, sizeof client[0].window->registers);
  client[0].window->header.features = ~0ull;
  CHECK(works());
  refused(~0ull);
  begin_with(client[0].window->header.features);
  CHECK(served() && read32(0x000) == VIRTIO_MMIO_MAGIC && read32(0x034) == 128 && works());
}

int main(void) {
  identity();
  negotiation();
  overwritten();
  puts("ok");
  return 0;
}

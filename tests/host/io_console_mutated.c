/* SPDX-License-Identifier: Apache-2.0
 *
 * The console server against mutated rings (io_mutate.h) of a client without a
 * buffer, with one, and of a log: after each ring the attacker's next epoch is
 * heard in its own name, or hears, and so is the client beside it.
 */
#include "io_console_model.h"
#include "io_mutate.h"
#include "runtime_check.h"

#define BUFFER 1000u
#define ROOM (1u << 30)

static struct client *attacker, *honest;
static uint64_t counts[COUNTERS];

static uint64_t address_of(const void *place) {
  return CLIENT_WINDOW + (uint64_t)((const char *)place - (const char *)attacker->window);
}

/* --- well-formed chains --- */

static void add_some(struct attack *attack) {
  struct virtqueue_buffer text[3];
  uint32_t count = 1 + mutate_below(3);
  for (uint32_t i = 0; i < count; i++)
    text[i] = (struct virtqueue_buffer){address_of(attacker->data + 16 * mutate_below(64)), 4 + mutate_below(13), 0};
  struct virtqueue_buffer place = {address_of(attacker->data + 4096), 64, 1};
  /* All that a log says is refused: it tries now and then. */
  if ((!attacker->served.log || mutate_below(16) == 0) && virtqueue_add(&attacker->output, text, count) >= 0)
    attack->chains[1]++;
  if (virtqueue_add(&attacker->input, &place, 1) >= 0)
    attack->chains[0]++;
}

/* --- what changes: directions and links, which this class has no headers beside --- */

static void change_payload(void) {
  uint32_t queue = mutate_below(CHANNEL_QUEUES);
  struct virtq_desc *desc = &attacker->window->queue[queue].desc[mutate_below(8)];
  switch (mutate_below(4)) {
  case 0:
    desc->flags ^= VIRTQ_DESC_F_NEXT;
    break;
  case 1:
    desc->flags = VIRTQ_DESC_F_INDIRECT;
    break;
  case 2:
    attacker->window->queue[0].desc[mutate_below(4)].len = 0;
    break;
  default:
    attacker->data[mutate_below(1024)] = (char)mutate_any();
  }
}

/* --- a ring --- */

static void attack(void) {
  struct attack attack = {.window = attacker->window, .size = WINDOW, .payload = change_payload};
  for (uint32_t i = 0; i < 1024; i += 16)
    memcpy(attacker->data + i, "some words here\n", 16);
  for (uint32_t i = 1 + mutate_below(8); i; i--)
    add_some(&attack);
  attack.descriptors[0] = QUEUE_SIZE - attacker->input.free_count;
  attack.descriptors[1] = QUEUE_SIZE - attacker->output.free_count;
  line.room = ROOM;
  line.keys = mutate_below(2) ? "one\rtwo\r" : "three\r";
  if (attacker->served.log)
    say(honest, "for the log\n");
  sunk = 0;
  mutate_ring(&attack);
  console_client_event(&attacker->served);
  run();
  mutate_end();
  sunk = 0;
}

/* The attacker's header may say anything by now: an epoch that it never had. */
static void begin_anew(void) {
  static uint32_t epoch = 1000;
  const struct session *session = &attacker->served.session;
  do {
    attacker->window->header.epoch = epoch++;
    client_begin(attacker);
  } while (epoch % 2 && session->epoch != attacker->window->header.epoch);
  CHECK(session->epoch == attacker->window->header.epoch && !attacker->served.broken);
}

static void hear(void) {
  uint16_t head;
  uint32_t length;
  give_buffer(attacker, 64);
  say(honest, "news\n");
  CHECK(virtqueue_take_used(&attacker->input, &head, &length) && length != 0 && length <= 64);
}

static void be_heard(void) {
  char expected[40];
  say(honest, "fine\n");
  snprintf(expected, sizeof expected, "%s| fine\r\n", NAMES[honest->index]);
  CHECK(all_taken(honest) && shown(expected));
  if (attacker->served.log) {
    hear();
    return;
  }
  say(attacker, "back\n");
  snprintf(expected, sizeof expected, "%s| back\r\n", NAMES[attacker->index]);
  CHECK(all_taken(attacker) && shown(expected));
}

static void attack_as(uint32_t index, uint32_t rings) {
  attacker = &client[index];
  honest = &client[index == 1 ? 2 : 1];
  for (uint32_t i = 0; i < rings; i++) {
    attack();
    begin_anew();
    be_heard();
  }
  for (uint32_t i = 0; i < COUNTERS; i++)
    counts[i] += attacker->served.counters.count[i];
}

int main(int count, char **words) {
  static const enum counter MET[] = {COUNT_BAD_RING, COUNT_BAD_CHAIN, COUNT_BAD_LENGTH, COUNT_NO_RIGHT,
                                     COUNT_OUTSIDE_CHANNEL};
  uint32_t rings = mutate_begin(count, words);
  sink = malloc(SINK);
  begin(MODEL_CHANNELS);
  attack_as(1, rings / 4 + rings % 4);
  begin_with_buffers(MODEL_CHANNELS, 1, BUFFER);
  attack_as(1, rings / 2);
  begin_with_logs(MODEL_CHANNELS, 2, BUFFER);
  attack_as(3, rings / 4);
  mutate_table("console", counts, MET, sizeof MET / sizeof MET[0]);
  return 0;
}

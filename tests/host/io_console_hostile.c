/* SPDX-License-Identifier: Apache-2.0
 *
 * Clients, and keys, that write whatever they like: every line on the wire still
 * begins with the name of its sender, and those left in peace are heard.
 */
#include "io_console_model.h"
#include "runtime_check.h"

static void check_wire(void) {
  for (uint32_t i = 0; i < sunk;) {
    const char *end = memchr(&sink[i], '\n', sunk - i);
    CHECK(end && end > &sink[i] && end[-1] == '\r');
    uint32_t length = (uint32_t)(end - 1 - &sink[i]), named = memcmp(&sink[i], "io| ", 4) == 0;
    for (uint32_t j = 0; j < MODEL_CHANNELS; j++) {
      size_t name = strlen(NAMES[j]);
      named |= length >= name + 2 && memcmp(&sink[i], NAMES[j], name) == 0 && sink[i + name] == '|';
    }
    CHECK(named && memchr(&sink[i], '\r', length) == NULL);
    for (uint32_t j = 0; j < length; j++)
      CHECK((sink[i + j] >= ' ' && sink[i + j] <= '~') || sink[i + j] == '\t');
    i += length + 2;
  }
  sunk = 0;
}

static void spoil(struct client *one) {
  struct channel_queue *queue = &one->window->queue[random_below(4) != 0];
  struct virtq_desc *desc = &queue->desc[random_below(QUEUE_SIZE)];
  desc->addr = random_below(4) ? CLIENT_WINDOW + random_below(WINDOW + 64) : random_next();
  desc->len = random_below(4) ? random_below(300) : (uint32_t)random_next();
  desc->flags = (uint16_t)random_below(random_below(4) ? 4 : 8);
  desc->next = (uint16_t)random_next();
  queue->avail.ring[queue->avail.idx % QUEUE_SIZE] = (uint16_t)random_below(QUEUE_SIZE);
  queue->avail.idx++;
  if (random_below(300) == 0)
    queue->avail.idx = (uint16_t)random_next();
  one->data[random_below(DATA_AREA)] = (char)random_next();
}

static void hostile_keys(void) {
  static char keys[64];
  for (uint32_t i = 0; i + 1 < sizeof keys; i++) {
    keys[i] = (char)(random_below(3) ? 1 + random_below(127) : 1);
    keys[i] = keys[i] == 'i' ? 'j' : keys[i]; /* what is typed to the intruder does not look like its own lines */
  }
  line.keys = keys;
}

/* The first client that is left in peace still is heard, in its own name only. */
static void check_peace(void) {
  line.room = SINK;
  line.keys = "";
  model_now += CONSOLE_LOSS_NS;
  run();
  CHECK(send_bytes(&client[1], "fine\n", 5));
  run();
  CHECK(all_taken(&client[1]) && shown("sensor| fine\r\n"));
}

static void hostile(bool types) {
  for (uint32_t i = 0; i < 60000; i++) {
    struct client *one = &client[2 + random_below(2)];
    spoil(one);
    if (random_below(10) == 0)
      console_client_event(&one->served);
    if (random_below(200) == 0)
      ((uint32_t *)one->window)[random_below(WINDOW / 4)] = (uint32_t)random_next();
    if (!session_current(&one->served.session, &one->window->header) || one->served.broken)
      client_begin(one);
    line.room = random_below(2000);
    if (types && random_below(20) == 0)
      hostile_keys();
    if (random_below(50) == 0)
      run();
    model_now += random_below(CONSOLE_LOSS_NS / 100);
    if (i % 1000 == 0) {
      check_peace();
      if (!types)
        check_wire();
      sunk = 0;
    }
  }
}

int main(void) {
  sink = malloc(SINK);
  for (uint32_t types = 0; types < 2; types++) {
    begin(MODEL_CHANNELS);
    hostile(types);
    begin_with_buffers(MODEL_CHANNELS, 2, 1000);
    hostile(types);
    begin_with_logs(MODEL_CHANNELS, 2, 1000);
    hostile(types);
  }
  puts("ok");
  return 0;
}

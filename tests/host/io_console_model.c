/* SPDX-License-Identifier: Apache-2.0
 *
 * A serial line that keeps what it shows, and the clients of its server.
 */
#include "io_console_model.h"
#include "runtime_check.h"

struct console_line line;
char *sink;
uint32_t sunk;
struct console_server server;

/* --- the line --- */

static bool line_start(struct console_device *device) {
  return device != NULL;
}

static bool line_interrupt(struct console_device *device) {
  CHECK(device == &line.console);
  line.served++;
  return line.again != 0 && line.again-- != 0;
}

static uint32_t line_space(const struct console_device *device) {
  CHECK(device == &line.console);
  return line.room;
}

static void line_write(struct console_device *device, const char *text, uint32_t length) {
  CHECK(device == &line.console && length <= line.room && sunk + length < SINK);
  memcpy(&sink[sunk], text, length);
  sunk += length;
  line.room -= length;
}

static int line_read(struct console_device *device) {
  CHECK(device == &line.console);
  return *line.keys ? (uint8_t)*line.keys++ : -1;
}

static const struct console_driver DRIVER = {line_start, line_interrupt, line_space, line_write, line_read};

/* --- clients --- */

struct client client[MODEL_CHANNELS];

const char *const NAMES[MODEL_CHANNELS] = {"manager", "sensor", "logger", "intruder"};

static uint64_t address_of(const struct client *one, const void *place) {
  return CLIENT_WINDOW + (uint64_t)((const char *)place - (const char *)one->window);
}

void run(void) {
  server.attention = true;
  for (uint32_t i = 0; console_server_run(&server); i++)
    CHECK(i < 20000);
}

void client_begin(struct client *one) {
  session_client_stop(&one->window->header);
  virtqueue_driver_reset(&one->input, &one->window->queue[0]);
  virtqueue_driver_reset(&one->output, &one->window->queue[1]);
  session_client_begin(&one->window->header, 1);
  console_client_event(&one->served);
  run();
}

/* Of the clients that begin makes: the last but `plain` have a buffer, or are logs with one. */
static uint32_t buffer_size, plain;
static bool are_logs;

static void client_open(struct client *one) {
  one->descriptor = model_descriptor(one->index, one->window, WINDOW, NAMES[one->index]);
  free(one->memory);
  one->memory = NULL;
  if (buffer_size && one->index >= plain) {
    one->descriptor.buffer = buffer_size;
    one->descriptor.rights = are_logs ? RIGHT_READ : RIGHT_READ | RIGHT_WRITE;
    one->memory = malloc(buffer_size);
  }
  model_channel_open(one->index);
  CHECK(console_client_init(&one->served, &server, &one->descriptor, 1, one->memory));
  client_begin(one);
}

void begin(uint32_t clients) {
  line.console.driver = &DRIVER;
  line.room = 1 << 30;
  line.keys = "";
  sunk = 0;
  console_server_init(&server, &line.console, "io");
  for (uint32_t i = 0; i < clients; i++) {
    struct client *one = &client[i];
    free(one->window);
    char *memory = one->memory;
    *one = (struct client){.index = i, .window = aligned_alloc(4096, WINDOW), .memory = memory};
    memset(one->window, 0, WINDOW);
    one->data = (char *)(one->window + 1);
    client_open(one);
  }
}

void begin_with_buffers(uint32_t clients, uint32_t unbuffered, uint32_t size) {
  buffer_size = size;
  plain = unbuffered;
  begin(clients);
  buffer_size = 0;
}

void begin_with_logs(uint32_t clients, uint32_t speakers, uint32_t size) {
  are_logs = true;
  begin_with_buffers(clients, speakers, size);
  are_logs = false;
}

/* Sends text of at most the data area's size in one buffer. False: the queue is full. */
bool send_bytes(struct client *one, const char *text, uint32_t length) {
  struct virtqueue_buffer buffer = {address_of(one, one->data), length, 0};
  memcpy(one->data, text, length);
  bool sent = virtqueue_add(&one->output, &buffer, 1) >= 0;
  console_client_event(&one->served);
  return sent;
}

void say(struct client *one, const char *text) {
  CHECK(send_bytes(one, text, (uint32_t)strlen(text)));
  run();
}

bool all_taken(struct client *one) {
  uint16_t head;
  uint32_t length;
  while (virtqueue_take_used(&one->output, &head, &length))
    CHECK(length == 0);
  return one->output.free_count == QUEUE_SIZE;
}

void expect(const char *text) {
  if (sunk != strlen(text) || memcmp(sink, text, sunk) != 0)
    fprintf(stderr, "got: %.*s\n", (int)sunk, sink);
  CHECK(sunk == strlen(text) && memcmp(sink, text, sunk) == 0);
  sunk = 0;
}

bool shown(const char *text) {
  return memmem(sink, sunk, text, strlen(text)) != NULL;
}

void give_buffer(struct client *one, uint32_t length) {
  struct virtqueue_buffer buffer = {address_of(one, one->data + 4096), length, 1};
  CHECK(virtqueue_add(&one->input, &buffer, 1) >= 0);
  console_client_event(&one->served);
}

void type(const char *keys) {
  line.keys = keys;
  run();
}

void expect_input(struct client *one, const char *text) {
  uint16_t head;
  uint32_t length;
  CHECK(virtqueue_take_used(&one->input, &head, &length));
  CHECK(length == strlen(text) && memcmp(one->data + 4096, text, length) == 0);
}

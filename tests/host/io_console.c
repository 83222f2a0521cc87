/* SPDX-License-Identifier: Apache-2.0
 *
 * The console server: prefixes, long and unended lines, what is not printable,
 * back-pressure, input and its selection; then clients that write whatever
 * they like: every line on the wire still begins with the name of its sender.
 */
#include "drivers/console.h"
#include "io_monitor_model.h"
#include "runtime_check.h"
#include "server/console_server.h"

#define DATA_AREA 8192u
#define SINK (32u << 20)
#define PREFIX "sensor| "

static struct {
  struct console_device console; /* first */
  uint32_t room;                 /* bytes taken before the line says that it is busy */
  uint32_t served, again;        /* interrupts served; how often once more is asked for */
  const char *keys;
} line;

static char *sink;
static uint32_t sunk;
static struct console_server server;

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

static struct client {
  struct console_client served;
  struct channel_descriptor descriptor;
  struct channel_window *window;
  struct virtqueue_driver input, output;
  uint32_t index;
  char *data;
} client[MODEL_CHANNELS];

static const char *const NAMES[MODEL_CHANNELS] = {"manager", "sensor", "logger", "intruder"};
static const size_t WINDOW = sizeof(struct channel_window) + DATA_AREA;

static uint64_t address_of(const struct client *one, const void *place) {
  return CLIENT_WINDOW + (uint64_t)((const char *)place - (const char *)one->window);
}

static void run(void) {
  server.attention = true;
  for (uint32_t i = 0; console_server_run(&server); i++)
    CHECK(i < 20000);
}

static void client_begin(struct client *one) {
  session_client_stop(&one->window->header);
  virtqueue_driver_reset(&one->input, &one->window->queue[0]);
  virtqueue_driver_reset(&one->output, &one->window->queue[1]);
  session_client_begin(&one->window->header, 1);
  console_client_event(&one->served);
  run();
}

static void begin(uint32_t clients) {
  line.console.driver = &DRIVER;
  line.room = 1 << 30;
  line.keys = "";
  sunk = 0;
  console_server_init(&server, &line.console, "io");
  for (uint32_t i = 0; i < clients; i++) {
    struct client *one = &client[i];
    free(one->window);
    *one = (struct client){.index = i, .window = aligned_alloc(4096, WINDOW)};
    memset(one->window, 0, WINDOW);
    one->data = (char *)(one->window + 1);
    one->descriptor = model_descriptor(i, one->window, WINDOW, NAMES[i]);
    model_channel_open(i);
    CHECK(console_client_init(&one->served, &server, &one->descriptor, 1));
    client_begin(one);
  }
}

/* Sends text of at most the data area's size in one buffer. False: the queue is full. */
static bool send_bytes(struct client *one, const char *text, uint32_t length) {
  struct virtqueue_buffer buffer = {address_of(one, one->data), length, 0};
  memcpy(one->data, text, length);
  bool sent = virtqueue_add(&one->output, &buffer, 1) >= 0;
  console_client_event(&one->served);
  return sent;
}

static void say(struct client *one, const char *text) {
  CHECK(send_bytes(one, text, (uint32_t)strlen(text)));
  run();
}

static bool all_taken(struct client *one) {
  uint16_t head;
  uint32_t length;
  while (virtqueue_take_used(&one->output, &head, &length))
    CHECK(length == 0);
  return one->output.free_count == QUEUE_SIZE;
}

static void expect(const char *text) {
  if (sunk != strlen(text) || memcmp(sink, text, sunk) != 0)
    fprintf(stderr, "got: %.*s\n", (int)sunk, sink);
  CHECK(sunk == strlen(text) && memcmp(sink, text, sunk) == 0);
  sunk = 0;
}

/* --- output --- */

static void lines(void) {
  begin(3);
  say(&client[1], "one\ntwo\r\n\n");
  expect("sensor| one\r\nsensor| two\r\nsensor| \r\n");
  say(&client[1], "be");
  say(&client[2], "mine\n");
  say(&client[1], "gin\n");
  expect("logger| mine\r\nsensor| begin\r\n");
  say(&client[1], "\rlogger| mine\n\x1b[2J\tA\x80~\x7f\n");
  expect("sensor| \\x0dlogger| mine\r\nsensor| \\x1b[2J\tA\\x80~\\x7f\r\n");
  CHECK(all_taken(&client[1]) && all_taken(&client[2]) && model_channel[1].signals >= 3);
}

static void unended_line(void) {
  begin(2);
  say(&client[1], "password: ");
  expect("");
  CHECK(console_server_deadline(&server) == model_now + CONSOLE_PATIENCE_NS);
  model_now += CONSOLE_PATIENCE_NS;
  CHECK(!console_server_run(&server));
  expect("sensor| password: \r\n");
  CHECK(console_server_deadline(&server) == NEVER);
  say(&client[1], "half");
  client_begin(&client[1]); /* its next life: what the last one left is shown */
  expect("sensor| half\r\n");
}

static void long_lines(void) {
  begin(2);
  char text[1001];
  memset(text, 'x', 1000);
  text[1000] = '\n';
  CHECK(send_bytes(&client[1], text, sizeof text));
  run();
  uint32_t letters = 0, line_length = 0;
  for (uint32_t i = 0; i < sunk; i++) {
    letters += sink[i] == 'x';
    line_length = sink[i] == '\n' ? 0 : line_length + 1;
    CHECK(line_length <= sizeof PREFIX - 1 + CONSOLE_LINE + 1);
  }
  CHECK(letters == 1000 && sink[sunk - 1] == '\n');
}

/* A busy line: nothing is taken that has no place, nothing is lost, and both get their turn. */
static void back_pressure(void) {
  begin(3);
  line.room = 0;
  for (uint32_t i = 0; i < QUEUE_SIZE; i++) {
    CHECK(send_bytes(&client[1], "flood flood flood\n", 18));
    if (i < 4)
      CHECK(send_bytes(&client[2], "calm\n", 5));
  }
  run();
  CHECK(sunk == 0 && !send_bytes(&client[1], "x", 1));
  for (uint32_t i = 0; i < 5; i++) {
    line.room += 2 * CONSOLE_LINE_ROOM;
    run();
  }
  CHECK(memmem(sink, sunk, "logger| calm", 12) != NULL && sunk <= 10 * CONSOLE_LINE_ROOM);
  line.room = 1 << 30;
  run();
  CHECK(sunk == QUEUE_SIZE * sizeof "sensor| flood flood flood\r" + 4 * sizeof "logger| calm\r");
  CHECK(all_taken(&client[1]) && all_taken(&client[2]));
}

static void interrupts(void) {
  begin(2);
  run();
  uint32_t before = line.served;
  run();
  CHECK(line.served == before); /* only when it has interrupted, and then until it has nothing more */
  line.again = 2;
  console_server_interrupt(&server);
  run();
  CHECK(line.served == before + 3);
}

/* --- input --- */

static void give_buffer(struct client *one, uint32_t length) {
  struct virtqueue_buffer buffer = {address_of(one, one->data + 4096), length, 1};
  CHECK(virtqueue_add(&one->input, &buffer, 1) >= 0);
  console_client_event(&one->served);
}

static void type(const char *keys) {
  line.keys = keys;
  run();
}

static void expect_input(struct client *one, const char *text) {
  uint16_t head;
  uint32_t length;
  CHECK(virtqueue_take_used(&one->input, &head, &length));
  CHECK(length == strlen(text) && memcmp(one->data + 4096, text, length) == 0);
}

static void input(void) {
  begin(3);
  give_buffer(&client[1], 64);
  give_buffer(&client[2], 64);
  type("hellp\x7fo\r\n");
  expect_input(&client[1], "hello\n"); /* the first guest, not the manager */
  expect("sensor< hellp\b \bo\r\n");
  type("\x01"
       "3");
  expect("io| input goes to logger\r\n");
  type("ab");
  say(&client[1], "hi\n");
  type("c\n");
  expect("logger< ab\r\nsensor| hi\r\nlogger< abc\r\n");
  expect_input(&client[2], "abc\n");
  type("\x01"
       "m");
  expect("io| input goes to manager\r\n");
  type("\x01n");
  expect("io| input goes to sensor\r\n");
  type("kept\r");
  sunk = 0;
  give_buffer(&client[1], 3); /* no buffer was there: it waits */
  run();
  expect_input(&client[1], "kep");
  give_buffer(&client[1], 9);
  run();
  expect_input(&client[1], "t\n");
  type("\x01?");
  CHECK(memmem(sink, sunk, "io| [2]* sensor", 15) && memmem(sink, sunk, "io| [3]  logger", 15));
}

/* --- hostile --- */

static void check_wire(void) {
  for (uint32_t i = 0; i < sunk;) {
    const char *end = memchr(&sink[i], '\n', sunk - i);
    CHECK(end && end > &sink[i] && end[-1] == '\r');
    uint32_t length = (uint32_t)(end - 1 - &sink[i]), named = 0;
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

static void hostile(void) {
  begin(MODEL_CHANNELS);
  for (uint32_t i = 0; i < 120000; i++) {
    struct client *one = &client[2 + random_below(2)];
    spoil(one);
    if (random_below(10) == 0)
      console_client_event(&one->served);
    if (random_below(200) == 0)
      ((uint32_t *)one->window)[random_below(WINDOW / 4)] = (uint32_t)random_next();
    if (!session_current(&one->served.session, &one->window->header) || one->served.broken)
      client_begin(one);
    line.room = random_below(2000);
    if (random_below(50) == 0)
      run();
    if (i % 1000 == 0) {
      line.room = SINK;
      run();
      CHECK(send_bytes(&client[1], "fine\n", 5));
      run();
      CHECK(all_taken(&client[1]) && memmem(sink, sunk, "sensor| fine\r\n", 14));
      check_wire();
    }
  }
}

int main(void) {
  sink = malloc(SINK);
  lines();
  unended_line();
  long_lines();
  back_pressure();
  interrupts();
  input();
  hostile();
  puts("ok");
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The console client against the server's end of a pair: output comes through
 * whole whatever its size, input is cut into lines.
 */
#include "runtime.h"
#include "runtime_check.h"

#define DATA_SIZE 4096u

static union {
  struct channel_window window;
  uint8_t bytes[sizeof(struct channel_window) + DATA_SIZE];
} shared;

static struct channel_descriptor client = {.end = END_CLIENT, .class = CLASS_CONSOLE, .event = 1};
static struct channel_descriptor server = {.end = END_SERVER, .class = CLASS_CONSOLE, .event = 2};
static struct console console;
static struct pair other;

static char output[1u << 16];
static size_t output_size;

/* As descriptors.c: here the test says which. */
static const struct channel_descriptor *printed;

const struct channel_descriptor *console_of_print(void) {
  return printed;
}

static void server_takes(void) {
  int length = pair_receive(&other, output + output_size, sizeof output - output_size, 0);
  if (length > 0) {
    output_size += (size_t)length;
    fake_events |= 1ull << client.event;
  }
}

static void test_output(void) {
  char text[3000];
  for (size_t i = 0; i < sizeof text; i++)
    text[i] = (char)('a' + i % 26);
  for (int i = 0; i < 10; i++) {
    size_t size = 1 + random_below(sizeof text);
    output_size = 0;
    CHECK(console_write(&console, text, size, NEVER) == size && console_drain(&console, NEVER));
    CHECK(output_size == size && memcmp(output, text, size) == 0);
  }
  fake_wait = NULL; /* nobody takes anything */
  size_t room = console_write(&console, text, sizeof text, 0);
  CHECK(room > 0 && room < sizeof text && console_write(&console, text, 1, 0) == 0);
  CHECK(!console_drain(&console, 0));
  fake_wait = server_takes;
  CHECK(console_drain(&console, NEVER));
}

static void type(const char *text) {
  CHECK(pair_send(&other, text, strlen(text), 0) == STATUS_OK);
}

static void test_input(void) {
  char line[80], endless[200];
  CHECK(console_read(&console, line, sizeof line, 0) == 0 && console_read_line(&console, line, sizeof line, 0) == -1);
  type("first\nsec");
  CHECK(console_read_line(&console, line, sizeof line, 0) == 5 && strcmp(line, "first") == 0);
  CHECK(console_read_line(&console, line, sizeof line, 0) == -1);
  type("ond\r\n");
  CHECK(console_read_line(&console, line, sizeof line, 0) == 6 && strcmp(line, "second") == 0);
  CHECK(console_read_line(&console, line, 4, 0) == 0 && line[0] == 0);
  type("cut off\n");
  CHECK(console_read_line(&console, line, 4, 0) == 3 && strcmp(line, "cut") == 0);
  type("raw");
  CHECK(console_read(&console, line, 2, 0) == 2 && console_read(&console, line, 9, 0) == 1 && line[0] == 'w');
  memset(endless, 'x', sizeof endless - 1);
  endless[sizeof endless - 1] = 0;
  for (int i = 0; i < 2; i++)
    type(endless);
  CHECK(console_read_line(&console, line, sizeof line, 0) ==
        sizeof line - 1); /* too long for any line: cut, not stuck */
}

/* A new life waits for what its last one wrote. */
static void test_last_words(void) {
  CHECK(console_write(&console, "last words\n", 11, 0) == 11);
  output_size = 0;
  fake_life = 2;
  CHECK(console_open(&console, &client) && output_size == 11);
}

/* print's struct and the program's are one console: neither takes the channel away from the other. */
static void test_shared(void) {
  static struct console second;
  char line[8];
  printed = &client;
  fake_life = 3;
  CHECK(console_open(&console, &client));
  uint32_t epoch = shared.window.header.epoch;
  CHECK(console_open(&second, &client) && shared.window.header.epoch == epoch);
  output_size = 0;
  CHECK(console_write(&console, "one ", 4, NEVER) == 4 && console_write(&second, "two", 3, NEVER) == 3);
  CHECK(console_drain(&console, NEVER) && output_size == 7 && memcmp(output, "one two", 7) == 0);
  type("a\nb\n");
  CHECK(console_read_line(&second, line, sizeof line, 0) == 1 &&
        console_read_line(&console, line, sizeof line, 0) == 1);
  CHECK(line[0] == 'b');
  shared.window.header.epoch = 77; /* not the one that is open: the state is of no use any more */
  CHECK(console_open(&second, &client) && shared.window.header.epoch == 78);
  printed = NULL;
}

static void test_closed(void) {
  static struct console none;
  char text[4];
  CHECK(!console_open(&none, NULL) && console_write(&none, "x", 1, NEVER) == 0 && console_drain(&none, NEVER));
  CHECK(console_read(&none, text, 4, NEVER) == 0 && console_read_line(&none, text, 4, NEVER) == -1);
  client.rights = RIGHT_READ; /* a log: nothing of ours goes there */
  CHECK(console_open(&none, &client) && console_write(&none, "x", 1, 0) == 0);
  client.rights = RIGHT_READ | RIGHT_WRITE;
}

int main(void) {
  client.address = client.client_address = server.address = server.client_address = (uintptr_t)&shared;
  client.size = server.size = sizeof shared;
  CHECK(pair_open(&other, &server, PAIR_SLOTS, CONSOLE_SLOT));
  CHECK(!console_open(&console, NULL) && !console_open(&console, &server) && console_open(&console, &client));
  fake_wait = server_takes;
  CHECK(pair_receive(&other, output, sizeof output, 0) == -1); /* takes up the client's epoch */
  test_output();
  test_input();
  test_last_words();
  test_shared();
  test_closed();
  return 0;
}

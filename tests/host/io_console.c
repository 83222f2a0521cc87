/* SPDX-License-Identifier: Apache-2.0
 *
 * The console server: prefixes, long and unended lines, what is not printable,
 * back-pressure, input, its selection and the menu.
 */
#include "io_console_model.h"
#include "runtime_check.h"

#define PREFIX "sensor| "
#define MENU_HELP "a number or a letter: select, n: the next, #: counters, ?: this list"

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
  CHECK(shown("logger| calm") && sunk <= 10 * CONSOLE_LINE_ROOM);
  line.room = 1 << 30;
  run();
  CHECK(sunk == QUEUE_SIZE * sizeof "sensor| flood flood flood\r" + 4 * sizeof "logger| calm\r");
  CHECK(all_taken(&client[1]) && all_taken(&client[2]));
}

/* All is taken but not all is shown: the last line needs no word of its client's, only room. */
static void last_line(void) {
  begin(2);
  line.room = 0;
  CHECK(send_bytes(&client[1], "the last\n", 9));
  run();
  CHECK(sunk == 0 && all_taken(&client[1]));
  line.room = 1 << 30;
  console_server_interrupt(&server); /* the line is empty */
  while (console_server_run(&server))
    ;
  expect("sensor| the last\r\n");
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

static void input(void) {
  begin(3);
  give_buffer(&client[1], 64);
  give_buffer(&client[2], 64);
  type("hellp\x7fo\r\n");
  expect_input(&client[1], "hello\n"); /* the first guest, not the manager */
  expect("sensor< hellp\b \bo\r\n");
  type("\x01");
  expect("io| input to: 1 manager 2*sensor 3 logger\r\nio| " MENU_HELP "\r\n");
  type("3");
  expect("io| input goes to logger\r\n");
  type("ab");
  say(&client[1], "hi\n");
  type("c\n");
  expect("logger< ab\r\nsensor| hi\r\nlogger< abc\r\n");
  expect_input(&client[2], "abc\n");
  type("kept\r");
  sunk = 0;
  give_buffer(&client[2], 3); /* no buffer was there: it waits */
  run();
  expect_input(&client[2], "kep");
  give_buffer(&client[2], 9);
  run();
  expect_input(&client[2], "t\n");
  for (uint32_t i = 0; i <= CONSOLE_INPUT / 10; i++)
    type("ten bytes\r");
  CHECK(shown("io| logger reads nothing: this line is lost\r\n"));
  CHECK(client[2].window->counters.count[COUNT_NO_BUFFER] == 1);
}

/* What the last keys made of the menu: its last line. */
static void expect_choice(const char *keys, const char *last_line) {
  sunk = 0;
  type(keys);
  size_t length = strlen(last_line);
  if (sunk < length + 2 || memcmp(&sink[sunk - length - 2], last_line, length) != 0)
    fprintf(stderr, "got: %.*s\n", (int)sunk, sink);
  CHECK(sunk >= length + 2 && memcmp(&sink[sunk - length - 2], last_line, length) == 0);
}

static void menu(void) {
  begin(3);
  expect_choice("\x01m", "io| input goes to manager");
  expect_choice("\x01n", "io| input goes to sensor");
  expect_choice("\x01z", "io| " MENU_HELP); /* nobody: it stays open */
  expect_choice("9", "io| " MENU_HELP);
  expect_choice("03", "io| input goes to logger");
  expect_choice("\x01\x01x\r", "logger< x"); /* closed again */
  expect_choice("\x01\rx\r", "logger< x");
  say(&client[1], "four\n");
  expect_choice("\x01#", "io| 3*logger: 0 bytes out, 0 in, 0 refusals, 0 bytes lost");
  CHECK(shown("io| 2 sensor: 5 bytes out, 0 in, 0 refusals, 0 bytes lost\r\n"));
  server.escape = 0x14;
  sunk = 0;
  type("\x01");
  CHECK(sunk == 0); /* an ordinary control character then: nothing of it is given on */
  expect_choice("\x14\x01", "io| " MENU_HELP);
}

/* More than nine: digits gather until the number cannot grow, or the return key. */
static void long_menu(void) {
  static struct console_client many[LIMIT_IO_CONSOLE_CHANNELS];
  static const char NAME[] = "a-name-of-thirty-one-characters";
  begin(1);
  struct channel_descriptor descriptor = client[0].descriptor;
  memcpy(descriptor.peer, NAME, sizeof NAME);
  memset(many, 0, sizeof many);
  for (uint32_t i = 1; i < LIMIT_IO_CONSOLE_CHANNELS; i++)
    CHECK(console_client_init(&many[i], &server, &descriptor, 1, NULL));
  CHECK(!console_client_init(&many[0], &server, &descriptor, 1, NULL));
  type("\x01");
  CHECK(shown(" 64 a-name") && shown("input to: 1 manager 2*a-name"));
  expect_choice("37", "io| input goes to a-name-of-thirty-one-characters");
  CHECK(server.selected == 36);
  type("\x01"
       "5\r");
  CHECK(server.selected == 4);
  line.room = 0; /* a busy line: it waits, and comes before what clients have to say */
  sunk = 0;
  type("\x01n");
  CHECK(sunk == 0 && server.selected == 5);
  line.room = 1 << 30;
  run();
  expect("io| input goes to a-name-of-thirty-one-characters\r\n");
}

/* Keys with nobody there. */
static void no_client(void) {
  begin(0);
  type("\x01"
       "1\rabc\r\x01\x01\x01#");
  expect("");
}

int main(void) {
  sink = malloc(SINK);
  lines();
  unended_line();
  long_lines();
  back_pressure();
  last_line();
  interrupts();
  input();
  menu();
  long_menu();
  no_client();
  puts("ok");
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The console server's buffers and logs: what is kept, what is lost and how it
 * is announced, and that nobody waits for a reader.
 */
#include "io_console_model.h"
#include "runtime_check.h"

/* --- buffers --- */

static void declared_buffer(void) {
  begin_with_buffers(3, 2, 1000);
  struct client *one = &client[2];
  line.room = 0;
  for (uint32_t i = 0; i < 30; i++)
    CHECK(send_bytes(one, "ten bytes\n", 10));
  run();
  CHECK(all_taken(one) && sunk == 0); /* 300 bytes: it waits for nothing */
  for (uint32_t i = 0; i < 90; i++)
    CHECK(send_bytes(one, "ten bytes\n", 10));
  run();
  CHECK(!all_taken(one) && console_server_deadline(&server) == model_now + CONSOLE_LOSS_NS);
  model_now += CONSOLE_LOSS_NS - 1;
  line.room = 4 * CONSOLE_LINE_ROOM; /* it moves: no loss, however slow */
  run();
  CHECK(sunk && console_server_deadline(&server) > model_now + 1);
  line.room = 1 << 30;
  run();
  CHECK(all_taken(one) && sunk == 120 * sizeof "logger| ten bytes\r");
  CHECK(one->window->counters.count[COUNT_LOST_BYTES] == 0 && one->window->counters.count[COUNT_BYTES] == 1200);
}

/* The line stands still: after its patience, text is lost, and the gap announced where it is. */
static void announced_loss(void) {
  begin_with_buffers(3, 2, 100);
  struct client *one = &client[2];
  line.room = 0;
  for (uint32_t i = 0; i < 12; i++)
    CHECK(send_bytes(one, "ten bytes\n", 10));
  run();
  model_now += CONSOLE_LOSS_NS;
  run();
  CHECK(all_taken(one) && send_bytes(one, "gone\n", 5));
  run();
  CHECK(all_taken(one) && one->window->counters.count[COUNT_LOST_BYTES] == 25);
  line.room = 1 << 30;
  run();
  say(one, "again\n");
  static const char END[] = "logger| ten bytes\r\nio| 25 bytes of logger lost\r\nlogger| again\r\n";
  CHECK(sunk == 9 * sizeof "logger| ten bytes\r" + sizeof END - 1);
  CHECK(memcmp(&sink[9 * sizeof "logger| ten bytes\r"], END, sizeof END - 1) == 0);
}

/* Unended text before a gap, and of an earlier life, is a line of its own. */
static void ends_in_buffers(void) {
  begin_with_buffers(3, 2, 8);
  line.room = 0;
  CHECK(send_bytes(&client[2], "halves and more", 15));
  run();
  model_now += CONSOLE_LOSS_NS;
  run();
  line.room = 1 << 30;
  run();
  expect("logger| halves a\r\nio| 7 bytes of logger lost\r\n");
  line.room = 0;
  say(&client[2], "old");
  client_begin(&client[2]);
  say(&client[2], "new\n");
  line.room = 1 << 30;
  run();
  expect("logger| old\r\nlogger| new\r\n");
}

/* --- logs --- */

static void expect_log(struct client *one, const char *text) {
  give_buffer(one, 4096);
  run();
  expect_input(one, text);
}

static void logs(void) {
  begin_with_logs(3, 2, 300);
  struct client *log = &client[2];
  say(&client[1], "one\n\x1b[31mred\n");
  console_server_say(&server, "nvme0", ": failed");
  sunk = 0;
  expect_log(log, "sensor| one\nsensor| \\x1b[31mred\nio| nvme0: failed\n");
  say(log, "I am sensor\n"); /* it only reads */
  expect("");
  CHECK(all_taken(log) && log->window->counters.count[COUNT_NO_RIGHT] == 1);
  type("\x01"
       "3");
  CHECK(!shown("logger") && server.selected == 1); /* nobody types to it */
}

/* One that does not read holds nobody up, loses whole lines, and is told how many. */
static void slow_log(void) {
  begin_with_logs(4, 2, 60);
  for (uint32_t i = 0; i < 10; i++)
    say(&client[1], "0123456789\n");
  CHECK(sunk == 10 * sizeof "sensor| 0123456789\r" && all_taken(&client[1]));
  for (uint32_t i = 2; i < 4; i++) {
    expect_log(&client[i], "sensor| 0123456789\nsensor| 0123456789\nsensor| 0123456789\n");
    CHECK(client[i].window->counters.count[COUNT_LOST_BYTES] == 70);
  }
  say(&client[1], "after\n");
  expect_log(&client[2], "io| 7 lines lost\nsensor| after\n");
  client_begin(&client[3]); /* its next life reads on */
  say(&client[1], "more\n");
  expect_log(&client[3], "io| 7 lines lost\nsensor| after\nsensor| more\n");
}

static void log_limits(void) {
  static struct console_client log[LIMIT_CONSOLE_LOGS + 1];
  static char memory[LIMIT_CONSOLE_LOGS][64];
  begin(1);
  struct channel_descriptor descriptor = client[0].descriptor;
  descriptor.rights = RIGHT_READ;
  descriptor.buffer = 64;
  memset(log, 0, sizeof log);
  CHECK(!console_client_init(&log[0], &server, &descriptor, 1, NULL));
  for (uint32_t i = 0; i < LIMIT_CONSOLE_LOGS; i++)
    CHECK(console_client_init(&log[i], &server, &descriptor, 1, memory[i]));
  CHECK(!console_client_init(&log[LIMIT_CONSOLE_LOGS], &server, &descriptor, 1, memory[0]));
}

int main(void) {
  sink = malloc(SINK);
  declared_buffer();
  announced_loss();
  ends_in_buffers();
  logs();
  slow_log();
  log_limits();
  puts("ok");
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Both ends of a channel between guests, in one process but with the window at
 * two addresses. Ends are restarted at any time: messages come in order, once,
 * and none is lost that the restart of an end need not lose.
 */
#include "parclose.h"
#include "runtime_check.h"
#include "runtime_fake.h"

#include <sys/mman.h>
#include <unistd.h>

#define DATA_SIZE 8192u
#define WINDOW_SIZE (sizeof(struct channel_window) + DATA_SIZE)

static struct channel_descriptor descriptor[2] = {
    {.name = "feed", .end = END_CLIENT, .class = CLASS_PEER, .event = 3, .size = WINDOW_SIZE},
    {.name = "feed", .end = END_SERVER, .class = CLASS_PEER, .event = 7, .size = WINDOW_SIZE},
};
static struct peer end[2];
static uint32_t lives[2];

static void map_window(void) {
  int file = memfd_create("window", 0);
  CHECK(file >= 0 && ftruncate(file, WINDOW_SIZE) == 0);
  for (unsigned i = 0; i < 2; i++) {
    void *view = mmap(NULL, WINDOW_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(view != MAP_FAILED);
    descriptor[i].address = (uintptr_t)view;
  }
  descriptor[0].client_address = descriptor[1].client_address = descriptor[0].address;
}

static void restart(unsigned which) {
  fake_life = ++lives[which];
  CHECK(peer_open(&end[which], &descriptor[which]));
}

/* Messages from end `i` are numbered; `received` is the last one that the other end saw. */
static uint32_t sent[2], received[2], losses[2];
static bool may_lose[2]; /* the client was restarted since the last one received */

static void send_one(unsigned from) {
  uint8_t message[1024];
  uint32_t number = sent[from] + 1;
  size_t size = sizeof number + random_below((uint32_t)(peer_limit(&end[from]) - sizeof number + 1));
  memset(message, (int)(number & 0xff), size);
  memcpy(message, &number, sizeof number);
  fake_life = lives[from];
  if (peer_send(&end[from], message, size, 0) == STATUS_OK)
    sent[from]++;
}

/* The same message, made where it stands in the channel. */
static void send_in_place(unsigned from) {
  uint32_t number = sent[from] + 1;
  fake_life = lives[from];
  uint8_t *place = peer_reserve(&end[from], 0);
  if (!place)
    return;
  CHECK(place == peer_reserve(&end[from], 0));
  size_t size = sizeof number + random_below((uint32_t)(peer_limit(&end[from]) - sizeof number + 1));
  memset(place, (int)(number & 0xff), size);
  memcpy(place, &number, sizeof number);
  CHECK(peer_commit(&end[from], size) == STATUS_OK);
  sent[from]++;
}

/* As peer_receive, but from where it stands; everything is copied between peek and done. */
static int receive_in_place(struct peer *peer, uint8_t *message) {
  size_t size, again;
  const uint8_t *place = peer_peek(peer, &size, 0);
  if (!place)
    return -1;
  CHECK(place == peer_peek(peer, &again, 0) && size == again && size <= peer_limit(peer));
  memcpy(message, place, size);
  CHECK(peer_done(peer) == STATUS_OK);
  return (int)size;
}

static void receive_one(unsigned from) {
  uint8_t message[1024];
  uint32_t number;
  unsigned to = 1 - from;
  fake_life = lives[to];
  int size = random_below(2) ? peer_receive(&end[to], message, sizeof message, 0) : receive_in_place(&end[to], message);
  if (size < 0)
    return;
  CHECK(size >= (int)sizeof number);
  memcpy(&number, message, sizeof number);
  for (int i = sizeof number; i < size; i++)
    CHECK(message[i] == (number & 0xff));
  CHECK(number > received[from] && number <= sent[from]);
  CHECK(number == received[from] + 1 || may_lose[from]);
  losses[from] += number - received[from] - 1;
  received[from] = number;
  may_lose[from] = false;
}

static void random_steps(unsigned steps, unsigned restart_client, unsigned restart_server) {
  for (unsigned i = 0; i < steps; i++) {
    if (restart_client && random_below(restart_client) == 0) {
      restart(0);
      may_lose[0] = may_lose[1] = true;
    }
    if (restart_server && random_below(restart_server) == 0)
      restart(1);
    void (*const step[])(unsigned) = {send_one, send_in_place, receive_one, receive_one};
    step[random_below(4)](random_below(2));
  }
}

static void receive_rest(void) {
  for (unsigned i = 0; i < 100; i++) {
    receive_one(0);
    receive_one(1);
  }
  CHECK(may_lose[0] || received[0] == sent[0]);
  CHECK(may_lose[1] || received[1] == sent[1]);
}

static void test_limits(void) {
  uint8_t message[1024] = {0};
  struct peer none;
  CHECK(!peer_open(&none, NULL));
  CHECK(peer_send(&none, message, 1, 0) == STATUS_BAD_ARGUMENT && peer_receive(&none, message, 1, 0) == -1);
  CHECK(peer_limit(&end[0]) == DATA_SIZE / 2 / 8 && peer_limit(&end[1]) == peer_limit(&end[0]));
  CHECK(peer_send(&end[0], message, 0, 0) == STATUS_BAD_ARGUMENT);
  CHECK(peer_send(&end[0], message, peer_limit(&end[0]) + 1, 0) == STATUS_BAD_ARGUMENT);
}

/* Nobody at the other end: calls come back by their deadline, and what was sent is there when somebody comes. */
static void test_alone(void) {
  uint32_t message = 0, count = 0;
  memset((void *)descriptor[0].address, 0, WINDOW_SIZE);
  lives[0] = lives[1] = 0;
  restart(0);
  while (peer_send(&end[0], &message, sizeof message, deadline_in_ns(1000)) == STATUS_OK)
    message = ++count;
  CHECK(count == 8);
  CHECK(peer_receive(&end[0], &message, sizeof message, deadline_in_ns(1000)) == -1);
  restart(1);
  for (uint32_t i = 0; i < count; i++)
    CHECK(peer_receive(&end[1], &message, sizeof message, 0) == sizeof message && message == i);
  CHECK(peer_receive(&end[1], &message, sizeof message, deadline_in_ns(1000)) == -1);
}

static void connect_anew(void) {
  uint32_t message;
  restart(1);
  restart(0);
  for (unsigned i = 0; i < 2; i++)
    for (unsigned which = 0; which < 2; which++)
      CHECK(peer_receive(&end[which], &message, sizeof message, 0) == -1);
}

/* What is reserved or looked at when an end is restarted: the server's goes with the client's rings, the client's stays. */
static void test_restart_in_place(void) {
  uint32_t message = 7;
  size_t size;
  connect_anew();
  CHECK(peer_done(&end[0]) == STATUS_BAD_ARGUMENT && peer_done(&end[1]) == STATUS_BAD_ARGUMENT);
  CHECK(peer_commit(&end[1], 4) == STATUS_BAD_ARGUMENT);
  CHECK(peer_send(&end[0], &message, sizeof message, 0) == STATUS_OK);
  CHECK(peer_reserve(&end[1], 0) && peer_peek(&end[1], &size, 0) && size == sizeof message);
  restart(0);
  CHECK(peer_commit(&end[1], 4) == STATUS_STALE_LIFE && peer_done(&end[1]) == STATUS_STALE_LIFE);
  CHECK(peer_peek(&end[1], &size, 0) == NULL && peer_commit(&end[1], 4) == STATUS_BAD_ARGUMENT);
  connect_anew();
  CHECK(peer_send(&end[1], &message, sizeof message, 0) == STATUS_OK);
  uint32_t *place = peer_reserve(&end[0], 0);
  const uint32_t *seen = peer_peek(&end[0], &size, 0);
  CHECK(place && seen && size == sizeof message);
  *place = 8;
  restart(1);
  CHECK(peer_commit(&end[0], 0) == STATUS_BAD_ARGUMENT && peer_commit(&end[0], 4) == STATUS_OK);
  CHECK(*seen == 7 && peer_done(&end[0]) == STATUS_OK);
  CHECK(peer_peek(&end[0], &size, 0) == NULL); /* sees the restart, and hands over once more */
  CHECK(peer_receive(&end[1], &message, sizeof message, 0) == 4 && message == 8);
}

/* A client that writes addresses outside the window, and too long: the server touches nothing and goes on. */
static void test_lying_client(void) {
  uint32_t message;
  struct channel_window *window = (struct channel_window *)descriptor[0].address;
  const struct virtqueue_buffer lies[] = {{0, 4, 0},
                                          {descriptor[0].address - 1, 4, 0},
                                          {descriptor[0].address + WINDOW_SIZE - 3, 4, 0},
                                          {descriptor[0].address, 0xffffffff, 0},
                                          {0xfffffffffffffffe, 4, 0},
                                          {descriptor[0].address, 4, 1}};
  struct virtqueue_driver driver;
  session_client_stop(&window->header);
  virtqueue_driver_reset(&driver, &window->queue[0]);
  virtqueue_driver_reset(&driver, &window->queue[1]);
  session_client_begin(&window->header, 9);
  for (unsigned i = 0; i < sizeof lies / sizeof *lies; i++)
    virtqueue_add(&driver, &lies[i], 1);
  CHECK(peer_receive(&end[1], &message, sizeof message, 0) == -1);
  CHECK(window->queue[1].used.idx == sizeof lies / sizeof *lies);
}

int main(void) {
  map_window();
  restart(1);
  restart(0);
  test_limits();
  random_steps(100000, 0, 0);
  receive_rest();
  CHECK(received[0] > 1000 && received[1] > 1000 && losses[0] + losses[1] == 0);
  random_steps(100000, 0, 50);
  receive_rest();
  CHECK(lives[1] > 1000 && losses[0] + losses[1] == 0); /* a restart of the server loses none */
  random_steps(100000, 50, 50);
  receive_rest();
  CHECK(losses[0] > 0 && received[0] > 3000 && received[1] > 3000);
  test_alone();
  test_restart_in_place();
  test_lying_client();
  return 0;
}

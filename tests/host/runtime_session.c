/* SPDX-License-Identifier: Apache-2.0
 *
 * Two ends of a channel that live, die at any step and come back. The client may
 * believe the used ring only in the epoch and the server's life that took it up,
 * must learn of every loss, and nobody may wait for ever.
 */
#include "runtime_check.h"
#include "virtqueue.h"

static struct channel_header header;

static void test_client_first(void) {
  struct session session;
  header = (struct channel_header){0};
  uint32_t epoch = session_client_begin(&header, 1);
  CHECK(!session_client_served(&header, epoch) && !session_client_lost(&header, epoch));
  session_server_begin(&session, &header, 1);
  CHECK(!session_client_lost(&header, epoch)); /* a first start loses nothing */
  CHECK(session_server_take_up(&session, &header));
  CHECK(!session_client_served(&header, epoch));
  session_server_ready(&session, &header);
  CHECK(session_client_served(&header, epoch) && session.client_life == 1);
  CHECK(!session_server_take_up(&session, &header) && session_current(&session, &header));
}

static void test_server_restart(void) {
  struct session session;
  test_client_first();
  uint32_t epoch = header.epoch;
  for (uint32_t life = 2; life < 5; life++) { /* also one that died before the client noticed */
    session_server_begin(&session, &header, life);
    CHECK(session_client_lost(&header, epoch));
    CHECK(!session_server_take_up(&session, &header)); /* what the last life answered is not known */
  }
  session_client_stop(&header);
  uint32_t next = session_client_begin(&header, 1);
  CHECK(next != epoch && session_server_take_up(&session, &header));
  session_server_ready(&session, &header);
  CHECK(session_client_served(&header, next));
}

static void test_client_restart(void) {
  struct session session = {0};
  test_client_first();
  session = (struct session){.life = 1, .epoch = header.epoch, .client_life = 1};
  session_client_stop(&header);
  CHECK(!session_current(&session, &header));
  CHECK(!session_server_take_up(&session, &header) && session.epoch == 0);
  uint32_t epoch = session_client_begin(&header, 2);
  CHECK(!session_client_served(&header, epoch));
  CHECK(session_server_take_up(&session, &header) && session.client_life == 2);
}

static void test_epoch_never_zero(void) {
  header = (struct channel_header){.epoch = 0xffffffff};
  CHECK(session_client_begin(&header, 1) == 1);
}

/* --- any order of steps --- */

struct model {
  struct session session;
  uint32_t server_life, client_life;
  uint32_t epoch;      /* the client's; 0: not begun in this life */
  uint32_t ready_life; /* the server's life that took up `ready_epoch` */
  uint32_t ready_epoch;
  bool taken; /* between take_up and ready */
};

static void step_server(struct model *model) {
  if (random_below(20) == 0 || model->server_life == 0) {
    session_server_begin(&model->session, &header, ++model->server_life);
    model->taken = false;
    return;
  }
  if (model->taken) {
    session_server_ready(&model->session, &header);
    model->ready_life = model->server_life;
    model->ready_epoch = model->session.epoch;
    model->taken = false;
    return;
  }
  model->taken = session_server_take_up(&model->session, &header);
  if (model->taken)
    CHECK(!(model->session.epoch == model->ready_epoch && model->ready_life != model->server_life));
}

static void step_client(struct model *model) {
  if (random_below(20) == 0) {
    model->client_life++;
    model->epoch = 0;
    session_client_stop(&header);
    return;
  }
  if (model->epoch == 0 || session_client_lost(&header, model->epoch)) {
    session_client_stop(&header);
    model->epoch = session_client_begin(&header, model->client_life);
    return;
  }
  CHECK(session_client_served(&header, model->epoch) == (model->ready_epoch == model->epoch));
}

/* Once nobody dies any more, a few steps of each bring them together. */
static void settle(struct model *model) {
  for (int i = 0; i < 4; i++) {
    if (model->epoch == 0 || session_client_lost(&header, model->epoch)) {
      session_client_stop(&header);
      model->epoch = session_client_begin(&header, model->client_life);
    }
    if (model->taken || session_server_take_up(&model->session, &header)) {
      session_server_ready(&model->session, &header);
      model->ready_life = model->server_life;
      model->ready_epoch = model->session.epoch;
      model->taken = false;
    }
  }
  CHECK(session_client_served(&header, model->epoch) && session_current(&model->session, &header));
}

static void test_any_order(void) {
  for (int run = 0; run < 2000; run++) {
    struct model model = {.client_life = 1};
    header = (struct channel_header){0};
    for (int i = 0; i < 200; i++)
      (random_below(2) ? step_server : step_client)(&model);
    if (model.server_life == 0)
      step_server(&model);
    settle(&model);
  }
}

int main(void) {
  test_client_first();
  test_server_restart();
  test_client_restart();
  test_epoch_never_zero();
  test_any_order();
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Lives and epochs of a channel's two ends. Either may be restarted at any
 * moment, also in the middle of a step here; the other must neither hang nor
 * believe an answer that was meant for an earlier epoch.
 */
#include "virtqueue.h"

static uint32_t load(const uint32_t *shared) {
  return __atomic_load_n(shared, __ATOMIC_ACQUIRE);
}

static void publish(uint32_t *shared, uint32_t value) {
  __atomic_store_n(shared, value, __ATOMIC_RELEASE);
}

/* --- server --- */

void session_server_begin(struct session *session, struct channel_header *header, uint32_t life) {
  *session = (struct session){.life = life};
  publish(&header->server_life, life);
}

bool session_server_take_up(struct session *session, const struct channel_header *header) {
  uint32_t epoch = load(&header->epoch);
  if (load(&header->magic) != CHANNEL_MAGIC || epoch == 0) {
    session->epoch = 0;
    return false;
  }
  if (epoch == session->epoch)
    return false;
  /* An earlier life took this one up: what it answered is not known, so the client has to begin another. */
  if (session->epoch == 0 && epoch == load(&header->server_epoch))
    return false;
  session->epoch = epoch;
  session->client_life = load(&header->client_life);
  return true;
}

void session_server_ready(const struct session *session, struct channel_header *header) {
  publish(&header->served_life, session->life);
  publish(&header->server_epoch, session->epoch);
}

/* --- client --- */

void session_client_stop(struct channel_header *header) {
  publish(&header->magic, 0);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

uint32_t session_client_begin(struct channel_header *header, uint32_t life) {
  uint32_t epoch = load(&header->epoch) + 1;
  if (epoch == 0)
    epoch = 1;
  /* The requests of our library need no other; what an endpoint has besides it serves whether accepted or not. */
  header->accepted = header->features & 1ull << VIRTIO_FEATURE_VERSION_1;
  publish(&header->client_life, life);
  publish(&header->epoch, epoch);
  publish(&header->magic, CHANNEL_MAGIC);
  return epoch;
}

bool session_client_served(const struct channel_header *header, uint32_t epoch) {
  return load(&header->server_epoch) == epoch;
}

bool session_client_lost(const struct channel_header *header, uint32_t epoch) {
  return load(&header->server_epoch) == epoch && load(&header->served_life) != load(&header->server_life);
}

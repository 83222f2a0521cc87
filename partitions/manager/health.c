/* SPDX-License-Identifier: Apache-2.0
 *
 * The policy: who is started again, and what is done about requests that do not
 * come back.
 */
#include "manager.h"

#define PATIENCE_MOST 20u /* times a server that gets on with it is given more time */
#define FORCED_MOST 3u    /* restarts of the servers of one client that cannot start; then it is given up */

/* Whether fewer than `limit` restarts lie within the window. With a window of 0 all of them count. */
static bool below_limit(const struct partition_row *row, const struct watched *watch, uint64_t now) {
  uint32_t limit = row->fault_limit < LIMIT_RESTARTS ? row->fault_limit : LIMIT_RESTARTS;
  if (watch->restarts < limit)
    return true;
  uint64_t oldest = watch->restarted[(watch->restarts - limit) % LIMIT_RESTARTS];
  return row->fault_within_ns != 0 && ticks_to_ns(now - oldest) > row->fault_within_ns;
}

bool health_allows_restart(const struct partition_row *row, const struct watched *watch, uint64_t now) {
  if (row->fault_action != HEALTH_RESTART)
    return false;
  return row->fault_limit == 0 || below_limit(row, watch, now);
}

static uint32_t count_in_flight(uint32_t client) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < DATABASE->channels.count; i++)
    if (channel_row(i)->client == client)
      count += LIVE_IN_FLIGHT(monitor_state(LIVE_CHANNEL, i).value);
  return count;
}

/* A server is not to blame for a slow device: a client that could have it restarted for that would harm all others. */
bool drain_goes_on(uint32_t partition) {
  struct watched *watch = &watched[partition];
  uint32_t before = watch->in_flight;
  watch->in_flight = count_in_flight(partition);
  return watch->in_flight < before && watch->patience++ < PATIENCE_MOST;
}

static void restart_server(uint32_t server) {
  if (monitor_stop(server) == STATUS_OK)
    watched[server].stopped_by_us = true;
}

bool force_drain(uint32_t partition) {
  if (watched[partition].forced++ >= FORCED_MOST)
    return false;
  for (uint32_t i = 0; i < DATABASE->channels.count; i++) {
    const struct channel_row *channel = channel_row(i);
    if (channel->client != partition || LIVE_IN_FLIGHT(monitor_state(LIVE_CHANNEL, i).value) == 0)
      continue;
    log_line("%s: restarted, since it does not release what %s left\n", partition_row(channel->server)->name,
             partition_row(partition)->name);
    restart_server(channel->server);
  }
  return true;
}

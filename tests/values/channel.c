/* SPDX-License-Identifier: Apache-2.0
 *
 * For Frama-C's EVA: the live word of a channel from any value on, with any number of conversions, life and quota.
 */
#include "plain.h"

#include "../../monitor_asm/state.h"

static struct database database;
static struct cpu cpu;
static struct channel_row only;

#undef DATABASE
#undef CPU
#undef TABLE
#define DATABASE (&database)
#define CPU (&cpu)
#define channel_row(index) (&only)
#include "../../monitor_asm/channel.c"
#include "../../monitor_asm/convert.h"

struct partition partitions[LIMIT_PARTITIONS];
_Atomic uint64_t descriptor_live[LIMIT_DESCRIPTORS];
_Atomic uint64_t channel_live[LIMIT_CHANNELS];

void any(void) {
  Frama_C_make_unknown((char *)partitions, sizeof partitions);
  Frama_C_make_unknown((char *)channel_live, sizeof channel_live);
  Frama_C_make_unknown((char *)descriptor_live, sizeof descriptor_live);
  Frama_C_make_unknown((char *)&cpu, sizeof cpu);
  database.manager = Frama_C_unsigned_int_interval(0, LIMIT_PARTITIONS - 1);
  only.client = Frama_C_unsigned_int_interval(0, LIMIT_PARTITIONS - 1);
  only.client_descriptor = Frama_C_unsigned_int_interval(0, LIMIT_DESCRIPTORS - 1);
  only.server_descriptor = Frama_C_unsigned_int_interval(0, LIMIT_DESCRIPTORS - 1);
  uint32_t channel = Frama_C_unsigned_int_interval(0, LIMIT_CHANNELS - 1);
  channel_allocate(channel);
  channel_connect(channel, (uint32_t)any_number());
  channel_count(channel, Frama_C_unsigned_int_interval(1, LIMIT_BATCH), any_number(), (uint32_t)any_number());
  channel_release(channel, any_number());
  channel_disconnect(channel);
  channel_forget(channel);
}

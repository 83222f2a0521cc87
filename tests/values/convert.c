/* SPDX-License-Identifier: Apache-2.0
 *
 * For Frama-C's EVA: convert and validate with every value that a client can write, and tables of which only the
 * addresses of other rows are what the builder promises.
 */
#include "plain.h"

#include "../../monitor_asm/convert.h"

#define REGIONS 3

static struct descriptor_row descriptors[REGIONS];
static struct region_row regions[REGIONS];
static struct channel_row channel;
static struct endpoint_row endpoint;
static struct convert_entry slot;

void any(void) {
  Frama_C_make_unknown((char *)descriptors, sizeof descriptors);
  Frama_C_make_unknown((char *)regions, sizeof regions);
  Frama_C_make_unknown((char *)&channel, sizeof channel);
  Frama_C_make_unknown((char *)&endpoint, sizeof endpoint);
  Frama_C_make_unknown((char *)&slot, sizeof slot);
  for (unsigned i = 0; i < REGIONS; i++)
    descriptors[i].row = (uint64_t)&regions[Frama_C_unsigned_int_interval(0, REGIONS - 1)];
  channel.endpoint_row = (uint64_t)&endpoint;
  channel.client_first_region = (uint64_t)&descriptors[0];
  for (unsigned last = 0; last < REGIONS; last++) {
    channel.client_last_region = (uint64_t)&descriptors[last];
    uint64_t status = convert_one(&channel, &slot);
    /*@ assert status == STATUS_OK || status == STATUS_BAD_ARGUMENT || status == STATUS_BAD_RANGE ||
               status == STATUS_NO_RIGHT || status == STATUS_OUTSIDE_EXTENT || status == STATUS_UNALIGNED; */
  }
}

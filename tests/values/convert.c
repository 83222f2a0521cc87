/* SPDX-License-Identifier: Apache-2.0
 *
 * For Frama-C's EVA: convert and validate with every value that a client can write, and tables of which only the indexes
 * into other tables are what the builder promises.
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
    descriptors[i].target = Frama_C_unsigned_int_interval(0, REGIONS - 1);
  for (unsigned count = 0; count <= REGIONS; count++) {
    const struct convert_target target = {descriptors, count, regions, &channel, &endpoint};
    uint64_t status = convert_one(&target, &slot);
    /*@ assert status == STATUS_OK || status == STATUS_BAD_ARGUMENT || status == STATUS_BAD_RANGE ||
               status == STATUS_NO_RIGHT || status == STATUS_OUTSIDE_EXTENT || status == STATUS_UNALIGNED; */
  }
}

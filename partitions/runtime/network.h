/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files of the network client.
 */
#ifndef PARCLOSE_RUNTIME_NETWORK_H
#define PARCLOSE_RUNTIME_NETWORK_H

#include "runtime.h"

#define NETWORK_LENT 256u /* bytes: a shorter frame is copied, which costs less than to convert its address */

enum { NETWORK_TO_CLIENT, NETWORK_FROM_CLIENT };

static inline uint8_t *network_slot(const struct network *network, unsigned queue, uint32_t slot) {
  uint8_t *data = (uint8_t *)(network->window + 1);
  return data + (size_t)NETWORK_SLOT * (queue * network->slots + slot);
}

void network_post(struct network *network, uint32_t slot); /* gives the server a slot for a frame to come */
void network_refresh(struct network *network);             /* takes what the server has done */

#endif

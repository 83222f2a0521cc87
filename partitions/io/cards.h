/* SPDX-License-Identifier: Apache-2.0
 *
 * The network cards of this partition, and the switch on each; and the switches
 * that have no card.
 */
#ifndef PARCLOSE_IO_CARDS_H
#define PARCLOSE_IO_CARDS_H

#include "server/network_server.h"

/* Resets and starts the device at this position of the page's table, if it is one of ours. What does not start is said on the
   console; its clients find that the link is down. */
void cards_open(const struct descriptor_page *page, uint32_t position);

/* The switch of a channel: the one on its card, or the one of its endpoint; null: none, and no room for one more. */
struct network_server *cards_find(const struct channel_descriptor *channel);

/* After the last channel. */
void cards_begin(void);

bool cards_run(void);
uint64_t cards_deadline(void);
void cards_look(void);

#endif

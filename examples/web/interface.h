/* SPDX-License-Identifier: Apache-2.0
 *
 * lwIP's network interface on a network channel. Everything here is called by
 * one task only, as lwIP wants it with NO_SYS.
 */
#ifndef INTERFACE_H
#define INTERFACE_H

#include <stdbool.h>
#include <stdint.h>

/* We are 10.0.2.x, where x is the last byte of our Ethernet address; so is the gateway. False: no network channel of
   this name. */
bool interface_open(const char *channel, unsigned gateway);
unsigned interface_address(void); /* x */

/* Hands lwIP the frames that have come, at most one burst, lets its timers run, and sends what it made. True: more waits. */
bool interface_turn(void);

unsigned interface_event(void);        /* the channel's */
uint64_t interface_deadline(void);     /* when lwIP's next timer is due, in ticks of the clock */
uint32_t interface_sequence(uint16_t); /* where the numbers of a new connection to this port begin */

#endif

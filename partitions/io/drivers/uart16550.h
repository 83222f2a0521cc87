/* SPDX-License-Identifier: Apache-2.0
 *
 * The 16550 driver: FIFO, transmit and receive by interrupt.
 */
#ifndef PARCLOSE_IO_UART16550_H
#define PARCLOSE_IO_UART16550_H

#include "console.h"
#include "resources.h"

#define UART_TRANSMIT 4096u /* bytes waiting for the line; a power of two */
#define UART_RECEIVE 256u   /* bytes waiting for the server; a power of two */

struct uart16550 {
  struct console_device console; /* first: a console_device is one of these */
  uint16_t port;
  bool transmitting;                     /* the transmitter's interrupt is on */
  uint32_t transmit_head, transmit_tail; /* free-running: bytes put in, bytes taken out */
  uint32_t receive_head, receive_tail;
  uint32_t overruns; /* bytes that came faster than they were taken */
  char transmit[UART_TRANSMIT];
  uint8_t receive[UART_RECEIVE];
};

/* Null: the device has no ports here. */
struct console_device *uart16550_open(const struct driver_resources *given);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * 16550 (National Semiconductor PC16550D data sheet, section 8). Its interrupt
 * is an ISA edge: there is a new one only after every cause was served, so
 * interrupt() works until the device says that none is left.
 */
#include "uart16550.h"
#include "access.h"

#include <stddef.h>

/* Registers by offset; the first two are the divisor while LCR.DLAB is set. */
#define UART_DATA 0u
#define UART_IER 1u
#define UART_IIR 2u
#define UART_FCR 2u
#define UART_LCR 3u
#define UART_MCR 4u
#define UART_LSR 5u
#define UART_MSR 6u
#define UART_SCRATCH 7u

#define IER_RECEIVE 0x01u
#define IER_TRANSMIT 0x02u
#define IER_LINE 0x04u
#define FCR_ENABLE_AND_CLEAR 0x07u /* interrupt at the first byte */
#define LCR_8N1 0x03u
#define LCR_DLAB 0x80u
#define MCR_DTR_RTS 0x03u
#define MCR_OUT2 0x08u /* on a PC the gate of its interrupt */
#define LSR_DATA 0x01u
#define LSR_OVERRUN 0x02u
#define LSR_TRANSMIT_EMPTY 0x20u
#define IIR_NONE 0x01u
#define IIR_CAUSE 0x0eu
#define CAUSE_MODEM 0x00u
#define CAUSE_TRANSMIT 0x02u
#define CAUSE_RECEIVE 0x04u
#define CAUSE_LINE 0x06u
#define CAUSE_RECEIVE_TIMEOUT 0x0cu

#define DIVISOR_115200 1u
#define FIFO_BYTES 16u
#define CAUSES_AT_ONCE 32u /* a line that never falls silent must not keep the partition here */

static struct uart16550 *uart_of(struct console_device *device) {
  return (struct uart16550 *)device;
}

static uint8_t get(const struct uart16550 *uart, uint32_t offset) {
  return port_read8((uint16_t)(uart->port + offset));
}

static void put(const struct uart16550 *uart, uint32_t offset, uint32_t value) {
  port_write8((uint16_t)(uart->port + offset), (uint8_t)value);
}

static bool present(const struct uart16550 *uart) {
  put(uart, UART_SCRATCH, 0x5a);
  bool first = get(uart, UART_SCRATCH) == 0x5a;
  put(uart, UART_SCRATCH, 0xa5);
  return first && get(uart, UART_SCRATCH) == 0xa5;
}

static void set_interrupts(const struct uart16550 *uart) {
  put(uart, UART_IER, IER_RECEIVE | IER_LINE | (uart->transmitting ? IER_TRANSMIT : 0));
}

static bool start(struct console_device *device) {
  struct uart16550 *uart = uart_of(device);
  if (!present(uart))
    return false;
  put(uart, UART_IER, 0);
  put(uart, UART_LCR, LCR_DLAB | LCR_8N1);
  put(uart, UART_DATA, DIVISOR_115200);
  put(uart, UART_IER, 0); /* the divisor's high byte */
  put(uart, UART_LCR, LCR_8N1);
  put(uart, UART_FCR, FCR_ENABLE_AND_CLEAR);
  put(uart, UART_MCR, MCR_DTR_RTS | MCR_OUT2);
  set_interrupts(uart);
  return true;
}

static uint32_t waiting(const struct uart16550 *uart) {
  return uart->transmit_head - uart->transmit_tail;
}

/* The transmitter is empty: its FIFO takes 16 bytes without asking again. */
static void fill(struct uart16550 *uart) {
  for (uint32_t i = 0; i < FIFO_BYTES && waiting(uart); i++)
    put(uart, UART_DATA, (uint8_t)uart->transmit[uart->transmit_tail++ & (UART_TRANSMIT - 1)]);
}

static void transmit_more(struct uart16550 *uart) {
  fill(uart);
  bool more = waiting(uart) != 0;
  if (more == uart->transmitting)
    return;
  uart->transmitting = more;
  set_interrupts(uart);
}

static void receive_more(struct uart16550 *uart) {
  for (uint32_t i = 0; i < FIFO_BYTES && (get(uart, UART_LSR) & LSR_DATA); i++) {
    uint8_t byte = get(uart, UART_DATA);
    if (uart->receive_head - uart->receive_tail == UART_RECEIVE)
      uart->overruns++;
    else
      uart->receive[uart->receive_head++ & (UART_RECEIVE - 1)] = byte;
  }
}

static void serve(struct uart16550 *uart, uint32_t cause) {
  switch (cause) {
  case CAUSE_TRANSMIT:
    transmit_more(uart);
    break;
  case CAUSE_RECEIVE:
  case CAUSE_RECEIVE_TIMEOUT:
    receive_more(uart);
    break;
  case CAUSE_LINE:
    if (get(uart, UART_LSR) & LSR_OVERRUN)
      uart->overruns++;
    break;
  default: /* CAUSE_MODEM: reading clears it */
    get(uart, UART_MSR);
  }
}

static bool interrupt(struct console_device *device) {
  struct uart16550 *uart = uart_of(device);
  for (uint32_t i = 0; i < CAUSES_AT_ONCE; i++) {
    uint8_t cause = get(uart, UART_IIR);
    if (cause & IIR_NONE)
      return false;
    serve(uart, cause & IIR_CAUSE);
  }
  return true;
}

static uint32_t space(const struct console_device *device) {
  return UART_TRANSMIT - waiting((const struct uart16550 *)device);
}

static void write(struct console_device *device, const char *text, uint32_t length) {
  struct uart16550 *uart = uart_of(device);
  for (uint32_t i = 0; i < length; i++)
    uart->transmit[uart->transmit_head++ & (UART_TRANSMIT - 1)] = text[i];
  if (!uart->transmitting && (get(uart, UART_LSR) & LSR_TRANSMIT_EMPTY))
    fill(uart);
  if (!uart->transmitting && waiting(uart)) {
    uart->transmitting = true; /* an interrupt comes when the transmitter is empty */
    set_interrupts(uart);
  }
}

static int read(struct console_device *device) {
  struct uart16550 *uart = uart_of(device);
  if (uart->receive_head == uart->receive_tail)
    return -1;
  return uart->receive[uart->receive_tail++ & (UART_RECEIVE - 1)];
}

static const struct console_driver UART16550_DRIVER = {
    .start = start,
    .interrupt = interrupt,
    .space = space,
    .write = write,
    .read = read,
};

struct console_device *uart16550_open(const struct driver_resources *given) {
  struct uart16550 *uart = given->state;
  if (given->device->bar[0].kind != BAR_PORTS || !given->device->bar[0].address)
    return NULL;
  *uart = (struct uart16550){.port = (uint16_t)given->device->bar[0].address};
  uart->console.driver = &UART16550_DRIVER;
  return &uart->console;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What the monitor has to say: at boot and at the end only. Polled output on a 16550 and, where the board has one, its debug port.
 */
#include "instructions.h"
#include "monitor.h"

#define UART_LINE_STATUS 5
#define UART_TRANSMIT_EMPTY 0x20
#define UART_PATIENCE 100000 /* polls; a port with nothing behind it must not hold us up */

#define UART_USUAL 0x3f8 /* the first serial port of every PC that has one */

/* A database that is refused may have its ports changed too: then nothing is written to them. */
static bool ports_are_whole(void) {
  const struct database *database = DATABASE;
  return (database->monitor_port ^ database->debug_port ^ database->report_port) == database->ports_check;
}

static void put(char character) {
  uint16_t port = ports_are_whole() ? DATABASE->monitor_port : UART_USUAL;
  if (port != 0) {
    for (int poll = 0; poll < UART_PATIENCE && !(in8(port + UART_LINE_STATUS) & UART_TRANSMIT_EMPTY); poll++)
      ;
    out8(port, (uint8_t)character);
  }
}

void debug_character(char character) {
  if (DATABASE->debug_port != 0)
    out8(DATABASE->debug_port, (uint8_t)character);
}

void print(const char *text) {
  for (; *text != '\0'; text++) {
    if (*text == '\n')
      put('\r');
    put(*text);
  }
}

void print_hex(uint64_t value) {
  char digits[19] = "0x0000000000000000";
  for (int i = 17; i >= 2; i--, value >>= 4)
    digits[i] = "0123456789abcdef"[value & 15];
  print(digits);
}

void report(const char *line) {
  for (; ports_are_whole() && DATABASE->report_port != 0 && *line != '\0'; line++)
    out8(DATABASE->report_port, (uint8_t)*line);
}

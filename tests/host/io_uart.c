/* SPDX-License-Identifier: Apache-2.0
 *
 * The 16550 driver against a model of the device: whatever the order of line,
 * interrupts and writes, every byte arrives once, in order, and the driver is
 * never left waiting for an edge that cannot come.
 */
#include "drivers/access.h"
#include "drivers/uart16550.h"
#include "runtime_check.h"

#define PORT 0x3f8u
#define BYTES 200000u

static struct {
  uint8_t ier, lcr, mcr, scratch;
  uint32_t transmit_count; /* in the FIFO */
  uint8_t receive[16];
  uint32_t receive_count;
  bool transmit_pending; /* the cause "transmitter empty": cleared by reading it or by writing data */
  bool line, edge;       /* the interrupt line, and a rise of it that nobody has taken */
  bool absent, storm;
  uint32_t sent;
} chip;

static uint8_t sent[BYTES];
static struct uart16550 uart;
static struct console_device *const device = &uart.console;

static uint8_t cause(void) {
  if (chip.storm)
    return 0;
  if ((chip.ier & 1) && chip.receive_count)
    return 4;
  if ((chip.ier & 2) && chip.transmit_pending)
    return 2;
  return 1;
}

static void update_line(void) {
  bool line = cause() != 1 && (chip.mcr & 8);
  chip.edge |= line && !chip.line;
  chip.line = line;
}

static uint8_t read_iir(void) {
  uint8_t value = cause();
  if (value == 2)
    chip.transmit_pending = false;
  return value | 0xc0;
}

static uint8_t read_data(void) {
  CHECK(chip.receive_count);
  uint8_t byte = chip.receive[0];
  memmove(chip.receive, chip.receive + 1, --chip.receive_count);
  return byte;
}

static uint8_t read_register(uint16_t offset) {
  switch (offset) {
  case 0:
    return read_data();
  case 2:
    return read_iir();
  case 5:
    return (uint8_t)((chip.receive_count ? 1 : 0) | (chip.transmit_count ? 0 : 0x20));
  case 7:
    return chip.scratch;
  default:
    return 0;
  }
}

uint8_t port_read8(uint16_t port) {
  CHECK(port >= PORT && port < PORT + 8);
  if (chip.absent)
    return 0xff;
  uint8_t value = read_register((uint16_t)(port - PORT));
  update_line();
  return value;
}

static void write_data(uint8_t value) {
  if (chip.lcr & 0x80)
    return;
  CHECK(chip.transmit_count < 16); /* a byte more is lost */
  chip.transmit_count++;
  chip.transmit_pending = false;
  CHECK(chip.sent < BYTES);
  sent[chip.sent++] = value;
}

static void write_ier(uint8_t value) {
  if (chip.lcr & 0x80)
    return;
  if ((value & 2) && !(chip.ier & 2) && chip.transmit_count == 0)
    chip.transmit_pending = true;
  chip.ier = value;
}

void port_write8(uint16_t port, uint8_t value) {
  CHECK(port >= PORT && port < PORT + 8);
  if (port == PORT)
    write_data(value);
  else if (port == PORT + 1)
    write_ier(value);
  else if (port == PORT + 3)
    chip.lcr = value;
  else if (port == PORT + 4)
    chip.mcr = value;
  else if (port == PORT + 7)
    chip.scratch = value;
  update_line();
}

/* The wire takes up to `count` bytes. */
static void wire(uint32_t count) {
  bool was_busy = chip.transmit_count != 0;
  chip.transmit_count -= count < chip.transmit_count ? count : chip.transmit_count;
  if (was_busy && chip.transmit_count == 0)
    chip.transmit_pending = true;
  update_line();
}

static void take_interrupt(void) {
  if (!chip.edge)
    return;
  chip.edge = false;
  CHECK(!device->driver->interrupt(device));
}

static void start(void) {
  memset(&chip, 0, sizeof chip);
  struct device_descriptor place = {.bar[0] = {.address = PORT, .size = 8, .kind = BAR_PORTS}};
  CHECK(uart16550_open(&(struct driver_resources){.device = &place, .state = &uart}) == &uart.console);
  CHECK(device->driver->start(device));
}

static void transmit(void) {
  start();
  char text[300];
  uint32_t written = 0;
  for (uint32_t i = 0; i < 20000 && written < BYTES - 5000; i++) {
    uint32_t length = random_below(sizeof text), space = device->driver->space(device);
    length = length < space ? length : space;
    for (uint32_t j = 0; j < length; j++)
      text[j] = (char)((written + j) * 7 % 251);
    if (random_below(4) == 0) {
      device->driver->write(device, text, length);
      written += length;
    }
    wire(random_below(20));
    if (random_below(2))
      take_interrupt();
  }
  for (uint32_t i = 0; i < 2000; i++) {
    wire(16);
    take_interrupt();
  }
  CHECK(written > 20000 && chip.sent == written);
  for (uint32_t i = 0; i < written; i++)
    CHECK(sent[i] == i * 7 % 251);
  CHECK(!(chip.ier & 2)); /* silent while there is nothing to send */
}

static void receive(void) {
  start();
  uint32_t given = 0, taken = 0;
  for (uint32_t i = 0; i < 50000; i++) {
    for (uint32_t j = random_below(6); j && chip.receive_count < 16; j--)
      chip.receive[chip.receive_count++] = (uint8_t)given++;
    update_line();
    if (random_below(2))
      take_interrupt();
    for (int byte; random_below(10) && (byte = device->driver->read(device)) >= 0; taken++)
      CHECK((uint8_t)byte == (uint8_t)taken);
  }
  CHECK(taken > 10000 && uart.overruns == 0);
}

/* Nobody reads: what does not fit is counted, and the driver lives. */
static void overrun(void) {
  start();
  for (uint32_t i = 0; i < 1000; i++) {
    chip.receive[chip.receive_count++] = (uint8_t)i;
    update_line();
    take_interrupt();
  }
  CHECK(uart.overruns == 1000 - UART_RECEIVE);
  for (uint32_t i = 0; i < UART_RECEIVE; i++)
    CHECK(device->driver->read(device) == (int)(uint8_t)i);
  CHECK(device->driver->read(device) == -1);
}

static void odd_devices(void) {
  start();
  chip.storm = true;
  CHECK(device->driver->interrupt(device)); /* a cause that never ends: comes back and says there is more */
  memset(&chip, 0, sizeof chip);
  chip.absent = true;
  CHECK(!device->driver->start(device));
}

int main(void) {
  transmit();
  receive();
  overrun();
  odd_devices();
  puts("ok");
  return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * The one interface of console drivers: bytes out, bytes in, never waiting.
 */
#ifndef PARCLOSE_IO_CONSOLE_H
#define PARCLOSE_IO_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

struct console_device;

struct console_driver {
  bool (*start)(struct console_device *device);           /* false: nothing answers at its ports */
  bool (*interrupt)(struct console_device *device);       /* serves the device; true: more to do than one call may */
  uint32_t (*space)(const struct console_device *device); /* bytes that write takes now */
  void (*write)(struct console_device *device, const char *text, uint32_t length); /* length: at most space() */
  int (*read)(struct console_device *device);                                      /* next byte, -1: none */
};

struct console_device {
  const struct console_driver *driver;
};

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Text from values. Pure C, so that it runs on the host as well.
 */
#ifndef PARCLOSE_FORMAT_H
#define PARCLOSE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

int format(char *text, size_t size, const char *form, ...) __attribute__((format(printf, 3, 4)));
int vformat(char *text, size_t size, const char *form, va_list arguments) __attribute__((format(printf, 3, 0)));

/* The same, a character at a time to a function. */
typedef void format_put(void *context, char character);
int format_to(format_put *put, void *context, const char *form, va_list arguments);

#endif

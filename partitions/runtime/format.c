/* SPDX-License-Identifier: Apache-2.0
 *
 * printf's conversions that programs here need (ISO C17, 7.21.6.1), without
 * floating point.
 */
#include "format.h"

#include <stdbool.h>
#include <stdint.h>

/* Where characters go. */
struct sink {
  format_put *put;
  void *context;
  size_t length;
};

struct spec {
  bool left, zero;
  int width, precision; /* precision -1: none */
  int longs;            /* how many l; z counts as one */
  char conversion;
};

static void put(struct sink *sink, char character) {
  sink->put(sink->context, character);
  sink->length++;
}

static void pad(struct sink *sink, char character, int count) {
  while (count-- > 0)
    put(sink, character);
}

static void put_text(struct sink *sink, const struct spec *spec, const char *text) {
  int length = 0;
  if (!text)
    text = "(null)";
  while ((spec->precision < 0 || length < spec->precision) && text[length])
    length++;
  pad(sink, ' ', spec->left ? 0 : spec->width - length);
  for (int i = 0; i < length; i++)
    put(sink, text[i]);
  pad(sink, ' ', spec->left ? spec->width - length : 0);
}

static void put_number(struct sink *sink, const struct spec *spec, uint64_t value, unsigned base, const char *prefix) {
  const char *digits = spec->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
  char reversed[20]; /* 2^64 - 1 in decimal */
  int count = 0, prefixed = 0;
  do
    reversed[count++] = digits[value % base];
  while (value /= base);
  while (prefix[prefixed])
    prefixed++;
  int fill = spec->width - count - prefixed;
  bool zeros = spec->zero && !spec->left;
  pad(sink, ' ', spec->left || zeros ? 0 : fill);
  while (*prefix)
    put(sink, *prefix++);
  pad(sink, '0', zeros ? fill : 0);
  while (count)
    put(sink, reversed[--count]);
  pad(sink, ' ', spec->left ? fill : 0);
}

static void put_signed(struct sink *sink, const struct spec *spec, int64_t value) {
  uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  put_number(sink, spec, magnitude, 10, value < 0 ? "-" : "");
}

static int parse_number(const char **form) {
  int value = 0;
  while (**form >= '0' && **form <= '9' && value < 100000)
    value = value * 10 + (*(*form)++ - '0');
  return value;
}

/* `form` points behind the '%', afterwards behind the conversion. */
static struct spec parse(const char **form, va_list *arguments) {
  struct spec spec = {.precision = -1};
  for (; **form == '-' || **form == '0'; (*form)++)
    *(**form == '-' ? &spec.left : &spec.zero) = true;
  spec.width = parse_number(form);
  if (**form == '.') {
    (*form)++;
    if (**form == '*') {
      (*form)++;
      spec.precision = va_arg(*arguments, int);
    } else {
      spec.precision = parse_number(form);
    }
  }
  for (; **form == 'l' || **form == 'z'; (*form)++)
    spec.longs++;
  if (**form)
    spec.conversion = *(*form)++;
  return spec;
}

static void convert(struct sink *sink, const struct spec *spec, va_list *arguments) {
  char character[2] = {spec->conversion, 0};
  switch (spec->conversion) {
  case 'd':
  case 'i':
    put_signed(sink, spec, spec->longs ? va_arg(*arguments, int64_t) : va_arg(*arguments, int));
    break;
  case 'u':
    put_number(sink, spec, spec->longs ? va_arg(*arguments, uint64_t) : va_arg(*arguments, unsigned), 10, "");
    break;
  case 'x':
  case 'X':
    put_number(sink, spec, spec->longs ? va_arg(*arguments, uint64_t) : va_arg(*arguments, unsigned), 16, "");
    break;
  case 'p':
    put_number(sink, spec, (uintptr_t)va_arg(*arguments, void *), 16, "0x");
    break;
  case 's':
    put_text(sink, spec, va_arg(*arguments, const char *));
    break;
  case 'c':
    character[0] = (char)va_arg(*arguments, int);
    put_text(sink, spec, character);
    break;
  default: /* "%%", and what we do not know: as it stands */
    put(sink, spec->conversion);
  }
}

int format_to(format_put *put_character, void *context, const char *form, va_list arguments) {
  struct sink sink = {.put = put_character, .context = context};
  va_list list;
  va_copy(list, arguments);
  while (*form) {
    if (*form != '%') {
      put(&sink, *form++);
      continue;
    }
    form++;
    struct spec spec = parse(&form, &list);
    if (spec.conversion)
      convert(&sink, &spec, &list);
  }
  va_end(list);
  return (int)sink.length;
}

struct room {
  char *text;
  size_t size, length; /* length: of what fitted */
};

static void keep_what_fits(void *context, char character) {
  struct room *room = context;
  if (room->length + 1 < room->size)
    room->text[room->length++] = character;
}

int vformat(char *text, size_t size, const char *form, va_list arguments) {
  struct room room = {.text = text, .size = size};
  int length = format_to(keep_what_fits, &room, form, arguments);
  if (size)
    text[room.length] = 0;
  return length;
}

int format(char *text, size_t size, const char *form, ...) {
  va_list arguments;
  va_start(arguments, form);
  int length = vformat(text, size, form, arguments);
  va_end(arguments);
  return length;
}

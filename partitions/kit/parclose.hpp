/* SPDX-License-Identifier: Apache-2.0
 *
 * parclose.h for C++. The C headers use words that C++ keeps for itself; while they are read, those mean something else. So
 * the field `class` of a channel's descriptor is `class_` here. Flags: -fno-exceptions -fno-rtti -fno-threadsafe-statics.
 *
 * There is no allocator: for `new`, define operator new over heap_start() to heap_end(). Constructors of global objects run
 * before main, in every life; destructors of global objects never do, for exit ends the partition.
 */
#ifndef PARCLOSE_HPP
#define PARCLOSE_HPP

/* What the headers include themselves, before any word changes its meaning. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define class class_
#define restrict __restrict
#define _Noreturn [[noreturn]]
#define _Alignas alignas
#define _Static_assert static_assert
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic" /* compound literals of C */
extern "C" {
#include "monitor.h"
#include "parclose.h"
}
#pragma GCC diagnostic pop
#undef class
#undef restrict
#undef _Noreturn
#undef _Alignas
#undef _Static_assert

#endif

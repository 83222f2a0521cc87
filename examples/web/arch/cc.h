/* SPDX-License-Identifier: Apache-2.0
 *
 * What lwIP wants to know of compiler and C library: there is no library.
 */
#ifndef ARCH_CC_H
#define ARCH_CC_H

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_LIMITS_H 1
#define LWIP_NO_CTYPE_H 1
#define INT_MAX __INT_MAX__

#define X8_F "x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "u"
#define S32_F "d"
#define X32_F "x"
#define SZT_F "zu"

_Noreturn void interface_failed(const char *what, int line);

#define LWIP_PLATFORM_DIAG(words) ((void)0)
#define LWIP_PLATFORM_ASSERT(what) interface_failed(what, __LINE__)

#endif

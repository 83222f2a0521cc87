/* SPDX-License-Identifier: Apache-2.0
 *
 * The ELF note that the kit's start object carries: a ready program without it
 * would not restore its writable data at a restart, and is refused.
 */
#ifndef PARCLOSE_NOTE_H
#define PARCLOSE_NOTE_H

#define NOTE_NAME "Parclose"
#define NOTE_TYPE 1 /* descriptor: one 32-bit word, NOTE_VERSION */
#define NOTE_VERSION 1

#endif

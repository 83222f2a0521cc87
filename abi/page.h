/* SPDX-License-Identifier: Apache-2.0
 *
 * Bits of a page table entry (Intel SDM 3A, tables 4-15 to 4-20), for the
 * finished tables that the builder writes and for whoever reads them back.
 */
#ifndef PARCLOSE_PAGE_H
#define PARCLOSE_PAGE_H

#define PAGE_PRESENT 0x1ull
#define PAGE_WRITABLE 0x2ull
#define PAGE_USER 0x4ull
#define PAGE_WRITE_THROUGH 0x8ull
#define PAGE_UNCACHED 0x10ull
#define PAGE_ACCESSED 0x20ull
#define PAGE_DIRTY 0x40ull
#define PAGE_LARGE 0x80ull
#define PAGE_GLOBAL 0x100ull
#define PAGE_NO_EXECUTE 0x8000000000000000ull
#define PAGE_ADDRESS_MASK 0x000ffffffffff000ull

#endif

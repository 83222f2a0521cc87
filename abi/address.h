/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole address space, ring 3 and ring 0, in one table. Included by C, by
 * assembly and by linker scripts, so it holds nothing but plain numbers.
 *
 * Ring 3, the same in every partition (all below 2 GiB: the small code model):
 *   00200000  descriptor page(s)   R
 *   00240000  call page            RW   (ring 0 sees the same page at CALL_PAGE_LOCAL)
 *   00241000  clock page           R
 *   00280000  resource database    R    (the manager only)
 *   00400000  program: text RX, read-only data and the image of .data R, then data, bss and heap RW
 *   3fff0000  top of the stack     RW   (an unmapped page below it and above it)
 *   40000000  channel windows      RW
 *   60000000  shared regions       R or RW
 *   70000000  configuration blobs  R
 *   78000000  device registers     RW, uncached
 *
 * Ring 0, the last 2 GiB:
 *   ffffffff80000000  monitor: text RX, read-only data R, data RW    (shared by all roots, global)
 *   ffffffff80100000  resource database R                            (shared by all roots, global)
 *   ffffffff80200000  local: what differs with each root             (never global)
 *   ffffffff80400000  registers the monitor drives RW, uncached      (shared by all roots, global)
 */
#ifndef PARCLOSE_ADDRESS_H
#define PARCLOSE_ADDRESS_H

#define PAGE_SIZE 0x1000
#define LARGE_PAGE_SIZE 0x200000

#define DESCRIPTOR_ADDRESS 0x00200000
#define CALL_PAGE_ADDRESS 0x00240000
#define CLOCK_PAGE_ADDRESS 0x00241000
#define DATABASE_USER_ADDRESS 0x00280000
#define PROGRAM_ADDRESS 0x00400000
#define STACK_TOP_ADDRESS 0x3fff0000
#define CHANNEL_ADDRESS 0x40000000
#define REGION_ADDRESS 0x60000000
#define CONFIG_ADDRESS 0x70000000
#define DEVICE_ADDRESS 0x78000000
#define USER_END_ADDRESS 0x80000000

#define MONITOR_ADDRESS 0xffffffff80000000
#define MONITOR_PHYSICAL 0x01000000
#define MONITOR_SIZE 0x00100000

#define DATABASE_ADDRESS 0xffffffff80100000
#define DATABASE_PHYSICAL 0x01100000
#define DATABASE_SIZE 0x00080000

/* From here up the plan places page tables, descriptor pages and partitions. */
#define PLAN_PHYSICAL 0x01180000

/* The local window. Pages 0 to 15 belong to the processor, the rest to the partition. A page not named is unmapped. */
#define LOCAL_ADDRESS 0xffffffff80200000
#define LOCAL_CPU (LOCAL_ADDRESS + 0x0000)   /* struct cpu with the GDT, 1 page */
#define LOCAL_STACK (LOCAL_ADDRESS + 0x2000) /* stack for C, 2 pages */
#define LOCAL_STACK_TOP (LOCAL_ADDRESS + 0x4000)
#define LOCAL_STACK_DF_TOP (LOCAL_ADDRESS + 0x6000)  /* #DF, 1 page below */
#define LOCAL_STACK_NMI_TOP (LOCAL_ADDRESS + 0x8000) /* NMI, 1 page below */
#define LOCAL_STACK_MC_TOP (LOCAL_ADDRESS + 0xa000)  /* #MC, 1 page below */
#define LOCAL_STACK_DB_TOP (LOCAL_ADDRESS + 0xc000)  /* #DB, 1 page below */
#define LOCAL_CPU_END (LOCAL_ADDRESS + 0x10000)
#define TSS_SIZE 104
#define LOCAL_TSS (LOCAL_CPU_END - TSS_SIZE)      /* the last bytes of page 15, so that the bitmap follows it */
#define LOCAL_IO_BITMAP (LOCAL_ADDRESS + 0x10000) /* 2 pages of the partition, then one page of ones shared by all */
#define LOCAL_CONTEXT (LOCAL_ADDRESS + 0x14000)   /* struct context, 1 page */
#define LOCAL_CALL_PAGE (LOCAL_ADDRESS + 0x18000) /* the partition's call page once more */

#define REGISTERS_ADDRESS 0xffffffff80400000
#define APIC_ADDRESS (REGISTERS_ADDRESS + 0x0000)
#define IO_APIC_ADDRESS (REGISTERS_ADDRESS + 0x1000)
#define MSIX_ADDRESS (REGISTERS_ADDRESS + 0x10000) /* MSI-X tables, a page or more for each device that has one */

#endif

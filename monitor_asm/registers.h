/* SPDX-License-Identifier: Apache-2.0
 *
 * Processor and interrupt controller registers, with the manuals' names. Also included by assembly.
 * Source: Intel SDM 3A 2.5 (CR0, CR4), 2.2.1 (EFER), 11.4 (local APIC); 82093AA (I/O APIC).
 */
#ifndef MONITOR_REGISTERS_H
#define MONITOR_REGISTERS_H

#define CR0_PE 0x00000001
#define CR0_MP 0x00000002
#define CR0_ET 0x00000010
#define CR0_NE 0x00000020
#define CR0_WP 0x00010000
#define CR0_PG 0x80000000

#define CR4_PAE 0x00000020
#define CR4_PGE 0x00000080
#define CR4_OSFXSR 0x00000200
#define CR4_OSXMMEXCPT 0x00000400
#define CR4_UMIP 0x00000800
#define CR4_FSGSBASE 0x00010000
#define CR4_OSXSAVE 0x00040000
#define CR4_SMEP 0x00100000
#define CR4_SMAP 0x00200000

#define EFER 0xc0000080
#define EFER_SCE 0x001
#define EFER_LME 0x100
#define EFER_LMA 0x400
#define EFER_NXE 0x800

#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SFMASK 0xc0000084
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX 0xc0000103
#define MSR_SYSENTER_CS 0x174
#define MSR_PERF_GLOBAL_CTRL 0x38f
#define MSR_APIC_BASE 0x1b
#define APIC_BASE_ENABLE 0x800
#define APIC_BASE_EXTENDED 0x400 /* x2APIC */
#define MSR_PAT 0x277
#define PAT_RESET 0x0007040600070406 /* entry 3 uncached, as the tables count on (SDM 3A 12.12.4) */

#define RFLAGS_FIXED 0x00002 /* bit 1 is always set */
#define RFLAGS_TF 0x00100
#define RFLAGS_IF 0x00200
/* All that ring 3 could carry into the monitor: CF PF AF ZF SF TF IF DF OF IOPL NT RF AC ID. */
#define RFLAGS_MASKED_ON_CALL 0x257fd5

/* Selectors. SYSCALL takes code, then stack; SYSRET takes base + 16 for code and base + 8 for stack. */
#define SELECTOR_CODE 0x08
#define SELECTOR_STACK 0x10
#define SELECTOR_USER_BASE 0x13
#define SELECTOR_USER_STACK 0x1b
#define SELECTOR_USER_CODE 0x23
#define SELECTOR_TSS 0x28
#define GDT_ENTRIES 7

#define APIC_ID 0x020
#define APIC_TPR 0x080
#define APIC_EOI 0x0b0
#define APIC_SVR 0x0f0
#define APIC_SVR_ENABLE 0x100
#define APIC_LVT_TIMER 0x320
#define APIC_LVT_THERMAL 0x330 /* then performance, LINT0, LINT1 and */
#define APIC_LVT_ERROR 0x370   /* each 0x10 after the one before */
#define APIC_LVT_MASKED 0x10000
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3e0
#define APIC_TIMER_DIVIDE_BY_1 0x0b

#define IO_APIC_SELECT 0x00
#define IO_APIC_WINDOW 0x10
#define IO_APIC_VERSION 0x01
#define IO_APIC_REDIRECTION 0x10 /* two registers for each input */
#define IO_APIC_MASKED 0x10000

#define MSI_ADDRESS 0xfee00000 /* SDM 3A 11.11.1; destination APIC id in bits 12-19 */

#define VECTOR_DEBUG 1
#define VECTOR_NMI 2
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_PAGE_FAULT 14
#define VECTOR_MACHINE_CHECK 18
#define VECTOR_EXCEPTIONS 32
#define VECTOR_CALL 0x100 /* in a saved frame: entered by SYSCALL, may leave by SYSRET */

#endif

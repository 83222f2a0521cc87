/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two ways in share with boot.S. Also included by assembly.
 * Source: Multiboot2 Specification 2.0, 3.1 (header), 3.3 (state of the machine), 3.4 (what the loader says).
 */
#ifndef MONITOR_LOADER_H
#define MONITOR_LOADER_H

#define MULTIBOOT2_HEADER_MAGIC 0xe85250d6
#define MULTIBOOT2_PROTECTED_MODE 0
#define MULTIBOOT2_TAG_END 0
#define MULTIBOOT2_TAG_INFORMATION 1
#define MULTIBOOT2_TAG_ENTRY 3

#define MULTIBOOT2_LOADER_MAGIC 0x36d76289 /* in EAX at entry */
#define MULTIBOOT2_SAYS_MEMORY 6

#endif

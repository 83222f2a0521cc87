/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of a small image for the tests of `inspect`; image_kit.py makes the page tables that go with them.
 */
#include "address.h"
#include "call.h"
#include "database.h"
#include "live.h"

#include <stddef.h>

enum { MANAGER, IO, SENSOR };
#define BOTH (RIGHT_READ | RIGHT_WRITE)

struct sample {
  struct database head;
  struct feature_row features[1];
  struct memory_row memory[1];
  struct processor_row processors[1];
  struct frame_row frames[2];
  struct slot_row slots[3];
  struct partition_row partitions[3];
  struct descriptor_row descriptors[16];
  struct region_row regions[10];
  struct device_row devices[2];
  struct bar_row bars[2];
  struct interrupt_row interrupts[2];
  struct endpoint_row endpoints[2];
  struct channel_row channels[2];
  uint32_t start_order[2];
};

#define ROW(table, index) (DATABASE_ADDRESS + offsetof(struct sample, table[index]))
#define TABLE_OF(member)                                                                                               \
  .member = {offsetof(struct sample, member),                                                                          \
             sizeof(((struct sample *)0)->member) / sizeof(((struct sample *)0)->member[0])}

#define REGION(who, what, region, where, access)                                                                       \
  {                                                                                                                    \
    .partition = who, .resource = RESOURCE_REGION, .target = region, .rights = access, .required = 1,                  \
    .row = ROW(regions, region), .address = where, .name = what                                                        \
  }
#define OWN(who, first)                                                                                                \
  REGION(who, "text", first, PROGRAM_ADDRESS, RIGHT_READ | RIGHT_EXECUTE),                                             \
      REGION(who, "data", first + 1, PROGRAM_ADDRESS + 0x2000, BOTH), REGION(who, "stack", first + 2, STACK, BOTH)
#define OWN_ROWS(who)                                                                                                  \
  {.physical = TEXT + who * STEP, .size = 0x2000, .kind = REGION_TEXT, .owner = who, .name = "text"},                  \
      {.physical = TEXT + who * STEP + 0x2000, .size = 0x2000, .kind = REGION_DATA, .owner = who, .name = "data"}, {   \
    .physical = TEXT + who * STEP + 0x4000, .size = 0x1000, .kind = REGION_STACK, .owner = who, .name = "stack"        \
  }
#define PARTITION(who, what, kind, first, count, regions)                                                              \
  {                                                                                                                    \
    .name = what, .role = kind, .first_descriptor = first, .descriptor_count = count, .region_count = regions,         \
    .root = ROOT + who * 0x10000, .entry = PROGRAM_ADDRESS, .stack_top = STACK_TOP_ADDRESS,                            \
    .fault_action = HEALTH_RESTART, .fault_limit = 3, .fault_within_ns = 60000000000, .fault_then = HEALTH_STOP        \
  }
#define END(who, what, channel, side, access, number, where)                                                           \
  {                                                                                                                    \
    .partition = who, .resource = RESOURCE_CHANNEL, .target = channel, .rights = access, .required = 1, .end = side,   \
    .converts = side == END_SERVER, .event = number, .other_partition = IO + SENSOR - who, .other_event = number,      \
    .row = ROW(channels, channel), .address = where, .name = what                                                      \
  }

const struct sample sample = {
    .head = {.magic = DATABASE_MAGIC,
             .version = DATABASE_VERSION,
             .size = sizeof(struct sample),
             TABLE_OF(features),
             TABLE_OF(memory),
             TABLE_OF(processors),
             TABLE_OF(frames),
             TABLE_OF(slots),
             TABLE_OF(partitions),
             TABLE_OF(descriptors),
             TABLE_OF(regions),
             TABLE_OF(devices),
             TABLE_OF(bars),
             TABLE_OF(interrupts),
             TABLE_OF(endpoints),
             TABLE_OF(channels),
             TABLE_OF(start_order),
             .manager = MANAGER,
             .on_end = ON_END_POWEROFF,
             .xcr0 = 7,
             .io_apic_physical = 0xfec00000,
             .monitor_port = 0x3f8,
             .report_port = 0x402,
             .poweroff = {0x604, 2, 0x2000},
             .reboot = {0xcf9, 1, 6},
             .layout = "sample.yaml",
             .board = "qemu-q35"},
    .features = {{.leaf = 7, .output = 1, .bit = 7, .name = "smep", .source = "qemu-q35.yaml:9"}},
    .memory = {{.start = 0x1000000, .size = 0xa00000, .name = "everything", .source = "sample.yaml:1"}},
    .processors = {{.frame_count = 2}},
    .frames = {{.length_ns = 50000, .first_slot = 0, .slot_count = 1},
               {.length_ns = 1000000, .first_slot = 1, .slot_count = 2}},
    .slots = {{.partition = MANAGER}, {.partition = IO, .budget_ns = 200000}, {.partition = SENSOR}},
    .partitions = {PARTITION(MANAGER, "manager", ROLE_MANAGER, 0, 3, 3), PARTITION(IO, "io", ROLE_IO, 3, 7, 3),
                   PARTITION(SENSOR, "sensor", ROLE_GUEST, 10, 6, 4)},
    .descriptors = {OWN(MANAGER, 0),
                    OWN(IO, 3),
                    {.partition = IO,
                     .resource = RESOURCE_DEVICE,
                     .target = 0,
                     .rights = BOTH,
                     .required = 1,
                     .row = ROW(devices, 0),
                     .name = "nvme0"},
                    {.partition = IO,
                     .resource = RESOURCE_DEVICE,
                     .target = 1,
                     .rights = BOTH,
                     .required = 1,
                     .row = ROW(devices, 1),
                     .name = "com1"},
                    END(IO, "sensor", 0, END_SERVER, BOTH, 0, CHANNEL_ADDRESS),
                    END(IO, "sensor", 1, END_SERVER, BOTH, 1, CHANNEL_ADDRESS + 0x10000),
                    OWN(SENSOR, 6),
                    REGION(SENSOR, "table", 9, REGION_ADDRESS, BOTH),
                    END(SENSOR, "disk", 0, END_CLIENT, BOTH, 0, CHANNEL_ADDRESS),
                    END(SENSOR, "console", 1, END_CLIENT, BOTH, 1, CHANNEL_ADDRESS + 0x10000)},
    .regions = {OWN_ROWS(MANAGER),
                OWN_ROWS(IO),
                OWN_ROWS(SENSOR),
                {.physical = TABLE, .size = 0x2000, .kind = REGION_SHARED, .owner = NONE, .name = "table"}},
    .devices = {{.name = "nvme0",
                 .bus = BUS_PCI,
                 .address = 4 << 3,
                 .identity = 0x00101b36,
                 .class_code = 0x010802,
                 .owner = IO,
                 .bus_master = 1,
                 .first_bar = 0,
                 .bar_count = 1,
                 .first_interrupt = 0,
                 .interrupt_count = 1,
                 .msix_table = MSIX_ADDRESS,
                 .source = "qemu-q35.yaml:30"},
                {.name = "com1",
                 .bus = BUS_ISA,
                 .owner = IO,
                 .first_bar = 1,
                 .bar_count = 1,
                 .first_interrupt = 1,
                 .interrupt_count = 1,
                 .source = "qemu-q35.yaml:40"}},
    .bars = {{.address = NVME_BAR, .size = 0x4000, .kind = BAR_MEMORY_64},
             {.address = 0x3f8, .size = 8, .kind = BAR_PORTS}},
    .interrupts = {{.kind = INTERRUPT_MSIX, .device = 0, .number = 0, .partition = IO, .event = 2},
                   {.kind = INTERRUPT_ISA, .device = 1, .number = 4, .partition = IO, .event = 3}},
    .endpoints = {{.name = "records",
                   .server = IO,
                   .class = CLASS_BLOCK,
                   .device = 0,
                   .block_mask = 511,
                   .start = 0x100000,
                   .size = 0x800000,
                   .rights = BOTH},
                  {.name = "line", .server = IO, .class = CLASS_CONSOLE, .device = 1, .rights = BOTH, .shared = 1}},
    .channels = {{.name = "disk",
                  .client = SENSOR,
                  .server = IO,
                  .client_descriptor = 14,
                  .server_descriptor = 8,
                  .class = CLASS_BLOCK,
                  .endpoint = 0,
                  .buffer_rights = BOTH,
                  .quota = 64,
                  .physical = DISK_WINDOW,
                  .size = 0x4000,
                  .endpoint_row = ROW(endpoints, 0),
                  .client_first_region = ROW(descriptors, 10),
                  .client_last_region = ROW(descriptors, 13),
                  .index = 0},
                 {.name = "console",
                  .client = SENSOR,
                  .server = IO,
                  .client_descriptor = 15,
                  .server_descriptor = 9,
                  .class = CLASS_CONSOLE,
                  .endpoint = 1,
                  .buffer_rights = BOTH,
                  .quota = 0,
                  .physical = LINE_WINDOW,
                  .size = 0x5000,
                  .endpoint_row = ROW(endpoints, 1),
                  .client_first_region = ROW(descriptors, 10),
                  .client_last_region = ROW(descriptors, 13),
                  .index = 1}},
    .start_order = {IO, SENSOR},
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "io_nvme_model.h"
#include "drivers/access.h"
#include "drivers/pause.h"
#include "runtime_check.h"

#define QUEUES 2
#define DISK (8u << 20)
#define PAGE 4096u

struct model model;

static struct {
  struct nvme_command *submission;
  struct nvme_completion *completion;
  uint32_t size, tail, head;                                         /* of the submission queue */
  uint32_t completion_size, completion_tail, completion_head, phase; /* completion_head: as the driver says */
  bool exists;
} queue[QUEUES];

static uint32_t cc, csts, aqa;
static uint64_t asq, acq;
static uint8_t disk[DISK];

void model_power(uint32_t block_shift, uint32_t mdts, uint32_t entries) {
  memset(queue, 0, sizeof queue);
  cc = csts = 0;
  model = (struct model){
      .block_shift = block_shift, .mdts = mdts, .entries = entries, .serial = 'A', .disk = disk, .disk_size = DISK};
}

static void *from_device(uint64_t address) {
  return (void *)(uintptr_t)(address - MODEL_BIAS);
}

void driver_pause(void) {}

/* --- completion --- */

static void complete(uint32_t number, const struct nvme_command *command, uint32_t error) {
  uint32_t next = (queue[number].completion_tail + 1) % queue[number].completion_size;
  CHECK(next != queue[number].completion_head); /* full: a driver lets no more commands run than it has room for */
  struct nvme_completion *entry = &queue[number].completion[queue[number].completion_tail];
  entry->sq_head = (uint16_t)queue[number].head;
  entry->sq_id = (uint16_t)number;
  entry->status = command->opcode >> 16 | queue[number].phase << 16 | error << 17;
  queue[number].completion_tail = next;
  if (next == 0)
    queue[number].phase ^= 1;
}

/* --- data: what PRP entries must obey (NVMe 1.4, 4.3) --- */

static void move(const struct nvme_command *command, bool write) {
  uint64_t offset = ((uint64_t)command->cdw11 << 32 | command->cdw10) << model.block_shift;
  uint32_t left = ((command->cdw12 & 0xffff) + 1) << model.block_shift;
  CHECK(offset <= DISK && left <= DISK - offset);
  CHECK(model.mdts == 0 || left <= PAGE << model.mdts);
  uint32_t room = PAGE - (command->prp1 & (PAGE - 1));
  bool listed = left > room && left - room > PAGE;
  const uint64_t *list = listed ? from_device(command->prp2) : &command->prp2;
  CHECK((command->prp1 & 3) == 0 && (!listed || (command->prp2 & 7) == 0));
  for (uint64_t address = command->prp1;;) {
    uint32_t length = left < room ? left : room;
    if (write)
      memcpy(&disk[offset], from_device(address), length);
    else
      memcpy(from_device(address), &disk[offset], length);
    offset += length;
    left -= length;
    if (left == 0)
      return;
    address = *list++;
    room = PAGE;
    CHECK((address & (PAGE - 1)) == 0);
    CHECK(!listed || left <= PAGE || ((uintptr_t)list & (PAGE - 1)) != 0); /* our lists cross no page */
  }
}

/* An SGL: one descriptor, or a segment of them that is the last (4.4). */
static void move_pieces(const struct nvme_command *command, bool write) {
  uint64_t offset = ((uint64_t)command->cdw11 << 32 | command->cdw10) << model.block_shift;
  uint32_t left = ((command->cdw12 & 0xffff) + 1) << model.block_shift;
  struct nvme_sgl inside = {.address = command->prp1, .length = (uint32_t)command->prp2, .type = command->prp2 >> 56};
  const struct nvme_sgl *list = &inside;
  CHECK(model.sgls && offset <= DISK && left <= DISK - offset && (model.mdts == 0 || left <= PAGE << model.mdts));
  uint32_t entries = 1;
  if (inside.type == SGL_LAST_SEGMENT) {
    CHECK(inside.length % sizeof *list == 0 && inside.length > sizeof *list);
    list = from_device(inside.address);
    entries = inside.length / (uint32_t)sizeof *list;
    model.listed++;
  }
  for (uint32_t i = 0; i < entries; i++) {
    CHECK(list[i].type == SGL_DATA_BLOCK && list[i].length <= left);
    CHECK(!((list[i].address | list[i].length) & 3));
    if (write)
      memcpy(&disk[offset], from_device(list[i].address), list[i].length);
    else
      memcpy(from_device(list[i].address), &disk[offset], list[i].length);
    offset += list[i].length;
    left -= list[i].length;
  }
  CHECK(left == 0);
}

/* --- ranges (6.7, 6.16) --- */

static void discard(const struct nvme_command *command) {
  const uint32_t *range = from_device(command->prp1);
  uint64_t first = (uint64_t)range[3] << 32 | range[2], blocks = range[1];
  CHECK(command->cdw10 == 0 && command->cdw11 == DATASET_DEALLOCATE && range[0] == 0);
  CHECK((command->prp1 & 4095) <= 4096 - 16 && blocks != 0 && first + blocks <= DISK >> model.block_shift);
  memset(&disk[first << model.block_shift], 0xdd, blocks << model.block_shift);
}

static void zeroes(const struct nvme_command *command) {
  uint64_t first = (uint64_t)command->cdw11 << 32 | command->cdw10, blocks = (command->cdw12 & 0xffff) + 1;
  CHECK(first + blocks <= DISK >> model.block_shift && command->prp1 == 0);
  CHECK((command->cdw12 & 0x7dff0000) == 0);
  model.deallocated = command->cdw12 & ZEROES_DEALLOCATE;
  memset(&disk[first << model.block_shift], 0, blocks << model.block_shift);
}

static void input_output(const struct nvme_command *command) {
  CHECK(command->nsid == MODEL_NSID);
  model.commands++;
  if (model.fail_in && --model.fail_in == 0) {
    complete(1, command, 2 << 8 | 0x81); /* unrecovered read error */
    return;
  }
  uint32_t opcode = command->opcode & 0xff;
  model.through = opcode == NVME_WRITE && (command->cdw12 & WRITE_THROUGH);
  if (opcode == NVME_READ || opcode == NVME_WRITE)
    (command->opcode & COMMAND_SGL ? move_pieces : move)(command, opcode == NVME_WRITE);
  else if (opcode == NVME_DATASET_MANAGEMENT)
    discard(command);
  else if (opcode == NVME_WRITE_ZEROES)
    zeroes(command);
  else
    CHECK(opcode == NVME_FLUSH);
  complete(1, command, 0);
}

/* --- admin --- */

static void identify(const struct nvme_command *command) {
  uint8_t *data = from_device(command->prp1);
  memset(data, 0, PAGE);
  switch (command->cdw10) {
  case CNS_CONTROLLER:
    data[CONTROLLER_MDTS] = (uint8_t)model.mdts;
    memset(&data[CONTROLLER_SERIAL], model.serial, CONTROLLER_SERIAL_BYTES);
    data[CONTROLLER_SGLS] = (uint8_t)model.sgls;
    data[CONTROLLER_ONCS] = model.plain ? 0 : ONCS_DATASET_MANAGEMENT | ONCS_WRITE_ZEROES;
    data[CONTROLLER_VWC] = !model.plain;
    break;
  case CNS_ACTIVE_NAMESPACES:
    data[0] = MODEL_NSID;
    break;
  case CNS_NAMESPACE:
    CHECK(command->nsid == MODEL_NSID);
    *(uint64_t *)data = DISK >> model.block_shift;
    data[NAMESPACE_FLBAS] = 3;
    data[NAMESPACE_NSFEAT] = NSFEAT_PREFERRED;
    data[NAMESPACE_NPDA] = 7;
    data[NAMESPACE_DLFEAT] = DLFEAT_ZEROES;
    data[NAMESPACE_LBAF + 4 * 3 + 2] = (uint8_t)model.block_shift;
    break;
  default:
    CHECK(!"a CNS that the driver does not need");
  }
}

/* One that waits still is answered with an error of its own; else it is too late. */
static void abort_command(uint32_t identifier) {
  for (uint32_t at = queue[1].head; at != queue[1].tail; at = (at + 1) % queue[1].size) {
    struct nvme_command command = queue[1].submission[at];
    if (command.opcode >> 16 != identifier)
      continue;
    queue[1].submission[at] = queue[1].submission[queue[1].head];
    queue[1].head = (queue[1].head + 1) % queue[1].size;
    complete(1, &command, 7);
    return;
  }
}

static void admin(const struct nvme_command *command) {
  uint32_t size = (command->cdw10 >> 16) + 1;
  switch (command->opcode & 0xff) {
  case NVME_ADMIN_IDENTIFY:
    identify(command);
    break;
  case NVME_ADMIN_CREATE_CQ:
    CHECK((command->cdw10 & 0xffff) == 1 && size <= model.entries && (command->cdw11 & 3) == 3);
    queue[1].completion = from_device(command->prp1);
    queue[1].completion_size = size;
    queue[1].phase = 1;
    break;
  case NVME_ADMIN_CREATE_SQ:
    CHECK((command->cdw10 & 0xffff) == 1 && command->cdw11 == (1u << 16 | 1) && queue[1].completion);
    queue[1].submission = from_device(command->prp1);
    queue[1].size = size;
    queue[1].exists = true;
    break;
  case NVME_ADMIN_ABORT:
    CHECK((command->cdw10 & 0xffff) == 1);
    model.aborts++;
    abort_command(command->cdw10 >> 16);
    break;
  default:
    CHECK((command->opcode & 0xff) == NVME_ADMIN_SET_FEATURES);
  }
  complete(0, command, 0);
}

/* One command of the window between head and tail; a random one of I/O, so that completions come out of order. */
static struct nvme_command take(uint32_t number) {
  uint32_t waiting = (queue[number].tail + queue[number].size - queue[number].head) % queue[number].size;
  uint32_t first = queue[number].head;
  uint32_t other = (first + (number ? random_below(waiting) : 0)) % queue[number].size;
  struct nvme_command command = queue[number].submission[other];
  queue[number].submission[other] = queue[number].submission[first];
  queue[number].head = (first + 1) % queue[number].size;
  return command;
}

void model_work(uint32_t limit) {
  for (; limit && !model.silent && queue[1].exists && queue[1].head != queue[1].tail; limit--) {
    struct nvme_command command = take(1);
    input_output(&command);
  }
}

/* --- registers --- */

static void enable(uint32_t value) {
  cc = value;
  if (!(value & CC_EN)) {
    if (!model.never_stops)
      csts = 0;
    memset(queue, 0, sizeof queue);
    return;
  }
  CHECK((value >> 16 & 15) == 6 && (value >> 20 & 15) == 4);
  queue[0].submission = from_device(asq);
  queue[0].completion = from_device(acq);
  queue[0].size = (aqa & 0xfff) + 1;
  queue[0].completion_size = (aqa >> 16) + 1;
  queue[0].phase = 1;
  queue[0].exists = true;
  if (!model.never_ready)
    csts = CSTS_RDY;
}

static void doorbell(uint32_t index, uint32_t value) {
  uint32_t number = index / 2;
  CHECK(number < QUEUES && queue[number].exists && (csts & CSTS_RDY));
  model.doorbells++;
  if (index % 2) {
    CHECK(value < queue[number].completion_size);
    queue[number].completion_head = value;
    return;
  }
  CHECK(value < queue[number].size);
  queue[number].tail = value;
  while (number == 0 && queue[0].head != queue[0].tail) {
    struct nvme_command command = take(0);
    admin(&command);
  }
}

uint32_t register_read32(uintptr_t address) {
  uint64_t cap = (model.entries - 1) | 2ull << 24 | 1ull << 37; /* TO: 1 s, CSS: NVM; DSTRD: 0 */
  switch (address - MODEL_REGISTERS) {
  case NVME_CAP:
    return (uint32_t)cap;
  case NVME_CAP + 4:
    return (uint32_t)(cap >> 32);
  case NVME_CSTS:
    return csts | (model.fatal ? CSTS_CFS : 0);
  default:
    CHECK(!"a register that the driver does not need to read");
    return 0;
  }
}

static void set_half(uint64_t *value, bool high, uint32_t half) {
  unsigned shift = high ? 32 : 0;
  *value = (*value & ~(0xffffffffull << shift)) | (uint64_t)half << shift;
}

void register_write32(uintptr_t address, uint32_t value) {
  uint32_t offset = (uint32_t)(address - MODEL_REGISTERS);
  if (offset == NVME_CC)
    enable(value);
  else if (offset == NVME_AQA)
    aqa = value;
  else if ((offset & ~4u) == NVME_ASQ)
    set_half(&asq, offset & 4, value);
  else if ((offset & ~4u) == NVME_ACQ)
    set_half(&acq, offset & 4, value);
  else if (offset >= NVME_DOORBELLS)
    doorbell((offset - NVME_DOORBELLS) / 4, value);
  else
    CHECK(!"a register that the driver does not need to write");
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Registers, commands and data structures of NVM Express, with the names of the
 * specification (NVMe 1.4; section in brackets).
 */
#ifndef PARCLOSE_IO_NVME_REGISTERS_H
#define PARCLOSE_IO_NVME_REGISTERS_H

#include <stdint.h>

/* [3.1] */
#define NVME_CAP 0x00u
#define NVME_CC 0x14u
#define NVME_CSTS 0x1cu
#define NVME_AQA 0x24u
#define NVME_ASQ 0x28u
#define NVME_ACQ 0x30u
#define NVME_DOORBELLS 0x1000u

#define CAP_MQES(cap) ((uint32_t)((cap)&0xffff))     /* largest queue, 0's based */
#define CAP_TO(cap) ((uint32_t)((cap) >> 24 & 0xff)) /* longest time to ready, units of 500 ms */
#define CAP_DSTRD(cap) ((uint32_t)((cap) >> 32 & 0xf))
#define CAP_MPSMIN(cap) ((uint32_t)((cap) >> 48 & 0xf)) /* smallest page is 2^(12 + MPSMIN) */

#define CC_EN 1u
#define CC_IOSQES_64 (6u << 16)
#define CC_IOCQES_16 (4u << 20)
#define CSTS_RDY 1u
#define CSTS_CFS 2u
#define REGISTER_GONE 0xffffffffu /* what reads give when no device answers */

/* [5], [6] opcodes */
#define NVME_ADMIN_CREATE_SQ 0x01u
#define NVME_ADMIN_CREATE_CQ 0x05u
#define NVME_ADMIN_IDENTIFY 0x06u
#define NVME_ADMIN_ABORT 0x08u
#define NVME_ADMIN_SET_FEATURES 0x09u
#define NVME_FLUSH 0x00u
#define NVME_WRITE 0x01u
#define NVME_READ 0x02u
#define NVME_WRITE_ZEROES 0x08u
#define NVME_DATASET_MANAGEMENT 0x09u

#define COMMAND_SGL 0x4000u /* bits 14-15 of the first dword: an SGL describes the data, no PRP entries */

/* [6.7], [6.15], [6.16]: in cdw12 and cdw11 */
#define WRITE_THROUGH (1u << 30)     /* FUA */
#define ZEROES_DEALLOCATE (1u << 25) /* DEAC */
#define DATASET_DEALLOCATE 4u        /* AD */
#define NVME_BLOCKS_MOST 65536u      /* of one command */

#define FEATURE_NUMBER_OF_QUEUES 0x07u
#define QUEUE_CONTIGUOUS 1u
#define QUEUE_INTERRUPTS 2u /* completion queues */

/* [5.15] Identify: CNS and offsets into the data */
#define CNS_NAMESPACE 0u
#define CNS_CONTROLLER 1u
#define CNS_ACTIVE_NAMESPACES 2u
#define CONTROLLER_SERIAL 4u
#define CONTROLLER_SERIAL_BYTES 20u
#define CONTROLLER_MDTS 77u
#define CONTROLLER_ONCS 520u
#define CONTROLLER_VWC 525u
#define CONTROLLER_SGLS 536u
#define SGLS_SUPPORTED 3u /* 1: of any alignment, 2: of dwords */
#define ONCS_DATASET_MANAGEMENT 4u
#define ONCS_WRITE_ZEROES 8u
#define NAMESPACE_NSZE 0u
#define NAMESPACE_NSFEAT 24u
#define NAMESPACE_FLBAS 26u
#define NAMESPACE_DLFEAT 33u
#define NAMESPACE_NPDA 68u
#define NSFEAT_PREFERRED 16u /* NPDA and its like count */
#define DLFEAT_ZEROES 8u     /* write zeroes may deallocate */
#define NAMESPACE_LBAF 128u

/* [4.2] */
struct nvme_command {
  uint32_t opcode; /* opcode in bits 0-7, command identifier in 16-31 */
  uint32_t nsid;
  uint64_t reserved;
  uint64_t metadata;
  uint64_t prp1, prp2;
  uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};

/* [4.4] */
#define SGL_DATA_BLOCK 0u
#define SGL_LAST_SEGMENT 0x30u

struct nvme_sgl {
  uint64_t address;
  uint32_t length;
  uint8_t reserved[3], type;
};

/* [4.6] */
struct nvme_completion {
  uint32_t result;
  uint32_t reserved;
  uint16_t sq_head, sq_id;
  uint32_t status; /* command identifier in bits 0-15, phase in 16, status code in 17-24, its type in 25-27 */
};

#define COMPLETION_COMMAND(status) ((status)&0xffff)
#define COMPLETION_PHASE(status) ((status) >> 16 & 1)
#define COMPLETION_ERROR(status) ((status) >> 17 & 0x7ff) /* type << 8 | code, 0: success */

_Static_assert(sizeof(struct nvme_command) == 64, "CC.IOSQES says 2^6");
_Static_assert(sizeof(struct nvme_completion) == 16, "CC.IOCQES says 2^4");
_Static_assert(sizeof(struct nvme_sgl) == 16, "4.4");

#endif

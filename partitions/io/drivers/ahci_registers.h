/* SPDX-License-Identifier: Apache-2.0
 *
 * Registers and structures of AHCI and the ATA commands used, with the names of
 * the specifications (AHCI 1.3.1, section in brackets; ATA8-ACS; SATA 3.2, 10.5).
 */
#ifndef PARCLOSE_IO_AHCI_REGISTERS_H
#define PARCLOSE_IO_AHCI_REGISTERS_H

#include <stdint.h>

#define AHCI_BAR 5u /* [2.1.11] */

/* [3.1] of the controller */
#define AHCI_CAP 0x00u
#define AHCI_GHC 0x04u
#define AHCI_IS 0x08u
#define AHCI_PI 0x0cu

#define CAP_NCS(cap) (((cap) >> 8 & 31) + 1) /* command slots */
#define CAP_SNCQ 0x40000000u
#define CAP_S64A 0x80000000u
#define GHC_HR 0x00000001u
#define GHC_IE 0x00000002u
#define GHC_AE 0x80000000u

/* [3.3] of a port */
#define AHCI_PORTS 32u
#define AHCI_PORT_BYTES 0x80u
#define AHCI_PORT(number) (0x100u + AHCI_PORT_BYTES * (number))
#define PORT_CLB 0x00u
#define PORT_FB 0x08u
#define PORT_IS 0x10u
#define PORT_IE 0x14u
#define PORT_CMD 0x18u
#define PORT_TFD 0x20u
#define PORT_SIG 0x24u
#define PORT_SSTS 0x28u
#define PORT_SCTL 0x2cu
#define PORT_SERR 0x30u
#define PORT_SACT 0x34u
#define PORT_CI 0x38u

#define IS_DHRS 0x00000001u /* a register FIS came: a command that is not queued has ended */
#define IS_SDBS 0x00000008u /* set device bits: queued ones have */
#define IS_IFS 0x08000000u  /* interface fatal error */
#define IS_HBDS 0x10000000u /* host bus data error */
#define IS_HBFS 0x20000000u /* host bus fatal error */
#define IS_TFES 0x40000000u /* task file error: the device reports one */
#define IS_ERRORS (IS_IFS | IS_HBDS | IS_HBFS | IS_TFES)
#define IS_WANTED (IS_DHRS | IS_SDBS | IS_ERRORS)

#define CMD_ST 0x00000001u
#define CMD_SUD 0x00000002u
#define CMD_POD 0x00000004u
#define CMD_FRE 0x00000010u
#define CMD_FR 0x00004000u
#define CMD_CR 0x00008000u
#define CMD_ICC_ACTIVE 0x10000000u

#define TFD_ERR 0x01u
#define TFD_DRQ 0x08u
#define TFD_BSY 0x80u
#define TFD_STATUS(tfd) ((tfd)&0xff)
#define TFD_ERROR(tfd) ((tfd) >> 8 & 0xff)

#define SSTS_DET(ssts) ((ssts)&15)
#define DET_READY 3u
#define SCTL_DET 15u
#define SCTL_COMRESET 1u
#define SIGNATURE_DISK 0x00000101u
#define REGISTER_ABSENT 0xffffffffu /* what reads give when no device answers */

/* [4.2.2] a command header, [4.2.3] a command table */
#define HEADER_FIS_DWORDS 5u
#define HEADER_WRITE 0x40u
#define HEADER_PRDTL(entries) ((entries) << 16)

struct ahci_header {
  uint32_t flags;
  volatile uint32_t transferred;
  uint64_t table;
  uint32_t reserved[4];
};

struct ahci_region {
  uint64_t address;
  uint32_t reserved;
  uint32_t last; /* bytes - 1, an odd number below 4 MiB; bit 31: interrupt */
};

/* SATA 3.2, 10.5.5: register FIS, host to device */
#define FIS_REGISTER_H2D 0x27u
#define FIS_COMMAND 0x80u /* it carries a command, not control bits */

union ahci_fis {
  struct {
    uint8_t type, flags, command, features_low;
    uint8_t lba0, lba1, lba2, device;
    uint8_t lba3, lba4, lba5, features_high;
    uint8_t count_low, count_high, icc, control;
    uint32_t auxiliary;
  };
  uint32_t word[5];
};

#define ATA_DEVICE_LBA 0x40u
#define ATA_DEVICE_FUA 0x80u /* of a queued write */
#define ATA_DATA_SET_MANAGEMENT 0x06u
#define ATA_TRIM 1u /* its feature */
#define ATA_RANGE_BLOCKS 0xffffu
#define ATA_WRITE_DMA_FUA_EXT 0x3du
#define ATA_READ_DMA_EXT 0x25u
#define ATA_WRITE_DMA_EXT 0x35u
#define ATA_READ_FPDMA_QUEUED 0x60u
#define ATA_WRITE_FPDMA_QUEUED 0x61u
#define ATA_FLUSH_CACHE_EXT 0xeau
#define ATA_IDENTIFY_DEVICE 0xecu

/* ATA8-ACS, 7.16: words of IDENTIFY DEVICE */
#define IDENTIFY_SERIAL 10u
#define IDENTIFY_SERIAL_WORDS 10u
#define IDENTIFY_QUEUE_DEPTH 75u /* - 1, bits 0-4 */
#define IDENTIFY_SATA 76u        /* bit 8: NCQ */
#define IDENTIFY_SUPPORTED 83u   /* bit 10: 48-bit addresses */
#define IDENTIFY_EXTENSION 84u   /* bit 6: writes with FUA */
#define IDENTIFY_ENABLED 85u     /* bit 5: write cache */
#define IDENTIFY_SECTORS 100u    /* four words */
#define IDENTIFY_SECTOR_SIZE 106u
#define IDENTIFY_TRIM 169u          /* bit 0 */
#define IDENTIFY_LOGICAL_WORDS 117u /* two words, where bit 12 of word 106 says so */
#define IDENTIFY_WORDS 256u

_Static_assert(sizeof(struct ahci_header) == 32, "AHCI 4.2.2");
_Static_assert(sizeof(struct ahci_region) == 16, "AHCI 4.2.3.3");
_Static_assert(sizeof(union ahci_fis) == 20, "SATA 10.5.5");

#endif

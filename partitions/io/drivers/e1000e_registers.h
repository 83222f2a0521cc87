/* SPDX-License-Identifier: Apache-2.0
 *
 * Registers and descriptors of the Intel 82574 family, with the names of its
 * datasheet (revision 3.4; section in brackets).
 */
#ifndef PARCLOSE_IO_E1000E_REGISTERS_H
#define PARCLOSE_IO_E1000E_REGISTERS_H

#include <stdint.h>

#define E1000E_BYTES 0x20000u   /* of registers, BAR 0 */
#define E1000E_GONE 0xffffffffu /* what reads give when no device answers */

/* [10.2.2] general */
#define E1000E_CTRL 0x0000u
#define E1000E_STATUS 0x0008u
#define E1000E_EECD 0x0010u
#define E1000E_CTRL_EXT 0x0018u

#define CTRL_GIO_MASTER_DISABLE (1u << 2)
#define CTRL_ASDE (1u << 5)
#define CTRL_SLU (1u << 6)
#define CTRL_FRCSPD (1u << 11)
#define CTRL_FRCDPLX (1u << 12)
#define CTRL_RST (1u << 26)
#define CTRL_VME (1u << 30)
#define CTRL_PHY_RST (1u << 31)
#define STATUS_LU (1u << 1)
#define STATUS_GIO_MASTER_ENABLE (1u << 19)
#define EECD_AUTO_RD (1u << 9)
#define CTRL_EXT_EIAME (1u << 24)
#define CTRL_EXT_IAME (1u << 27)
#define CTRL_EXT_PBA_CLR (1u << 31)

/* [10.2.4] interrupts; ITR and EITR count 256 ns */
#define E1000E_ICR 0x00c0u
#define E1000E_IMS 0x00d0u
#define E1000E_IMC 0x00d8u
#define E1000E_EIAC 0x00dcu
#define E1000E_IAM 0x00e0u
#define E1000E_IVAR 0x00e4u
#define E1000E_EITR 0x00e8u /* + 4 for each vector */

#define CAUSE_LSC (1u << 2)
#define CAUSE_RXO (1u << 6)
#define CAUSE_RXQ0 (1u << 20)
#define CAUSE_TXQ0 (1u << 22)
#define CAUSE_OTHER (1u << 24)
#define IVAR_RXQ0(vector) (8u | (vector))
#define IVAR_TXQ0(vector) ((8u | (vector)) << 8)
#define IVAR_OTHER(vector) ((8u | (vector)) << 16)
#define EITR_NS 256u

/* [10.2.5] receive */
#define E1000E_RCTL 0x0100u
#define E1000E_RDBAL 0x2800u
#define E1000E_RDBAH 0x2804u
#define E1000E_RDLEN 0x2808u
#define E1000E_RDH 0x2810u
#define E1000E_RDT 0x2818u
#define E1000E_RXCSUM 0x5000u
#define E1000E_RFCTL 0x5008u
#define E1000E_MTA 0x5200u /* 128 words */
#define E1000E_RAL 0x5400u /* + 8 for each entry, RAH behind it */

#define RCTL_EN (1u << 1)
#define RCTL_UPE (1u << 3)
#define RCTL_MPE (1u << 4)
#define RCTL_BAM (1u << 15)
#define RCTL_SECRC (1u << 26) /* BSIZE 0: 2,048 bytes; MO 0: bits 36 to 47 of an address are its hash */
#define RXCSUM_IPOFLD (1u << 8)
#define RXCSUM_TUOFLD (1u << 9)
#define RFCTL_NFSW_DIS (1u << 6)
#define RFCTL_NFSR_DIS (1u << 7)
#define RFCTL_ACK_DIS (1u << 12)
#define RFCTL_EXTEN (1u << 15)
#define RAH_AV (1u << 31)
#define MTA_WORDS 128u
#define RA_ENTRIES 15u /* the sixteenth is the management's */

/* [10.2.6] transmit */
#define E1000E_TCTL 0x0400u
#define E1000E_TIPG 0x0410u
#define E1000E_TDBAL 0x3800u
#define E1000E_TDBAH 0x3804u
#define E1000E_TDLEN 0x3808u
#define E1000E_TDH 0x3810u
#define E1000E_TDT 0x3818u
#define E1000E_TXDCTL 0x3828u

#define TCTL_EN (1u << 1)
#define TCTL_PSP (1u << 3)
#define TCTL_CT (15u << 4)
#define TCTL_COLD (63u << 12)
#define TCTL_MULR (1u << 28)
#define TIPG_COPPER (8u | 8u << 10 | 6u << 20)
#define TXDCTL_RESERVED_ONE (1u << 22)
#define TXDCTL_GRAN (1u << 24) /* thresholds, all 0, count descriptors: a write-back for each RS at once */
#define TRANSMIT_LEAST 17u     /* bytes of a frame that PSP pads */

/* [7.1.5] extended receive descriptor */
struct e1000e_receive_descriptor {
  uint64_t address;
  uint64_t written; /* by the card: status and errors in bits 0-31, length in 32-47, VLAN tag in 48-63 */
};

#define RECEIVE_DD (1u << 0)
#define RECEIVE_EOP (1u << 1)
#define RECEIVE_IXSM (1u << 2)
#define RECEIVE_UDPCS (1u << 4)
#define RECEIVE_TCPCS (1u << 5)
#define RECEIVE_TCPE (1u << 29)
#define RECEIVE_IPE (1u << 30)
#define RECEIVE_BAD 0x97000000u /* RXE, CXE, SEQ, SE, CE: of the frame itself, not of a checksum in it */
#define RECEIVE_ERROR(status) ((status) >> 24)
#define RECEIVE_LENGTH(written) ((uint32_t)((written) >> 32 & 0xffff))

/* [7.2.6] transmit descriptors: a context is kept by the card until the next one */
struct e1000e_transmit_descriptor {
  uint64_t address; /* of a context: IPCSS, IPCSO, IPCSE, TUCSS, TUCSO, TUCSE from bit 0 on */
  uint32_t command; /* length in bits 0-19, type in 20-23, command in 24-31 */
  uint32_t status;  /* written by the card: DD in bit 0; ours: POPTS in 8-15 */
};

#define TRANSMIT_CONTEXT (1u << 29)         /* DEXT, type 0 */
#define TRANSMIT_DATA (1u << 29 | 1u << 20) /* DEXT, type 1 */
#define TRANSMIT_EOP (1u << 24)
#define TRANSMIT_IFCS (1u << 25)
#define TRANSMIT_RS (1u << 27)
#define TRANSMIT_TUCMD_TCP (1u << 24)
#define TRANSMIT_TXSM (2u << 8)
#define TRANSMIT_DD 1u
#define CONTEXT_TUCSS(start) ((uint64_t)(start) << 32)
#define CONTEXT_TUCSO(place) ((uint64_t)(place) << 40)

_Static_assert(sizeof(struct e1000e_receive_descriptor) == 16, "the card's");
_Static_assert(sizeof(struct e1000e_transmit_descriptor) == 16, "the card's");

#endif

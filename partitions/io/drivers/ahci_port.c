/* SPDX-License-Identifier: Apache-2.0
 *
 * A port: its command list, its link (AHCI 1.3.1, 10.1.2, 10.3 and 10.4.2).
 */
#include "access.h"
#include "ahci.h"
#include "pause.h"

#define COMRESET_PAUSES (PAUSES_PER_SECOND / 1000u + 1u) /* at least a millisecond */
#define STOP_PAUSES 20u /* a list that works stops within its current command's frame */

/* Where command list and received FISes are. The list is stopped. */
void ahci_port_place(struct ahci *ahci) {
  register_write64(ahci->port + PORT_CLB, ahci_address(ahci, ahci->memory->header));
  register_write64(ahci->port + PORT_FB, ahci_address(ahci, ahci->memory->received));
  register_write32(ahci->port + PORT_CMD, CMD_ICC_ACTIVE | CMD_POD | CMD_SUD | CMD_FRE);
}

/* False: it still runs. */
bool ahci_port_stop(struct ahci *ahci) {
  uint32_t command = register_read32(ahci->port + PORT_CMD);
  if (command & CMD_ST)
    register_write32(ahci->port + PORT_CMD, command & ~CMD_ST);
  for (uint32_t i = 0; i < STOP_PAUSES; i++) {
    if (!(register_read32(ahci->port + PORT_CMD) & CMD_CR))
      return true;
    driver_pause();
  }
  return false;
}

/* Errors and causes of interrupts are bits that a 1 clears; the controller's bit last, or it comes back. */
void ahci_port_clear(struct ahci *ahci) {
  register_write32(ahci->port + PORT_SERR, UINT32_MAX);
  register_write32(ahci->port + PORT_IS, UINT32_MAX);
  register_write32(ahci->registers + AHCI_IS, 1u << ahci->number);
}

/* The device forgets all commands; whether it comes back shows later. The list is stopped. */
void ahci_port_comreset(struct ahci *ahci) {
  uint32_t control = register_read32(ahci->port + PORT_SCTL) & ~SCTL_DET;
  register_write32(ahci->port + PORT_SCTL, control | SCTL_COMRESET);
  for (uint32_t i = 0; i < COMRESET_PAUSES; i++)
    driver_pause();
  register_write32(ahci->port + PORT_SCTL, control);
}

bool ahci_port_ready(const struct ahci *ahci) {
  return SSTS_DET(register_read32(ahci->port + PORT_SSTS)) == DET_READY &&
         !(register_read32(ahci->port + PORT_TFD) & (TFD_BSY | TFD_DRQ));
}

void ahci_port_go(struct ahci *ahci) {
  ahci_port_clear(ahci);
  register_write32(ahci->port + PORT_CMD, register_read32(ahci->port + PORT_CMD) | CMD_ST);
}

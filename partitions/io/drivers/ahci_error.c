/* SPDX-License-Identifier: Apache-2.0
 *
 * What follows an error (AHCI 1.3.1, 6.2.2): stop the list, reset the link, and
 * issue again what the device gave up. It goes on with each poll and never waits
 * for the disk.
 */
#include "access.h"
#include "ahci.h"

/* The controller was reset: what was in the device, or about to be, is issued again when it works, but not twice. */
void ahci_lose(struct ahci *ahci) {
  uint32_t lost = ahci->built | ahci->queued | ahci->waiting | ahci->alone | ahci->again;
  ahci->again = lost;
  ahci->built = ahci->queued = ahci->waiting = ahci->alone = ahci->trouble = 0;
  uint32_t twice = lost & ahci->retried;
  for (uint32_t left = twice; left; left &= left - 1)
    ahci->error[__builtin_ctz(left)] = BLOCK_ERROR_RESET;
  ahci->failed |= twice | ahci->blamed;
  ahci->blamed = 0;
  ahci->again &= ~twice;
  ahci->retried |= lost;
}

/* It does not work any more. */
void ahci_give_up(struct ahci *ahci) {
  ahci_lose(ahci);
  ahci_lose(ahci);
}

static void blame(struct ahci *ahci, uint32_t slots, uint32_t task_file) {
  /* A command that ended rightly afterwards may have taken the bit away. */
  ahci->error[__builtin_ctz(slots)] = (TFD_STATUS(task_file) | TFD_ERR) << 8 | TFD_ERROR(task_file);
  ahci->blamed |= slots;
}

/* One command alone is to blame itself; of several it is not known which, so none is yet. What a commit has not issued stays. */
static void take_back(struct ahci *ahci, uint32_t task_file) {
  uint32_t inside = ahci->queued | ahci->alone;
  if (inside && !(inside & (inside - 1)))
    blame(ahci, inside, task_file);
  else
    ahci->again |= inside;
  ahci->queued = ahci->alone = 0;
}

/* What the device has ended rightly has been taken. */
void ahci_error(struct ahci *ahci, uint32_t task_file) {
  take_back(ahci, task_file);
  ahci->trouble = 0;
  ahci->phase = AHCI_STOPPING;
  ahci_recover(ahci);
}

void ahci_recover(struct ahci *ahci) {
  if (ahci->phase == AHCI_STOPPING) {
    if (!ahci_port_stop(ahci))
      return;
    ahci->failed |= ahci->blamed;
    ahci->blamed = 0;
    ahci_port_comreset(ahci);
    ahci->phase = AHCI_WAKING;
  }
  if (ahci->phase != AHCI_WAKING || !ahci_port_ready(ahci))
    return;
  ahci_port_go(ahci);
  ahci->phase = AHCI_RUNNING;
  ahci_issue_alone(ahci);
}

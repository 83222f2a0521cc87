/* SPDX-License-Identifier: Apache-2.0
 *
 * What a driver asks of the program around it: to let others run while a device
 * takes its time. Used while a device is set up, never while requests run.
 */
#ifndef PARCLOSE_IO_PAUSE_H
#define PARCLOSE_IO_PAUSE_H

#define PAUSES_PER_SECOND 10000u

/* Returns after 1 / PAUSES_PER_SECOND of a second or more. No event is lost. */
void driver_pause(void);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Of <stdlib.h> what lwIP uses: in the names of interfaces.
 */
#ifndef STDLIB_H
#define STDLIB_H

int atoi(const char *text);

#endif

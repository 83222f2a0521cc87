# SPDX-License-Identifier: Apache-2.0
# A second source file of a program.
    .section .rodata
    .quad 1, 2, 3
    .section .note.GNU-stack, "", @progbits

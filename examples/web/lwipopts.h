/* SPDX-License-Identifier: Apache-2.0
 *
 * lwIP as a web server in a partition needs it: IPv4 and TCP by its raw
 * interface, one task that calls it, memory from pools of a fixed size.
 */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define NO_SYS 1 /* no threads of lwIP's own */
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_STATS 0
#define LWIP_UDP 0
#define LWIP_RAW 0
#define LWIP_SINGLE_NETIF 1

#define MEM_ALIGNMENT 8
#define MEM_SIZE 98304 /* bytes: answers that are on their way */
#define MEMP_NUM_TCP_PCB 32
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define MEMP_NUM_TCP_SEG 128
#define PBUF_POOL_SIZE 48

#define TCP_MSS 1460
#define TCP_WND (4 * TCP_MSS)
#define TCP_SND_BUF (4 * TCP_MSS)
#define TCP_LISTEN_BACKLOG 1

/* A restarted partition must not begin where its last life did: RFC 9293, 3.4.1, without the secret that it adds. */
#define LWIP_HOOK_FILENAME "interface.h"
#define LWIP_HOOK_TCP_ISN(own_ip, own_port, ip, port) interface_sequence(port)

#endif

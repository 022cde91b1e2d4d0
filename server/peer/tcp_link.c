/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/tcp_link.h"

#include <errno.h>
#include <linux/tcp.h> /* netinet/tcp.h ends before the delivery rate */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

int tcp_link_read(int fd, struct tcp_link *out)
{
    struct tcp_info ti;
    socklen_t len = sizeof ti;
    memset(&ti, 0, sizeof ti); /* an older kernel fills less */
    *out = (struct tcp_link){0};
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &len) < 0)
        return -errno;
    out->rtt_us = ti.tcpi_rtt;
    out->min_rtt_us = ti.tcpi_min_rtt == UINT32_MAX ? 0 : ti.tcpi_min_rtt;
    out->acked = ti.tcpi_bytes_acked;
    out->bytes_per_second = ti.tcpi_delivery_rate;
    out->app_limited = ti.tcpi_delivery_rate_app_limited;
    return 0;
}

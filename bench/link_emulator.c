/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A link with a rate, a delay, a queue and loss, between two TUN devices in two network namespaces: what netem would do
 * on kernels that have it.
 *
 *   link_emulator NETNS_A ADDRESS_A NETNS_B ADDRESS_B KBIT_PER_S ROUND_TRIP_MS LOSS_PERCENT
 *
 * NETNS: a path such as /proc/self/ns/net or /run/netns/NAME. Prints "ready" and runs until it is ended. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MTU 1500
#define QUEUE_MS 200 /* a router's buffer: 200 ms of its link */
#define SLOTS 8192   /* 1 Gbit/s * 100 ms of full packets */

struct packet {
    uint64_t due_ns;
    uint32_t len;
    uint8_t data[MTU + 4];
};
struct direction {
    int from, to;
    uint64_t bits_per_s, delay_ns, free_at_ns; /* free_at: when the wire has sent what it has */
    double loss;
    struct packet *ring;
    uint32_t head, count;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "link_emulator: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int set_if(const char *name, const char *address)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq r = {0};
    struct sockaddr_in *sin = (struct sockaddr_in *)&r.ifr_addr;
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    sin->sin_family = AF_INET;
    if (s < 0 || inet_pton(AF_INET, address, &sin->sin_addr) != 1 || ioctl(s, SIOCSIFADDR, &r) < 0)
        return -1;
    inet_pton(AF_INET, "255.255.255.0", &sin->sin_addr);
    if (ioctl(s, SIOCSIFNETMASK, &r) < 0)
        return -1;
    memset(&r.ifr_ifru, 0, sizeof r.ifr_ifru);
    r.ifr_mtu = MTU;
    if (ioctl(s, SIOCSIFMTU, &r) < 0 || ioctl(s, SIOCGIFFLAGS, &r) < 0)
        return -1;
    r.ifr_flags |= IFF_UP | IFF_RUNNING;
    int e = ioctl(s, SIOCSIFFLAGS, &r);
    close(s);
    return e;
}

static int open_tun(const char *netns, const char *name, const char *address)
{
    int ns = open(netns, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
        fail(netns);
    close(ns);
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &r) < 0 || set_if(name, address) < 0)
        fail(name);
    return fd;
}

static void take_in(struct direction *d)
{
    for (;;) {
        uint8_t data[MTU + 4];
        ssize_t n = read(d->from, data, sizeof data);
        if (n <= 0)
            return;
        uint64_t now = now_ns(), wire = (uint64_t)n * 8 * 1000000000u / d->bits_per_s;
        uint64_t start = d->free_at_ns > now ? d->free_at_ns : now;
        bool full = start - now > QUEUE_MS * 1000000ull || d->count == SLOTS;
        if (full || drand48() * 100 < d->loss)
            continue;
        struct packet *p = &d->ring[(d->head + d->count++) % SLOTS];
        d->free_at_ns = start + wire;
        p->due_ns = d->free_at_ns + d->delay_ns;
        p->len = (uint32_t)n;
        memcpy(p->data, data, (size_t)n);
    }
}

/* Returns when the next packet is due, UINT64_MAX for never. */
static uint64_t give_out(struct direction *d)
{
    while (d->count) {
        struct packet *p = &d->ring[d->head];
        if (p->due_ns > now_ns())
            return p->due_ns;
        if (write(d->to, p->data, p->len) < 0 && errno != EAGAIN)
            fail("write");
        d->head = (d->head + 1) % SLOTS;
        d->count--;
    }
    return UINT64_MAX;
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        fprintf(stderr,
            "usage: link_emulator NETNS_A ADDRESS_A NETNS_B ADDRESS_B KBIT_PER_S ROUND_TRIP_MS LOSS_PERCENT\n");
        return 2;
    }
    prctl(PR_SET_TIMERSLACK, 1);
    srand48(1);
    int a = open_tun(argv[1], "bench-a", argv[2]), b = open_tun(argv[3], "bench-b", argv[4]);
    struct direction d[2] = {{.from = a, .to = b}, {.from = b, .to = a}};
    for (int i = 0; i < 2; i++) {
        d[i].bits_per_s = strtoull(argv[5], NULL, 10) * 1000;
        d[i].delay_ns = (uint64_t)(strtod(argv[6], NULL) * 500000);
        d[i].loss = strtod(argv[7], NULL);
        d[i].ring = calloc(SLOTS, sizeof *d[i].ring);
        if (!d[i].ring || !d[i].bits_per_s)
            fail("setup");
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        uint64_t next = UINT64_MAX;
        for (int i = 0; i < 2; i++) {
            uint64_t due = give_out(&d[i]);
            next = due < next ? due : next;
        }
        struct pollfd p[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
        uint64_t now = now_ns(), wait = next > now ? next - now : 0;
        struct timespec ts = {(time_t)(wait / 1000000000u), (long)(wait % 1000000000u)};
        if (ppoll(p, 2, next == UINT64_MAX ? NULL : &ts, NULL) < 0 && errno != EINTR)
            fail("poll");
        take_in(&d[0]);
        take_in(&d[1]);
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A hostile oriel-encoder against the peer's end, whose caller does in between what an engine does. Input: records of
 *   u8 kind, u8 length, bytes
 * see record(). Whatever comes: a packet lies in its stream's memory and was asked for, what failed stays failed,
 * nothing is told of what is closed, each process is ready and lost once at most, and what is sent keeps the protocol.
 */
#include "codecs/encoder/proto.h"
#include "common/link.h"
#include "server/peer/encoder_link.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)   \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)
#define FILMS (ENCODER_STREAMS_MAX + 1) /* one more than it takes */
#define READ_STEP 4096

struct film {
    void *enc;
    unsigned width, height;
    bool busy, failed;
    struct yuv planes;
};
static struct {
    struct event_base *base;
    struct encoder_link *link;
    int sock; /* the process's end; -1: it is gone */
    unsigned started, ready, lost;
    struct film films[FILMS];
} w;

static void on_ready(void *user)
{
    MUST(++w.ready <= w.started && encoder_link_name(w.link)[0]);
}
static void on_lost(void *user)
{
    MUST(++w.lost <= w.started && w.ready && !encoder_link_name(w.link)[0]);
}
static const struct encoder_link_events events = {on_ready, on_lost};

static void on_done(void *user)
{
    struct film *f = user;
    MUST(f->enc && encoder_outside.ready(f->enc));
}

static int new_process(void)
{
    int sv[2];
    MUST(link_pair(sv) == 0 && fcntl(sv[0], F_SETFL, O_NONBLOCK) == 0);
    if (w.sock >= 0)
        close(w.sock);
    w.sock = sv[0];
    w.started++;
    return sv[1];
}

/* ---- the caller ---- */
static void film_close(struct film *f)
{
    void *enc = f->enc;
    f->enc = NULL;
    encoder_outside.close(enc);
    free(f->planes.y);
    *f = (struct film){0};
}

static void film_open(struct film *f, unsigned width, unsigned height)
{
    if (f->enc || width == 0 || height == 0)
        return;
    const struct h264_config c = {.width = (int)width,
        .height = (int)height,
        .frame_rate = 30,
        .bytes_per_second = 100000,
        .done = on_done,
        .user = f,
        .context = w.link};
    *f = (struct film){.width = width, .height = height, .enc = encoder_outside.open(&c)};
    MUST(!f->enc || encoder_link_name(w.link)[0]);
}

static void film_submit(struct film *f, bool key)
{
    size_t luma = (size_t)f->width * f->height;
    if (!f->enc)
        return;
    if (!f->planes.y)
        f->planes.y = calloc(1, luma * 3 / 2);
    MUST(f->planes.y);
    f->planes.u = f->planes.y + luma;
    f->planes.v = f->planes.u + luma / 4;
    f->planes.width = (int)f->width;
    f->planes.height = (int)f->height;
    int r = encoder_outside.submit(f->enc, &f->planes, NULL, key);
    MUST(r == 0 || r == -EIO || (r == -EBUSY && f->busy));
    MUST(!f->failed || r == -EIO);
    f->busy |= r == 0;
}

static void film_collect(struct film *f)
{
    struct h264_packet p = {0};
    if (!f->enc)
        return;
    bool ready = encoder_outside.ready(f->enc);
    int r = encoder_outside.collect(f->enc, &p);
    MUST(ready == (r != 0) && (!f->failed || r == -EIO));
    f->failed = r < 0;
    if (r != 1)
        return;
    volatile uint8_t sum = 0;
    MUST(f->busy && p.picture.len && p.picture.len <= encoder_packet_cap(f->width, f->height) && p.picture.qp <= 51 &&
        p.picture.qp >= 0);
    for (size_t i = 0; i < p.picture.len; i += READ_STEP)
        sum = (uint8_t)(sum + p.picture.data[i]);
    sum = (uint8_t)(sum + p.picture.data[p.picture.len - 1]);
    f->busy = false;
}

/* ---- the process ---- */
#define MEMORY_KINDS 9
#define PLAIN_FILE 8 /* no memfd: the question for its seals is answered by -1 */

/* What it might call a stream's memory. */
static int some_memory(unsigned kind, size_t bytes)
{
    int pipes[2], seals = F_SEAL_SHRINK | F_SEAL_GROW;
    if (kind == 1 && pipe2(pipes, O_CLOEXEC) == 0) {
        close(pipes[1]);
        return pipes[0];
    }
    if (kind == PLAIN_FILE) {
        int file = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
        if (file >= 0 && ftruncate(file, (off_t)bytes) == 0)
            return file;
        MUST(file < 0);
    }
    int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    MUST(fd >= 0);
    bytes = kind == 2 ? bytes - 1 : kind == 3 ? bytes + 4096 : kind == 4 ? 0 : bytes;
    MUST(ftruncate(fd, (off_t)bytes) == 0);
    seals = kind == 5 ? F_SEAL_GROW
        : kind == 6   ? seals | F_SEAL_WRITE
        : kind == 7   ? seals | F_SEAL_FUTURE_WRITE
                      : seals;
    MUST(fcntl(fd, F_ADD_SEALS, seals) == 0);
    return fd;
}

static void say_opened(uint32_t id, unsigned kind, const struct film *like)
{
    struct encoder_opened m = {id};
    int fd = some_memory(kind, encoder_memory_bytes(like->width ? like->width : 16, like->height ? like->height : 16));
    (void)wire_send(w.sock, &encoder_opened_def, &m, &fd);
    if (kind == PLAIN_FILE) { /* who mapped it dies of its next look at it */
        event_base_loop(w.base, EVLOOP_NONBLOCK);
        (void)!ftruncate(fd, 0);
    }
    close(fd);
}

static void say_packet(uint32_t id, struct rd *r, const struct film *like)
{
    struct encoder_packet m = {.stream = id, .serial = rd_u8(r), .key = rd_u8(r) & 1, .qp = rd_u8(r) % 52};
    size_t cap = encoder_packet_cap(like->width, like->height);
    const size_t lengths[] = {0, 1, cap, cap + 1, 1u << 30};
    unsigned which = rd_u8(r);
    m.len = which < 5 ? (uint32_t)lengths[which] : rd_u32(r) & ((1u << 30) - 1);
    (void)wire_send(w.sock, &encoder_packet_def, &m, NULL);
}

static void hear(void)
{
    union {
        struct encoder_open o;
        struct encoder_picture p;
        struct encoder_close c;
        max_align_t align;
    } m;
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX], r = 0;
    while (w.sock >= 0 && (r = wire_recv(w.sock, &peer_to_encoder, &def, &m, fds, 0)) == 0)
        ;
    MUST(r != -EPROTO);
}

static void process_says(unsigned kind, struct rd *r)
{
    uint8_t id = kind == 2 || kind == 3 ? rd_u8(r) : 0;
    const struct film *like = &w.films[kind == 2 || kind == 3 ? rd_u8(r) % FILMS : 0];
    struct encoder_hello hello = {""};
    if (kind == 0 && r->left)
        (void)wire_send_raw(w.sock, r->p, r->left, NULL, 0, 0);
    memcpy(hello.name, r->p, r->left < sizeof hello.name - 1 ? r->left : sizeof hello.name - 1);
    if (kind == 1)
        (void)wire_send(w.sock, &encoder_hello_def, &hello, NULL);
    if (kind == 2)
        say_opened(id, rd_u8(r) % MEMORY_KINDS, like);
    if (kind == 3)
        say_packet(id, r, like);
}

static void caller_does(unsigned kind, struct rd *r)
{
    struct film *f = &w.films[rd_u8(r) % FILMS];
    switch (kind) {
    case 4:
        film_open(f, rd_u8(r) % 8 * 16u, rd_u8(r) % 8 * 16u);
        break;
    case 5:
        film_submit(f, rd_u8(r) & 1);
        break;
    case 6:
        film_collect(f);
        break;
    case 7:
        film_close(f);
        break;
    case 8:
        f->enc ? (void)encoder_outside.set_rate(f->enc, 1 + rd_u8(r) * 1000u, 0) : (void)0;
        break;
    case 9:
        encoder_link_give_up(w.link);
        break;
    default:
        break;
    }
}

/* 0 a datagram, headers and all; 1 hello, 2 opened, 3 packet by their fields; 4 … 9 the caller; 10 the process ends; 11
 * another starts. */
static void record(unsigned kind, const uint8_t *p, size_t n)
{
    struct rd r;
    rd_init(&r, p, n);
    if (kind == 11 && w.lost == w.started)
        encoder_link_restart(w.link, new_process());
    else if (kind == 10 && w.sock >= 0) {
        close(w.sock);
        w.sock = -1;
    } else if (kind < 4 && w.sock >= 0)
        process_says(kind, &r);
    else
        caller_does(kind, &r);
    event_base_loop(w.base, EVLOOP_NONBLOCK);
    hear();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r;
    static const uint8_t nothing;
    memset(&w, 0, sizeof w);
    w.sock = -1;
    w.base = event_base_new();
    w.link = encoder_link_create(w.base, new_process(), &events, NULL);
    MUST(w.link);
    rd_init(&r, data, size);
    while (r.left >= 2) {
        unsigned kind = rd_u8(&r) % 12;
        size_t n = rd_u8(&r);
        n = n < r.left ? n : r.left;
        record(kind, n ? rd_bytes(&r, n) : &nothing, n);
    }
    for (int i = 0; i < FILMS; i++)
        film_close(&w.films[i]);
    encoder_link_destroy(w.link);
    event_base_free(w.base);
    if (w.sock >= 0)
        close(w.sock);
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A hostile peer against oriel-encoder, in front of an encoder that only checks. Input: records of
 *   u8 kind, u8 length, bytes
 * Kind 0: one datagram, headers and all. 1, 2, 3: the fields of open, picture, close. 4: bytes written into the
 * stream's memory that was opened last, which say what the encoder does with it next: that memory is the peer's at any
 * time. Whatever comes: an encoder that failed is not asked again, what it is asked is within bounds, and no answer
 * breaks the protocol. */
#include "codecs/encoder/serve.h"
#include "common/link.h"

#include <errno.h>
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
#define PACKET_MAX ((size_t)1 << 18)

struct av_kind {
    int unused;
};
struct av_stream {
    unsigned width, height;
    bool failed;
    uint8_t *packet;
};

static unsigned open_streams;

struct av_stream *av_open(const struct av_kind *kind, unsigned width, unsigned height, unsigned frame_rate,
    uint32_t bytes_per_second)
{
    MUST(kind && width >= 16 && height >= 16 && width <= ENCODER_SIDE_MAX && height <= ENCODER_SIDE_MAX &&
        bytes_per_second);
    MUST(width % 16 == 0 && height % 16 == 0 && open_streams < ENCODER_STREAMS_MAX);
    if (frame_rate == 13)
        return NULL;
    struct av_stream *s = calloc(1, sizeof *s);
    *s = (struct av_stream){.width = width, .height = height};
    open_streams++;
    return s;
}

void av_close(struct av_stream *s)
{
    if (!s)
        return;
    free(s->packet);
    free(s);
    open_streams--;
}

/* By the picture's first bytes: fails, or gives a packet of some length, also of one too many. */
int av_encode(struct av_stream *s, const struct yuv *picture, bool key, uint32_t bytes_per_second,
    struct av_packet *out)
{
    size_t luma = (size_t)s->width * s->height, cap = encoder_packet_cap(s->width, s->height);
    const size_t lengths[] = {0, 1, picture->y[1] * 40u, cap <= PACKET_MAX ? cap : 7, cap + 1, SIZE_MAX / 2};
    volatile uint8_t last = picture->y[luma - 1] ^ picture->u[luma / 4 - 1] ^ picture->v[luma / 4 - 1];
    MUST(!s->failed && bytes_per_second && picture->width == (int)s->width && picture->height == (int)s->height);
    s->failed = picture->y[0] == 6;
    if (s->failed)
        return -5;
    size_t n = lengths[picture->y[0] % 6];
    free(s->packet);
    s->packet = calloc(1, n <= cap ? n + 1 : 1);
    *out = (struct av_packet){s->packet, n, key, picture->y[2] % 52 + (last & 0)};
    return 0;
}

static int memory = -1; /* of the stream that was opened last */

static void hear(int sock)
{
    union {
        struct encoder_hello h;
        struct encoder_opened o;
        struct encoder_packet p;
        max_align_t align;
    } m;
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX], r;
    while ((r = wire_recv(sock, &encoder_to_peer, &def, &m, fds, 0)) == 0) {
        MUST(def != &encoder_hello_def);
        if (def != &encoder_opened_def)
            continue;
        int seals = fcntl(fds[0], F_GET_SEALS);
        MUST((seals & (F_SEAL_SHRINK | F_SEAL_GROW)) == (F_SEAL_SHRINK | F_SEAL_GROW));
        if (memory >= 0)
            close(memory);
        memory = fds[0];
    }
    MUST(r == -EAGAIN);
}

static void send_known(int sock, unsigned kind, struct rd *r)
{
    struct encoder_open o = {.stream = rd_u8(r)};
    struct encoder_picture p = {.stream = o.stream};
    struct encoder_close c = {o.stream};
    if (kind == 1) {
        o.width = (uint16_t)(rd_u8(r) * 16 + (rd_u8(r) & 1));
        o.height = (uint16_t)(rd_u8(r) * 16);
        o.frame_rate = rd_u8(r) % 145;
        o.bytes_per_second = rd_u8(r) * 5000u;
        (void)wire_send(sock, &encoder_open_def, &o, NULL);
    } else if (kind == 2) {
        p.serial = rd_u8(r);
        p.key = rd_u8(r) & 1;
        p.bytes_per_second = rd_u8(r) * 5000u;
        (void)wire_send(sock, &encoder_picture_def, &p, NULL);
    } else
        (void)wire_send(sock, &encoder_close_def, &c, NULL);
}

/* False: the encoder leaves. */
static bool record(struct encoder *e, int sock, unsigned kind, const uint8_t *p, size_t n)
{
    struct rd r;
    rd_init(&r, p, n);
    if (kind == 4) {
        ssize_t w = memory >= 0 ? pwrite(memory, p, n, 0) : 0;
        (void)w;
        return true;
    }
    if (kind == 0) {
        if (n == 0 || wire_send_raw(sock, p, n, NULL, 0, 0) < 0)
            return true;
    } else
        send_known(sock, kind, &r);
    bool stays = encoder_step(e) == 0;
    hear(sock);
    return stays;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct av_kind kind;
    struct encoder e = {.kind = size % 16 == 15 ? NULL : &kind};
    int sv[2];
    struct rd r;
    MUST(link_pair(sv) == 0 && fcntl(sv[0], F_SETFL, O_NONBLOCK) == 0);
    e.peer = sv[1];
    rd_init(&r, data, size);
    while (r.left >= 2) {
        unsigned k = rd_u8(&r) % 5;
        size_t n = rd_u8(&r);
        n = n < r.left ? n : r.left;
        if (!record(&e, sv[0], k, rd_bytes(&r, n), n))
            break;
    }
    encoder_finish(&e);
    MUST(open_streams == 0);
    if (memory >= 0)
        close(memory);
    memory = -1;
    close(sv[0]);
    close(sv[1]);
    return 0;
}

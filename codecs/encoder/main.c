/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-encoder: one client's moving pictures by libavcodec, apart from the peer, because drivers are large and crash.
 * Arguments: the names of the encoders to try, separated by spaces. Lives as long as its link. */
#include "codecs/encoder/avcodec.h"
#include "codecs/encoder/proto.h"
#include "common/link.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "common/spawn.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILES_MAX 64                  /* link, epoll, memory in flight; a driver's own are open already */

struct stream {
    uint32_t id;
    struct av_stream *av;             /* NULL: free */
    struct yuv planes;                /* in the shared memory */
    uint8_t *memory;
    unsigned width, height;
};
struct encoder {
    struct event_base *base;
    struct link *link;
    const struct av_kind *kind;       /* NULL: none works */
    struct stream streams[ENCODER_STREAMS_MAX];
};

static void stream_end(struct stream *s)
{
    av_close(s->av);
    if (s->memory)
        munmap(s->memory, encoder_memory_bytes(s->width, s->height));
    *s = (struct stream){0};
}

static void say_failed(struct encoder *e, uint32_t stream, uint32_t serial)
{
    struct encoder_packet m = {.stream = stream, .serial = serial};
    (void)link_send(e->link, &encoder_packet_def, &m, NULL);
}

/* Returns the descriptor or negative errno. */
static int make_memory(struct stream *s)
{
    size_t bytes = encoder_memory_bytes(s->width, s->height);
    int fd = memfd_create("oriel-encoder", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    void *p = MAP_FAILED;
    if (ftruncate(fd, (off_t)bytes) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        close(fd);
        return -ENOMEM;
    }
    size_t luma = (size_t)s->width * s->height;
    s->memory = p;
    s->planes = (struct yuv){s->memory, s->memory + luma, s->memory + luma * 5 / 4, (int)s->width, (int)s->height};
    return fd;
}

static struct stream *find(struct encoder *e, uint32_t id, bool free_one)
{
    for (int i = 0; i < ENCODER_STREAMS_MAX; i++)
        if (free_one ? !e->streams[i].av : e->streams[i].av && e->streams[i].id == id)
            return &e->streams[i];
    return NULL;
}

static bool good_size(const struct encoder_open *m)
{
    return m->width >= 16 && m->height >= 16 && m->width % 16 == 0 && m->height % 16 == 0 && m->bytes_per_second;
}

static void open_stream(struct encoder *e, const struct encoder_open *m)
{
    struct stream *s = find(e, m->stream, true);
    if (s && e->kind && good_size(m))
        s->av = av_open(e->kind, m->width, m->height, m->frame_rate, m->bytes_per_second);
    if (!s || !s->av) {
        say_failed(e, m->stream, 0);
        return;
    }
    s->id = m->stream;
    s->width = m->width;
    s->height = m->height;
    int fd = make_memory(s);
    if (fd < 0) {
        stream_end(s);
        say_failed(e, m->stream, 0);
        return;
    }
    struct encoder_opened answer = {.stream = s->id};
    (void)link_send(e->link, &encoder_opened_def, &answer, &fd);
    close(fd);
}

static void encode(struct encoder *e, const struct encoder_picture *m)
{
    struct stream *s = find(e, m->stream, false);
    struct av_packet p;
    if (!s || !m->bytes_per_second || av_encode(s->av, &s->planes, m->key, m->bytes_per_second, &p) < 0 ||
        p.len > encoder_packet_cap(s->width, s->height)) {
        say_failed(e, m->stream, m->serial);
        return;
    }
    memcpy(s->memory + encoder_packet_at(s->width, s->height), p.data, p.len);
    struct encoder_packet answer = {s->id, m->serial, (uint32_t)p.len, p.key, (uint8_t)p.qp};
    (void)link_send(e->link, &encoder_packet_def, &answer, NULL);
}

static void on_message(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds)
{
    struct encoder *e = user;
    (void)l, (void)fds;
    if (def == &encoder_open_def) {
        open_stream(e, msg);
    } else if (def == &encoder_picture_def) {
        encode(e, msg);
    } else {
        const struct encoder_close *c = msg;
        struct stream *s = find(e, c->stream, false);
        if (s)
            stream_end(s);
    }
}

static void on_closed(void *user, struct link *l, int err)
{
    struct encoder *e = user;
    (void)err;
    link_destroy(l);
    e->link = NULL;
    event_base_loopbreak(e->base);
}

static int shut_in(void)
{
    const char *what = "";
    struct sandbox s = {.profile = SANDBOX_ENCODER, .nofile = FILES_MAX};
    int r = sandbox_enter(&s, &what);
    if (r < 0)
        log_error("sandbox failed", "step=%s error=%s", what, strerror(-r));
    return r;
}

int main(int argc, char **argv)
{
    static const struct link_ops ops = {.message = on_message, .closed = on_closed};
    static struct encoder e;
    struct encoder_hello hello = {""};
    log_init("oriel-encoder", LOG_LEVEL_INFO);
    e.kind = av_probe(argc > 1 ? argv[1] : "");
    e.base = event_base_new();
    e.link = e.base ? link_create(e.base, FD_ENCODER_PEER, &peer_to_encoder, &ops, &e, LINK_QUEUE_DEFAULT) : NULL;
    if (!e.link || shut_in() < 0)
        return 1;
    if (e.kind) {
        strncpy(hello.name, av_name(e.kind), sizeof hello.name - 1);
        log_info("encoder ready", "encoder=%s", hello.name);
    } else
        log_info("no encoder works here", "tried=%s", argc > 1 && argv[1][0] ? argv[1] : "hardware");
    (void)link_send(e.link, &encoder_hello_def, &hello, NULL);
    if (e.kind)
        event_base_dispatch(e.base);
    else
        (void)link_flush(e.link, 1000);
    for (int i = 0; i < ENCODER_STREAMS_MAX; i++)
        if (e.streams[i].av)
            stream_end(&e.streams[i]);
    link_destroy(e.link);
    event_base_free(e.base);
    return 0;
}

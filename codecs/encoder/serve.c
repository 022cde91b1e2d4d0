/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/encoder/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void stream_end(struct encoder_stream *s)
{
    av_close(s->av);
    if (s->memory)
        munmap(s->memory, encoder_memory_bytes(s->width, s->height));
    *s = (struct encoder_stream){0};
}

static void say_failed(struct encoder *e, uint32_t stream, uint32_t serial)
{
    struct encoder_packet m = {.stream = stream, .serial = serial};
    (void)wire_send(e->peer, &encoder_packet_def, &m, NULL);
}

/* Returns the descriptor or negative errno. */
static int make_memory(struct encoder_stream *s)
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

static struct encoder_stream *find(struct encoder *e, uint32_t id, bool free_one)
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
    struct encoder_stream *s = find(e, m->stream, true);
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
    (void)wire_send(e->peer, &encoder_opened_def, &answer, &fd);
    close(fd);
}

static void encode(struct encoder *e, const struct encoder_picture *m)
{
    struct encoder_stream *s = find(e, m->stream, false);
    struct av_packet p;
    if (!s || !m->bytes_per_second || av_encode(s->av, &s->planes, m->key, m->bytes_per_second, &p) < 0 ||
        p.len > encoder_packet_cap(s->width, s->height)) {
        if (s)
            stream_end(s);
        say_failed(e, m->stream, m->serial);
        return;
    }
    memcpy(s->memory + encoder_packet_at(s->width, s->height), p.data, p.len);
    struct encoder_packet answer = {s->id, m->serial, (uint32_t)p.len, p.key, (uint8_t)p.qp};
    (void)wire_send(e->peer, &encoder_packet_def, &answer, NULL);
}

static void handle(struct encoder *e, const struct wire_def *def, const void *msg)
{
    if (def == &encoder_open_def) {
        open_stream(e, msg);
    } else if (def == &encoder_picture_def) {
        encode(e, msg);
    } else {
        const struct encoder_close *c = msg;
        struct encoder_stream *s = find(e, c->stream, false);
        if (s)
            stream_end(s);
    }
}

int encoder_step(struct encoder *e)
{
    union {
        struct encoder_open open;
        struct encoder_picture picture;
        struct encoder_close close;
        max_align_t align;
    } msg;
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX];
    int r = wire_recv(e->peer, &peer_to_encoder, &def, &msg, fds, -1);
    if (r == 0)
        handle(e, def, &msg);
    return r;
}

void encoder_finish(struct encoder *e)
{
    for (int i = 0; i < ENCODER_STREAMS_MAX; i++)
        if (e->streams[i].av)
            stream_end(&e->streams[i]);
}

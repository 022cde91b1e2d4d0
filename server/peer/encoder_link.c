/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/encoder_link.h"

#include "codecs/encoder/proto.h"
#include "common/link.h"
#include "common/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* An encoder of a film takes 5; whoever looks bears a pause of so much once */
#define PATIENCE_MS 250
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

struct outside {
    struct encoder_link *owner;
    struct h264_config config;
    uint32_t id, serial, rate;
    uint8_t *memory;    /* NULL until the encoder has opened the stream */
    struct yuv picture; /* the caller's, while `waits`: it comes with the memory */
    bool waits, key;
    bool busy, ready, failed;
    struct h264_packet packet;
};
struct encoder_link {
    struct event_base *base;
    struct link *link; /* NULL: lost */
    bool greeted;      /* this process has said hello */
    bool worked;       /* one has been ready: that it ends is a failure */
    char name[ENCODER_NAME_BYTES];
    const struct encoder_link_events *events;
    void *user;
    uint32_t last_id;
    struct outside *streams[ENCODER_STREAMS_MAX];
};

const char *encoder_link_name(const struct encoder_link *l)
{
    return l && l->link ? l->name : "";
}

static size_t memory_bytes(const struct outside *s)
{
    return encoder_memory_bytes((unsigned)s->config.width, (unsigned)s->config.height);
}

static void tell(struct outside *s)
{
    if (s->config.done)
        s->config.done(s->config.user);
}

static void stream_failed(struct outside *s)
{
    if (s->failed)
        return;
    s->failed = true;
    tell(s);
}

static void lost(struct encoder_link *l)
{
    link_destroy(l->link);
    l->link = NULL;
    l->name[0] = 0;
    for (int i = 0; i < ENCODER_STREAMS_MAX; i++)
        if (l->streams[i])
            stream_failed(l->streams[i]);
    if (l->worked)
        l->events->lost(l->user);
}

static void send_picture(struct outside *s)
{
    size_t luma = (size_t)s->config.width * (size_t)s->config.height;
    struct encoder_picture m = {s->id, ++s->serial, s->key, s->rate};
    memcpy(s->memory, s->picture.y, luma);
    memcpy(s->memory + luma, s->picture.u, luma / 4);
    memcpy(s->memory + luma * 5 / 4, s->picture.v, luma / 4);
    s->waits = false;
    if (!s->owner->link || link_send(s->owner->link, &encoder_picture_def, &m, NULL) < 0)
        stream_failed(s);
}

/* One that has not failed: what is said of others, closed ones among them, comes too late. */
static struct outside *find(struct encoder_link *l, uint32_t id)
{
    for (int i = 0; i < ENCODER_STREAMS_MAX; i++)
        if (l->streams[i] && l->streams[i]->id == id && !l->streams[i]->failed)
            return l->streams[i];
    return NULL;
}

/* Whether nobody can take the memory away once it is mapped. What is no memfd has no seals to ask for: -1, whose bits
 * are all set. */
static bool is_sealed(int fd, size_t bytes)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & SEALS) == SEALS && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        (size_t)st.st_size == bytes;
}

/* The stream's memory, if it is what it should be: else the process could make it vanish under our hands. */
static void opened(struct encoder_link *l, uint32_t id, int fd)
{
    struct outside *s = find(l, id);
    void *p = MAP_FAILED;
    if (s && !s->memory && is_sealed(fd, memory_bytes(s)))
        p = mmap(NULL, memory_bytes(s), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p == MAP_FAILED) {
        if (s)
            stream_failed(s);
        return;
    }
    s->memory = p;
    if (s->waits)
        send_picture(s);
}

static void packet(struct encoder_link *l, const struct encoder_packet *m)
{
    struct outside *s = find(l, m->stream);
    if (!s)
        return;
    unsigned w = (unsigned)s->config.width, h = (unsigned)s->config.height;
    if (m->len == 0 || !s->memory || !s->busy || s->ready || m->serial != s->serial ||
        m->len > encoder_packet_cap(w, h)) {
        stream_failed(s);
        return;
    }
    s->packet = (struct h264_packet){.picture = {s->memory + encoder_packet_at(w, h), m->len, m->qp}, .key = m->key};
    s->ready = true;
    tell(s);
}

static void hello(struct encoder_link *l, const struct encoder_hello *m)
{
    if (l->greeted) {
        lost(l);
        return;
    }
    l->greeted = true;
    memcpy(l->name, m->name, sizeof l->name);
    if (!l->name[0])
        return;
    l->worked = true;
    l->events->ready(l->user);
}

static void on_message(void *user, struct link *link, const struct wire_def *def, void *msg, const int *fds)
{
    struct encoder_link *l = user;
    if (def == &encoder_hello_def)
        hello(l, msg);
    else if (def == &encoder_opened_def)
        opened(l, ((struct encoder_opened *)msg)->stream, fds[0]);
    else
        packet(l, msg);
}

static void on_closed(void *user, struct link *link, int err)
{
    lost(user);
}

static bool connect_link(struct encoder_link *l, int fd)
{
    static const struct link_ops ops = {.message = on_message, .closed = on_closed};
    l->greeted = false;
    l->link = link_create(l->base, fd, &encoder_to_peer, &ops, l, LINK_QUEUE_DEFAULT);
    if (!l->link)
        close(fd);
    return l->link != NULL;
}

struct encoder_link *encoder_link_create(struct event_base *base, int fd, const struct encoder_link_events *events,
    void *user)
{
    static const struct slot must[] = {SLOT(encoder_link_events, ready), SLOT(encoder_link_events, lost)};
    bool whole = SLOTS_CHECK("encoder's link", events, must) == 0;
    struct encoder_link *l = whole ? calloc(1, sizeof *l) : NULL;
    if (!l) {
        close(fd);
        return NULL;
    }
    *l = (struct encoder_link){.base = base, .events = events, .user = user};
    if (connect_link(l, fd))
        return l;
    free(l);
    return NULL;
}

void encoder_link_restart(struct encoder_link *l, int fd)
{
    if (l->link)
        close(fd);
    else
        (void)connect_link(l, fd);
}

void encoder_link_give_up(struct encoder_link *l)
{
    if (l && l->link)
        lost(l);
}

void encoder_link_destroy(struct encoder_link *l)
{
    if (!l)
        return;
    link_destroy(l->link);
    free(l);
}

static void *outside_open(const struct h264_config *config)
{
    struct encoder_link *l = config->context;
    int slot = 0;
    while (slot < ENCODER_STREAMS_MAX && l && l->streams[slot])
        slot++;
    if (!l || !encoder_link_name(l)[0] || slot == ENCODER_STREAMS_MAX || config->pairs ||
        config->width > ENCODER_SIDE_MAX || config->height > ENCODER_SIDE_MAX)
        return NULL;
    struct encoder_open m = {l->last_id + 1, (uint16_t)config->width, (uint16_t)config->height,
        (uint16_t)config->frame_rate, config->bytes_per_second};
    struct outside *s = calloc(1, sizeof *s);
    if (!s || link_send(l->link, &encoder_open_def, &m, NULL) < 0) {
        free(s);
        return NULL;
    }
    *s = (struct outside){.owner = l, .config = *config, .id = ++l->last_id, .rate = config->bytes_per_second};
    return l->streams[slot] = s;
}

static void outside_close(void *enc)
{
    struct outside *s = enc;
    if (!s)
        return;
    struct encoder_close m = {s->id};
    if (s->owner->link)
        (void)link_send(s->owner->link, &encoder_close_def, &m, NULL);
    for (int i = 0; i < ENCODER_STREAMS_MAX; i++)
        if (s->owner->streams[i] == s)
            s->owner->streams[i] = NULL;
    if (s->memory)
        munmap(s->memory, memory_bytes(s));
    free(s);
}

static int outside_submit(void *enc, const struct yuv *picture, const struct yuv *chroma, bool key)
{
    struct outside *s = enc;
    if (s->failed || !picture || chroma)
        return -EIO;
    if (s->busy)
        return -EBUSY;
    s->picture = *picture;
    s->key = key;
    s->busy = s->waits = true;
    if (s->memory)
        send_picture(s);
    return 0;
}

static bool outside_ready(void *enc)
{
    const struct outside *s = enc;
    return s->ready || s->failed;
}

static int outside_collect(void *enc, struct h264_packet *out)
{
    struct outside *s = enc;
    if (s->failed)
        return -EIO;
    if (!s->ready)
        return 0;
    *out = s->packet;
    s->busy = s->ready = false;
    return 1;
}

/* Hardware keeps a rate, not a picture's length. */
static int outside_rate(void *enc, uint32_t bytes_per_second, uint32_t picture_bytes)
{
    struct outside *s = enc;
    s->rate = bytes_per_second;
    return 0;
}

const struct h264_backend encoder_outside = {.name = "oriel-encoder",
    .patience_ms = PATIENCE_MS,
    .open = outside_open,
    .close = outside_close,
    .submit = outside_submit,
    .ready = outside_ready,
    .collect = outside_collect,
    .set_rate = outside_rate};

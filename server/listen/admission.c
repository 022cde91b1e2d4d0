/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/listen/admission.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024

struct admission_source {
    struct admission_source *next; /* in its bucket */
    uint8_t key[7];                /* family and 24 or 48 bits */
    unsigned open, half_open;
    int64_t penalty_until, seen;
};
struct admission {
    struct admission_source *buckets[BUCKETS];
    unsigned sources, clients, half_open;
};

struct admission *admission_create(void)
{
    return calloc(1, sizeof(struct admission));
}

void admission_destroy(struct admission *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (a->buckets[i]) {
            struct admission_source *s = a->buckets[i];
            a->buckets[i] = s->next;
            free(s);
        }
    free(a);
}

static void make_key(const struct sockaddr *from, uint8_t key[7])
{
    memset(key, 0, 7);
    if (from->sa_family == AF_INET) {
        key[0] = 4;
        memcpy(key + 1, &((const struct sockaddr_in *)from)->sin_addr, 3);
    } else if (from->sa_family == AF_INET6) {
        const struct in6_addr *v6 = &((const struct sockaddr_in6 *)from)->sin6_addr;
        bool mapped = IN6_IS_ADDR_V4MAPPED(v6);
        key[0] = mapped ? 4 : 6;
        memcpy(key + 1, v6->s6_addr + (mapped ? 12 : 0), mapped ? 3 : 6);
    }
}

static struct admission_source **bucket(struct admission *a, const uint8_t key[7])
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (int i = 0; i < 7; i++)
        h = (h ^ key[i]) * 16777619u;
    return &a->buckets[h % BUCKETS];
}

static void forget_oldest(struct admission *a)
{
    struct admission_source **oldest = NULL;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct admission_source **p = &a->buckets[i]; *p; p = &(*p)->next)
            if ((*p)->open == 0 && (!oldest || (*p)->seen < (*oldest)->seen))
                oldest = p;
    if (!oldest)
        return;
    struct admission_source *s = *oldest;
    *oldest = s->next;
    free(s);
    a->sources--;
}

static struct admission_source *find(struct admission *a, const struct sockaddr *from, int64_t now)
{
    uint8_t key[7];
    make_key(from, key);
    struct admission_source *s;
    for (s = *bucket(a, key); s; s = s->next)
        if (memcmp(s->key, key, sizeof key) == 0)
            break;
    if (!s) {
        if (a->sources >= ADMISSION_SOURCES)
            forget_oldest(a);
        s = a->sources < ADMISSION_SOURCES ? calloc(1, sizeof *s) : NULL;
        if (!s)
            return NULL;
        memcpy(s->key, key, sizeof key);
        struct admission_source **b = bucket(a, key);
        s->next = *b;
        *b = s;
        a->sources++;
    }
    s->seen = now;
    return s;
}

enum admission_answer admission_enter(struct admission *a, const struct admission_limits *l,
    const struct sockaddr *from, int64_t now, struct admission_source **source)
{
    if (a->clients >= l->clients)
        return ADMISSION_FULL;
    if (a->half_open >= l->half_open)
        return ADMISSION_HALF_OPEN;
    struct admission_source *s = find(a, from, now);
    if (!s)
        return ADMISSION_FULL;
    if (s->half_open >= l->half_open_per_source)
        return ADMISSION_SOURCE;
    if (s->penalty_until > now + ADMISSION_PENALTY_LIMIT)
        return ADMISSION_PENALTY;
    s->open++;
    s->half_open++;
    a->clients++;
    a->half_open++;
    *source = s;
    return ADMISSION_OK;
}

void admission_grant(struct admission *a, struct admission_source *s)
{
    s->half_open--;
    a->half_open--;
}

void admission_leave(struct admission *a, struct admission_source *s, bool half_open, unsigned penalty, int64_t now)
{
    s->open--;
    a->clients--;
    if (half_open)
        admission_grant(a, s);
    s->seen = now;
    if (s->penalty_until < now)
        s->penalty_until = now;
    s->penalty_until += penalty;
    if (s->penalty_until > now + ADMISSION_PENALTY_MAX)
        s->penalty_until = now + ADMISSION_PENALTY_MAX;
}

unsigned admission_clients(const struct admission *a)
{
    return a->clients;
}
unsigned admission_half_open(const struct admission *a)
{
    return a->half_open;
}

const char *admission_text(enum admission_answer answer)
{
    static const char *const texts[] = {"admitted", "server.max_clients reached", "server.max_half_open reached",
        "server.max_half_open_per_source reached", "source broke the protocol too often"};
    return texts[answer];
}

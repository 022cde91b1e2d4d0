/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/throttle.h"

#include "common/log.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_SLOTS 16384 /* chains of four at THROTTLE_BUCKETS_MAX */

struct throttle_bucket {
    struct throttle_bucket *next;
    double tokens;
    uint64_t at_ms;
    bool slow; /* a user's own bucket: half the rate */
    char key[];
};
struct throttle {
    struct store *store;
    throttle_clock now_ms;
    char boot[STORE_BOOT_BYTES];
    size_t count;
    struct throttle_bucket *slots[TABLE_SLOTS];
};

void throttle_boot_id(char out[STORE_BOOT_BYTES])
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (!f || !fgets(out, STORE_BOOT_BYTES, f))
        snprintf(out, STORE_BOOT_BYTES, "unknown");
    out[strcspn(out, "\n")] = 0;
    if (f)
        fclose(f);
}

static size_t slot_of(const char *key)
{
    /* FNV-1a; a crowded chain is only slow, and is bounded by THROTTLE_BUCKETS_MAX */
    uint64_t h = 1469598103934665603u;
    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 1099511628211u;
    return h % TABLE_SLOTS;
}

/* A user's bucket has an '@' in its key; a prefix has none. */
static bool key_is_slow(const char *key)
{
    return strchr(key, '@') != NULL;
}

static struct throttle_bucket *find(struct throttle *t, const char *key)
{
    struct throttle_bucket *b = t->slots[slot_of(key)];
    while (b && strcmp(b->key, key) != 0)
        b = b->next;
    return b;
}

static void drop(struct throttle *t, struct throttle_bucket **at)
{
    struct throttle_bucket *b = *at;
    if (t->store && store_bucket_delete(t->store, b->key) < 0)
        log_warning("throttle not saved", "key=%s: the state directory cannot be written", b->key);
    *at = b->next;
    free(b);
    t->count--;
}

static void refill(struct throttle *t, struct throttle_limits lim, struct throttle_bucket *b)
{
    uint64_t now = t->now_ms();
    double rate = (double)lim.burst / ((double)lim.seconds * 1000.0);
    if (now > b->at_ms)
        b->tokens += (double)(now - b->at_ms) * (b->slow ? rate / 2 : rate);
    if (b->tokens > lim.burst)
        b->tokens = lim.burst;
    b->at_ms = now;
}

/* Drop what is full again; when that was not enough, drop the fullest. */
static void make_room(struct throttle *t, struct throttle_limits lim)
{
    struct throttle_bucket **fullest = NULL;
    for (size_t i = 0; i < TABLE_SLOTS; i++) {
        for (struct throttle_bucket **at = &t->slots[i]; *at;) {
            refill(t, lim, *at);
            if ((*at)->tokens >= lim.burst) {
                drop(t, at);
                continue;
            }
            if (!fullest || (*at)->tokens > (*fullest)->tokens)
                fullest = at;
            at = &(*at)->next;
        }
    }
    if (fullest && *fullest && t->count >= THROTTLE_BUCKETS_MAX)
        drop(t, fullest);
}

static struct throttle_bucket *add(struct throttle *t, const char *key, double tokens, uint64_t at_ms)
{
    size_t len = strlen(key) + 1;
    struct throttle_bucket *b = calloc(1, sizeof *b + len);
    if (!b)
        return NULL;
    memcpy(b->key, key, len);
    b->tokens = tokens;
    b->at_ms = at_ms;
    b->slow = key_is_slow(key);
    size_t i = slot_of(key);
    b->next = t->slots[i];
    t->slots[i] = b;
    t->count++;
    return b;
}

static struct throttle_bucket *get(struct throttle *t, struct throttle_limits lim, const char *key)
{
    struct throttle_bucket *b = find(t, key);
    if (!b) {
        if (t->count >= THROTTLE_BUCKETS_MAX)
            make_room(t, lim);
        b = add(t, key, lim.burst, t->now_ms());
    }
    if (b)
        refill(t, lim, b);
    return b;
}

static void save(struct throttle *t, const struct throttle_bucket *b)
{
    if (!t->store)
        return;
    struct store_bucket sb = {.tokens = b->tokens, .at_ms = b->at_ms};
    snprintf(sb.key, sizeof sb.key, "%s", b->key);
    memcpy(sb.boot, t->boot, sizeof sb.boot);
    if (store_bucket_put(t->store, &sb) < 0)
        log_warning("throttle not saved", "key=%s: the state directory cannot be written", b->key);
}

static void load_one(void *user, const struct store_bucket *sb)
{
    struct throttle *t = user;
    bool same_boot = strcmp(sb->boot, t->boot) == 0;
    if (t->count < THROTTLE_BUCKETS_MAX && isfinite(sb->tokens))
        (void)add(t, sb->key, sb->tokens < 0 ? 0 : sb->tokens, same_boot ? sb->at_ms : t->now_ms());
}

struct throttle *throttle_create(struct store *store, const char *boot, throttle_clock now_ms)
{
    struct throttle *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->store = store;
    t->now_ms = now_ms;
    snprintf(t->boot, sizeof t->boot, "%s", boot);
    if (store && store_buckets(store, load_one, t) < 0)
        log_error("throttle not loaded", "the state directory cannot be read; counting begins anew");
    return t;
}

void throttle_destroy(struct throttle *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < TABLE_SLOTS; i++) {
        while (t->slots[i]) {
            struct throttle_bucket *b = t->slots[i];
            t->slots[i] = b->next;
            free(b);
        }
    }
    free(t);
}

static uint32_t wait_of(struct throttle_limits lim, const struct throttle_bucket *b)
{
    if (b->tokens >= 1)
        return 0;
    double rate = (double)lim.burst / lim.seconds;
    return (uint32_t)ceil((1 - b->tokens) / (b->slow ? rate / 2 : rate));
}

struct bucket_keys {
    char by_user[STORE_KEY_BYTES], anywhere[STORE_KEY_BYTES];
};
static void make_keys(struct bucket_keys *k, const char *user, const char *prefix)
{
    snprintf(k->by_user, sizeof k->by_user, "%s@%s", user, prefix);
    snprintf(k->anywhere, sizeof k->anywhere, "%s@*", user);
}

static void charge(struct throttle *t, struct throttle_bucket *b)
{
    b->tokens = b->tokens >= 1 ? b->tokens - 1 : 0;
    save(t, b);
}

struct throttle_verdict throttle_begin(struct throttle *t, struct throttle_limits lim, const char *user,
    const char *prefix)
{
    struct bucket_keys k;
    make_keys(&k, user, prefix);
    struct throttle_bucket *p = get(t, lim, prefix);
    if (!p)
        return (struct throttle_verdict){.wait_s = 1};
    if (wait_of(lim, p))
        return (struct throttle_verdict){.wait_s = wait_of(lim, p)};
    if (!*user) {
        charge(t, p);
        return (struct throttle_verdict){0};
    }
    struct throttle_bucket *u = get(t, lim, k.by_user);
    if (!u)
        return (struct throttle_verdict){.wait_s = 1};
    if (wait_of(lim, u))
        return (struct throttle_verdict){.wait_s = wait_of(lim, u)};
    struct throttle_bucket *a = get(t, lim, k.anywhere);
    struct throttle_verdict v = {.delay_ms = !a || a->tokens < 1 ? THROTTLE_DELAY_MS : 0};
    /* get() may have made room for the last one: look again */
    if ((p = find(t, prefix)))
        charge(t, p);
    if ((u = find(t, k.by_user)))
        charge(t, u);
    if (a)
        charge(t, a);
    return v;
}

static void give_back(struct throttle *t, struct throttle_limits lim, const char *key, double tokens)
{
    struct throttle_bucket *b = find(t, key);
    if (!b)
        return;
    refill(t, lim, b);
    b->tokens = b->tokens + tokens > lim.burst ? lim.burst : b->tokens + tokens;
    save(t, b);
}

void throttle_refund(struct throttle *t, struct throttle_limits lim, const char *user, const char *prefix)
{
    struct bucket_keys k;
    make_keys(&k, user, prefix);
    give_back(t, lim, prefix, 1);
    if (!*user)
        return;
    give_back(t, lim, k.by_user, 1);
    give_back(t, lim, k.anywhere, 1);
}

void throttle_success(struct throttle *t, struct throttle_limits lim, const char *user, const char *prefix)
{
    struct bucket_keys k;
    make_keys(&k, user, prefix);
    give_back(t, lim, prefix, 1);
    give_back(t, lim, k.by_user, lim.burst);
    give_back(t, lim, k.anywhere, 1);
}

void throttle_each(struct throttle *t, struct throttle_limits lim,
    void (*each)(void *user, const char *key, double tokens, uint32_t wait_s), void *user)
{
    for (size_t i = 0; i < TABLE_SLOTS; i++) {
        for (struct throttle_bucket *b = t->slots[i]; b; b = b->next) {
            refill(t, lim, b);
            if (b->tokens < lim.burst)
                each(user, b->key, b->tokens, wait_of(lim, b));
        }
    }
}

size_t throttle_clear(struct throttle *t, const char *key)
{
    size_t before = t->count;
    for (size_t i = 0; i < TABLE_SLOTS; i++) {
        for (struct throttle_bucket **at = &t->slots[i]; *at;) {
            if (!*key || strcmp((*at)->key, key) == 0)
                drop(t, at);
            else
                at = &(*at)->next;
        }
    }
    if (!*key && t->store)
        (void)store_bucket_delete(t->store, NULL);
    return before - t->count;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/store.h"

#include "common/log.h"
#include "common/secret.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    Q_NEXT,
    Q_SEEN,
    Q_SECRET_PUT,
    Q_SECRET,
    Q_BUCKET_PUT,
    Q_BUCKET_DEL,
    Q_BUCKET_DEL_ALL,
    Q_BUCKETS,
    Q_COOKIE_CLEAR,
    Q_COOKIE_PUT,
    Q_COOKIE_TAKE,
    Q_COOKIE_PRUNE,
    Q_COUNT
};
static const char *const queries[Q_COUNT] = {
    [Q_NEXT] =
        ("INSERT INTO counter(name, value) VALUES('session', 1) ON CONFLICT(name) DO UPDATE SET value = value + 1 "
         "RETURNING value"),
    [Q_SEEN] =
        "INSERT INTO counter(name, value) VALUES('session', ?1) ON CONFLICT(name) DO UPDATE SET value = max(value, ?1)",
    [Q_SECRET_PUT] = "INSERT OR IGNORE INTO secret(name, value) VALUES('cache', ?1)",
    [Q_SECRET] = "SELECT value FROM secret WHERE name = 'cache'",
    [Q_BUCKET_PUT] = "INSERT OR REPLACE INTO bucket(key, tokens, at_ms, boot) VALUES(?1, ?2, ?3, ?4)",
    [Q_BUCKET_DEL] = "DELETE FROM bucket WHERE key = ?1",
    [Q_BUCKET_DEL_ALL] = "DELETE FROM bucket",
    [Q_BUCKETS] = "SELECT key, tokens, at_ms, boot FROM bucket",
    [Q_COOKIE_CLEAR] = "DELETE FROM cookie WHERE session = ?1",
    [Q_COOKIE_PUT] =
        "INSERT OR REPLACE INTO cookie(logon_id, session, user, hash, expires_ms, boot) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [Q_COOKIE_TAKE] = "DELETE FROM cookie WHERE logon_id = ?1 RETURNING session, user, hash, expires_ms, boot",
    [Q_COOKIE_PRUNE] = "DELETE FROM cookie WHERE boot <> ?1 OR expires_ms <= ?2",
};
static const char schema[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;"
    "CREATE TABLE IF NOT EXISTS counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS secret(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS bucket(key TEXT PRIMARY KEY, tokens REAL NOT NULL, at_ms INTEGER NOT "
    "NULL, boot TEXT NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS cookie(logon_id INTEGER PRIMARY KEY, session INTEGER NOT NULL, user "
    "TEXT NOT NULL, hash BLOB NOT NULL,"
    " expires_ms INTEGER NOT NULL, boot TEXT NOT NULL) STRICT;"
    "CREATE INDEX IF NOT EXISTS cookie_session ON cookie(session);";

struct store {
    sqlite3 *db;
    sqlite3_stmt *q[Q_COUNT];
};

static int to_errno(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
        return -EACCES;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EUCLEAN;
    default:
        return -EIO;
    }
}

static int open_once(struct store *s, const char *path)
{
    int rc = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(s->db, schema, NULL, NULL, NULL);
    for (int i = 0; rc == SQLITE_OK && i < Q_COUNT; i++)
        rc = sqlite3_prepare_v3(s->db, queries[i], -1, SQLITE_PREPARE_PERSISTENT, &s->q[i], NULL);
    return to_errno(rc);
}

static void close_db(struct store *s)
{
    for (int i = 0; i < Q_COUNT; i++) {
        sqlite3_finalize(s->q[i]);
        s->q[i] = NULL;
    }
    sqlite3_close(s->db);
    s->db = NULL;
}

static int move_aside(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char from[4096], to[4096];
        snprintf(from, sizeof from, "%s%s", path, suffixes[i]);
        snprintf(to, sizeof to, "%s.broken%s", path, suffixes[i]);
        if (rename(from, to) < 0 && errno != ENOENT)
            return -errno;
    }
    return 0;
}

struct store *store_open(const char *path, int *err)
{
    struct store *s = calloc(1, sizeof *s);
    mode_t old = umask(077);
    *err = -ENOMEM;
    if (!s)
        goto out;
    *err = open_once(s, path);
    if (*err == -EUCLEAN) {
        close_db(s);
        log_error("store broken",
            "file=%s: moved to %s.broken, a new one is begun; throttle state and reconnect cookies are lost", path,
            path);
        *err = move_aside(path);
        if (*err == 0)
            *err = open_once(s, path);
    }
    if (*err < 0) {
        store_close(s);
        s = NULL;
    }
out:
    umask(old);
    return s;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    close_db(s);
    free(s);
}

/* Run a prepared statement that yields no rows. */
static int finish(sqlite3_stmt *q)
{
    int rc = sqlite3_step(q);
    sqlite3_reset(q);
    sqlite3_clear_bindings(q);
    return to_errno(rc);
}

uint64_t store_next_session(struct store *s)
{
    sqlite3_stmt *q = s->q[Q_NEXT];
    uint64_t id = sqlite3_step(q) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(q, 0) : 0;
    if (id && sqlite3_step(q) != SQLITE_DONE) /* the change is made when the statement has run to its end */
        id = 0;
    sqlite3_reset(q);
    return id;
}

int store_session_seen(struct store *s, uint64_t session)
{
    sqlite3_bind_int64(s->q[Q_SEEN], 1, (sqlite3_int64)session);
    return finish(s->q[Q_SEEN]);
}

static int read_secret(struct store *s, uint8_t out[STORE_SECRET_BYTES])
{
    sqlite3_stmt *q = s->q[Q_SECRET];
    int rc = sqlite3_step(q), r = rc == SQLITE_DONE ? -ENOENT : to_errno(rc);
    if (rc == SQLITE_ROW && sqlite3_column_bytes(q, 0) == STORE_SECRET_BYTES)
        memcpy(out, sqlite3_column_blob(q, 0), STORE_SECRET_BYTES);
    else if (rc == SQLITE_ROW)
        r = -EUCLEAN;
    sqlite3_reset(q);
    return r;
}

int store_secret(struct store *s, uint8_t out[STORE_SECRET_BYTES])
{
    uint8_t fresh[STORE_SECRET_BYTES];
    int r = read_secret(s, out);
    if (r != -ENOENT)
        return r;
    secret_random(fresh, sizeof fresh);
    sqlite3_bind_blob(s->q[Q_SECRET_PUT], 1, fresh, sizeof fresh, SQLITE_STATIC);
    r = finish(s->q[Q_SECRET_PUT]);
    secret_wipe(fresh, sizeof fresh);
    return r < 0 ? r : read_secret(s, out);
}

int store_bucket_put(struct store *s, const struct store_bucket *b)
{
    sqlite3_stmt *q = s->q[Q_BUCKET_PUT];
    sqlite3_bind_text(q, 1, b->key, -1, SQLITE_STATIC);
    sqlite3_bind_double(q, 2, b->tokens);
    sqlite3_bind_int64(q, 3, (sqlite3_int64)b->at_ms);
    sqlite3_bind_text(q, 4, b->boot, -1, SQLITE_STATIC);
    return finish(q);
}

int store_bucket_delete(struct store *s, const char *key)
{
    if (!key)
        return finish(s->q[Q_BUCKET_DEL_ALL]);
    sqlite3_bind_text(s->q[Q_BUCKET_DEL], 1, key, -1, SQLITE_STATIC);
    return finish(s->q[Q_BUCKET_DEL]);
}

static void column_text(sqlite3_stmt *q, int col, char *out, size_t cap)
{
    const unsigned char *t = sqlite3_column_text(q, col);
    snprintf(out, cap, "%s", t ? (const char *)t : "");
}

int store_buckets(struct store *s, void (*each)(void *user, const struct store_bucket *b), void *user)
{
    sqlite3_stmt *q = s->q[Q_BUCKETS];
    int rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct store_bucket b = {.tokens = sqlite3_column_double(q, 1), .at_ms = (uint64_t)sqlite3_column_int64(q, 2)};
        column_text(q, 0, b.key, sizeof b.key);
        column_text(q, 3, b.boot, sizeof b.boot);
        each(user, &b);
    }
    sqlite3_reset(q);
    return to_errno(rc);
}

int store_cookie_put(struct store *s, const struct store_cookie *c)
{
    int r = store_cookie_delete_session(s, c->session);
    if (r < 0)
        return r;
    sqlite3_stmt *q = s->q[Q_COOKIE_PUT];
    sqlite3_bind_int64(q, 1, c->logon_id);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)c->session);
    sqlite3_bind_text(q, 3, c->user, -1, SQLITE_STATIC);
    sqlite3_bind_blob(q, 4, c->hash, sizeof c->hash, SQLITE_STATIC);
    sqlite3_bind_int64(q, 5, (sqlite3_int64)c->expires_ms);
    sqlite3_bind_text(q, 6, c->boot, -1, SQLITE_STATIC);
    return finish(q);
}

int store_cookie_take(struct store *s, uint32_t logon_id, struct store_cookie *out)
{
    sqlite3_stmt *q = s->q[Q_COOKIE_TAKE];
    sqlite3_bind_int64(q, 1, logon_id);
    *out = (struct store_cookie){.logon_id = logon_id};
    int rc = sqlite3_step(q), r = -ENOENT;
    if (rc == SQLITE_ROW) {
        out->session = (uint64_t)sqlite3_column_int64(q, 0);
        column_text(q, 1, out->user, sizeof out->user);
        bool whole = sqlite3_column_bytes(q, 2) == (int)sizeof out->hash;
        if (whole)
            memcpy(out->hash, sqlite3_column_blob(q, 2), sizeof out->hash);
        out->expires_ms = (uint64_t)sqlite3_column_int64(q, 3);
        column_text(q, 4, out->boot, sizeof out->boot);
        rc = sqlite3_step(q);
        r = rc != SQLITE_DONE ? -EIO : whole ? 0 : -ENOENT;
    } else if (rc != SQLITE_DONE) {
        r = to_errno(rc);
    }
    sqlite3_reset(q);
    return r;
}

int store_cookie_delete_session(struct store *s, uint64_t session)
{
    sqlite3_bind_int64(s->q[Q_COOKIE_CLEAR], 1, (sqlite3_int64)session);
    return finish(s->q[Q_COOKIE_CLEAR]);
}

int store_cookie_prune(struct store *s, const char *boot, uint64_t now_ms)
{
    sqlite3_bind_text(s->q[Q_COOKIE_PRUNE], 1, boot, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s->q[Q_COOKIE_PRUNE], 2, (sqlite3_int64)now_ms);
    return finish(s->q[Q_COOKIE_PRUNE]);
}

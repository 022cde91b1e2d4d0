/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/keys/pair.h"

#include "common/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE_MAX 65536 /* an RSA-16384 key in PEM is a fifth of it */

struct pair {
    unsigned refs;
    EVP_PKEY *key;
    X509 *leaf;
    char *chain;
    size_t nchain;
};

static const char *openssl_reason(void)
{
    const char *s = ERR_reason_error_string(ERR_peek_last_error());
    return s ? s : "unknown OpenSSL error";
}

/* An encrypted key cannot be used by a daemon; without this OpenSSL would ask on a terminal. */
static int no_passphrase(char *buf, int size, int rw, void *user)
{
    *(int *)user = 1;
    return -1;
}

static BIO *open_pem(const char *path, char *why, size_t cap)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0) {
        snprintf(why, cap, "%s: %s%s", path, strerror(errno),
            errno == EACCES ? " (the account of oriel-keys must be able to read it; a new folder needs a restart)"
                            : "");
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    if (!S_ISREG(st.st_mode) || st.st_size > KEY_FILE_MAX) {
        snprintf(why, cap, "%s is not a file of at most %d bytes", path, KEY_FILE_MAX);
        close(fd);
        return NULL;
    }
    return BIO_new_fd(fd, BIO_CLOSE);
}

static int load_key(struct pair *p, const char *path, char *why, size_t cap)
{
    int asked = 0;
    BIO *in = open_pem(path, why, cap);
    if (!in)
        return -1;
    BIO *buffered = BIO_push(BIO_new(BIO_f_buffer()), in);
    p->key = PEM_read_bio_PrivateKey(buffered, NULL, no_passphrase, &asked);
    BIO_free_all(buffered);
    if (!p->key) {
        snprintf(why, cap,
            asked ? "%s is encrypted; store it without a passphrase, readable by oriel-keys alone"
                  : "%s holds no private key in PEM",
            path);
        return -1;
    }
    int type = EVP_PKEY_get_base_id(p->key), bits = EVP_PKEY_get_bits(p->key);
    if (type == EVP_PKEY_EC ||
        (type == EVP_PKEY_RSA && bits >= 2048 && EVP_PKEY_get_size(p->key) <= KEYS_SIGNATURE_BYTES))
        return 0;
    snprintf(why, cap, "%s: RSA keys of 2048 to 4096 bits and EC keys can be served, this one cannot", path);
    return -1;
}

static int append_certificate(BIO *out, X509 *x, char *why, size_t cap)
{
    if (PEM_write_bio_X509(out, x) == 1 && BIO_pending(out) <= KEYS_CHAIN_BYTES)
        return 0;
    snprintf(why, cap, "the certificate chain is over %d bytes", KEYS_CHAIN_BYTES);
    return -1;
}

/* Written anew from what was parsed: nothing else that the file may hold (a key!) goes out to peers. */
static int load_chain(struct pair *p, const char *path, char *why, size_t cap)
{
    BIO *in = open_pem(path, why, cap), *out = BIO_new(BIO_s_mem());
    if (!in || !out) {
        BIO_free(in), BIO_free(out);
        return -1;
    }
    BIO *buffered = BIO_push(BIO_new(BIO_f_buffer()), in);
    int r = 0;
    X509 *x;
    while (r == 0 && (x = PEM_read_bio_X509(buffered, NULL, NULL, NULL))) {
        r = append_certificate(out, x, why, cap);
        if (p->leaf)
            X509_free(x);
        else
            p->leaf = x;
    }
    bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (r == 0 && (!p->leaf || !ended)) {
        snprintf(why, cap, "%s: %s", path, p->leaf ? openssl_reason() : "no certificate in PEM");
        r = -1;
    }
    BIO_free_all(buffered);
    char *data;
    long n = BIO_get_mem_data(out, &data);
    if (r == 0 && (p->chain = malloc((size_t)n + 1))) {
        memcpy(p->chain, data, (size_t)n);
        p->chain[n] = 0;
        p->nchain = (size_t)n;
    } else {
        r = -1;
    }
    BIO_free(out);
    return r;
}

struct pair *pair_load(const char *certificate, const char *key, char *why, size_t cap)
{
    struct pair *p = calloc(1, sizeof *p);
    snprintf(why, cap, "out of memory");
    if (!p)
        return NULL;
    p->refs = 1;
    ERR_clear_error();
    if (load_chain(p, certificate, why, cap) < 0 || load_key(p, key, why, cap) < 0)
        goto fail;
    if (X509_check_private_key(p->leaf, p->key) != 1) {
        snprintf(why, cap, "the key %s does not belong to the (first) certificate in %s", key, certificate);
        goto fail;
    }
    ERR_clear_error();
    return p;
fail:
    ERR_clear_error();
    pair_unref(p);
    return NULL;
}

struct pair *pair_ref(struct pair *p)
{
    p->refs++;
    return p;
}

void pair_unref(struct pair *p)
{
    if (!p || --p->refs)
        return;
    EVP_PKEY_free(p->key);
    X509_free(p->leaf);
    free(p->chain);
    free(p);
}

const char *pair_chain(const struct pair *p, size_t *len)
{
    *len = p->nchain;
    return p->chain;
}

int pair_sign(const struct pair *p, enum keys_op op, const uint8_t *digest, size_t len, uint8_t *out, uint32_t *outlen)
{
    bool rsa = EVP_PKEY_get_base_id(p->key) == EVP_PKEY_RSA;
    size_t n = KEYS_SIGNATURE_BYTES;
    if (rsa ? op != KEYS_RSA_RAW || len != (size_t)EVP_PKEY_get_size(p->key)
            : op != KEYS_ECDSA || (len != 32 && len != 48 && len != 64))
        return -EINVAL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(p->key, NULL);
    bool ok = ctx && EVP_PKEY_sign_init(ctx) == 1 && (!rsa || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1) &&
        EVP_PKEY_get_size(p->key) <= KEYS_SIGNATURE_BYTES && EVP_PKEY_sign(ctx, out, &n, digest, len) == 1;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    *outlen = ok ? (uint32_t)n : 0;
    return ok ? 0 : -EIO;
}

void pair_describe(const struct pair *p, char *fingerprint, size_t fcap, char *subject, size_t scap, char *until,
    size_t ucap)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    struct tm tm;
    X509_digest(p->leaf, EVP_sha256(), md, &n);
    size_t at = (size_t)snprintf(fingerprint, fcap, "SHA256");
    for (unsigned i = 0; i < n && at + 4 < fcap; i++)
        at += (size_t)snprintf(fingerprint + at, fcap - at, ":%02x", md[i]);
    X509_NAME_oneline(X509_get_subject_name(p->leaf), subject, (int)scap);
    if (ASN1_TIME_to_tm(X509_get0_notAfter(p->leaf), &tm) == 1)
        strftime(until, ucap, "%Y-%m-%d", &tm);
    else
        snprintf(until, ucap, "?");
}

int pair_days_left(const struct pair *p)
{
    int days = 0, seconds = 0;
    if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(p->leaf)) != 1)
        return -1;
    return seconds < 0 && days == 0 ? -1 : days;
}

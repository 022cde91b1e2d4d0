/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RSA_METHOD and EC_KEY_METHOD are deprecated in favour of a provider, and are the small public way to a remote key in
 * every OpenSSL 3. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common/keys_client.h"

#include "common/keys_proto.h"
#include "common/log.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct keys_client {
    int fd, wait_ms;
    char *pem;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
    RSA *rsa; /* borrowed from key: one of them */
    EC_KEY *ec;
};

/* For the process, and never freed: a context may hold the key longer than we do. */
static int rsa_index = -1, ec_index = -1;
static RSA_METHOD *rsa_method;
static EC_KEY_METHOD *ec_method;

/* One question, one answer. `answer` is the struct of `want`. */
static int ask(struct keys_client *k, const struct wire_def *def, const void *question, const struct wire_def *want,
    void *answer)
{
    union {
        struct keys_chain chain;
        struct keys_signature signature;
        uint8_t bytes[sizeof(struct keys_chain) + 16];
    } buf __attribute__((aligned(16)));
    const struct wire_def *got;
    int fds[WIRE_FDS_MAX];
    int r = wire_send(k->fd, def, question, NULL);
    if (r == 0)
        r = wire_recv(k->fd, &keys_to_link, &got, &buf, fds, k->wait_ms);
    if (r == 0 && got != want)
        r = -EPROTO;
    if (r == 0)
        memcpy(answer, &buf, want->size);
    return r;
}

static int sign(struct keys_client *k, enum keys_op op, const uint8_t *digest, size_t len, struct keys_signature *out)
{
    struct keys_sign q = {.op = op, .ndigest = (uint32_t)len};
    if (len > sizeof q.digest)
        return -EINVAL;
    memcpy(q.digest, digest, len);
    int r = ask(k, &keys_sign_def, &q, &keys_signature_def, out);
    if (r == 0 && (out->refused || out->nsignature == 0))
        r = -EACCES;
    if (r < 0)
        log_warning("handshake not signed", "reason=%s",
            r == -EACCES ? "oriel-keys refused (limit or kind of key)" : strerror(-r));
    return r;
}

/* ---- RSA: OpenSSL pads for PSS itself; PKCS#1 v1.5 padding is left to the method ---- */

static int rsa_priv_enc(int len, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
    struct keys_client *k = RSA_get_ex_data(rsa, rsa_index);
    uint8_t block[KEYS_DIGEST_BYTES];
    struct keys_signature s;
    int size = RSA_size(rsa);
    if (!k || size > (int)sizeof block || len < 0 || len > size)
        return -1;
    if (padding == RSA_PKCS1_PADDING) {
        if (RSA_padding_add_PKCS1_type_1(block, size, from, len) != 1)
            return -1;
    } else if (padding == RSA_NO_PADDING && len == size) {
        memcpy(block, from, (size_t)len);
    } else {
        return -1;
    }
    if (sign(k, KEYS_RSA_RAW, block, (size_t)size, &s) < 0 || s.nsignature != (uint32_t)size)
        return -1;
    memcpy(to, s.signature, s.nsignature);
    return size;
}

static int rsa_priv_dec(int len, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
    return -1;
}

static int build_rsa(struct keys_client *k, EVP_PKEY *public_key)
{
    RSA *rsa = EVP_PKEY_get1_RSA(public_key);
    if (rsa && RSA_set_method(rsa, rsa_method) && RSA_set_ex_data(rsa, rsa_index, k) &&
        EVP_PKEY_assign_RSA(k->key, rsa)) {
        k->rsa = rsa;
        return 0;
    }
    RSA_free(rsa);
    return -ENOMEM;
}

/* ---- ECDSA ---- */

static int ec_sign(int type, const unsigned char *digest, int len, unsigned char *sig, unsigned *siglen,
    const BIGNUM *kinv, const BIGNUM *r, EC_KEY *ec)
{
    struct keys_client *k = EC_KEY_get_ex_data(ec, ec_index);
    struct keys_signature s;
    int room = ECDSA_size(ec);
    if (!k || len <= 0 || room <= 0 || sign(k, KEYS_ECDSA, digest, (size_t)len, &s) < 0 ||
        s.nsignature > (uint32_t)room)
        return 0;
    memcpy(sig, s.signature, s.nsignature);
    *siglen = s.nsignature;
    return 1;
}

static int ec_sign_setup(EC_KEY *ec, BN_CTX *ctx, BIGNUM **kinv, BIGNUM **r)
{
    return 1;
}

static ECDSA_SIG *ec_sign_sig(const unsigned char *digest, int len, const BIGNUM *kinv, const BIGNUM *r, EC_KEY *ec)
{
    unsigned char der[KEYS_SIGNATURE_BYTES];
    unsigned n = 0;
    const unsigned char *p = der;
    if (ECDSA_size(ec) > (int)sizeof der || !ec_sign(0, digest, len, der, &n, kinv, r, ec))
        return NULL;
    return d2i_ECDSA_SIG(NULL, &p, (long)n);
}

static int build_ec(struct keys_client *k, EVP_PKEY *public_key)
{
    EC_KEY *ec = EVP_PKEY_get1_EC_KEY(public_key);
    if (ec && EC_KEY_set_method(ec, ec_method) && EC_KEY_set_ex_data(ec, ec_index, k) &&
        EVP_PKEY_assign_EC_KEY(k->key, ec)) {
        k->ec = ec;
        return 0;
    }
    EC_KEY_free(ec);
    return -ENOMEM;
}

static int make_methods(void)
{
    if (rsa_method && ec_method)
        return 0;
    rsa_index = RSA_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    ec_index = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    rsa_method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
    ec_method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    if (rsa_index < 0 || ec_index < 0 || !rsa_method || !ec_method)
        return -ENOMEM;
    EC_KEY_METHOD_set_sign(ec_method, ec_sign, ec_sign_setup, ec_sign_sig);
    bool ok = RSA_meth_set_priv_enc(rsa_method, rsa_priv_enc) && RSA_meth_set_priv_dec(rsa_method, rsa_priv_dec) &&
        RSA_meth_set_flags(rsa_method, RSA_meth_get_flags(rsa_method) | RSA_FLAG_EXT_PKEY);
    return ok ? 0 : -ENOMEM;
}

/* ---- the object ---- */

static int parse_chain(struct keys_client *k)
{
    BIO *in = BIO_new_mem_buf(k->pem, -1);
    k->chain = sk_X509_new_null();
    X509 *x;
    while (in && k->chain && (x = PEM_read_bio_X509(in, NULL, NULL, NULL)))
        if (!sk_X509_push(k->chain, x)) {
            X509_free(x);
            break;
        }
    BIO_free(in);
    ERR_clear_error();
    return k->chain && sk_X509_num(k->chain) > 0 ? 0 : -EINVAL;
}

static int build_key(struct keys_client *k)
{
    EVP_PKEY *public_key = X509_get0_pubkey(sk_X509_value(k->chain, 0));
    k->key = EVP_PKEY_new();
    if (!public_key || !k->key)
        return -EINVAL;
    int r = make_methods();
    if (r < 0)
        return r;
    switch (EVP_PKEY_get_base_id(public_key)) {
    case EVP_PKEY_RSA:
        return build_rsa(k, public_key);
    case EVP_PKEY_EC:
        return build_ec(k, public_key);
    default:
        return -EINVAL;
    }
}

static int fetch_chain(struct keys_client *k)
{
    struct keys_get_chain q = {0};
    struct keys_chain *c = calloc(1, sizeof *c);
    if (!c)
        return -ENOMEM;
    int r = ask(k, &keys_get_chain_def, &q, &keys_chain_def, c);
    if (r == 0) {
        k->pem = malloc((size_t)c->nchain + 1);
        if (k->pem) {
            memcpy(k->pem, c->chain, c->nchain);
            k->pem[c->nchain] = 0;
        } else {
            r = -ENOMEM;
        }
    }
    free(c);
    return r;
}

struct keys_client *keys_client_create(int fd, int wait_ms, int *err)
{
    struct keys_client *k = calloc(1, sizeof *k);
    if (!k) {
        close(fd);
        *err = -ENOMEM;
        return NULL;
    }
    k->fd = fd;
    k->wait_ms = wait_ms;
    *err = fetch_chain(k);
    if (*err == 0)
        *err = parse_chain(k);
    if (*err == 0)
        *err = build_key(k);
    if (*err < 0) {
        keys_client_destroy(k);
        return NULL;
    }
    return k;
}

void keys_client_destroy(struct keys_client *k)
{
    if (!k)
        return;
    if (k->rsa)
        RSA_set_ex_data(k->rsa, rsa_index, NULL);
    if (k->ec)
        EC_KEY_set_ex_data(k->ec, ec_index, NULL);
    EVP_PKEY_free(k->key);
    sk_X509_pop_free(k->chain, X509_free);
    free(k->pem);
    close(k->fd);
    free(k);
}

const char *keys_client_chain(const struct keys_client *k)
{
    return k->pem;
}
X509 *keys_client_certificate(const struct keys_client *k)
{
    return sk_X509_value(k->chain, 0);
}
EVP_PKEY *keys_client_key(const struct keys_client *k)
{
    return k->key;
}

int keys_client_use(const struct keys_client *k, SSL_CTX *ctx)
{
    if (SSL_CTX_use_certificate(ctx, sk_X509_value(k->chain, 0)) != 1 || SSL_CTX_use_PrivateKey(ctx, k->key) != 1)
        return -EINVAL;
    for (int i = 1; i < sk_X509_num(k->chain); i++)
        if (SSL_CTX_add1_chain_cert(ctx, sk_X509_value(k->chain, i)) != 1)
            return -EINVAL;
    return 0;
}

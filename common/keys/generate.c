/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The certificate of the first start. */
#include "common/keys/pair.h"
#include "common/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY 86400L
#define LIFE_DAYS 3650L /* clients pin it at first sight: a new one would alarm everybody */

static void host_name(char *out, size_t cap)
{
    if (gethostname(out, cap) < 0)
        out[0] = 0;
    out[cap - 1] = 0;
    /* What stands in a certificate is a host name and nothing else. */
    size_t n = strspn(out, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");
    if (n == 0 || out[n])
        snprintf(out, cap, "localhost");
}

static int add_extension(X509 *x, X509V3_CTX *ctx, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
    int ok = e && X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    return ok ? 0 : -1;
}

static int set_serial(X509 *x)
{
    uint8_t bytes[16];
    secret_random(bytes, sizeof bytes);
    bytes[0] = (bytes[0] & 0x7f) | 0x40; /* positive, of full length */
    BIGNUM *n = BN_bin2bn(bytes, sizeof bytes, NULL);
    int ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
    BN_free(n);
    return ok ? 0 : -1;
}

static X509 *self_signed(EVP_PKEY *key)
{
    char host[HOST_NAME_MAX + 1], san[2 * HOST_NAME_MAX + 32], cn[65];
    X509V3_CTX ctx;
    X509 *x = X509_new();
    host_name(host, sizeof host);
    snprintf(san, sizeof san, strcmp(host, "localhost") ? "DNS:%s,DNS:localhost" : "DNS:%s", host);
    snprintf(cn, sizeof cn, "%s", host);
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    X509_NAME *name = x ? X509_get_subject_name(x) : NULL;
    if (name && X509_set_version(x, X509_VERSION_3) && set_serial(x) == 0 &&
        X509_gmtime_adj(X509_getm_notBefore(x), -DAY) && X509_gmtime_adj(X509_getm_notAfter(x), LIFE_DAYS * DAY) &&
        X509_set_pubkey(x, key) &&
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (unsigned char *)cn, -1, -1, 0) &&
        X509_set_issuer_name(x, name) && add_extension(x, &ctx, NID_basic_constraints, "critical,CA:FALSE") == 0 &&
        add_extension(x, &ctx, NID_key_usage, "critical,digitalSignature") == 0 &&
        add_extension(x, &ctx, NID_ext_key_usage, "serverAuth") == 0 &&
        add_extension(x, &ctx, NID_subject_alt_name, san) == 0 &&
        add_extension(x, &ctx, NID_subject_key_identifier, "hash") == 0 && X509_sign(x, key, EVP_sha256()))
        return x;
    X509_free(x);
    return NULL;
}

/* Write beside the file, sync, and put it in place: never half a file. */
static int write_whole(const char *path, BIO *content, mode_t mode)
{
    char tmp[PATH_MAX], *data;
    long n = BIO_get_mem_data(content, &data);
    int len = snprintf(tmp, sizeof tmp, "%s.new", path);
    if (len < 0 || (size_t)len >= sizeof tmp)
        return -ENAMETOOLONG;
    unlink(tmp);
    int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return -errno;
    int r = write(fd, data, (size_t)n) == n && fchmod(fd, mode) == 0 && fsync(fd) == 0 ? 0 : -errno;
    if (close(fd) < 0 && r == 0)
        r = -errno;
    if (r == 0 && rename(tmp, path) < 0)
        r = -errno;
    if (r < 0)
        unlink(tmp);
    return r;
}

/* Both as PEM, the caller's; -EIO: OpenSSL failed, and neither is there. */
static int make_pem(BIO **certificate, BIO **key_pem)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = key ? self_signed(key) : NULL;
    *certificate = BIO_new(BIO_s_mem());
    *key_pem = BIO_new(BIO_s_secmem());
    bool made = x && *certificate && *key_pem && PEM_write_bio_X509(*certificate, x) == 1 &&
        PEM_write_bio_PKCS8PrivateKey(*key_pem, key, NULL, NULL, 0, NULL, NULL) == 1;
    X509_free(x);
    EVP_PKEY_free(key);
    ERR_clear_error();
    if (made)
        return 0;
    BIO_free(*certificate);
    BIO_free(*key_pem);
    return -EIO;
}

int pair_generate(const char *certificate, const char *key_path, char *why, size_t cap)
{
    BIO *cert_pem, *key_pem;
    int r = make_pem(&cert_pem, &key_pem);
    snprintf(why, cap, "no certificate could be made: %s", r < 0 ? "OpenSSL failed" : "");
    if (r < 0)
        return r;
    /* The key first: a certificate without its key would stand in the way of the next start. */
    r = write_whole(key_path, key_pem, 0600);
    if (r < 0)
        snprintf(why, cap, "%s: %s", key_path, strerror(-r));
    else if ((r = write_whole(certificate, cert_pem, 0644)) < 0)
        snprintf(why, cap, "%s: %s", certificate, strerror(-r));
    BIO_free(cert_pem);
    BIO_free(key_pem);
    return r;
}

/* A file in memory that pair_load can open. Returns its descriptor or negative errno. */
static int in_memory(BIO *content, char *path, size_t cap)
{
    char *data;
    long n = BIO_get_mem_data(content, &data);
    int fd = memfd_create("pair", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    snprintf(path, cap, "/proc/self/fd/%d", fd);
    if (write(fd, data, (size_t)n) == n)
        return fd;
    close(fd);
    return -EIO;
}

struct pair *pair_temporary(char *why, size_t cap)
{
    char certificate[32], key[32];
    BIO *cert_pem, *key_pem;
    struct pair *p = NULL;
    snprintf(why, cap, "no certificate could be made");
    if (make_pem(&cert_pem, &key_pem) < 0)
        return NULL;
    int a = in_memory(cert_pem, certificate, sizeof certificate), b = in_memory(key_pem, key, sizeof key);
    if (a >= 0 && b >= 0)
        p = pair_load(certificate, key, why, cap);
    if (a >= 0)
        close(a);
    if (b >= 0)
        close(b);
    BIO_free(cert_pem);
    BIO_free(key_pem);
    return p;
}

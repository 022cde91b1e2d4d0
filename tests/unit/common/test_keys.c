/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The key holder and its client. The holder runs in a process of its own, so that what is shown about memory and
 * waiting is real. */
#include "common/keys/pair.h"
#include "common/keys/serve.h"
#include "common/keys_client.h"
#include "common/link.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LINKS 16 /* of a holder, at most */

static char top[] = "/tmp/oriel-keys-XXXXXX";
static char cert[128], key[128], why[512];
static pid_t holder;

static void in_top(char *out, const char *name)
{
    snprintf(out, 128, "%s/%s", top, name);
}

static void write_pem_file(const char *path, const char *mode, EVP_PKEY *k, X509 *x)
{
    FILE *f = fopen(path, mode);
    assert_non_null(f);
    if (k)
        assert_int_equal(PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL), 1);
    if (x)
        assert_int_equal(PEM_write_X509(f, x), 1);
    fclose(f);
}

static X509 *make_cert(EVP_PKEY *subject_key, const char *cn, X509 *issuer, EVP_PKEY *issuer_key)
{
    static long serial = 1;
    X509V3_CTX ctx;
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_set_pubkey(x, subject_key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x));
    X509V3_set_ctx(&ctx, issuer ? issuer : x, x, NULL, NULL, 0);
    if (strstr(cn, "CA")) {
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, NID_basic_constraints, "critical,CA:TRUE");
        X509_add_ext(x, e, -1);
        X509_EXTENSION_free(e);
    }
    assert_true(X509_sign(x, issuer_key ? issuer_key : subject_key, EVP_sha256()) > 0);
    return x;
}

/* A root, an intermediate and a leaf of `kind`; chain file = leaf + intermediate. Returns the root, the client's trust.
 */
static X509 *make_chain(const char *kind)
{
    EVP_PKEY *root_key = EVP_EC_gen("P-256"), *mid_key = EVP_EC_gen("P-256");
    EVP_PKEY *leaf_key = strcmp(kind, "RSA") == 0 ? EVP_RSA_gen(2048) : EVP_EC_gen(kind);
    X509 *root = make_cert(root_key, "Root CA", NULL, NULL), *mid = make_cert(mid_key, "Mid CA", root, root_key);
    X509 *leaf = make_cert(leaf_key, "leaf", mid, mid_key);
    in_top(cert, "cert.pem");
    in_top(key, "key.pem");
    write_pem_file(cert, "w", NULL, leaf);
    write_pem_file(cert, "a", NULL, mid);
    write_pem_file(key, "w", leaf_key, NULL);
    X509_free(mid), X509_free(leaf);
    EVP_PKEY_free(root_key), EVP_PKEY_free(mid_key), EVP_PKEY_free(leaf_key);
    return root;
}

/* ---- the holder's process: `n` links, served until the parent kills it ---- */

static void run_holder(const int *fds, size_t n, unsigned rate)
{
    holder = fork();
    if (holder != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct pair *p = pair_load(cert, key, why, sizeof why);
    struct event_base *base = event_base_new();
    struct keys_server *s = p ? keys_server_create(base, p, rate, LINKS) : NULL;
    for (size_t i = 0; s && i < n; i++)
        keys_server_add(s, fds[i]);
    if (s)
        event_base_dispatch(base);
    _exit(1);
}

static void end_holder(void)
{
    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
}

static int link_to_holder(unsigned rate)
{
    int sv[2];
    assert_int_equal(link_pair(sv), 0);
    run_holder(&sv[1], 1, rate);
    close(sv[1]);
    return sv[0];
}

/* ---- a handshake over a socket pair, both ends in this process ---- */

static bool shake(SSL *a, SSL *b)
{
    for (int i = 0; i < 50; i++) {
        int ra = SSL_do_handshake(a), rb = SSL_do_handshake(b);
        if (ra == 1 && rb == 1)
            return true;
        int ea = ra == 1 ? 0 : SSL_get_error(a, ra), eb = rb == 1 ? 0 : SSL_get_error(b, rb);
        if ((ea && ea != SSL_ERROR_WANT_READ) || (eb && eb != SSL_ERROR_WANT_READ))
            return false;
    }
    return false;
}

static bool handshake(struct keys_client *k, X509 *root, int version, const char *sigalgs)
{
    SSL_CTX *sc = SSL_CTX_new(TLS_server_method()), *cc = SSL_CTX_new(TLS_client_method());
    BIO *s_bio, *c_bio;
    SSL_CTX_set_min_proto_version(cc, version);
    SSL_CTX_set_max_proto_version(cc, version);
    if (sigalgs)
        assert_int_equal(SSL_CTX_set1_sigalgs_list(cc, sigalgs), 1);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(cc), root);
    SSL_CTX_set_verify(cc, SSL_VERIFY_PEER, NULL);
    assert_int_equal(keys_client_use(k, sc), 0);
    SSL *s = SSL_new(sc), *c = SSL_new(cc);
    assert_int_equal(BIO_new_bio_pair(&s_bio, 0, &c_bio, 0), 1);
    SSL_set_bio(s, s_bio, s_bio);
    SSL_set_bio(c, c_bio, c_bio);
    SSL_set_accept_state(s);
    SSL_set_connect_state(c);
    bool ok = shake(c, s);
    char buf[8] = "";
    ok = ok && SSL_version(c) == version && SSL_write(s, "hello", 5) == 5 && SSL_read(c, buf, 8) == 5 &&
        SSL_get_verify_result(c) == 0;
    SSL_free(s), SSL_free(c);
    SSL_CTX_free(sc), SSL_CTX_free(cc);
    ERR_clear_error();
    return ok;
}

static void handshake_with(const char *kind, int version, const char *sigalgs)
{
    int err;
    X509 *root = make_chain(kind);
    struct keys_client *k = keys_client_create(link_to_holder(6000), 2000, &err);
    assert_non_null(k);
    assert_true(handshake(k, root, version, sigalgs));
    assert_false(handshake(k, root, version, sigalgs)); /* one signature a link */
    keys_client_destroy(k);
    end_holder();
    X509_free(root);
}

static void tls_1_3_and_1_2_work_with_rsa(void **state)
{
    handshake_with("RSA", TLS1_3_VERSION, NULL);
    handshake_with("RSA", TLS1_2_VERSION, NULL);
    handshake_with("RSA", TLS1_2_VERSION, "RSA+SHA256"); /* PKCS#1 v1.5, older clients */
    handshake_with("RSA", TLS1_2_VERSION, "rsa_pss_rsae_sha512");
}

static void tls_1_3_and_1_2_work_with_ecdsa(void **state)
{
    handshake_with("P-256", TLS1_3_VERSION, NULL);
    handshake_with("P-256", TLS1_2_VERSION, NULL);
    handshake_with("P-384", TLS1_3_VERSION, NULL);
}

static void the_certificate_of_the_first_start_serves(void **state)
{
    struct stat st;
    in_top(cert, "made-cert.pem");
    in_top(key, "made-key.pem");
    assert_int_equal(pair_generate(cert, key, why, sizeof why), 0);
    assert_int_equal(stat(key, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    struct pair *p = pair_load(cert, key, why, sizeof why);
    assert_non_null(p);
    assert_true(pair_days_left(p) > 3600);
    char fp[128], subject[128], until[32];
    pair_describe(p, fp, sizeof fp, subject, sizeof subject, until, sizeof until);
    assert_int_equal(strlen(fp), 6 + 32 * 3);
    pair_unref(p);
    int err;
    struct keys_client *k = keys_client_create(link_to_holder(6000), 2000, &err);
    assert_non_null(k);
    X509 *leaf = keys_client_certificate(k);
    assert_int_equal(X509_check_host(leaf, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_purpose(leaf, X509_PURPOSE_SSL_SERVER, 0), 1);
    assert_true(handshake(k, leaf, TLS1_3_VERSION, NULL));
    keys_client_destroy(k);
    end_holder();
}

static void broken_pairs_are_refused_with_the_file_named(void **state)
{
    char other[128];
    X509_free(make_chain("P-256"));
    in_top(other, "other.pem");
    EVP_PKEY *k = EVP_EC_gen("P-256"), *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), *weak = EVP_RSA_gen(1024);
    write_pem_file(other, "w", k, NULL);
    assert_null(pair_load(cert, other, why, sizeof why));
    assert_non_null(strstr(why, "other.pem does not belong to the (first) certificate in"));
    write_pem_file(other, "w", ed, NULL);
    assert_null(pair_load(cert, other, why, sizeof why));
    assert_non_null(strstr(why, "can be served, this one cannot"));
    write_pem_file(other, "w", weak, NULL);
    assert_null(pair_load(cert, other, why, sizeof why));
    FILE *f = fopen(other, "w");
    PEM_write_PrivateKey(f, k, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6, NULL, NULL);
    fclose(f);
    assert_null(pair_load(cert, other, why, sizeof why));
    assert_non_null(strstr(why, "other.pem is encrypted"));
    assert_null(pair_load(cert, cert, why, sizeof why));
    assert_non_null(strstr(why, "holds no private key"));
    assert_null(pair_load(key, key, why, sizeof why));
    assert_non_null(strstr(why, "no certificate in PEM"));
    assert_null(pair_load("/nonexistent.pem", key, why, sizeof why));
    assert_non_null(strstr(why, "/nonexistent.pem: No such file"));
    assert_null(pair_load(top, key, why, sizeof why));
    assert_null(pair_load("/dev/zero", key, why, sizeof why));
    f = fopen(other, "w");
    fputs("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", f);
    fclose(f);
    assert_null(pair_load(other, key, why, sizeof why));
    EVP_PKEY_free(k), EVP_PKEY_free(ed), EVP_PKEY_free(weak);
}

static void a_key_in_the_certificate_file_is_not_sent_with_the_chain(void **state)
{
    size_t n;
    X509_free(make_chain("P-256"));
    FILE *f = fopen(key, "r");
    EVP_PKEY *k = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    fclose(f);
    write_pem_file(cert, "a", k, NULL);
    EVP_PKEY_free(k);
    struct pair *p = pair_load(cert, cert, why, sizeof why);
    assert_non_null(p);
    const char *chain = pair_chain(p, &n);
    assert_int_equal(strlen(chain), n);
    assert_null(strstr(chain, "PRIVATE"));
    assert_non_null(strstr(strstr(chain, "BEGIN CERT") + 1, "BEGIN CERT"));
    pair_unref(p);
}

static struct keys_signature ask_raw(int fd, uint8_t op, uint32_t n)
{
    struct keys_sign q = {.op = op, .ndigest = n};
    union {
        struct keys_signature s;
        uint8_t b[sizeof(struct keys_chain) + 16];
    } buf __attribute__((aligned(16)));
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX];
    memset(q.digest, 7, sizeof q.digest);
    assert_int_equal(wire_send(fd, &keys_sign_def, &q, NULL), 0);
    assert_int_equal(wire_recv(fd, &keys_to_link, &def, &buf, fds, 2000), 0);
    assert_ptr_equal(def, &keys_signature_def);
    return buf.s;
}

static void ask_chain(int fd)
{
    struct keys_get_chain q = {0};
    static union {
        struct keys_chain c;
        uint8_t b[sizeof(struct keys_chain) + 16];
    } buf __attribute__((aligned(16)));
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX];
    assert_int_equal(wire_send(fd, &keys_get_chain_def, &q, NULL), 0);
    assert_int_equal(wire_recv(fd, &keys_to_link, &def, &buf, fds, 2000), 0);
}

static void wrong_operations_and_sizes_are_refused(void **state)
{
    X509_free(make_chain("P-256"));
    int fd = link_to_holder(6000);
    ask_chain(fd);
    assert_int_equal(ask_raw(fd, KEYS_RSA_RAW, 256).refused, 1);
    assert_int_equal(ask_raw(fd, KEYS_ECDSA, 31).refused, 1);
    assert_int_equal(ask_raw(fd, KEYS_ECDSA, 32).refused, 1); /* both of the link's signatures are spent */
    close(fd);
    end_holder();
    X509_free(make_chain("RSA"));
    fd = link_to_holder(6000);
    assert_int_equal(ask_raw(fd, KEYS_RSA_RAW, 256).refused, 1); /* before the chain */
    ask_chain(fd);
    assert_int_equal(ask_raw(fd, KEYS_ECDSA, 32).refused, 1);
    assert_int_equal(ask_raw(fd, KEYS_RSA_RAW, 255).refused, 1);
    close(fd);
    end_holder();
}

static void a_forged_message_ends_the_link(void **state)
{
    X509_free(make_chain("P-256"));
    int fd = link_to_holder(6000);
    char c;
    assert_int_equal(send(fd, "rubbish", 7, 0), 7);
    assert_int_equal(recv(fd, &c, 1, 0), 0);
    close(fd);
    end_holder();
}

static void the_rate_holds_over_all_links_together(void **state)
{
    int mine[20], theirs[20], granted = 0;
    X509_free(make_chain("P-256"));
    for (int i = 0; i < LINKS; i++) {
        int sv[2];
        assert_int_equal(link_pair(sv), 0);
        mine[i] = sv[0];
        theirs[i] = sv[1];
    }
    run_holder(theirs, LINKS, 10); /* ten a minute, burst ten */
    for (int i = 0; i < LINKS; i++) {
        close(theirs[i]);
        ask_chain(mine[i]);
        granted += !ask_raw(mine[i], KEYS_ECDSA, 32).refused;
        assert_true(ask_raw(mine[i], KEYS_ECDSA, 32).refused); /* a link has one, whatever the rate allows */
        close(mine[i]);
    }
    end_holder();
    assert_int_equal(granted, 10);
}

static void a_silent_or_dead_holder_is_an_error_in_time(void **state)
{
    int sv[2], err;
    assert_int_equal(link_pair(sv), 0);
    assert_null(keys_client_create(sv[0], 100, &err));
    assert_int_equal(err, -ETIMEDOUT);
    close(sv[1]);
    assert_int_equal(link_pair(sv), 0);
    close(sv[1]);
    assert_null(keys_client_create(sv[0], 100, &err));
    assert_int_equal(err, -EPIPE);
    /* dies between the chain and the signature */
    X509 *root = make_chain("P-256");
    struct keys_client *k = keys_client_create(link_to_holder(6000), 500, &err);
    assert_non_null(k);
    end_holder();
    assert_false(handshake(k, root, TLS1_3_VERSION, NULL));
    keys_client_destroy(k);
    X509_free(root);
}

static void serve_until(struct event_base *base, int fd)
{
    struct pollfd p = {fd, POLLIN, 0};
    while (poll(&p, 1, 1) == 0)
        event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void a_reload_keeps_the_old_key_for_links_that_have_its_chain(void **state)
{
    int a[2], talk[2], err;
    char c = 0;
    X509 *old_root = make_chain("P-256");
    struct event_base *base = event_base_new();
    struct pair *p = pair_load(cert, key, why, sizeof why);
    struct keys_server *s = keys_server_create(base, p, 6000, 8);
    pair_unref(p);
    assert_int_equal(link_pair(a), 0);
    assert_int_equal(link_pair(talk), 0);
    assert_int_equal(keys_server_add(s, a[1]), 0);
    pid_t client = fork();
    if (client == 0) { /* has the chain, waits for the reload, then shakes hands */
        struct keys_client *k = keys_client_create(a[0], 5000, &err);
        bool ok = k && write(talk[1], "x", 1) == 1 && read(talk[1], &c, 1) == 1 &&
            handshake(k, old_root, TLS1_3_VERSION, NULL);
        _exit(write(talk[1], ok ? "y" : "n", 1) == 1 ? 0 : 1);
    }
    serve_until(base, talk[0]);
    assert_int_equal(read(talk[0], &c, 1), 1);
    X509 *new_root = make_chain("RSA");
    p = pair_load(cert, key, why, sizeof why);
    keys_server_set_pair(s, p);
    pair_unref(p);
    assert_int_equal(write(talk[0], "x", 1), 1);
    serve_until(base, talk[0]);
    assert_int_equal(read(talk[0], &c, 1), 1);
    assert_int_equal(c, 'y');
    waitpid(client, NULL, 0);
    keys_server_destroy(s);
    event_base_free(base);
    close(a[0]), close(talk[0]), close(talk[1]);
    X509_free(old_root), X509_free(new_root);
}

static int set_up(void **state)
{
    return mkdtemp(top) ? 0 : -1;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"cert.pem", "key.pem", "made-cert.pem", "made-key.pem", "other.pem"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        in_top(path, names[i]);
        unlink(path);
    }
    return rmdir(top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls_1_3_and_1_2_work_with_rsa),
        cmocka_unit_test(tls_1_3_and_1_2_work_with_ecdsa),
        cmocka_unit_test(the_certificate_of_the_first_start_serves),
        cmocka_unit_test(broken_pairs_are_refused_with_the_file_named),
        cmocka_unit_test(a_key_in_the_certificate_file_is_not_sent_with_the_chain),
        cmocka_unit_test(wrong_operations_and_sizes_are_refused),
        cmocka_unit_test(a_forged_message_ends_the_link),
        cmocka_unit_test(the_rate_holds_over_all_links_together),
        cmocka_unit_test(a_silent_or_dead_holder_is_an_error_in_time),
        cmocka_unit_test(a_reload_keeps_the_old_key_for_links_that_have_its_chain),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

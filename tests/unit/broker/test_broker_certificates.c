#include "broker/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/file.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PATH_SIZE 64
#define PEM_SIZE  4096
#define DAY_S     86400

/* Two identities, and a folder with the three files. */
struct place {
    char dir[PATH_SIZE];
    char paths[3][PATH_SIZE]; /* authority, certificate, key */
    struct certificate_files files;
    char certificate[2][PEM_SIZE], key[2][PEM_SIZE];
    int64_t now_s;
};

static void write_text(const char *path, const char *text)
{
    assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, NULL), 0);
}

static void take_pem(BIO *bio, char *out)
{
    int len = BIO_read(bio, out, PEM_SIZE - 1);

    assert_true(len > 0);
    out[len] = '\0';
    BIO_free(bio);
}

/* Valid from `begin_s` to `end_s`, seconds from now; signed by itself. */
static void make_certificate(char *ret_certificate, char *ret_key, long begin_s, long end_s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());

    assert_non_null(key);
    X509_gmtime_adj(X509_getm_notBefore(x), begin_s);
    X509_gmtime_adj(X509_getm_notAfter(x), end_s);
    X509_set_pubkey(x, key);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    PEM_write_bio_X509(bio, x);
    take_pem(bio, ret_certificate);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    take_pem(bio, ret_key);
    X509_free(x);
    EVP_PKEY_free(key);
}

static int set_up(void **state)
{
    static const char *const names[] = {"ca.crt", "tls.crt", "tls.key"};
    struct place *p = calloc(1, sizeof(*p));

    (void)snprintf(p->dir, sizeof(p->dir), "/tmp/broker-certificates-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    for (size_t i = 0; i < 3; i++)
        assert_true(snprintf(p->paths[i], PATH_SIZE, "%.40s/%s", p->dir, names[i]) < PATH_SIZE);
    p->files = (struct certificate_files){p->paths[0], p->paths[1], p->paths[2]};
    p->now_s = time(NULL);
    make_certificate(p->certificate[0], p->key[0], -60, DAY_S);
    make_certificate(p->certificate[1], p->key[1], -60, 3 * DAY_S);
    write_text(p->paths[0], p->certificate[1]);
    write_text(p->paths[1], p->certificate[0]);
    write_text(p->paths[2], p->key[0]);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    for (size_t i = 0; i < 3; i++)
        (void)unlink(p->paths[i]);
    rmdir(p->dir);
    free(p);
    return 0;
}

static void read_well(const struct place *p, struct certificates *ret_certificates)
{
    struct err e = {0};

    if (certificates_read(&p->files, ret_certificates, &e) < 0)
        fail_msg("%s", e.msg);
}

static void read_badly(const struct place *p, const char *reason)
{
    struct certificates certificates;
    struct err e = {0};

    assert_true(certificates_read(&p->files, &certificates, &e) < 0);
    if (!strstr(e.msg, reason))
        fail_msg("'%s' does not say '%s'", e.msg, reason);
}

static void assert_near(int64_t a, int64_t b)
{
    assert_true(a - b <= 5 && b - a <= 5);
}

static void test_times(void **state)
{
    const struct place *p = *state;
    struct certificates c;

    read_well(p, &c);
    assert_near(c.validity.own_begin_s, p->now_s - 60);
    assert_near(c.validity.own_end_s, p->now_s + DAY_S);
    assert_near(c.validity.authority_end_s, p->now_s + 3 * DAY_S);
    assert_int_equal(validity_check(&c.validity, p->now_s, NULL), 0);
}

static void test_the_last_authority_counts(void **state)
{
    const struct place *p = *state;
    struct certificates c;
    char both[2 * PEM_SIZE];

    (void)snprintf(both, sizeof(both), "%s%s", p->certificate[1], p->certificate[0]);
    write_text(p->paths[0], both);
    read_well(p, &c);
    assert_near(c.validity.authority_end_s, p->now_s + 3 * DAY_S);
}

static void test_digests_tell_what_changed(void **state)
{
    const struct place *p = *state;
    struct certificates a, b;

    read_well(p, &a);
    read_well(p, &b);
    assert_memory_equal(&a, &b, sizeof(a));
    write_text(p->paths[0], p->certificate[0]);
    read_well(p, &b);
    assert_memory_not_equal(a.authority, b.authority, sizeof(a.authority));
    assert_memory_equal(a.own, b.own, sizeof(a.own));
    write_text(p->paths[1], p->certificate[1]);
    write_text(p->paths[2], p->key[1]);
    read_well(p, &b);
    assert_memory_not_equal(a.own, b.own, sizeof(a.own));
}

static void test_what_cannot_be_used(void **state)
{
    const struct place *p = *state;
    char half[PEM_SIZE], chain[2 * PEM_SIZE];

    write_text(p->paths[2], p->key[1]);
    read_badly(p, "is not that of the certificate");
    (void)snprintf(half, sizeof(half), "%.*s", (int)strlen(p->key[0]) / 2, p->key[0]);
    write_text(p->paths[2], half);
    read_badly(p, "tls.key' is no complete PEM key");
    write_text(p->paths[2], p->key[0]);
    (void)snprintf(half, sizeof(half), "%.*s", (int)strlen(p->certificate[0]) / 2,
                   p->certificate[0]);
    write_text(p->paths[1], half);
    read_badly(p, "tls.crt' is not a complete PEM file");
    (void)snprintf(chain, sizeof(chain), "%s%s", p->certificate[0], half);
    write_text(p->paths[1], chain);
    read_badly(p, "tls.crt' is not a complete PEM file");
    write_text(p->paths[1], p->certificate[0]);
    write_text(p->paths[0], "");
    read_badly(p, "ca.crt' is not a complete PEM file");
    (void)unlink(p->paths[0]);
    read_badly(p, "ca.crt: No such file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_times, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_last_authority_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_digests_tell_what_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_used, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The client over TLS against a real broker. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "probe.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TLS           "allow_anonymous true\ncafile @/ca.crt\ncertfile @/server.crt\nkeyfile @/server.key\n"
#define TLS_BOTH_WAYS TLS "require_certificate true\nuse_identity_as_username true\n"
#define PLAIN         "allow_anonymous true\n"

struct scene {
    struct broker broker;
    struct probe probe;
    char ca[128], cert[128], key[128];
};

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    broker_init(&s->broker);
    probe_init(&s->probe, s->broker.port, "tls");
    snprintf(s->ca, sizeof(s->ca), "%s", broker_path(&s->broker, "ca.crt"));
    snprintf(s->cert, sizeof(s->cert), "%s", broker_path(&s->broker, "client.crt"));
    snprintf(s->key, sizeof(s->key), "%s", broker_path(&s->broker, "client.key"));
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;

    probe_deinit(&s->probe);
    broker_deinit(&s->broker);
    free(s);
    return 0;
}

static void start(struct scene *s, const char *host, bool with_ca, bool with_certificate)
{
    struct probe *p = &s->probe;

    probe_deinit(p);
    probe_init(p, s->broker.port, "tls");
    snprintf(p->url, sizeof(p->url), "mqtts://%s:%u", host, s->broker.port);
    if (with_ca)
        p->options.ca_file = s->ca;
    if (with_certificate) {
        p->options.cert_file = s->cert;
        p->options.key_file = s->key;
    }
    p->subscribe = "a/#";
    probe_start(p, true);
}

static void expect_failure(struct scene *s, const char *reason, bool security)
{
    probe_until(&s->probe, &s->probe.disconnected, 1);
    if (!strstr(s->probe.reason, reason) || s->probe.security != security)
        fail_msg("security %d, reason: %s", s->probe.security, s->probe.reason);
    assert_int_equal(s->probe.connected, 0);
}

static void test_name_and_address(void **state)
{
    struct scene *s = *state;
    struct probe *p = &s->probe;

    broker_make_certificates(&s->broker, "DNS:localhost,IP:127.0.0.1", 2);
    broker_start(&s->broker, TLS);
    start(s, "localhost", true, false);
    probe_until(p, &p->subscribed, 1);
    int mid;
    for (int i = 0; i < 40; i++)
        assert_int_equal(mqtt_client_publish(p->client, "a/b", "x", 1, 1, false, &mid), 0);
    probe_until(p, &p->published, 40);
    probe_until(p, &p->message_count, 40);

    start(s, "127.0.0.1", true, false);
    probe_until(p, &p->connected, 1);
    mqtt_client_close(p->client);
    probe_until(p, &p->disconnected, 1);
    assert_true(mqtt_client_is_closed(p->client));
}

static void test_wrong_name(void **state)
{
    struct scene *s = *state;

    broker_make_certificates(&s->broker, "DNS:elsewhere,IP:127.0.0.2", 2);
    broker_start(&s->broker, TLS);
    start(s, "localhost", true, false);
    expect_failure(s, "the broker's certificate was refused for 'localhost': ", true);
    assert_non_null(strstr(s->probe.reason, "ostname mismatch"));
    start(s, "127.0.0.1", true, false);
    expect_failure(s, "the broker's certificate was refused for '127.0.0.1': ", true);
}

static void test_unknown_authority(void **state)
{
    struct scene *s = *state;

    broker_make_certificates(&s->broker, "DNS:localhost", 2);
    broker_start(&s->broker, TLS);
    start(s, "localhost", false, false);
    expect_failure(s, "self-signed certificate in certificate chain", true);
}

static void test_expired(void **state)
{
    struct scene *s = *state;

    broker_make_certificates(&s->broker, "DNS:localhost", 0);
    broker_start(&s->broker, TLS);
    start(s, "localhost", true, false);
    expect_failure(s, "certificate has expired", true);
}

static void test_client_certificate(void **state)
{
    struct scene *s = *state;

    broker_make_certificates(&s->broker, "DNS:localhost", 2);
    broker_start(&s->broker, TLS_BOTH_WAYS);
    start(s, "localhost", true, false);
    expect_failure(s, "the broker refused the TLS connection: ", true);
    assert_int_equal(mqtt_client_validity(s->probe.client)->own_end_s, 0);
    start(s, "localhost", true, true);
    probe_until(&s->probe, &s->probe.connected, 1);

    const struct validity *validity = mqtt_client_validity(s->probe.client);
    int64_t in_two_days_s = clock_wall_us() / 1000000 + 2 * 86400;
    assert_true(llabs(validity->own_end_s - in_two_days_s) < 60);
    assert_true(llabs(validity->authority_end_s - in_two_days_s) < 60);
}

static void test_files(void **state)
{
    struct scene *s = *state;
    struct probe *p = &s->probe;

    broker_make_certificates(&s->broker, "DNS:localhost", 2);
    broker_start(&s->broker, TLS);
    snprintf(s->ca, sizeof(s->ca), "%s", broker_path(&s->broker, "missing.crt"));
    start(s, "localhost", true, false);
    expect_failure(s, "missing.crt' could not be read: No such file or directory", false);
    /* The files are read again at each connection. */
    broker_write_file(&s->broker, "missing.crt", "not PEM");
    probe_until(p, &p->disconnected, 2);
    assert_non_null(strstr(p->reason, "could not be read: "));
    snprintf(s->ca, sizeof(s->ca), "%s", broker_path(&s->broker, "ca.crt"));
    probe_until(p, &p->connected, 1);

    snprintf(s->key, sizeof(s->key), "%s", broker_path(&s->broker, "server.key"));
    start(s, "localhost", true, true);
    expect_failure(s, "--key-file", false);
    assert_non_null(strstr(p->reason, "key values mismatch"));
}

static void test_plain_and_tls_mixed_up(void **state)
{
    struct scene *s = *state;
    struct probe *p = &s->probe;

    broker_make_certificates(&s->broker, "DNS:localhost", 2);
    broker_start(&s->broker, PLAIN);
    start(s, "localhost", true, false);
    probe_until(p, &p->disconnected, 1);
    assert_false(p->security);
    broker_kill(&s->broker);

    broker_start(&s->broker, TLS);
    probe_deinit(p);
    probe_init(p, s->broker.port, "tls");
    probe_start(p, true);
    expect_failure(s, "want TLS (mqtts://)?", false);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_name_and_address),       TEST(test_wrong_name),
        TEST(test_unknown_authority),      TEST(test_expired),
        TEST(test_client_certificate),     TEST(test_files),
        TEST(test_plain_and_tls_mixed_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

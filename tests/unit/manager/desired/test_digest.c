/* What makes two documents the same, and what makes a new container necessary. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "tests/unit/manager/desired/desired_fixture.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct document *parse_service(const char *members)
{
    AUTO(free) char *text = fixture_service(members);

    return fixture_parse(text, &fixture_all);
}

static struct document *parse_members(const char *members)
{
    AUTO(free) char *text = fixture_envelope(members);

    return fixture_parse(text, &fixture_all);
}

struct pair {
    const char *a, *b;
};

static void check_digests(const struct pair *pairs, size_t count, bool same,
                          struct document *(*parse)(const char *))
{
    for (size_t i = 0; i < count; i++) {
        AUTO(document_free) struct document *a = parse(pairs[i].a);
        AUTO(document_free) struct document *b = parse(pairs[i].b);

        assert_int_equal(strlen(a->digest), DIGEST_SIZE - 1);
        if ((strcmp(a->digest, b->digest) == 0) != same)
            fail_msg("%s and %s must be %s", pairs[i].a, pairs[i].b,
                     same ? "the same" : "different");
    }
}

static void test_ways_to_say_the_same(void **state)
{
    static const struct pair pairs[] = {
        {"\"tty\":true,\"user\":\"a\"", "\"user\":\"a\",\"tty\":true"},
        {"\"environment\":{\"A\":\"1\",\"B\":\"2\"}", "\"environment\":{\"B\":2,\"A\":1}"},
        {"\"stop_grace_period\":\"1m\"", "\"stop_grace_period\":\"60s\""},
        {"\"stop_grace_period\":\"1m0s\"", "\"stop_grace_period\":\"60000ms\""},
        {"\"mem_limit\":\"128M\"", "\"mem_limit\":134217728"},
        {"\"mem_limit\":\"128mb\"", "\"mem_limit\":\"134217728\""},
        {"\"mem_limit\":\"0.5G\"", "\"mem_limit\":\"512MiB\""},
        {"\"mem_limit\":\"128M\"", "\"deploy\":{\"resources\":{\"limits\":{\"memory\":\"128M\"}}}"},
        {"\"mem_limit\":\"128M\"",
         "\"mem_limit\":\"128M\",\"deploy\":{\"resources\":{\"limits\":{\"memory\":\"128M\"}}}"},
        {"\"cpus\":0.5", "\"cpus\":\"0.50\""},
        {"\"scale\":2", "\"deploy\":{\"replicas\":2}"},
        {"", "\"restart\":\"no\""},
        {"", "\"command\":null,\"entrypoint\":null"},
        {"", "\"networks\":{\"default\":null}"},
        {"", "\"networks\":{\"default\":{}}"},
        {"", "\"privileged\":false,\"tty\":false,\"ports\":[],\"labels\":{},\"scale\":1"},
        {"", "\"deploy\":{\"replicas\":1,\"placement\":{},\"resources\":{}}"},
        {"", "\"x-note\":\"anything\""},
        {"\"pull_policy\":\"missing\"", "\"pull_policy\":\"if_not_present\""},
        {"\"ports\":[{\"target\":80,\"published\":80}]",
         "\"ports\":[{\"mode\":\"ingress\",\"protocol\":\"tcp\",\"published\":\"80\","
         "\"target\":80}]"},
        {"\"extra_hosts\":[\"a=1.1.1.1\"]", "\"extra_hosts\":[\"a:1.1.1.1\"]"},
        {"\"healthcheck\":{\"disable\":true}", "\"healthcheck\":{\"test\":[\"NONE\"]}"},
        {"\"cap_add\":[\"NET_ADMIN\"]", "\"cap_add\":[\"CAP_NET_ADMIN\"]"},
        {"\"ulimits\":{\"nproc\":1}", "\"ulimits\":{\"nproc\":{\"soft\":1,\"hard\":1}}"},
        {"\"x-bellbuoy\":{\"strategy\":\"handover\"}",
         "\"deploy\":{\"update_config\":{\"order\":\"start-first\"}}"},
    };

    (void)state;
    check_digests(pairs, ARRAY_SIZE(pairs), true, parse_service);
}

#define WEB "\"services\":{\"web\":{\"image\":\"a\"}}"

static void test_documents_that_are_the_same(void **state)
{
    static const struct pair pairs[] = {
        {WEB, "\"id\":\"x\",\"issued\":\"2026-11-20T10:00:00Z\"," WEB},
        {WEB, WEB ",\"notBefore\":\"2026-11-20T10:00:00Z\",\"expires\":\"2027-01-01T00:00:00Z\""},
        {WEB, WEB ",\"name\":\"line3\",\"x-note\":1"},
        {WEB, WEB ",\"policy\":{\"onFailure\":\"rollback\",\"drift\":\"enforce\","
                  "\"allowEmpty\":false,\"progressDeadline\":\"15m\"}"},
        {WEB, WEB ",\"networks\":{\"default\":{\"name\":\"line3_default\",\"ipam\":{}}}"},
        {WEB, WEB ",\"volumes\":{},\"secrets\":{},\"configs\":{},\"networks\":{}"},
        {WEB ",\"volumes\":{\"d\":null}", WEB ",\"volumes\":{\"d\":{\"name\":\"line3_d\"}}"},
        {WEB ",\"volumes\":{\"d\":{\"external\":true}}",
         WEB ",\"volumes\":{\"d\":{\"external\":true,\"name\":\"d\"}}"},
        {WEB ",\"secrets\":{\"s\":{\"external\":true}}",
         WEB ",\"secrets\":{\"s\":{\"external\":true,\"name\":\"s\"}}"},
        {"\"policy\":{\"onFailure\":\"hold\"}," WEB,
         "\"services\":{\"web\":{\"image\":\"a\",\"deploy\":{\"update_config\":{"
         "\"failure_action\":\"pause\"}}}}"},
    };

    (void)state;
    check_digests(pairs, ARRAY_SIZE(pairs), true, parse_members);
}

static void test_documents_that_differ(void **state)
{
    static const struct pair pairs[] = {
        {WEB, "\"services\":{\"web\":{\"image\":\"b\"}}"},
        {WEB, "\"services\":{\"wab\":{\"image\":\"a\"}}"},
        {WEB, WEB ",\"policy\":{\"drift\":\"report\"}"},
        {WEB, WEB ",\"volumes\":{\"d\":null}"},
        {WEB, "\"services\":{\"web\":{\"image\":\"a\",\"entrypoint\":[]}}"},
        {WEB, "\"services\":{\"web\":{\"image\":\"a\",\"init\":false}}"},
        {WEB, "\"services\":{\"web\":{\"image\":\"a\",\"scale\":0}}"},
        {"\"services\":{\"web\":{\"image\":\"a\",\"command\":[\"a\",\"b\"]}}",
         "\"services\":{\"web\":{\"image\":\"a\",\"command\":[\"b\",\"a\"]}}"},
    };

    (void)state;
    check_digests(pairs, ARRAY_SIZE(pairs), false, parse_members);
}

/* The digest and the hash are labels of containers that live: they may never change by themselves.
 * Whoever has to change these two strings makes every container of every node anew. */
static void test_digest_and_hash_are_for_ever(void **state)
{
    AUTO(document_free)
    struct document *document = parse_members(
        "\"services\":{\"web\":{\"image\":\"app:1\",\"command\":[\"sleep\",\"1\"],"
        "\"environment\":{\"B\":\"2\",\"A\":\"\\u00e4\"},\"mem_limit\":\"128M\","
        "\"restart\":\"always\",\"ports\":[{\"target\":80,\"published\":\"8080\"}]}}");

    (void)state;
    assert_string_equal(document->digest,
                        "7b143c8847cb8483f29c6e605227ac01db5c980c294d5073cafcf5d891e8758b");
    assert_string_equal(document->services[0].hash,
                        "ccdad03b2165c62131885437940a607a82d6944987490af8cfaae461825ea224");
}

/* ---- hash ---- */

static void check_hashes(const struct pair *pairs, size_t count, bool same)
{
    static const char rest[] =
        ",\"db\":{\"image\":\"d\"}},\"networks\":{\"default\":{},\"n\":{\"name\":\"m\"}},"
        "\"volumes\":{\"v\":{}}";

    for (size_t i = 0; i < count; i++) {
        char members[2][512];
        AUTO(document_free) struct document *a = NULL;
        AUTO(document_free) struct document *b = NULL;

        snprintf(members[0], sizeof members[0], "\"services\":{\"web\":{\"image\":\"app:1\"%s%s}%s",
                 pairs[i].a[0] ? "," : "", pairs[i].a, rest);
        snprintf(members[1], sizeof members[1], "\"services\":{\"web\":{\"image\":\"app:1\"%s%s}%s",
                 pairs[i].b[0] ? "," : "", pairs[i].b, rest);
        a = parse_members(members[0]);
        b = parse_members(members[1]);
        assert_true(strcmp(a->digest, b->digest) != 0);
        if ((strcmp(document_service(a, "web")->hash, document_service(b, "web")->hash) == 0) !=
            same)
            fail_msg("%s and %s must have %s", pairs[i].a, pairs[i].b,
                     same ? "one hash" : "different hashes");
        assert_string_equal(document_service(a, "db")->hash, document_service(b, "db")->hash);
    }
}

static void test_changes_that_keep_the_container(void **state)
{
    static const struct pair pairs[] = {
        {"", "\"depends_on\":{\"db\":{\"restart\":true}}"},
        {"", "\"scale\":2"},
        {"", "\"deploy\":{\"replicas\":2}"},
        {"", "\"pull_policy\":\"always\""},
        {"", "\"x-bellbuoy\":{\"minUptime\":\"1s\"}"},
        {"", "\"deploy\":{\"update_config\":{\"order\":\"start-first\",\"monitor\":\"1m\"}}"},
        {"", "\"restart\":\"always\""},
        {"\"restart\":\"always\"", "\"restart\":\"on-failure:3\""},
        {"\"mem_limit\":\"64M\"", "\"mem_limit\":\"128M\""},
        {"\"mem_reservation\":\"64M\"", "\"mem_reservation\":\"128M\""},
        {"\"memswap_limit\":\"64M\",\"mem_limit\":\"64M\"",
         "\"memswap_limit\":-1,\"mem_limit\":\"64M\""},
        {"\"cpus\":1", "\"cpus\":2"},
        {"\"cpu_shares\":1", "\"cpu_shares\":2"},
        {"\"cpuset\":\"0\"", "\"cpuset\":\"1\""},
        {"\"pids_limit\":1", "\"pids_limit\":2"},
        {"\"deploy\":{\"resources\":{\"limits\":{\"pids\":1}}}", "\"pids_limit\":2"},
    };

    (void)state;
    check_hashes(pairs, ARRAY_SIZE(pairs), true);
}

static void test_changes_that_need_another_container(void **state)
{
    static const struct pair pairs[] = {
        {"", "\"command\":[\"x\"]"},
        {"", "\"entrypoint\":[]"},
        {"", "\"environment\":{\"A\":\"1\"}"},
        {"", "\"labels\":{\"a\":\"1\"}"},
        {"", "\"user\":\"1\""},
        {"", "\"platform\":\"linux/arm64\""},
        {"", "\"container_name\":\"x\""},
        {"", "\"ports\":[{\"target\":1}]"},
        {"", "\"volumes\":[{\"type\":\"volume\",\"source\":\"v\",\"target\":\"/v\"}]"},
        {"", "\"networks\":{\"n\":null}"},
        {"", "\"network_mode\":\"none\""},
        {"", "\"healthcheck\":{\"test\":[\"CMD\",\"x\"]}"},
        {"", "\"logging\":{\"driver\":\"none\"}"},
        {"", "\"init\":true"},
        {"", "\"oom_score_adj\":1"},
        {"\"mem_swappiness\":1", "\"mem_swappiness\":2"},
        {"\"stop_signal\":\"SIGINT\"", "\"stop_signal\":\"SIGHUP\""},
        /* a limit cannot be taken away in place */
        {"\"mem_limit\":\"64M\"", ""},
        {"\"cpus\":1", ""},
        {"\"pids_limit\":1", "\"pids_limit\":-1"},
        {"\"cpuset\":\"0\"", "\"cpu_shares\":1"},
    };

    (void)state;
    check_hashes(pairs, ARRAY_SIZE(pairs), false);
}

/* The same words can mean something else in the engine. */
static void test_references_are_hashed(void **state)
{
    static const char services[] =
        "\"services\":{\"web\":{\"image\":\"a\",\"networks\":{\"n\":null},\"volumes\":[{\"type\":"
        "\"volume\",\"source\":\"v\",\"target\":\"/v\"}],\"secrets\":[{\"source\":\"s\"}],"
        "\"configs\":[{\"source\":\"c\"}]}},";
    static const char *const resources[] = {
        "\"networks\":{\"n\":{}},\"volumes\":{\"v\":{}},\"secrets\":{\"s\":{\"external\":true}},"
        "\"configs\":{\"c\":{\"external\":true}}",
        "\"networks\":{\"n\":{\"name\":\"x\"}},\"volumes\":{\"v\":{}},"
        "\"secrets\":{\"s\":{\"external\":true}},\"configs\":{\"c\":{\"external\":true}}",
        "\"networks\":{\"n\":{}},\"volumes\":{\"v\":{\"name\":\"x\"}},"
        "\"secrets\":{\"s\":{\"external\":true}},\"configs\":{\"c\":{\"external\":true}}",
        "\"networks\":{\"n\":{}},\"volumes\":{\"v\":{}},"
        "\"secrets\":{\"s\":{\"external\":true,\"name\":\"x\"}},"
        "\"configs\":{\"c\":{\"external\":true}}",
        "\"networks\":{\"n\":{}},\"volumes\":{\"v\":{}},\"secrets\":{\"s\":{\"external\":true}},"
        "\"configs\":{\"c\":{\"external\":true,\"name\":\"x\"}}",
    };
    char hashes[ARRAY_SIZE(resources)][DIGEST_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(resources); i++) {
        AUTO(document_free) struct document *document = NULL;
        char members[1024];

        snprintf(members, sizeof members, "%s%s", services, resources[i]);
        document = parse_members(members);
        memcpy(hashes[i], document->services[0].hash, DIGEST_SIZE);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(hashes[i], hashes[j]);
    }
}

static void test_resources_are_hashed(void **state)
{
    AUTO(document_free)
    struct document *document =
        parse_members(WEB ",\"networks\":{\"a\":{\"name\":\"n\"},\"b\":{\"name\":\"n\"},"
                          "\"c\":{\"name\":\"n\",\"internal\":true}}");

    (void)state;
    assert_string_equal(document_network(document, "a")->hash,
                        document_network(document, "b")->hash);
    assert_string_not_equal(document_network(document, "a")->hash,
                            document_network(document, "c")->hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways_to_say_the_same),
        cmocka_unit_test(test_documents_that_are_the_same),
        cmocka_unit_test(test_documents_that_differ),
        cmocka_unit_test(test_digest_and_hash_are_for_ever),
        cmocka_unit_test(test_changes_that_keep_the_container),
        cmocka_unit_test(test_changes_that_need_another_container),
        cmocka_unit_test(test_references_are_hashed),
        cmocka_unit_test(test_resources_are_hashed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

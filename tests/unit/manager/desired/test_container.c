#include "manager/desired/container.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "tests/unit/manager/desired/desired_fixture.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct container_origin origin = {
    .node = "press-7",
    .image_id = "sha256:abc",
    .revision = 9007199254740991,
    .number = 3,
};

static struct document *parse_service(const char *members)
{
    AUTO(free) char *text = fixture_service(members);

    return fixture_parse(text, &fixture_all);
}

static void test_labels(void **state)
{
    AUTO(document_free) struct document *document = parse_service("\"labels\":{\"mine\":\"1\"}");
    const struct service *web = &document->services[0];
    AUTO(cJSON_Delete) cJSON *body = container_create_body(document, web, &origin);
    char expected[512];

    (void)state;
    snprintf(expected, sizeof expected,
             "{\"mine\":\"1\",\"io.bellbuoy.project\":\"line3\",\"io.bellbuoy.service\":\"web\","
             "\"io.bellbuoy.number\":\"3\",\"io.bellbuoy.hash.v1\":\"%s\","
             "\"io.bellbuoy.image\":\"sha256:abc\",\"io.bellbuoy.revision\":\"9007199254740991\","
             "\"io.bellbuoy.node\":\"press-7\"}",
             web->hash);
    fixture_assert_json("Labels", json_member(body, "Labels"), expected);
}

/* The smallest body: nothing in it that the document does not ask for. */
static void test_nothing_else(void **state)
{
    AUTO(document_free) struct document *document = parse_service("");
    AUTO(cJSON_Delete)
    cJSON *body = container_create_body(document, &document->services[0], &origin);

    (void)state;
    cJSON_DeleteItemFromObjectCaseSensitive(body, "Labels");
    fixture_assert_json(
        "the body", body,
        "{\"Image\":\"app:1\",\"HostConfig\":{\"NetworkMode\":\"line3_default\","
        "\"RestartPolicy\":{\"Name\":\"no\"}},\"NetworkingConfig\":{\"EndpointsConfig\":{"
        "\"line3_default\":{\"Aliases\":[\"web\"],\"IPAMConfig\":{}}}}}");
}

static void test_further_networks(void **state)
{
    AUTO(free)
    char *text =
        fixture_envelope("\"services\":{\"web\":{\"image\":\"a\",\"networks\":{\"a\":null,"
                         "\"b\":{\"aliases\":[\"x\"],\"ipv4_address\":\"10.0.0.2\"}}}},"
                         "\"networks\":{\"a\":{},\"b\":{\"external\":true,\"name\":\"others\"}}");
    AUTO(document_free) struct document *document = fixture_parse(text, &fixture_none);
    const struct service *web = &document->services[0];
    AUTO(cJSON_Delete) cJSON *create = container_create_body(document, web, &origin);
    AUTO(cJSON_Delete) cJSON *connect = container_connect_body(document, web, "b", "4f5e");

    (void)state;
    fixture_assert_json("EndpointsConfig", fixture_at(create, "NetworkingConfig|EndpointsConfig"),
                        "{\"line3_a\":{\"Aliases\":[\"web\"],\"IPAMConfig\":{}}}");
    fixture_assert_json("connect", connect,
                        "{\"Container\":\"4f5e\",\"EndpointConfig\":{\"Aliases\":[\"web\",\"x\"],"
                        "\"IPAMConfig\":{\"IPv4Address\":\"10.0.0.2\"}}}");
}

static void test_limits_body(void **state)
{
    static const struct {
        const char *members, *running, *stopped;
    } rows[] = {
        {"", "{\"RestartPolicy\":{\"Name\":\"no\",\"MaximumRetryCount\":0}}",
         "{\"RestartPolicy\":{\"Name\":\"no\",\"MaximumRetryCount\":0}}"},
        {"\"restart\":\"on-failure:3\",\"cpus\":0.5,\"pids_limit\":9,\"cpu_shares\":7,"
         "\"cpuset\":\"0\",\"mem_limit\":\"64M\",\"mem_reservation\":\"32M\","
         "\"memswap_limit\":\"-1\"",
         "{\"RestartPolicy\":{\"Name\":\"on-failure\",\"MaximumRetryCount\":3},"
         "\"NanoCpus\":500000000,\"PidsLimit\":9,\"CpuShares\":7,\"CpusetCpus\":\"0\","
         "\"Memory\":67108864,\"MemoryReservation\":33554432,\"MemorySwap\":-1}",
         "{\"RestartPolicy\":{\"Name\":\"no\",\"MaximumRetryCount\":0},\"NanoCpus\":500000000,"
         "\"PidsLimit\":9,\"CpuShares\":7,\"CpusetCpus\":\"0\",\"Memory\":67108864,"
         "\"MemoryReservation\":33554432,\"MemorySwap\":-1}"},
        {"\"restart\":\"always\",\"mem_limit\":\"64M\"",
         "{\"RestartPolicy\":{\"Name\":\"always\",\"MaximumRetryCount\":0},\"Memory\":67108864,"
         "\"MemorySwap\":134217728}",
         "{\"RestartPolicy\":{\"Name\":\"no\",\"MaximumRetryCount\":0},\"Memory\":67108864,"
         "\"MemorySwap\":134217728}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO(document_free) struct document *document = parse_service(rows[i].members);
        AUTO(cJSON_Delete) cJSON *running = container_limits_body(&document->services[0], false);
        AUTO(cJSON_Delete) cJSON *stopped = container_limits_body(&document->services[0], true);

        fixture_assert_json(rows[i].members, running, rows[i].running);
        fixture_assert_json(rows[i].members, stopped, rows[i].stopped);
    }
}

/* `host` is an inspected container's HostConfig. */
static void test_has_limits(void **state)
{
    static const struct {
        const char *members, *host;
        bool expected;
    } rows[] = {
        {"", "{\"RestartPolicy\":{\"Name\":\"no\",\"MaximumRetryCount\":0}}", true},
        {"", "{\"RestartPolicy\":{\"Name\":\"\",\"MaximumRetryCount\":0}}", true},
        {"", "{\"RestartPolicy\":null}", true},
        {"", "{\"RestartPolicy\":{\"Name\":\"always\"}}", false},
        {"\"restart\":\"always\"", "{\"RestartPolicy\":{\"Name\":\"always\"}}", true},
        {"\"restart\":\"always\"", "{\"RestartPolicy\":{\"Name\":\"no\"}}", false},
        {"\"restart\":\"on-failure:3\"",
         "{\"RestartPolicy\":{\"Name\":\"on-failure\",\"MaximumRetryCount\":3}}", true},
        {"\"restart\":\"on-failure:3\"",
         "{\"RestartPolicy\":{\"Name\":\"on-failure\",\"MaximumRetryCount\":2}}", false},
        {"\"mem_limit\":\"64M\"", "{\"Memory\":67108864,\"MemorySwap\":134217728}", true},
        {"\"mem_limit\":\"64M\"", "{\"Memory\":67108864,\"MemorySwap\":-1}", true},
        {"\"mem_limit\":\"64M\"", "{\"Memory\":67108864,\"MemorySwap\":0}", true},
        {"\"mem_limit\":\"64M\"", "{\"Memory\":67108864,\"MemorySwap\":99}", false},
        {"\"mem_limit\":\"64M\"", "{\"Memory\":33554432,\"MemorySwap\":134217728}", false},
        {"\"mem_limit\":\"64M\",\"memswap_limit\":\"-1\"",
         "{\"Memory\":67108864,\"MemorySwap\":-1}", true},
        {"\"mem_limit\":\"64M\",\"memswap_limit\":\"-1\"",
         "{\"Memory\":67108864,\"MemorySwap\":134217728}", false},
        {"\"cpus\":0.5", "{\"NanoCpus\":500000000}", true},
        {"\"cpus\":0.5", "{\"NanoCpus\":0}", false},
        {"\"cpuset\":\"0\"", "{\"CpusetCpus\":\"0\"}", true},
        {"\"cpuset\":\"0\"", "{\"CpusetCpus\":\"\"}", false},
        {"\"pids_limit\":9", "{\"PidsLimit\":9}", true},
        {"\"pids_limit\":9", "{\"PidsLimit\":null}", false},
        {"", "{\"PidsLimit\":9,\"Memory\":5,\"NanoCpus\":5}", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO(document_free) struct document *document = parse_service(rows[i].members);
        AUTO(cJSON_Delete) cJSON *inspected = cJSON_CreateObject();

        cJSON_AddItemToObject(inspected, "HostConfig", cJSON_Parse(rows[i].host));
        if (container_has_limits(&document->services[0], inspected) != rows[i].expected)
            fail_msg("%s in %s must be %s", rows[i].members, rows[i].host,
                     rows[i].expected ? "there" : "missing");
    }
}

static void test_has_limits_of_garbage(void **state)
{
    static const char *const texts[] = {"null", "[]", "{}", "{\"HostConfig\":[]}", "7"};
    AUTO(document_free) struct document *document = parse_service("");

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        AUTO(cJSON_Delete) cJSON *inspected = cJSON_Parse(texts[i]);

        assert_false(container_has_limits(&document->services[0], inspected));
    }
}

static void test_resource_bodies(void **state)
{
    AUTO(free)
    char *text = fixture_envelope(
        "\"services\":{\"web\":{\"image\":\"a\"}},\"networks\":{\"n\":{\"driver\":\"bridge\","
        "\"driver_opts\":{\"a\":1},\"ipam\":{\"driver\":\"default\",\"config\":[{\"subnet\":"
        "\"10.5.0.0/16\",\"gateway\":\"10.5.0.1\",\"ip_range\":\"10.5.1.0/24\",\"aux_addresses\":{"
        "\"h\":\"10.5.0.9\"}}],\"options\":{\"x\":\"y\"}},\"internal\":true,\"attachable\":true,"
        "\"enable_ipv6\":true,\"labels\":{\"l\":\"m\"}}},\"volumes\":{\"v\":{\"driver\":\"local\","
        "\"driver_opts\":{\"type\":\"tmpfs\",\"device\":\"tmpfs\",\"o\":\"size=1m\"},"
        "\"labels\":{\"l\":\"m\"}}}");
    AUTO(document_free) struct document *document = fixture_parse(text, &fixture_none);
    const struct resource *n = document_network(document, "n");
    const struct resource *v = document_volume(document, "v");
    AUTO(cJSON_Delete) cJSON *network = network_create_body(document, n, "press-7");
    AUTO(cJSON_Delete) cJSON *volume = volume_create_body(document, v, "press-7");
    char expected[1024];

    (void)state;
    snprintf(expected, sizeof expected,
             "{\"Name\":\"line3_n\",\"Driver\":\"bridge\",\"Options\":{\"a\":\"1\"},\"IPAM\":{"
             "\"Driver\":\"default\",\"Options\":{\"x\":\"y\"},\"Config\":[{\"Subnet\":"
             "\"10.5.0.0/16\",\"Gateway\":\"10.5.0.1\",\"IPRange\":\"10.5.1.0/24\","
             "\"AuxiliaryAddresses\":{\"h\":\"10.5.0.9\"}}]},\"Internal\":true,\"Attachable\":true,"
             "\"EnableIPv6\":true,\"CheckDuplicate\":true,\"Labels\":{\"l\":\"m\","
             "\"io.bellbuoy.project\":\"line3\",\"io.bellbuoy.resource\":\"n\","
             "\"io.bellbuoy.hash.v1\":\"%s\",\"io.bellbuoy.node\":\"press-7\"}}",
             n->hash);
    fixture_assert_json("the network", network, expected);
    snprintf(expected, sizeof expected,
             "{\"Name\":\"line3_v\",\"Driver\":\"local\",\"DriverOpts\":{\"type\":\"tmpfs\","
             "\"device\":\"tmpfs\",\"o\":\"size=1m\"},\"Labels\":{\"l\":\"m\","
             "\"io.bellbuoy.project\":\"line3\",\"io.bellbuoy.resource\":\"v\","
             "\"io.bellbuoy.hash.v1\":\"%s\",\"io.bellbuoy.node\":\"press-7\"}}",
             v->hash);
    fixture_assert_json("the volume", volume, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),           cmocka_unit_test(test_nothing_else),
        cmocka_unit_test(test_further_networks), cmocka_unit_test(test_limits_body),
        cmocka_unit_test(test_has_limits),       cmocka_unit_test(test_has_limits_of_garbage),
        cmocka_unit_test(test_resource_bodies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

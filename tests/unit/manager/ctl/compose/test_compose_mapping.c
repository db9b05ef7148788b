#include "manager/ctl/compose/mapping.h"

#include <errno.h>
#include <stdio.h>

#include "manager/ctl/compose/shape.h"
#include "tests/unit/manager/ctl/compose/load_fixture.h"

static void require_json(const char *what, const struct node *node, const char *should)
{
    cJSON *json = shape_to_json(node, NULL);
    char *text = cJSON_PrintUnformatted(json);
    require_text(what, text, should);
    cJSON_free(text);
    cJSON_Delete(json);
}

static void test_ports(void **state)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"80", "[{\"mode\":\"ingress\",\"target\":80,\"protocol\":\"tcp\"}]"},
        {"8080:80",
         "[{\"mode\":\"ingress\",\"target\":80,\"protocol\":\"tcp\",\"published\":\"8080\"}]"},
        {"[::1]:1:2/udp",
         "[{\"mode\":\"ingress\",\"target\":2,\"protocol\":\"udp\",\"host_ip\":\"::1\","
         "\"published\":\"1\"}]"},
        {"1.2.3.4::5/SCTP",
         "[{\"mode\":\"ingress\",\"target\":5,\"protocol\":\"sctp\",\"host_ip\":\"1.2.3.4\"}]"},
        {":80/", "[{\"mode\":\"ingress\",\"target\":80,\"protocol\":\"tcp\"}]"},
        {"10-12:80",
         "[{\"mode\":\"ingress\",\"target\":80,\"protocol\":\"tcp\",\"published\":\"10-12\"}]"},
        {"19-20:9-10",
         "[{\"mode\":\"ingress\",\"target\":10,\"protocol\":\"tcp\",\"published\":\"20\"},"
         "{\"mode\":\"ingress\",\"target\":9,\"protocol\":\"tcp\",\"published\":\"19\"}]"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
        fixture_init(&f);
        struct node *list = node_new(&f.load.arena, NODE_LIST, (struct place){"file", 1, 1});
        assert_non_null(list);
        assert_int_equal(mapping_parse_port(&f.load, fixture_string(&f, cases[i].text), NULL, list),
                         0);
        require_json(cases[i].text, list, cases[i].json);
    }
}

static void test_wrong_ports(void **state)
{
    static const char *const texts[] = {
        "",           ":",        "80:",   "0",         "65536",      "a",           "80:0",
        "-80",        "80-",      "82-80", "1-2:3-5",   "x:80:80",    "1.2.3:80:80", "80/icmp",
        "[::1:80:80", "80:80:80", "80 ",   "1-70000:5", "80/tcp/udp",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
        fixture_init(&f);
        struct node *list = node_new(&f.load.arena, NODE_LIST, (struct place){"file", 1, 1});
        assert_non_null(list);
        int result = mapping_parse_port(&f.load, fixture_string(&f, texts[i]), NULL, list);
        bool told = strstr(f.e.msg, "is no port") != NULL;
        if (result != -EINVAL || !told) {
            fail_msg("\"%s\": %d, %s", texts[i], result, f.e.msg);
        }
    }
}

static void test_volumes(void **state)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"/data", "{\"type\":\"volume\",\"target\":\"/data\",\"volume\":{}}"},
        {"db:/data", "{\"type\":\"volume\",\"target\":\"/data\",\"source\":\"db\",\"volume\":{}}"},
        {"./a:/b:ro", "{\"type\":\"bind\",\"target\":\"/b\",\"source\":\"./a\",\"bind\":{},"
                      "\"read_only\":true}"},
        {"~/a:/b:rw,Z,unknown", "{\"type\":\"bind\",\"target\":\"/b\",\"source\":\"~/a\","
                                "\"bind\":{\"selinux\":\"Z\"},\"read_only\":false}"},
        {"db:/data:nocopy", "{\"type\":\"volume\",\"target\":\"/"
                            "data\",\"source\":\"db\",\"volume\":{\"nocopy\":true}}"},
        {"/a:/b:rslave", "{\"type\":\"bind\",\"target\":\"/b\",\"source\":\"/a\","
                         "\"bind\":{\"propagation\":\"rslave\"}}"},
    };
    static const char *const wrong[] = {"", ":", "a:", ":/a", "db:/a:ro:x", "d:/data", "a::"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases) + ARRAY_SIZE(wrong); i++) {
        struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
        struct node *volume = NULL;
        fixture_init(&f);
        bool good = i < ARRAY_SIZE(cases);
        const char *text = good ? cases[i].text : wrong[i - ARRAY_SIZE(cases)];
        int result = mapping_parse_volume(&f.load, fixture_string(&f, text), NULL, &volume);
        if (result != (good ? 0 : -EINVAL)) {
            fail_msg("\"%s\": %d, %s", text, result, f.e.msg);
        }
        if (good) {
            require_json(text, volume, cases[i].json);
        }
    }
}

static void test_devices(void **state)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"/dev/a", "{\"source\":\"/dev/a\",\"target\":\"/dev/a\",\"permissions\":\"rwm\"}"},
        {"/dev/a:/dev/b", "{\"source\":\"/dev/a\",\"target\":\"/dev/b\",\"permissions\":\"rwm\"}"},
        {"/dev/a:/dev/b:r", "{\"source\":\"/dev/a\",\"target\":\"/dev/b\",\"permissions\":\"r\"}"},
        {"/dev/a::r", "{\"source\":\"/dev/a\",\"target\":\"/dev/a\",\"permissions\":\"r\"}"},
        {"a:b:c:d", NULL},
        {":/dev/b", NULL},
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
        struct node *device = NULL;
        fixture_init(&f);
        int result =
            mapping_parse_device(&f.load, fixture_string(&f, cases[i].text), NULL, &device);
        assert_int_equal(result, cases[i].json == NULL ? -EINVAL : 0);
        if (result == 0) {
            require_json(cases[i].text, device, cases[i].json);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_wrong_ports),
        cmocka_unit_test(test_volumes),
        cmocka_unit_test(test_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "manager/desired/safety.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/manager/desired/desired_fixture.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define LIST(...)                                                                                  \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static void test_bind_mounts(void **state)
{
    static const struct {
        const char *folder, *source;
        bool allowed;
    } rows[] = {
        {"/srv", "/srv", true},
        {"/srv", "/srv/", true},
        {"/srv", "/srv/a/b", true},
        {"/srv", "//srv///a", true},
        {"/srv", "/srv/./a", true},
        {"/srv", "/srv/a/../b", true},
        {"/srv", "/srvother", false},
        {"/srv", "/", false},
        {"/srv", "/srv/..", false},
        {"/srv", "/srv/../etc", false},
        {"/srv", "/srv/a/../../etc", false},
        {"/srv", "/../srv/a", true},
        {"/srv", "/etc/../srv", true},
        {"/srv", "srv", false},
        {"/srv", "", false},
        {"/srv/..a", "/srv/..a/x", true},
        {"/", "/etc", true},
        {"/etc/hosts", "/etc/hosts", true},
        {"/etc/hosts", "/etc/hosts2", false},
        /* sockets by their own name alone */
        {"/", "/var/run/docker.sock", false},
        {"/var/run", "/var/run/docker.sock", false},
        {"/var/run", "/var/run/x/../docker.sock", false},
        {"/run", "/run/containerd/containerd.sock", false},
        {"/var/run/docker.sock", "/var/run/docker.sock", true},
        {"/var/run/docker.sock", "/run/docker.sock", true},
        {"/run/docker.sock", "/var/run/docker.sock", true},
        {"/var/run/docker.sock", "/var/run/docker.sock2", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct safety safety = {NULL, LIST(rows[i].folder), NULL};

        if (safety_allows_bind(&safety, rows[i].source) != rows[i].allowed)
            fail_msg("--allow-bind %s must %s %s", rows[i].folder,
                     rows[i].allowed ? "allow" : "not allow", rows[i].source);
    }
}

static void test_lists_are_checked(void **state)
{
    static const struct {
        const char *word, *folder, *secrets;
        const char *message; /* NULL: taken */
    } rows[] = {
        {"privileged", "/srv", "/etc/secrets", NULL},
        {"cap:NET_ADMIN", "/", NULL, NULL},
        {"device:/dev/ttyUSB0", "/a/b", NULL, NULL},
        {"privilegd", "/srv", NULL, "did you mean \"privileged\"?"},
        {"everything", "/srv", NULL, "known are privileged"},
        {"cap:", "/srv", NULL, "--allow cap:"},
        {"privileged", "srv", NULL, "--allow-bind srv must be an absolute path"},
        {"privileged", "/srv/../etc", NULL, "must be written /etc"},
        {"privileged", "/srv/", NULL, "must be written /srv"},
        {"privileged", "/srv", "secrets", "--secrets-dir secrets"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct safety safety = {LIST(rows[i].word), LIST(rows[i].folder), rows[i].secrets};
        struct err e = {0};
        int r = safety_check(&safety, &e);

        assert_int_equal(r, rows[i].message ? -EINVAL : 0);
        if (rows[i].message && !strstr(e.msg, rows[i].message))
            fail_msg("\"%s\" must say %s", e.msg, rows[i].message);
    }
    assert_int_equal(safety_check(&(struct safety){NULL, NULL, NULL}, NULL), 0);
}

static void test_every_word_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; safety_words[i]; i++) {
        const struct safety safety = {LIST(safety_words[i]), NULL, NULL};

        assert_int_equal(safety_check(&safety, NULL), 0);
        assert_true(safety_allows(&safety, safety_words[i]));
        assert_false(safety_allows(&fixture_none, safety_words[i]));
    }
}

/* ---- documents ---- */

struct ask {
    const char *members; /* of service web, or of the document */
    const char *pointer;
    const char *word;   /* that allows it; NULL: none does */
    const char *folder; /* that allows it */
};

/* Refused by a node that allows nothing, and by one that allows all else; taken with its word. */
static void check_asks(const struct ask *asks, size_t count, char *(*wrap)(const char *))
{
    for (size_t i = 0; i < count; i++) {
        const struct safety safety = {LIST(asks[i].word), LIST(asks[i].folder), NULL};
        AUTO(free) char *text = wrap(asks[i].members);
        AUTO(document_free) struct document *document = NULL;
        struct rejection rejection;

        fixture_refuse(text, &fixture_none, &rejection);
        if (rejection.code != REASON_NOT_ALLOWED ||
            strcmp(rejection.pointer, asks[i].pointer) != 0 ||
            !strstr(rejection.e.msg, asks[i].word ? asks[i].word : "--allow-bind"))
            fail_msg("%s: %s: %s", asks[i].members, rejection.pointer, rejection.e.msg);
        document = fixture_parse(text, &safety);
    }
}

#define W            "/services/web"
#define BIND(source) "\"volumes\":[{\"type\":\"bind\",\"source\":\"" source "\",\"target\":\"/x\"}]"

static void test_what_services_ask(void **state)
{
    static const struct ask asks[] = {
        {"\"privileged\":true", W "/privileged", "privileged", NULL},
        {"\"network_mode\":\"host\"", W "/network_mode", "host-network", NULL},
        {"\"network_mode\":\"container:x\"", W "/network_mode", "container-network", NULL},
        {"\"cap_add\":[\"CHOWN\",\"SYS_ADMIN\"]", W "/cap_add/1", "cap:SYS_ADMIN", NULL},
        {"\"cap_add\":[\"cap_sys_admin\"]", W "/cap_add/0", "cap:SYS_ADMIN", NULL},
        {"\"cap_add\":[\"ALL\"]", W "/cap_add/0", "cap:ALL", NULL},
        {"\"security_opt\":[\"seccomp=unconfined\"]", W "/security_opt/0", "security-opt", NULL},
        {"\"security_opt\":[\"no-new-privileges:false\"]", W "/security_opt/0", "security-opt",
         NULL},
        {"\"devices\":[{\"source\":\"/dev/sda\"}]", W "/devices/0", "device:/dev/sda", NULL},
        {"\"sysctls\":{\"kernel.panic\":\"1\"}", W "/sysctls/kernel.panic", "sysctls", NULL},
        {BIND("/etc"), W "/volumes/0/source", NULL, "/etc"},
        {BIND("/srv/../etc"), W "/volumes/0/source", NULL, "/etc"},
        {BIND("/var/run/docker.sock"), W "/volumes/0/source", NULL, "/var/run/docker.sock"},
    };

    (void)state;
    check_asks(asks, ARRAY_SIZE(asks), fixture_service);
}

#define VOLUME(members) "\"services\":{\"a\":{\"image\":\"x\"}},\"volumes\":{\"v\":{" members "}}"
#define OPTIONS(type, o, device)                                                                   \
    VOLUME("\"driver_opts\":{\"type\":\"" type "\",\"o\":\"" o "\",\"device\":\"" device "\"}")
#define AT "/volumes/v/driver_opts"

/* A volume of the driver "local" can mount anything. */
static void test_what_volumes_ask(void **state)
{
    static const struct ask asks[] = {
        {VOLUME("\"driver\":\"local-persist\""), "/volumes/v/driver", "volume-driver", NULL},
        {OPTIONS("none", "bind", "/etc"), AT "/device", NULL, "/etc"},
        {OPTIONS("none", "rbind,ro", "/etc"), AT "/device", NULL, "/etc"},
        {OPTIONS("tmpfs", "size=1m,bind", "/etc"), AT "/device", NULL, "/etc"},
        {OPTIONS("nfs", "bind", "/etc"), AT "/device", NULL, "/etc"},
        {OPTIONS("ext4", "", "/dev/sda1"), AT, "volume-options", NULL},
        {OPTIONS("overlay", "lowerdir=/,upperdir=/a,workdir=/b", "overlay"), AT, "volume-options",
         NULL},
        {OPTIONS("proc", "", "proc"), AT, "volume-options", NULL},
        {OPTIONS("tmpfs", "remount", "x"), AT, "volume-options", NULL},
    };
    static const char *const harmless[] = {
        VOLUME(""),
        VOLUME("\"driver\":\"local\""),
        OPTIONS("tmpfs", "size=1m", "tmpfs"),
        OPTIONS("nfs", "addr=10.0.0.1,rw", ":/export"),
        OPTIONS("cifs", "username=a", "//server/share"),
    };

    (void)state;
    check_asks(asks, ARRAY_SIZE(asks), fixture_envelope);
    for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
        AUTO(free) char *text = fixture_envelope(harmless[i]);
        AUTO(document_free) struct document *document = fixture_parse(text, &fixture_none);

        assert_int_equal(document->volume_count, 1);
    }
}

static void test_what_needs_no_word(void **state)
{
    static const char *const members[] = {
        "\"privileged\":false",
        "\"cap_add\":[\"NET_BIND_SERVICE\",\"CAP_CHOWN\"],\"cap_drop\":[\"ALL\"]",
        "\"security_opt\":[\"no-new-privileges:true\"]",
        "\"sysctls\":{\"net.core.somaxconn\":1,\"kernel.shmmax\":1,\"fs.mqueue.msg_max\":1}",
        "\"network_mode\":\"none\"",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        AUTO(free) char *text = fixture_service(members[i]);
        AUTO(document_free) struct document *document = fixture_parse(text, &fixture_none);

        assert_int_equal(document->service_count, 1);
    }
}

static void test_files_need_a_folder(void **state)
{
    static const struct safety none = {NULL, NULL, NULL};
    AUTO(free)
    char *text =
        fixture_envelope("\"services\":{\"a\":{\"image\":\"x\",\"secrets\":[{\"source\":\"s\"}]}},"
                         "\"secrets\":{\"s\":{\"external\":true}}");
    AUTO(document_free) struct document *document = fixture_parse(text, &fixture_none);
    struct rejection rejection;

    (void)state;
    fixture_refuse(text, &none, &rejection);
    assert_int_equal(rejection.code, REASON_NOT_ALLOWED);
    assert_string_equal(rejection.pointer, "/services/a/secrets/0");
    assert_non_null(strstr(rejection.e.msg, "--secrets-dir"));
}

/* Who applies does not know what a node allows. */
static void test_without_a_node(void **state)
{
    AUTO(free) char *text = fixture_service("\"privileged\":true," BIND("/etc"));
    AUTO(document_free) struct document *document = fixture_parse(text, NULL);

    (void)state;
    assert_int_equal(document->service_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bind_mounts),         cmocka_unit_test(test_lists_are_checked),
        cmocka_unit_test(test_every_word_is_known), cmocka_unit_test(test_what_services_ask),
        cmocka_unit_test(test_what_volumes_ask),    cmocka_unit_test(test_what_needs_no_word),
        cmocka_unit_test(test_files_need_a_folder), cmocka_unit_test(test_without_a_node),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

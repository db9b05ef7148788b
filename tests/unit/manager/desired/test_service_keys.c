/* Every key of a service: admitted, in canonical form, in the create body; and every one that is
 * refused. */

#include "manager/desired/service_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "manager/desired/container.h"
#include "tests/unit/manager/desired/desired_fixture.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define RESOURCES                                                                                  \
    ",\"networks\":{\"front\":{},\"back\":{\"name\":\"b\"}},\"volumes\":{\"data\":{}},"            \
    "\"secrets\":{\"s\":{\"external\":true,\"name\":\"sn\"}},"                                     \
    "\"configs\":{\"c\":{\"external\":true}}"

struct row {
    const char *key;
    const char *wire;
    const char *canonical; /* NULL: equals an absent key */
    const char *field;     /* NULL: not in the create body */
    const char *body;      /* at `field`; NULL: not there */
};

/* Compose's own forms are those that `docker compose config --format json` prints. */
static const struct row rows[] = {
    {"platform", "\"linux/arm64\"", "\"linux/arm64\"", NULL, NULL},
    {"pull_policy", "\"always\"", "\"always\"", NULL, NULL},
    {"pull_policy", "\"never\"", "\"never\"", NULL, NULL},
    {"pull_policy", "\"missing\"", NULL, NULL, NULL},
    {"pull_policy", "\"if_not_present\"", NULL, NULL, NULL},
    {"command", "[\"sleep\",\"1\"]", "[\"sleep\",\"1\"]", "Cmd", "[\"sleep\",\"1\"]"},
    {"command", "null", NULL, "Cmd", NULL},
    {"command", "[]", NULL, "Cmd", NULL},
    {"entrypoint", "[\"/x\"]", "[\"/x\"]", "Entrypoint", "[\"/x\"]"},
    {"entrypoint", "[]", "[]", "Entrypoint", "[]"},
    {"entrypoint", "null", NULL, "Entrypoint", NULL},
    {"environment", "{\"B\":\"x=y\",\"A\":1,\"C\":null,\"D\":true,\"E\":0.5,\"F\":\"\"}",
     "{\"A\":\"1\",\"B\":\"x=y\",\"C\":null,\"D\":\"true\",\"E\":\"0.5\",\"F\":\"\"}", "Env",
     "[\"A=1\",\"B=x=y\",\"C\",\"D=true\",\"E=0.5\",\"F=\"]"},
    {"environment", "{}", NULL, "Env", NULL},
    {"working_dir", "\"/w\"", "\"/w\"", "WorkingDir", "\"/w\""},
    {"user", "\"1000:1000\"", "\"1000:1000\"", "User", "\"1000:1000\""},
    {"group_add", "[\"audio\",44]", "[\"audio\",\"44\"]", "HostConfig|GroupAdd",
     "[\"audio\",\"44\"]"},
    {"hostname", "\"h\"", "\"h\"", "Hostname", "\"h\""},
    {"hostname", "\"\"", NULL, "Hostname", NULL},
    {"domainname", "\"d\"", "\"d\"", "Domainname", "\"d\""},
    {"container_name", "\"the-web\"", "\"the-web\"",
     "NetworkingConfig|EndpointsConfig|line3_default|Aliases", "[\"web\",\"the-web\"]"},
    {"labels", "{\"b\":\"2\",\"a\":\"1\"}", "{\"a\":\"1\",\"b\":\"2\"}", "Labels|b", "\"2\""},
    {"labels", "{\"a\":null}", "{\"a\":\"\"}", "Labels|a", "\"\""},
    {"tty", "true", "true", "Tty", "true"},
    {"tty", "false", NULL, "Tty", NULL},
    {"stdin_open", "true", "true", "OpenStdin", "true"},
    {"init", "true", "true", "HostConfig|Init", "true"},
    {"init", "false", "false", "HostConfig|Init", "false"},
    {"stop_signal", "\"SIGUSR1\"", "\"SIGUSR1\"", "StopSignal", "\"SIGUSR1\""},
    {"stop_grace_period", "\"1m10s\"", "70000000000", "StopTimeout", "70"},
    {"stop_grace_period", "\"1.5s\"", "1500000000", "StopTimeout", "2"},
    {"stop_grace_period", "\"0s\"", "0", "StopTimeout", "0"},
    {"healthcheck",
     "{\"test\":[\"CMD\",\"true\"],\"interval\":\"1m30s\",\"timeout\":\"500ms\",\"retries\":3,"
     "\"start_period\":\"20s\",\"start_interval\":\"1s\"}",
     "{\"interval\":90000000000,\"retries\":3,\"start_interval\":1000000000,"
     "\"start_period\":20000000000,\"test\":[\"CMD\",\"true\"],\"timeout\":500000000}",
     "Healthcheck",
     "{\"Interval\":90000000000,\"Retries\":3,\"StartInterval\":1000000000,"
     "\"StartPeriod\":20000000000,\"Test\":[\"CMD\",\"true\"],\"Timeout\":500000000}"},
    {"healthcheck", "{\"disable\":true,\"interval\":\"1s\"}", "{\"test\":[\"NONE\"]}",
     "Healthcheck", "{\"Test\":[\"NONE\"]}"},
    {"healthcheck", "{\"test\":[\"NONE\"]}", "{\"test\":[\"NONE\"]}", "Healthcheck",
     "{\"Test\":[\"NONE\"]}"},
    {"logging", "{\"driver\":\"json-file\",\"options\":{\"max-size\":\"10m\",\"max-file\":\"3\"}}",
     "{\"driver\":\"json-file\",\"options\":{\"max-file\":\"3\",\"max-size\":\"10m\"}}",
     "HostConfig|LogConfig",
     "{\"Type\":\"json-file\",\"Config\":{\"max-file\":\"3\",\"max-size\":\"10m\"}}"},
    {"scale", "3", "3", NULL, NULL},
    {"scale", "1", NULL, NULL, NULL},
    {"scale", "0", "0", NULL, NULL},
    {"depends_on",
     "{\"db\":{\"condition\":\"service_healthy\",\"restart\":true,\"required\":true},"
     "\"away\":{\"condition\":\"service_started\",\"required\":false}}",
     "{\"away\":{\"required\":false},\"db\":{\"condition\":\"service_healthy\",\"restart\":true}}",
     NULL, NULL},
    {"deploy", "{\"replicas\":1,\"resources\":{},\"placement\":{}}", NULL, NULL, NULL},
    {"x-bellbuoy", "{\"strategy\":\"handover\",\"healthyWithin\":\"5m\",\"minUptime\":\"0s\"}",
     "{\"healthyWithin\":300000000000,\"minUptime\":0,\"strategy\":\"handover\"}", NULL, NULL},
    {"x-bellbuoy",
     "{\"strategy\":\"create-stop-start\",\"healthyWithin\":\"60s\",\"minUptime\":\"10s\"}", NULL,
     NULL, NULL},
    {"x-other", "{\"a\":[1]}", NULL, NULL, NULL},
    {"networks", "{\"default\":null}", "{\"default\":{}}", "NetworkingConfig|EndpointsConfig",
     "{\"line3_default\":{\"Aliases\":[\"web\"],\"IPAMConfig\":{}}}"},
    {"networks",
     "{\"back\":null,\"front\":{\"aliases\":[\"w\",\"web\",\"w\"],\"ipv4_address\":\"10.5.0.5\","
     "\"ipv6_address\":\"fd00::5\",\"link_local_ips\":[\"169.254.1.1\"],\"priority\":10,"
     "\"driver_opts\":{\"a\":\"b\"}}}",
     "{\"back\":{},\"front\":{\"aliases\":[\"w\",\"web\"],\"driver_opts\":{\"a\":\"b\"},"
     "\"ipv4_address\":\"10.5.0.5\",\"ipv6_address\":\"fd00::5\","
     "\"link_local_ips\":[\"169.254.1.1\"],\"priority\":10}}",
     "NetworkingConfig|EndpointsConfig",
     "{\"line3_front\":{\"Aliases\":[\"web\",\"w\"],\"IPAMConfig\":{\"IPv4Address\":\"10.5.0.5\","
     "\"IPv6Address\":\"fd00::5\",\"LinkLocalIPs\":[\"169.254.1.1\"]},\"DriverOpts\":{\"a\":\"b\"}"
     "}}"},
    {"network_mode", "\"none\"", "\"none\"", "HostConfig|NetworkMode", "\"none\""},
    {"network_mode", "\"bridge\"", "\"bridge\"", "HostConfig|NetworkMode", "\"bridge\""},
    {"network_mode", "\"host\"", "\"host\"", "HostConfig|NetworkMode", "\"host\""},
    {"network_mode", "\"service:db\"", "\"service:db\"", "HostConfig|NetworkMode",
     "\"container:parent\""},
    {"network_mode", "\"container:x\"", "\"container:x\"", "HostConfig|NetworkMode",
     "\"container:x\""},
    {"ports",
     "[{\"mode\":\"ingress\",\"target\":80,\"published\":\"8080\",\"protocol\":\"tcp\"},"
     "{\"mode\":\"ingress\",\"host_ip\":\"127.0.0.1\",\"target\":53,\"published\":\"5300\","
     "\"protocol\":\"udp\"},{\"target\":80,\"published\":8081},{\"target\":81},"
     "{\"name\":\"n\",\"app_protocol\":\"http\",\"mode\":\"host\",\"target\":82,"
     "\"published\":\"5000-5010\"}]",
     "[{\"published\":\"8080\",\"target\":80},{\"host_ip\":\"127.0.0.1\",\"protocol\":\"udp\","
     "\"published\":\"5300\",\"target\":53},{\"published\":\"8081\",\"target\":80},"
     "{\"target\":81},{\"published\":\"5000-5010\",\"target\":82}]",
     "HostConfig|PortBindings",
     "{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"},{\"HostIp\":\"\",\"HostPort\":\"8081\"}"
     "],\"53/udp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"5300\"}],"
     "\"81/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"\"}],"
     "\"82/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"5000-5010\"}]}"},
    {"ports", "[{\"target\":80,\"published\":\"8080\"}]",
     "[{\"published\":\"8080\",\"target\":80}]", "ExposedPorts", "{\"80/tcp\":{}}"},
    {"expose", "[\"3000\",53,\"4000-4002/udp\"]", "[\"3000/tcp\",\"53/tcp\",\"4000-4002/udp\"]",
     "ExposedPorts",
     "{\"3000/tcp\":{},\"53/tcp\":{},\"4000/udp\":{},\"4001/udp\":{},\"4002/udp\":{}}"},
    {"extra_hosts", "[\"a=1.2.3.4\",\"b:5.6.7.8\",\"c=::1\"]",
     "[\"a:1.2.3.4\",\"b:5.6.7.8\",\"c:::1\"]", "HostConfig|ExtraHosts",
     "[\"a:1.2.3.4\",\"b:5.6.7.8\",\"c:::1\"]"},
    {"dns", "[\"1.1.1.1\"]", "[\"1.1.1.1\"]", "HostConfig|Dns", "[\"1.1.1.1\"]"},
    {"dns_opt", "[\"use-vc\"]", "[\"use-vc\"]", "HostConfig|DnsOptions", "[\"use-vc\"]"},
    {"dns_search", "[\"a.b\"]", "[\"a.b\"]", "HostConfig|DnsSearch", "[\"a.b\"]"},
    {"volumes",
     "[{\"type\":\"volume\",\"source\":\"data\",\"target\":\"/d\",\"volume\":{}},"
     "{\"type\":\"volume\",\"target\":\"/anonymous\",\"volume\":{}},"
     "{\"type\":\"volume\",\"source\":\"data\",\"target\":\"/e\",\"read_only\":true,"
     "\"volume\":{\"nocopy\":true,\"labels\":{\"a\":\"b\"}}},"
     "{\"type\":\"tmpfs\",\"target\":\"/t\",\"tmpfs\":{\"size\":\"1048576\",\"mode\":493}},"
     "{\"type\":\"bind\",\"source\":\"/y\",\"target\":\"/y\",\"bind\":{\"create_host_path\":false,"
     "\"propagation\":\"rshared\"}},{\"type\":\"bind\",\"source\":\"/a:b\",\"target\":\"/z\"}]",
     "[{\"source\":\"data\",\"target\":\"/d\",\"type\":\"volume\"},"
     "{\"target\":\"/anonymous\",\"type\":\"volume\"},"
     "{\"read_only\":true,\"source\":\"data\",\"target\":\"/e\",\"type\":\"volume\","
     "\"volume\":{\"labels\":{\"a\":\"b\"},\"nocopy\":true}},"
     "{\"target\":\"/t\",\"tmpfs\":{\"mode\":493,\"size\":1048576},\"type\":\"tmpfs\"},"
     "{\"bind\":{\"create_host_path\":false,\"propagation\":\"rshared\"},\"source\":\"/y\","
     "\"target\":\"/y\",\"type\":\"bind\"},{\"source\":\"/a:b\",\"target\":\"/z\","
     "\"type\":\"bind\"}]",
     "HostConfig|Mounts",
     "[{\"Type\":\"volume\",\"Source\":\"line3_data\",\"Target\":\"/d\"},"
     "{\"Type\":\"volume\",\"Target\":\"/anonymous\"},"
     "{\"Type\":\"volume\",\"Source\":\"line3_data\",\"Target\":\"/e\",\"ReadOnly\":true,"
     "\"VolumeOptions\":{\"NoCopy\":true,\"Labels\":{\"a\":\"b\"}}},"
     "{\"Type\":\"tmpfs\",\"Target\":\"/t\",\"TmpfsOptions\":{\"SizeBytes\":1048576,"
     "\"Mode\":493}},{\"Type\":\"bind\",\"Source\":\"/y\",\"Target\":\"/y\","
     "\"BindOptions\":{\"Propagation\":\"rshared\"}},"
     "{\"Type\":\"bind\",\"Source\":\"/a:b\",\"Target\":\"/z\"}]"},
    {"volumes",
     "[{\"type\":\"bind\",\"source\":\"/x\",\"target\":\"/x\",\"read_only\":true,\"bind\":{}},"
     "{\"type\":\"bind\",\"source\":\"/w\",\"target\":\"/w\",\"bind\":{\"create_host_path\":true,"
     "\"selinux\":\"z\",\"propagation\":\"rslave\"}}]",
     "[{\"read_only\":true,\"source\":\"/x\",\"target\":\"/x\",\"type\":\"bind\"},"
     "{\"bind\":{\"propagation\":\"rslave\",\"selinux\":\"z\"},\"source\":\"/w\","
     "\"target\":\"/w\",\"type\":\"bind\"}]",
     "HostConfig|Binds", "[\"/x:/x:ro\",\"/w:/w:rw,z,rslave\"]"},
    {"volumes",
     "[{\"type\":\"tmpfs\",\"target\":\"/t\",\"tmpfs\":{\"size\":\"1m\",\"mode\":\"0755\"}}]",
     "[{\"target\":\"/t\",\"tmpfs\":{\"mode\":493,\"size\":1048576},\"type\":\"tmpfs\"}]",
     "HostConfig|Mounts",
     "[{\"Type\":\"tmpfs\",\"Target\":\"/t\",\"TmpfsOptions\":{\"SizeBytes\":1048576,"
     "\"Mode\":493}}]"},
    {"tmpfs", "[\"/run\",\"/tmp:size=1m\"]", "{\"/run\":\"\",\"/tmp\":\"size=1m\"}",
     "HostConfig|Tmpfs", "{\"/run\":\"\",\"/tmp\":\"size=1m\"}"},
    {"secrets", "[{\"source\":\"s\"}]", "[{\"source\":\"s\",\"target\":\"/run/secrets/s\"}]",
     "HostConfig|Mounts",
     "[{\"Type\":\"bind\",\"Source\":\"/secrets/sn\",\"Target\":\"/run/secrets/s\","
     "\"ReadOnly\":true}]"},
    {"secrets", "[{\"source\":\"s\",\"target\":\"key\"}]",
     "[{\"source\":\"s\",\"target\":\"/run/secrets/key\"}]", NULL, NULL},
    {"configs", "[{\"source\":\"c\"},{\"source\":\"c\",\"target\":\"/etc/c\"}]",
     "[{\"source\":\"c\",\"target\":\"/c\"},{\"source\":\"c\",\"target\":\"/etc/c\"}]",
     "HostConfig|Mounts",
     "[{\"Type\":\"bind\",\"Source\":\"/secrets/c\",\"Target\":\"/c\",\"ReadOnly\":true},"
     "{\"Type\":\"bind\",\"Source\":\"/secrets/c\",\"Target\":\"/etc/c\",\"ReadOnly\":true}]"},
    {"read_only", "true", "true", "HostConfig|ReadonlyRootfs", "true"},
    {"shm_size", "\"67108864\"", "67108864", "HostConfig|ShmSize", "67108864"},
    {"shm_size", "\"64M\"", "67108864", "HostConfig|ShmSize", "67108864"},
    {"privileged", "true", "true", "HostConfig|Privileged", "true"},
    {"privileged", "false", NULL, "HostConfig|Privileged", NULL},
    {"cap_add", "[\"cap_net_admin\",\"CHOWN\"]", "[\"NET_ADMIN\",\"CHOWN\"]", "HostConfig|CapAdd",
     "[\"NET_ADMIN\",\"CHOWN\"]"},
    {"cap_drop", "[\"ALL\",\"ALL\"]", "[\"ALL\"]", "HostConfig|CapDrop", "[\"ALL\"]"},
    {"security_opt", "[\"no-new-privileges:true\"]", "[\"no-new-privileges:true\"]",
     "HostConfig|SecurityOpt", "[\"no-new-privileges:true\"]"},
    {"devices", "[{\"source\":\"/dev/null\",\"target\":\"/dev/n\",\"permissions\":\"rw\"}]",
     "[{\"permissions\":\"rw\",\"source\":\"/dev/null\",\"target\":\"/dev/n\"}]",
     "HostConfig|Devices",
     "[{\"CgroupPermissions\":\"rw\",\"PathOnHost\":\"/dev/null\",\"PathInContainer\":\"/dev/"
     "n\"}]"},
    {"devices", "[{\"source\":\"/dev/null\"}]",
     "[{\"permissions\":\"rwm\",\"source\":\"/dev/null\",\"target\":\"/dev/null\"}]", NULL, NULL},
    {"sysctls", "{\"net.core.somaxconn\":1024}", "{\"net.core.somaxconn\":\"1024\"}",
     "HostConfig|Sysctls", "{\"net.core.somaxconn\":\"1024\"}"},
    {"ulimits", "{\"nproc\":100,\"nofile\":{\"soft\":10,\"hard\":20},\"core\":-1}",
     "{\"core\":{\"hard\":-1,\"soft\":-1},\"nofile\":{\"hard\":20,\"soft\":10},"
     "\"nproc\":{\"hard\":100,\"soft\":100}}",
     "HostConfig|Ulimits",
     "[{\"Name\":\"core\",\"Soft\":-1,\"Hard\":-1},{\"Name\":\"nofile\",\"Soft\":10,\"Hard\":20},"
     "{\"Name\":\"nproc\",\"Soft\":100,\"Hard\":100}]"},
    {"ulimits", "{\"core\":{\"hard\":5},\"cpu\":{}}",
     "{\"core\":{\"hard\":5,\"soft\":0},\"cpu\":{\"hard\":0,\"soft\":0}}", NULL, NULL},
    {"restart", "\"no\"", NULL, "HostConfig|RestartPolicy", "{\"Name\":\"no\"}"},
    {"restart", "\"always\"", "\"always\"", "HostConfig|RestartPolicy", "{\"Name\":\"no\"}"},
    {"restart", "\"on-failure:3\"", "\"on-failure:3\"", "HostConfig|RestartPolicy",
     "{\"Name\":\"no\"}"},
    {"mem_limit", "\"134217728\"", "134217728", "HostConfig|Memory", "134217728"},
    {"mem_limit", "0", NULL, "HostConfig|Memory", NULL},
    {"mem_reservation", "\"64m\"", "67108864", "HostConfig|MemoryReservation", "67108864"},
    {"memswap_limit", "\"256m\",\"mem_limit\":\"64M\"", "268435456", "HostConfig|MemorySwap",
     "268435456"},
    {"memswap_limit", "\"-1\",\"mem_limit\":\"64M\"", "-1", "HostConfig|MemorySwap", "-1"},
    {"memswap_limit", "-1,\"mem_limit\":\"64M\"", "-1", "HostConfig|MemorySwap", "-1"},
    {"mem_swappiness", "\"10\"", "10", "HostConfig|MemorySwappiness", "10"},
    {"mem_swappiness", "0", "0", "HostConfig|MemorySwappiness", "0"},
    {"cpus", "0.5", "500000000", "HostConfig|NanoCpus", "500000000"},
    {"cpus", "\"1.25\"", "1250000000", "HostConfig|NanoCpus", "1250000000"},
    {"cpu_shares", "73", "73", "HostConfig|CpuShares", "73"},
    {"cpuset", "\"0,1\"", "\"0,1\"", "HostConfig|CpusetCpus", "\"0,1\""},
    {"pids_limit", "100", "100", "HostConfig|PidsLimit", "100"},
    {"pids_limit", "-1", NULL, "HostConfig|PidsLimit", NULL},
    {"oom_kill_disable", "true", "true", "HostConfig|OomKillDisable", "true"},
    {"oom_score_adj", "-500", "-500", "HostConfig|OomScoreAdj", "-500"},
};

static struct document *parse_row(const struct row *row)
{
    AUTO(buf_deinit) struct buf members = BUF_INIT(1 << 16);
    AUTO(free) char *text = NULL;

    buf_appendf(&members,
                "\"services\":{\"web\":{\"image\":\"app:1\",\"%s\":%s},\"db\":{\"image\":\"db\"}"
                "}" RESOURCES,
                row->key, row->wire);
    text = fixture_envelope(members.data);
    return fixture_parse(text, &fixture_all);
}

static void test_every_key(void **state)
{
    const struct container_origin origin = {
        .node = "n",
        .image_id = "sha256:1",
        .revision = 1,
        .number = 1,
        .namespace_container = "parent",
        .secrets_dir = "/secrets",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct row *row = &rows[i];
        AUTO(document_free) struct document *document = parse_row(row);
        const struct service *web = document_service(document, "web");
        AUTO(cJSON_Delete) cJSON *body = container_create_body(document, web, &origin);

        fixture_assert_json(row->key, json_member(web->canonical, row->key), row->canonical);
        assert_string_equal(json_member(body, "Image")->valuestring, "app:1");
        if (row->field)
            fixture_assert_json(row->field, fixture_at(body, row->field), row->body);
    }
}

static void test_every_key_has_a_row(void **state)
{
    (void)state;
    for (const struct key *key = service_keys; key->name; key++) {
        bool found = key->refused || strcmp(key->name, "image") == 0;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
            found = found || strcmp(rows[i].key, key->name) == 0;
        if (!found)
            fail_msg("%s is not in this test's table", key->name);
    }
}

/* What the documentation says that a node does not take. */
static const char *const refused[] = {
    "build",
    "extends",
    "profiles",
    "develop",
    "provider",
    "models",
    "credential_spec",
    "isolation",
    "links",
    "external_links",
    "use_api_socket",
    "label_file",
    "env_file",
    "attach",
    "ipc",
    "pid",
    "uts",
    "userns_mode",
    "cgroup",
    "cgroup_parent",
    "runtime",
    "gpus",
    "device_cgroup_rules",
    "storage_opt",
    "blkio_config",
    "volumes_from",
    "post_start",
    "pre_stop",
    "annotations",
    "mac_address",
    "volume_driver",
    "cpu_count",
    "cpu_percent",
    "cpu_period",
    "cpu_quota",
    "cpu_rt_period",
    "cpu_rt_runtime",
};

static void test_refused_keys(void **state)
{
    size_t count = 0;

    (void)state;
    for (const struct key *key = service_keys; key->name; key++)
        count += key->refused != NULL;
    assert_int_equal(count, ARRAY_SIZE(refused));
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        const struct key *key = key_find(service_keys, refused[i]);
        struct rejection rejection;
        AUTO(free) char *text = NULL;
        char members[64];
        char pointer[64];

        snprintf(members, sizeof members, "\"%s\":{}", refused[i]);
        snprintf(pointer, sizeof pointer, "/services/web/%s", refused[i]);
        text = fixture_service(members);
        fixture_refuse(text, &fixture_all, &rejection);
        assert_int_equal(rejection.code, REASON_UNSUPPORTED_KEY);
        assert_string_equal(rejection.pointer, pointer);
        assert_non_null(key);
        assert_non_null(key->refused);
        assert_non_null(strstr(rejection.e.msg, key->refused));
    }
}

/* What `deploy` says is what other keys say. */
static void test_deploy_is_moved(void **state)
{
    static const struct {
        const char *deploy, *key, *canonical;
    } moved[] = {
        {"{\"mode\":\"replicated\",\"replicas\":3}", "scale", "3"},
        {"{\"replicas\":0}", "scale", "0"},
        {"{\"resources\":{\"limits\":{\"cpus\":0.5}}}", "cpus", "500000000"},
        {"{\"resources\":{\"limits\":{\"cpus\":\"0.5\"}}}", "cpus", "500000000"},
        {"{\"resources\":{\"limits\":{\"memory\":\"134217728\"}}}", "mem_limit", "134217728"},
        {"{\"resources\":{\"limits\":{\"pids\":100}}}", "pids_limit", "100"},
        {"{\"resources\":{\"reservations\":{\"memory\":\"10485760\"}}}", "mem_reservation",
         "10485760"},
        {"{\"update_config\":{\"order\":\"start-first\",\"monitor\":\"1m0s\"}}", "x-bellbuoy",
         "{\"minUptime\":60000000000,\"strategy\":\"handover\"}"},
        {"{\"update_config\":{\"order\":\"stop-first\",\"monitor\":\"10s\"}}", "x-bellbuoy", NULL},
        {"{\"update_config\":{\"failure_action\":\"pause\"}}", "deploy", NULL},
        {"{\"update_config\":{\"failure_action\":\"pause\"}}", "failure_action", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(moved); i++) {
        AUTO(document_free) struct document *document = NULL;
        AUTO(free) char *text = NULL;
        char members[256];

        snprintf(members, sizeof members, "\"deploy\":%s", moved[i].deploy);
        text = fixture_service(members);
        document = fixture_parse(text, &fixture_none);
        fixture_assert_json(moved[i].deploy,
                            json_member(document->services[0].canonical, moved[i].key),
                            moved[i].canonical);
        assert_null(json_member(document->services[0].canonical, "deploy"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_every_key_has_a_row),
        cmocka_unit_test(test_refused_keys),
        cmocka_unit_test(test_deploy_is_moved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

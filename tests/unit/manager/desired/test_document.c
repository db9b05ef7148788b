#include "manager/desired/document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "tests/unit/manager/desired/desired_fixture.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- the envelope ---- */

static void test_envelope(void **state)
{
    AUTO(document_free)
    struct document *document = fixture_parse(
        "{\"apiVersion\":\"bellbuoy/v1\",\"revision\":9007199254740991,\"id\":\"a-1\","
        "\"issued\":\"2026-11-20T10:00:00Z\",\"notBefore\":\"2026-11-20T22:00:00Z\","
        "\"expires\":\"2026-11-21T10:00:00+01:00\",\"project\":\"line3\",\"name\":\"line3\","
        "\"policy\":{\"onFailure\":\"hold\",\"drift\":\"report\",\"orphans\":\"keep\","
        "\"allowEmpty\":true,\"progressDeadline\":\"20m\",\"minFreeDisk\":\"512MiB\","
        "\"maxPullParallel\":4,\"window\":{\"cron\":\"0 2 * * 1-5\",\"duration\":\"2h\","
        "\"zone\":\"utc\"}},\"services\":{},\"x-note\":{\"any\":[\"thing\"]}}",
        &fixture_none);
    const struct policy *policy = &document->policy;

    (void)state;
    assert_true(document->revision == 9007199254740991);
    assert_string_equal(document->id, "a-1");
    assert_string_equal(document->project, "line3");
    assert_true(document->not_before_us == 1795212000000000);
    assert_true(document->expires_us == 1795251600000000);
    assert_int_equal(policy->on_failure, ON_FAILURE_HOLD);
    assert_int_equal(policy->drift, DRIFT_REPORT);
    assert_true(policy->keep_orphans);
    assert_true(policy->progress_deadline_ns == 1200000000000);
    assert_int_equal(policy->min_free_disk_bytes, 512 << 20);
    assert_int_equal(policy->max_pull_parallel, 4);
    assert_string_equal(policy->window.cron, "0 2 * * 1-5");
    assert_true(policy->window.duration_ns == 7200000000000);
    assert_true(policy->window.utc);
}

static void test_what_is_not_said(void **state)
{
    AUTO(free) char *text = fixture_service("");
    AUTO(document_free) struct document *document = fixture_parse(text, &fixture_none);
    const struct service *web = document_service(document, "web");

    (void)state;
    assert_null(document->id);
    assert_int_equal(document->not_before_us, 0);
    assert_int_equal(document->policy.on_failure, ON_FAILURE_ROLLBACK);
    assert_int_equal(document->policy.drift, DRIFT_ENFORCE);
    assert_false(document->policy.keep_orphans);
    assert_true(document->policy.progress_deadline_ns == 900000000000);
    assert_int_equal(document->policy.max_pull_parallel, 2);
    assert_null(document->policy.window.cron);
    assert_string_equal(web->image, "app:1");
    assert_null(web->platform);
    assert_null(web->container_name);
    assert_int_equal(web->pull, PULL_MISSING);
    assert_int_equal(web->replicas, 1);
    assert_int_equal(web->strategy, STRATEGY_CREATE_STOP_START);
    assert_true(web->healthy_within_ns == 60000000000);
    assert_true(web->min_uptime_ns == 10000000000);
    assert_string_equal(web->limits.restart, "no");
    assert_false(web->one_shot);
    assert_false(web->has_healthcheck);
    assert_string_equal(web->networks[0], "default");
    assert_null(web->networks[1]);
    assert_null(web->volumes[0]);
    assert_int_equal(document->network_count, 1);
    assert_string_equal(document_network(document, "default")->name, "line3_default");
    assert_null(document_service(document, "db"));
    assert_null(document_volume(document, "data"));
}

/* ---- services ---- */

static void test_service_fields(void **state)
{
    AUTO(free)
    char *text = fixture_envelope(
        "\"services\":{\"web\":{\"image\":\"app:1\",\"platform\":\"linux/arm64\","
        "\"pull_policy\":\"always\",\"container_name\":\"the-web\",\"restart\":\"on-failure:3\","
        "\"mem_limit\":\"128M\",\"cpus\":0.5,\"pids_limit\":10,\"cpuset\":\"0\","
        "\"healthcheck\":{\"test\":[\"CMD\",\"true\"]},"
        "\"networks\":{\"a\":null,\"b\":{\"priority\":5},\"c\":{\"priority\":5}},"
        "\"volumes\":[{\"type\":\"volume\",\"source\":\"y\",\"target\":\"/1\"},"
        "{\"type\":\"volume\",\"source\":\"x\",\"target\":\"/2\"},"
        "{\"type\":\"volume\",\"source\":\"y\",\"target\":\"/3\"}],"
        "\"depends_on\":{\"init\":{\"condition\":\"service_completed_successfully\"},"
        "\"db\":{\"condition\":\"service_healthy\",\"restart\":true},"
        "\"gone\":{\"condition\":\"service_started\",\"required\":false}}},"
        "\"init\":{\"image\":\"i\"},\"db\":{\"image\":\"d\",\"network_mode\":\"none\"},"
        "\"tail\":{\"image\":\"t\",\"network_mode\":\"service:web\"}},"
        "\"networks\":{\"a\":{},\"b\":{},\"c\":{}},\"volumes\":{\"x\":{},\"y\":{\"name\":\"yy\"},"
        "\"z\":{\"external\":true}}");
    AUTO(document_free) struct document *document = fixture_parse(text, &fixture_none);
    const struct service *web = document_service(document, "web");
    const struct service *tail = document_service(document, "tail");

    (void)state;
    assert_string_equal(web->platform, "linux/arm64");
    assert_int_equal(web->pull, PULL_ALWAYS);
    assert_string_equal(web->container_name, "the-web");
    assert_string_equal(web->limits.restart, "on-failure");
    assert_int_equal(web->limits.restart_retries, 3);
    assert_int_equal(web->limits.memory_bytes, 128 << 20);
    assert_int_equal(web->limits.nano_cpus, 500000000);
    assert_int_equal(web->limits.pids, 10);
    assert_string_equal(web->limits.cpuset, "0");
    assert_true(web->has_healthcheck);
    assert_string_equal(web->networks[0], "b");
    assert_string_equal(web->networks[1], "c");
    assert_string_equal(web->networks[2], "a");
    assert_null(web->networks[3]);
    assert_string_equal(web->volumes[0], "x");
    assert_string_equal(web->volumes[1], "y");
    assert_null(web->volumes[2]);
    assert_int_equal(web->depends_on_count, 3);
    assert_string_equal(web->depends_on[0].service, "db");
    assert_int_equal(web->depends_on[0].condition, DEPENDS_HEALTHY);
    assert_true(web->depends_on[0].restart);
    assert_true(web->depends_on[0].required);
    assert_false(web->depends_on[1].required);
    assert_int_equal(web->depends_on[2].condition, DEPENDS_COMPLETED);
    assert_true(document_service(document, "init")->one_shot);
    assert_null(document_service(document, "db")->networks[0]);
    assert_string_equal(tail->namespace_of, "web");
    assert_string_equal(tail->depends_on[0].service, "web");
    assert_true(tail->depends_on[0].restart);
    assert_string_equal(document_volume(document, "x")->name, "line3_x");
    assert_string_equal(document_volume(document, "y")->name, "yy");
    assert_string_equal(document_volume(document, "z")->name, "z");
    assert_true(document_volume(document, "z")->external);
}

static void test_failure_action_is_the_projects(void **state)
{
    static const struct {
        const char *policy;
        const char *web, *db;
        enum on_failure expected;
    } rows[] = {
        {"{}", "pause", "pause", ON_FAILURE_HOLD},
        {"{}", "continue", "continue", ON_FAILURE_KEEP_PARTIAL},
        {"{}", "rollback", "rollback", ON_FAILURE_ROLLBACK},
        {"{\"onFailure\":\"rollback\"}", "pause", "pause", ON_FAILURE_ROLLBACK},
        {"{\"onFailure\":\"hold\"}", "continue", "continue", ON_FAILURE_HOLD},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO(document_free) struct document *document = NULL;
        AUTO(free) char *text = NULL;
        char members[512];

        snprintf(members, sizeof members,
                 "\"policy\":%s,\"services\":{\"web\":{\"image\":\"a\",\"deploy\":{"
                 "\"update_config\":{\"failure_action\":\"%s\"}}},\"db\":{\"image\":\"a\","
                 "\"deploy\":{\"update_config\":{\"failure_action\":\"%s\"}}}}",
                 rows[i].policy, rows[i].web, rows[i].db);
        text = fixture_envelope(members);
        document = fixture_parse(text, &fixture_none);
        assert_int_equal(document->policy.on_failure, rows[i].expected);
    }
}

/* ---- what is refused ---- */

struct refusal {
    const char *members; /* of the whole, or of service web */
    enum reason_code code;
    const char *pointer;
    const char *words; /* of the message */
};

static void check_refusals(const struct refusal *rows, size_t count, char *(*wrap)(const char *))
{
    for (size_t i = 0; i < count; i++) {
        AUTO(free) char *text = wrap(rows[i].members);
        struct rejection rejection;

        fixture_refuse(text, &fixture_none, &rejection);
        if (rejection.code != rows[i].code || strcmp(rejection.pointer, rows[i].pointer) != 0 ||
            !strstr(rejection.e.msg, rows[i].words) || !strstr(rejection.e.msg, rows[i].pointer))
            fail_msg("%s: %s at \"%s\": %s", rows[i].members, reason_name(rejection.code),
                     rejection.pointer, rejection.e.msg);
    }
}

#define S REASON_SCHEMA
#define U REASON_UNSUPPORTED_KEY
#define N REASON_NOT_ALLOWED
#define W "/services/web"

static const struct refusal services_refused[] = {
    /* keys */
    {"\"imagee\":\"x\"", U, W "/imagee", "did you mean \"image\"?"},
    {"\"Ports\":[]", U, W "/Ports", "did you mean \"ports\"?"},
    {"\"qqqqqqqqq\":1", U, W "/qqqqqqqqq", "is not known"},
    {"\"build\":{\"context\":\".\"}", U, W "/build",
     "the node does not build; push an image and name it"},
    {"\"healthcheck\":{\"intervall\":\"1s\"}", U, W "/healthcheck/intervall", "\"interval\"?"},
    {"\"deploy\":{\"resources\":{\"limit\":{}}}", U, W "/deploy/resources/limit", "\"limits\"?"},
    {"\"deploy\":{\"placement\":{\"constraints\":[\"a\"]}}", U, W "/deploy/placement/constraints",
     "is not known"},
    {"\"deploy\":{\"restart_policy\":{}}", U, W "/deploy/restart_policy", "use restart"},
    {"\"deploy\":{\"update_config\":{\"parallelism\":2}}", U, W "/deploy/update_config/parallelism",
     "in one go"},
    {"\"x-bellbuoy\":{\"minUptme\":\"1s\"}", U, W "/x-bellbuoy/minUptme", "\"minUptime\"?"},
    /* types and values */
    {"\"command\":\"sleep 1\"", S, W "/command", "an array of strings"},
    {"\"command\":[\"sleep\",1]", S, W "/command/1", "a string, it is 1"},
    {"\"environment\":[\"A=1\"]", S, W "/environment", "an object, it is an array"},
    {"\"environment\":{\"A\":[]}", S, W "/environment/A", "a string"},
    {"\"environment\":{\"A=B\":\"\"}", S, W "/environment/A=B", "has a '=' in its name"},
    {"\"environment\":{\"\":\"x\"}", S, W "/environment/", "has no name"},
    {"\"tty\":\"yes\"", S, W "/tty", "true or false, it is \"yes\""},
    {"\"working_dir\":\"w\"", S, W "/working_dir", "an absolute path"},
    {"\"platform\":\"Linux arm\"", S, W "/platform", "linux/arm64"},
    {"\"pull_policy\":\"build\"", S, W "/pull_policy",
     "\"missing\", \"always\" or \"never\", it is \"build\""},
    {"\"restart\":\"sometimes\"", S, W "/restart", "it is \"sometimes\""},
    {"\"restart\":\"on-failure:x\"", S, W "/restart", "on-failure:3"},
    {"\"restart\":\"always:3\"", S, W "/restart", "it is \"always:3\""},
    {"\"stop_grace_period\":10", S, W "/stop_grace_period", "a duration such as \"1m30s\""},
    {"\"stop_grace_period\":\"10\"", S, W "/stop_grace_period", "it is \"10\""},
    {"\"stop_grace_period\":\"300h\"", S, W "/stop_grace_period", "240h"},
    {"\"stop_signal\":\"no way\"", S, W "/stop_signal", "SIGINT"},
    {"\"healthcheck\":{\"test\":[\"true\"]}", S, W "/healthcheck/test", "[\"CMD\""},
    {"\"healthcheck\":{\"test\":\"true\"}", S, W "/healthcheck/test", "an array"},
    {"\"healthcheck\":{\"interval\":\"3ns\"}", S, W "/healthcheck/interval", "1ms"},
    {"\"healthcheck\":{\"retries\":-1}", S, W "/healthcheck/retries",
     "an integer from 0 to 1000000, it is -1"},
    {"\"mem_limit\":\"lots\"", S, W "/mem_limit", "it is \"lots\""},
    {"\"mem_limit\":\"1M\"", S, W "/mem_limit", "6M"},
    {"\"mem_limit\":-1", S, W "/mem_limit", "it is -1"},
    {"\"memswap_limit\":-2", S, W "/memswap_limit", "it is -2"},
    {"\"shm_size\":\"1000000000G\"", S, W "/shm_size", "512T"},
    {"\"cpus\":0.001", S, W "/cpus", "0.01 to 4096"},
    {"\"cpus\":\"half\"", S, W "/cpus", "it is \"half\""},
    {"\"pids_limit\":1.5", S, W "/pids_limit", "it is 1.5"},
    {"\"scale\":101", S, W "/scale", "0 to 100"},
    {"\"oom_score_adj\":1001", S, W "/oom_score_adj", "-1000 to 1000"},
    {"\"ulimits\":{\"nofile\":{\"soft\":-2}}", S, W "/ulimits/nofile/soft", "it is -2"},
    {"\"extra_hosts\":[\"a\"]", S, W "/extra_hosts/0", "db=10.0.0.7"},
    {"\"container_name\":\"a/b\"", S, W "/container_name", "a name of letters"},
    {"\"deploy\":{\"mode\":\"global\"}", S, W "/deploy/mode", "\"replicated\""},
    /* what contradicts */
    {"\"scale\":2,\"deploy\":{\"replicas\":3}", S, W "/deploy", "another replicas than scale"},
    {"\"mem_limit\":\"64M\",\"deploy\":{\"resources\":{\"limits\":{\"memory\":\"65M\"}}}", S,
     W "/deploy", "than mem_limit"},
    {"\"memswap_limit\":-1", S, W "/memswap_limit", "needs mem_limit"},
    {"\"memswap_limit\":\"32M\",\"mem_limit\":\"64M\"", S, W "/memswap_limit",
     "memory and swap together"},
    {"\"mem_reservation\":\"65M\",\"mem_limit\":\"64M\"", S, W "/mem_reservation",
     "above mem_limit"},
    {"\"restart\":\"always\",\"x-bellbuoy\":{\"oneShot\":true}", S, W "/restart", "never ends"},
    /* ports */
    {"\"ports\":[\"80:80\"]", S, W "/ports/0", "an object"},
    {"\"ports\":[{\"published\":\"80\"}]", S, W "/ports/0/target", "is missing"},
    {"\"ports\":[{\"target\":0}]", S, W "/ports/0/target", "1 to 65535, it is 0"},
    {"\"ports\":[{\"target\":65536}]", S, W "/ports/0/target", "1 to 65535"},
    {"\"ports\":[{\"target\":80,\"published\":\"99999\"}]", S, W "/ports/0/published",
     "1 to 65535"},
    {"\"ports\":[{\"target\":80,\"published\":\"20-10\"}]", S, W "/ports/0/published", "20-10"},
    {"\"ports\":[{\"target\":80,\"protocol\":\"icmp\"}]", S, W "/ports/0/protocol", "\"tcp\""},
    {"\"ports\":[{\"target\":80,\"published\":\"80\"},{\"target\":81,\"published\":\"80\"}]", S,
     W "/ports/1", "port 80/tcp, which service \"web\" publishes already"},
    {"\"scale\":2,\"ports\":[{\"target\":80,\"published\":\"80\"}]", S, W "/ports/0",
     "only one of its replicas"},
    {"\"x-bellbuoy\":{\"strategy\":\"handover\"},\"ports\":[{\"target\":1,\"published\":\"1\"}"
     "]",
     S, W "/ports/0", "handover"},
    {"\"expose\":[\"0\"]", S, W "/expose/0", "a port such as"},
    {"\"expose\":[\"1-2000\"]", S, W "/expose", "more than 1000 ports"},
    /* networks */
    {"\"networks\":{\"back\":null}", S, W "/networks/back", "not among the document's networks"},
    {"\"networks\":{\"default\":null},\"network_mode\":\"none\"", S, W "/networks", "exclude"},
    {"\"network_mode\":\"mine\"", S, W "/network_mode", "other networks go into \"networks\""},
    {"\"network_mode\":\"service:db\"", S, W "/network_mode", "\"db\""},
    {"\"network_mode\":\"service:web\"", REASON_CYCLE, W "/depends_on", "web -> web"},
    {"\"network_mode\":\"service:db\",\"hostname\":\"h\"", S, W "/hostname",
     "does not go with network_mode"},
    {"\"networks\":{\"default\":{\"ipv4_address\":\"10.0.0\"}}", S,
     W "/networks/default/ipv4_address", "an IPv4 address"},
    {"\"scale\":2,\"networks\":{\"default\":{\"ipv4_address\":\"10.0.0.1\"}}", S,
     W "/networks/default", "only one of 2 replicas"},
    /* files */
    {"\"volumes\":[\"data:/data\"]", S, W "/volumes/0", "an object"},
    {"\"volumes\":[{\"type\":\"volume\",\"source\":\"data\",\"target\":\"/d\"}]", S, W "/volumes/0",
     "\"data\", which is not among the document's volumes"},
    {"\"volumes\":[{\"type\":\"npipe\",\"target\":\"/d\"}]", S, W "/volumes/0/type", "\"bind\""},
    {"\"volumes\":[{\"type\":\"volume\",\"target\":\"d\"}]", S, W "/volumes/0/target", "absolute"},
    {"\"volumes\":[{\"target\":\"/d\"}]", S, W "/volumes/0/type", "is missing"},
    {"\"volumes\":[{\"type\":\"tmpfs\",\"target\":\"/d\",\"volume\":{\"nocopy\":true}}]", S,
     W "/volumes/0/volume", "type \"tmpfs\""},
    {"\"volumes\":[{\"type\":\"bind\",\"source\":\"./x\",\"target\":\"/d\"}]", S,
     W "/volumes/0/source", "an absolute path on the node"},
    {"\"volumes\":[{\"type\":\"volume\",\"target\":\"/d\",\"volume\":{\"subpath\":\"s\"}}]", U,
     W "/volumes/0/volume/subpath", "before 26"},
    {"\"tmpfs\":[\"tmp\"]", S, W "/tmpfs/0", "an absolute path"},
    {"\"tmpfs\":[\"/tmp\",\"/tmp:size=1m\"]", S, W "/tmpfs/1", "is there twice"},
    {"\"secrets\":[{\"source\":\"s\"}]", S, W "/secrets/0", "not among the document's secrets"},
    {"\"secrets\":[{\"source\":\"s\",\"mode\":\"0440\"}]", U, W "/secrets/0/mode",
     "the file's own owner and mode"},
    /* services */
    {"\"depends_on\":[\"db\"]", S, W "/depends_on", "an object"},
    {"\"depends_on\":{\"db\":null}", S, W "/depends_on/db", "does not have"},
    {"\"depends_on\":{\"web\":{\"condition\":\"running\"}}", S, W "/depends_on/web/condition",
     "\"service_started\""},
    {"\"depends_on\":{\"web\":null}", REASON_CYCLE, W "/depends_on", "web -> web"},
    /* others' names */
    {"\"labels\":{\"io.bellbuoy.project\":\"x\"}", N, W "/labels/io.bellbuoy.project",
     "only the manager"},
    {"\"labels\":{\"io.kubernetes.pod.name\":\"x\"}", N, W "/labels/io.kubernetes.pod.name",
     "io.kubernetes."},
    {"\"labels\":{\"com.docker.compose.project\":\"x\"}", N, W "/labels/com.docker.compose.project",
     "com.docker.compose."},
    {"\"container_name\":\"k8s_x\"", N, W "/container_name", "Kubernetes"},
    {"\"scale\":2,\"container_name\":\"x\"", S, W "/container_name", "only one of 2"},
};

static void test_services_that_are_refused(void **state)
{

    (void)state;
    check_refusals(services_refused, ARRAY_SIZE(services_refused), fixture_service);
}

static char *as_it_is(const char *text)
{
    return strdup(text);
}

#define A           "\"a\":{\"image\":\"x\""
#define B           "\"b\":{\"image\":\"x\""
#define C           "\"c\":{\"image\":\"x\""
#define DEPENDS(on) ",\"depends_on\":{\"" on "\":null}}"

static const struct refusal documents_refused[] = {
    {"\"services\":{}", REASON_EMPTY, "/services", "allowEmpty"},
    {"\"services\":[]", S, "/services", "an object"},
    {"\"networks\":{}", S, "/services", "is missing"},
    {"\"services\":{\"we b\":{\"image\":\"x\"}}", S, "/services/we b", "no name of a service"},
    {"\"services\":{\"a/b~\":{\"image\":\"x\"}}", S, "/services/a~1b~0", "no name"},
    {"\"services\":{\"a\":{}}", S, "/services/a/image", "is missing"},
    {"\"services\":{\"a\":null}", S, "/services/a/image", "is missing"},
    {"\"services\":{\"a\":7}", S, "/services/a", "an object, it is 7"},
    {"\"services\":{\"a\":{\"image\":7}}", S, "/services/a/image", "it is 7"},
    {"\"services\":{\"a\":{\"image\":\"\"}}", S, "/services/a/image", "must be an image"},
    {"\"services\":{\"a\":{\"image\":\"a b\"}}", S, "/services/a/image", "it is \"a b\""},
    {"\"services\":{\"a\":{\"image\":\"-x\"}}", S, "/services/a/image", "must be an image"},
    {"\"services\":{" A "}},\"include\":[]", U, "/include", "is not supported"},
    {"\"services\":{" A "}},\"servces\":{}", U, "/servces", "\"services\"?"},
    {"\"services\":{" A "}},\"name\":\"other\"", S, "/name", "/project is \"line3\""},
    {"\"services\":{" A "}},\"notBefore\":\"tomorrow\"", S, "/notBefore", "2026-11-20"},
    {"\"services\":{" A "}},\"policy\":{\"onFailure\":\"panic\"}", S, "/policy/onFailure",
     "\"rollback\", \"hold\" or \"keep-partial\""},
    {"\"services\":{" A "}},\"policy\":{\"window\":{\"duration\":\"2h\"}}", S,
     "/policy/window/cron", "is missing"},
    {"\"services\":{" A "}},\"policy\":{\"window\":{\"cron\":\"60 * * * *\",\"duration\":\"2h\"}}",
     S, "/policy/window/cron", "five fields"},
    {"\"services\":{" A "}},\"policy\":{\"window\":{\"cron\":\"* * * *\",\"duration\":\"2h\"}}", S,
     "/policy/window/cron", "five fields"},
    {"\"services\":{" A "}},\"policy\":{\"window\":{\"cron\":\"* * * * * *\",\"duration\":\"2h\"}}",
     S, "/policy/window/cron", "five fields"},
    {"\"services\":{" A "}},\"policy\":{\"window\":{\"cron\":\"*  * * * *\",\"duration\":\"2h\"}}",
     S, "/policy/window/cron", "five fields"},
    {"\"services\":{" A "}},\"policy\":{\"window\":{\"cron\":\"1, * * * *\",\"duration\":\"2h\"}}",
     S, "/policy/window/cron", "five fields"},
    {"\"services\":{" A "}},\"policy\":{\"window\":{\"cron\":\"5-1 * * * *\",\"duration\":\"2h\"}}",
     S, "/policy/window/cron", "five fields"},
    {"\"services\":{" A "}},\"policy\":{\"window\":{\"cron\":\"*/0 * * * *\",\"duration\":\"2h\"}}",
     S, "/policy/window/cron", "five fields"},
    {"\"services\":{" A "}},\"policy\":{\"window\":{\"cron\":\"a * * * *\",\"duration\":\"2h\"}}",
     S, "/policy/window/cron", "five fields"},
    {"\"services\":{" A "}},\"policy\":{\"window\":{\"cron\":\"* * 0 * *\",\"duration\":\"2h\"}}",
     S, "/policy/window/cron", "five fields"},
    {"\"services\":{" A "}},\"policy\":{\"window\":{\"cron\":\"\",\"duration\":\"2h\"}}", S,
     "/policy/window/cron", "five fields"},
    /* cycles */
    {"\"services\":{" A DEPENDS("b") "," B DEPENDS("a") "}", REASON_CYCLE, "/services/a/depends_on",
     "a -> b -> a"},
    {"\"services\":{" A DEPENDS("b") "," B DEPENDS("c") "," C DEPENDS("b") "}", REASON_CYCLE,
     "/services/b/depends_on", "b -> c -> b"},
    {"\"services\":{" A DEPENDS("b") "," B ",\"network_mode\":\"service:a\"}}", REASON_CYCLE,
     "/services/a/depends_on", "a -> b -> a"},
    /* references among services */
    {"\"services\":{" A ",\"depends_on\":{\"b\":{\"condition\":"
     "\"service_completed_successfully\"}}}," B ",\"restart\":\"always\"}}",
     S, "/services/a/depends_on/b", "never completes"},
    {"\"services\":{" A ",\"depends_on\":{\"b\":{\"condition\":\"service_healthy\"}}}," B
     ",\"scale\":0}}",
     S, "/services/a/depends_on/b", "no replicas"},
    {"\"services\":{" A ",\"network_mode\":\"service:b\"}," B ",\"scale\":2}}", S,
     "/services/a/network_mode", "must have one replica, not 2"},
    /* names and ports of two */
    {"\"services\":{" A ",\"container_name\":\"x\"}," B ",\"container_name\":\"x\"}}", S,
     "/services/b/container_name", "that of service \"a\" too"},
    {"\"services\":{" A ",\"container_name\":\"line3-b-1\"}," B "}}", S,
     "/services/a/container_name", "service \"b\" is called by itself"},
    {"\"services\":{" A ",\"ports\":[{\"target\":1,\"published\":\"80\"}]}," B
     ",\"ports\":[{\"target\":1,\"published\":\"80\",\"host_ip\":\"127.0.0.1\"}]}}",
     S, "/services/b/ports/0", "which service \"a\" publishes already"},
    {"\"services\":{" A ",\"deploy\":{\"update_config\":{\"failure_action\":\"pause\"}}}," B
     ",\"deploy\":{\"update_config\":{\"failure_action\":\"rollback\"}}}}",
     S, "/services/b/deploy", "fails as a whole"},
    /* resources */
    {"\"services\":{" A "}},\"networks\":{\"n\":{\"drivr\":\"x\"}}", U, "/networks/n/drivr",
     "\"driver\"?"},
    {"\"services\":{" A "}},\"networks\":{\"n\":{\"external\":true,\"driver\":\"x\"}}", S,
     "/networks/n/driver", "made by someone else"},
    {"\"services\":{" A "}},\"networks\":{\"n\":{\"external\":true,\"name\":\"host\"}}", S,
     "/networks/n", "network_mode"},
    {"\"services\":{" A "}},\"networks\":{\"host\":{\"external\":true}}", S, "/networks/host",
     "network_mode"},
    {"\"services\":{" A "}},\"networks\":{\"n\":{\"driver\":\"host\"}}", S, "/networks/n/driver",
     "network_mode"},
    {"\"services\":{" A "}},\"volumes\":{\"v\":{\"name\":\"/etc\"}}", S, "/volumes/v/name",
     "a name of letters"},
    {"\"services\":{" A "}},\"volumes\":{\"v\":{\"labels\":{\"io.bellbuoy.x\":\"\"}}}", N,
     "/volumes/v/labels/io.bellbuoy.x", "only the manager"},
    {"\"services\":{" A "}},\"secrets\":{\"s\":{\"file\":\"./x\"}}", U, "/secrets/s/file",
     "\"external\": true"},
    {"\"services\":{" A "}},\"configs\":{\"s\":{\"content\":\"x\"}}", U, "/configs/s/content",
     "no place for secrets"},
    {"\"services\":{" A "}},\"secrets\":{\"s\":{\"environment\":\"X\"}}", U,
     "/secrets/s/environment", "--secrets-dir"},
    {"\"services\":{" A "}},\"secrets\":{\"s\":{\"external\":false}}", S, "/secrets/s/external",
     "must be true"},
    {"\"services\":{" A "}},\"secrets\":{\"s\":{\"external\":true,\"name\":\"../x\"}}", S,
     "/secrets/s/name", "a name of letters"},
    {"\"services\":{" A ",\"secrets\":[{\"source\":\"..\"}]}},\"secrets\":{\"..\":{\"external\":"
     "true}}",
     S, "/secrets/..", "no name"},
};

static void test_documents_that_are_refused(void **state)
{

    (void)state;
    check_refusals(documents_refused, ARRAY_SIZE(documents_refused), fixture_envelope);
}

static void test_text_that_is_refused(void **state)
{
    static const struct refusal rows[] = {
        {"", S, "", "cannot be read"},
        {"x", S, "", "cannot be read"},
        {"[]", S, "", "an object"},
        {"{\"apiVersion\":\"bellbuoy/v1\"", S, "", "cannot be read"},
        {"{\"a\":1,\"a\":2}", S, "", "/a is there twice"},
        {"{}", S, "/apiVersion", "is missing"},
        {"{\"apiVersion\":\"bellbuoy/v2\"}", S, "/apiVersion", "\"bellbuoy/v1\""},
        {"{\"apiVersion\":\"bellbuoy/v1\",\"revision\":0}", S, "/revision",
         "1 to 9007199254740991"},
        {"{\"apiVersion\":\"bellbuoy/v1\",\"revision\":1}", S, "/project", "is missing"},
        {"{\"apiVersion\":\"bellbuoy/v1\",\"revision\":1,\"project\":\"Line\"}", S, "/project",
         "small letters"},
        {"{\"apiVersion\":\"bellbuoy/v1\",\"revision\":1,\"project\":\"../x\"}", S, "/project",
         "small letters"},
        {"{\"apiVersion\":\"bellbuoy/v1\",\"revision\":1,\"project\":\"k8s_x\"}", N, "/project",
         "Kubernetes"},
        {"{\"apiVersion\":\"bellbuoy/v1\",\"revision\":1,\"signature\":{}}", U, "/signature",
         "does not check it yet"},
    };

    (void)state;
    check_refusals(rows, ARRAY_SIZE(rows), as_it_is);
}

/* ---- sizes ---- */

static void test_too_long(void **state)
{
    AUTO(free) char *text = malloc(DOCUMENT_MAX_BYTES + 2);
    struct rejection rejection;

    (void)state;
    memset(text, ' ', DOCUMENT_MAX_BYTES + 1);
    text[DOCUMENT_MAX_BYTES + 1] = '\0';
    fixture_refuse(text, &fixture_none, &rejection);
    assert_non_null(strstr(rejection.e.msg, "1048577 bytes long, at most 1048576"));
}

static void test_too_deep(void **state)
{
    AUTO(buf_deinit) struct buf members = BUF_INIT(1 << 16);
    AUTO(free) char *text = NULL;
    struct rejection rejection;

    (void)state;
    buf_append_str(&members, "\"x-deep\":");
    for (int i = 0; i < 100; i++)
        buf_append_char(&members, '[');
    for (int i = 0; i < 100; i++)
        buf_append_char(&members, ']');
    text = fixture_envelope(members.data);
    fixture_refuse(text, &fixture_none, &rejection);
    assert_non_null(strstr(rejection.e.msg, "cannot be read"));
}

/* A chain of so many services, the last of them first. */
static char *chain(int count)
{
    AUTO(buf_deinit) struct buf members = BUF_INIT(DOCUMENT_MAX_BYTES);

    buf_append_str(&members, "\"services\":{");
    for (int i = 0; i < count; i++)
        buf_appendf(&members, "%s\"s%d\":{\"image\":\"x\"%s%s%d%s}", i > 0 ? "," : "", i,
                    i > 0 ? ",\"depends_on\":{\"s" : "",
                    i > 0 ? "" : ",\"scale\":", i > 0 ? i - 1 : 1, i > 0 ? "\":null}" : "");
    buf_append_char(&members, '}');
    return fixture_envelope(members.data);
}

static void test_many_services(void **state)
{
    AUTO(free) char *text = chain(1000);
    AUTO(document_free) struct document *document = fixture_parse(text, &fixture_none);
    AUTO(free) char *more = chain(DOCUMENT_MAX_SERVICES + 1);
    struct rejection rejection;

    (void)state;
    assert_int_equal(document->service_count, 1000);
    assert_string_equal(document_service(document, "s999")->depends_on[0].service, "s998");
    fixture_refuse(more, &fixture_none, &rejection);
    assert_non_null(strstr(rejection.e.msg, "more than 4096"));
}

/* Ports that two services may both have. */
static void test_ports_that_do_not_collide(void **state)
{
    AUTO(free)
    char *text = fixture_service(
        "\"scale\":1,\"ports\":[{\"target\":1,\"published\":\"80\",\"host_ip\":\"127.0.0.1\"},"
        "{\"target\":1,\"published\":\"80\",\"host_ip\":\"127.0.0.2\"},"
        "{\"target\":1,\"published\":\"80\",\"host_ip\":\"::1\"},"
        "{\"target\":1,\"published\":\"80\",\"protocol\":\"udp\"},{\"target\":2},{\"target\":2},"
        "{\"target\":3,\"published\":\"80-90\"},{\"target\":4,\"published\":\"80-90\"}]");
    AUTO(document_free) struct document *document = fixture_parse(text, &fixture_none);

    (void)state;
    assert_int_equal(document->service_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_envelope),
        cmocka_unit_test(test_what_is_not_said),
        cmocka_unit_test(test_service_fields),
        cmocka_unit_test(test_failure_action_is_the_projects),
        cmocka_unit_test(test_services_that_are_refused),
        cmocka_unit_test(test_documents_that_are_refused),
        cmocka_unit_test(test_text_that_is_refused),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_too_deep),
        cmocka_unit_test(test_many_services),
        cmocka_unit_test(test_ports_that_do_not_collide),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

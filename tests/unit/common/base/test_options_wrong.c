/* What is refused, and in which words. */

#include <errno.h>
#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "tests/unit/common/base/options_fixture.h"

static void assert_refused(struct load *load, int result, const char *msg)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(sizeof load->e.msg);
    buf_append_str(&text, load->e.msg);
    for (char *at; (at = strstr(text.data, config_path)) != NULL;) { /* the same in every run */
        memmove(at + 1, at + strlen(config_path), strlen(at + strlen(config_path)) + 1);
        *at = '@';
    }
    if (result >= 0 || load->options != NULL || strcmp(text.data, msg) != 0) {
        fail_msg("%d \"%s\" instead of \"%s\"", result, text.data, msg);
    }
}

static void test_wrong_arguments(void **state)
{
    static const struct {
        const char *arguments[4];
        const char *msg;
    } cases[] = {
        {{"--prot", "5"}, "unknown option --prot; did you mean --port?"},
        {{"--prot=5"}, "unknown option --prot; did you mean --port?"},
        {{"--broker_url=x"}, "unknown option --broker_url; did you mean --broker-url?"},
        {{"--hlep"}, "unknown option --hlep; did you mean --help?"},
        {{"--zzzzzz"}, "unknown option --zzzzzz; see --help"},
        {{"--no-port"}, "unknown option --no-port; see --help"},
        {{"--no-fast=1"}, "unknown option --no-fast; see --help"},
        {{"-port", "5"}, "unknown option -port; did you mean --port?"},
        {{"-p"}, "unknown option -p; see --help"},
        {{"--port"}, "--port needs a value: --port=N"},
        {{"--port", "--fast"}, "--port needs a value: --port=N"},
        {{"--none"}, "--none needs a value: --none=VALUE"},
        {{"--"}, "unexpected argument \"--\"; options have the form --NAME VALUE, see --help"},
        {{"-"}, "unexpected argument \"-\"; options have the form --NAME VALUE, see --help"},
        {{"--fast", "true"},
         "unexpected argument \"true\"; options have the form --NAME VALUE, see --help"},
        {{"port", "5"}, "unexpected argument \"port\"; did you mean --port?"},
        {{"port=5"}, "unexpected argument \"port=5\"; did you mean --port=5?"},
        {{"helthcheck"}, "unexpected argument \"helthcheck\"; did you mean healthcheck?"},
        {{"healthcheck", "version"}, "unexpected argument \"version\"; did you mean --version?"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct load load;
        int r = load_with(&load, cases[i].arguments, no_environment);
        assert_refused(&load, r, cases[i].msg);
    }
}

static void test_wrong_values(void **state)
{
    static const struct {
        const char *flag;
        const char *msg;
    } cases[] = {
        {"--port=x", "--port cannot be \"x\" (flag): it must be an integer, 0 to 65535"},
        {"--port=", "--port cannot be \"\" (flag): it must be an integer, 0 to 65535"},
        {"--port=-1", "--port cannot be \"-1\" (flag): it must be an integer, 0 to 65535"},
        {"--port=65536", "--port cannot be \"65536\" (flag): it must be an integer, 0 to 65535"},
        {"--port=1e3", "--port cannot be \"1e3\" (flag): it must be an integer, 0 to 65535"},
        {"--count=-1", "--count cannot be \"-1\" (flag): it must be an integer, 0 or more"},
        {"--fast=maybe", "--fast cannot be \"maybe\" (flag): it must be true or false"},
        {"--retention-age=999ms", "--retention-age cannot be \"999ms\" (flag): it must be a "
                                  "duration such as 500ms, 90s, 15m, 12h or 30d, 1s or more"},
        {"--retention-age=90", "--retention-age cannot be \"90\" (flag): it must be a duration "
                               "such as 500ms, 90s, 15m, 12h or 30d, 1s or more"},
        {"--retention-size=11GB", "--retention-size cannot be \"11GB\" (flag): it must be a size "
                                  "such as 4096, 256KiB or 1GB, 1kB to 10GB"},
        {"--color=gren", "--color cannot be \"gren\" (flag): it must be one of red, green, blue; "
                         "did you mean green?"},
        {"--color=x", "--color cannot be \"x\" (flag): it must be one of red, green, blue"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct load load;
        int r = load_with(&load, ARGS(cases[i].flag), no_environment);
        assert_refused(&load, r, cases[i].msg);
    }
    struct load load;
    int r = load_with(&load, NO_ARGS, ARGS("BELLBUOY_PORT=tcp://10.0.0.1:80"));
    assert_refused(&load, r,
                   "--port cannot be \"tcp://10.0.0.1:80\" (environment BELLBUOY_PORT): "
                   "it must be an integer, 0 to 65535");
}

static void test_wrong_config(void **state)
{
    static const struct {
        const char *text;
        const char *msg;
    } cases[] = {
        {"", "--config @: not JSON at byte 0: it is empty"},
        {"{\n \"port\": 1,\n}",
         "--config @: not JSON at byte 14 (line 3, column 1): a name in quotes is needed here"},
        {"[]", "--config @: it must be a JSON object such as {\"log_level\": \"debug\"}"},
        {"{\"port\": 1, \"port\": 2}", "--config @: /port is there twice"},
        {"{\"prot\": 1}", "--config @: /prot is not known; did you mean \"port\"?"},
        {"{\"broker-url\": 1}",
         "--config @: /broker-url is not known; did you mean \"broker_url\"?"},
        {"{\"config\": \"x\"}", "--config @: /config is not known"},
        {"{\"port\": \"5\"}", "--port cannot be \"5\" (file @): it must be an integer, 0 to 65535"},
        {"{\"port\": 1.5}", "--port cannot be 1.5 (file @): it must be an integer, 0 to 65535"},
        {"{\"port\": 1e300}",
         "--port cannot be 1e+300 (file @): it must be an integer, 0 to 65535"},
        {"{\"count\": 9007199254740994}",
         "--count cannot be 9007199254740994 (file @): it must be an integer, 0 or more"},
        {"{\"port\": -1}", "--port cannot be -1 (file @): it must be an integer, 0 to 65535"},
        {"{\"port\": null}", "--port cannot be null (file @): it must be an integer, 0 to 65535"},
        {"{\"fast\": \"true\"}", "--fast cannot be \"true\" (file @): it must be true or false"},
        {"{\"fast\": 1}", "--fast cannot be 1 (file @): it must be true or false"},
        {"{\"broker_url\": {}}", "--broker-url cannot be an object (file @): it must be a string"},
        {"{\"retention_age\": 5}", "--retention-age cannot be 5 (file @): it must be a duration "
                                   "such as 500ms, 90s, 15m, 12h or 30d, 1s or more"},
        {"{\"allow_host\": [\"a\", 1]}",
         "--allow-host cannot be an array that holds other things than strings (file @): it must "
         "be strings with commas between them"},
        {"{\"color\": \"bleu\"}", "--color cannot be \"bleu\" (file @): it must be one of red, "
                                  "green, blue; did you mean blue?"},
        {"{\"password\": 12345}", "--password cannot be what it is (file @): it must be a string"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct load load;
        int r = load_config(&load, cases[i].text);
        assert_refused(&load, r, cases[i].msg);
    }
    struct load load;
    int r = load_with(&load, ARGS("--config", "/missing.json"), no_environment);
    assert_refused(&load, r, "--config: cannot read /missing.json: No such file or directory");
}

/* Kubernetes sets such variables for a Service called bellbuoy, and services share the prefix. */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_arguments),
        cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_wrong_config),
    };
    return cmocka_run_group_tests(tests, config_make, config_remove);
}

#include "common/base/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/str.h"

struct values {
    const char *url;
    const char *password;
    const char *none;
    int64_t port;
    int64_t count;
    bool fast;
    int64_t age_ms;
    int64_t size_bytes;
    int color;
    struct option_list hosts;
    const char *unused;
};

static const char *const colors[] = {"red", "green", "blue", NULL};

#define AT(member) .offset = offsetof(struct values, member)

static const struct option value_table[] = {
    {.name = "broker-url",
     AT(url),
     .fallback = "mqtt://127.0.0.1:1883",
     .value_name = "URL",
     .help = "Where the broker is, with a text that is so long that it is wrapped."},
    {.name = "password", AT(password), .fallback = "hunter2", .help = "Secret.", .secret = true},
    {.name = "none", AT(none), .help = "Nothing."},
    {.name = "port",
     .type = OPTION_INTEGER,
     AT(port),
     .fallback = "5000",
     .min = 0,
     .max = 65535,
     .value_name = "N",
     .help = "Port."},
    {.name = "count", .type = OPTION_INTEGER, AT(count), .help = "Count."},
    {.name = "fast", .type = OPTION_BOOLEAN, AT(fast), .help = "Fast."},
    {.name = "retention-age",
     .type = OPTION_DURATION,
     AT(age_ms),
     .fallback = "30d",
     .min = 1000,
     .max = INT64_MAX,
     .help = "Age."},
    {.name = "retention-size",
     .type = OPTION_SIZE,
     AT(size_bytes),
     .fallback = "1GB",
     .min = 1000,
     .max = 10000000000,
     .help = "Size."},
    {.name = "color",
     .type = OPTION_CHOICE,
     AT(color),
     .fallback = "green",
     .choices = colors,
     .help = "Colour."},
    {.name = "an-option-whose-name-fills-the-column", AT(unused), .help = "Long."},
    {.name = "allow-host", .type = OPTION_LIST, AT(hosts), .fallback = "", .help = "Hosts."},
};

/* One call of options_load() with all that it needs and gives. */
struct load {
    struct values values;
    struct log_options log;
    struct options *options;
    struct err e;
};

static const char *const no_environment[] = {NULL};

static int load_with(struct load *load, const char *const *arguments,
                     const char *const *environment)
{
    static char name[] = "program";
    char *argv[16] = {name};
    int argc = 1;
    memset(load, 0, sizeof *load);
    for (; arguments[argc - 1] != NULL; argc++) {
        memcpy(&argv[argc], &arguments[argc - 1], sizeof argv[0]);
    }
    char *variables[16] = {NULL};
    for (size_t i = 0; environment[i] != NULL; i++) {
        memcpy(&variables[i], &environment[i], sizeof variables[0]);
    }
    const struct option_group groups[] = {
        {"Values", value_table, ARRAY_SIZE(value_table), &load->values},
        {"Logging", log_option_table, log_option_count, &load->log},
    };
    const struct options_program program = {"program", "Does things.", groups, ARRAY_SIZE(groups)};
    return options_load(&program, argc, argv, variables, &load->options, &load->e);
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_ARGS   ((const char *const[]){NULL})

/* The configuration file of a test; its text is `*state` for the next load. */
static char config_path[] = "/tmp/test_options.XXXXXX";

static int make_config(void **state)
{
    (void)state;
    int fd = mkstemp(config_path);
    return fd >= 0 ? close(fd) : -1;
}

static int remove_config(void **state)
{
    (void)state;
    return unlink(config_path);
}

static void write_config(const char *text)
{
    struct err e;
    assert_int_equal(file_write_atomic(config_path, text, strlen(text), 0600, &e), 0);
}

static int load_config(struct load *load, const char *text)
{
    write_config(text);
    return load_with(load, ARGS("--config", config_path), no_environment);
}

static void test_defaults(void **state)
{
    struct load load;
    (void)state;
    assert_int_equal(load_with(&load, NO_ARGS, no_environment), OPTIONS_RUN);
    assert_string_equal(load.values.url, "mqtt://127.0.0.1:1883");
    assert_null(load.values.none);
    assert_int_equal(load.values.port, 5000);
    assert_int_equal(load.values.count, 0);
    assert_false(load.values.fast);
    assert_int_equal(load.values.age_ms, INT64_C(30) * 86400000);
    assert_int_equal(load.values.size_bytes, 1000000000);
    assert_int_equal(load.values.color, 1);
    assert_int_equal(load.values.hosts.count, 0);
    assert_null(load.values.hosts.items[0]);
    assert_int_equal(load.log.level, LOG_INFO);
    assert_int_equal(load.log.format, LOG_LOGFMT);
    options_free(load.options);
}

/* Every combination of the three sources that can have a value. */
static void test_precedence(void **state)
{
    (void)state;
    write_config("{\"port\": 3}");
    for (unsigned sources = 0; sources < 8; sources++) {
        const char *arguments[5] = {NULL};
        const char *environment[] = {"PORT=9", NULL, NULL};
        size_t count = 0;
        struct load load;
        if (sources & 1) {
            arguments[count++] = "--config";
            arguments[count++] = config_path;
        }
        if (sources & 2) {
            environment[1] = "BELLBUOY_PORT=2";
        }
        if (sources & 4) {
            arguments[count++] = "--port=1";
        }
        int64_t expected = sources & 4 ? 1 : sources & 2 ? 2 : sources & 1 ? 3 : 5000;
        assert_int_equal(load_with(&load, arguments, environment), OPTIONS_RUN);
        assert_int_equal(load.values.port, expected);
        options_free(load.options);
    }
}

static void test_flag_forms(void **state)
{
    struct load load;
    (void)state;
    assert_int_equal(load_with(&load,
                               ARGS("--port", "1", "--broker-url=a=b", "--none", "", "--fast",
                                    "--retention-size=256KiB", "--port", "2"),
                               no_environment),
                     OPTIONS_RUN);
    assert_int_equal(load.values.port, 2);
    assert_string_equal(load.values.url, "a=b");
    assert_string_equal(load.values.none, "");
    assert_true(load.values.fast);
    assert_int_equal(load.values.size_bytes, 262144);
    options_free(load.options);
}

static void test_booleans(void **state)
{
    static const struct {
        const char *flag;
        bool value;
    } cases[] = {
        {"--fast", true},   {"--no-fast", false}, {"--fast=true", true}, {"--fast=false", false},
        {"--fast=1", true}, {"--fast=0", false},  {"--fast=yes", true},  {"--fast=no", false},
    };
    static const char *const environment[] = {"BELLBUOY_FAST=yes", NULL};
    struct load load;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(load_with(&load, ARGS(cases[i].flag), environment), OPTIONS_RUN);
        assert_int_equal(load.values.fast, cases[i].value);
        options_free(load.options);
    }
}

static void test_lists(void **state)
{
    static const char *const environment[] = {"BELLBUOY_ALLOW_HOST=a.example, b ,,  c d\n,", NULL};
    struct load load;
    (void)state;
    assert_int_equal(load_with(&load, NO_ARGS, environment), OPTIONS_RUN);
    assert_int_equal(load.values.hosts.count, 3);
    assert_string_equal(load.values.hosts.items[0], "a.example");
    assert_string_equal(load.values.hosts.items[1], "b");
    assert_string_equal(load.values.hosts.items[2], "c d");
    assert_null(load.values.hosts.items[3]);
    options_free(load.options);

    assert_int_equal(load_with(&load, ARGS("--allow-host=x", "--allow-host", "y,z"), environment),
                     OPTIONS_RUN);
    assert_int_equal(load.values.hosts.count, 3);
    assert_string_equal(load.values.hosts.items[0], "x");
    assert_string_equal(load.values.hosts.items[2], "z");
    options_free(load.options);
}

static void test_config_values(void **state)
{
    struct load load;
    (void)state;
    assert_int_equal(load_config(&load, "{\"broker_url\": \"u\", \"port\": 7, \"fast\": true,\n"
                                        "\"retention_age\": 90000, \"retention_size\": \"4KiB\",\n"
                                        "\"color\": \"blue\", \"allow_host\": [\"a,b\", \"c\"],\n"
                                        "\"log_level\": \"debug\"}"),
                     OPTIONS_RUN);
    assert_string_equal(load.values.url, "u");
    assert_int_equal(load.values.port, 7);
    assert_true(load.values.fast);
    assert_int_equal(load.values.age_ms, 90000);
    assert_int_equal(load.values.size_bytes, 4096);
    assert_int_equal(load.values.color, 2);
    assert_int_equal(load.values.hosts.count, 2);
    assert_string_equal(load.values.hosts.items[0], "a,b");
    assert_int_equal(load.log.level, LOG_DEBUG);
    options_free(load.options);

    assert_int_equal(load_config(&load, "{\"retention_age\": \"2h\", \"retention_size\": 5000,\n"
                                        "\"allow_host\": \"a, b\"}"),
                     OPTIONS_RUN);
    assert_int_equal(load.values.age_ms, 7200000);
    assert_int_equal(load.values.size_bytes, 5000);
    assert_int_equal(load.values.hosts.count, 2);
    options_free(load.options);
}

static void test_config_by_environment(void **state)
{
    struct load load;
    AUTO(buf_deinit) struct buf variable = BUF_INIT(200);
    (void)state;
    write_config("{\"port\": 7}");
    buf_appendf(&variable, "BELLBUOY_CONFIG=%s", config_path);
    assert_int_equal(load_with(&load, NO_ARGS, ARGS(variable.data)), OPTIONS_RUN);
    assert_int_equal(load.values.port, 7);
    options_free(load.options);
}

static void assert_refused(struct load *load, int result, const char *msg)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(sizeof load->e.msg);
    buf_append_str(&text, load->e.msg);
    for (char *at; (at = strstr(text.data, config_path)) != NULL;) { /* the same in every run */
        memmove(at + 1, at + sizeof config_path - 1, strlen(at + sizeof config_path - 1) + 1);
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
static void test_unknown_variables_are_left_alone(void **state)
{
    struct load load;
    (void)state;
    assert_int_equal(load_with(&load, NO_ARGS,
                               ARGS("BELLBUOY_SERVICE_HOST=10.0.0.1", "BELLBUOY_VERSION=true",
                                    "BELLBUOY_HELP=1", "BELLBUOY_PORT_80_TCP=tcp://10.0.0.1:80")),
                     OPTIONS_RUN);
    options_free(load.options);
}

static void test_first_of_two_equal_variables_counts(void **state)
{
    struct load load;
    (void)state;
    assert_int_equal(load_with(&load, NO_ARGS, ARGS("BELLBUOY_PORT=1", "BELLBUOY_PORT=2")),
                     OPTIONS_RUN);
    assert_int_equal(load.values.port, 1);
    options_free(load.options);
}

static void test_subcommands(void **state)
{
    struct load load;
    (void)state;
    assert_int_equal(load_with(&load, ARGS("healthcheck", "--port=7"), no_environment),
                     OPTIONS_HEALTHCHECK);
    assert_int_equal(load.values.port, 7);
    options_free(load.options);
    assert_int_equal(load_with(&load, ARGS("--port", "7", "healthcheck"), no_environment),
                     OPTIONS_HEALTHCHECK);
    options_free(load.options);
    assert_int_equal(load_with(&load, ARGS("version"), no_environment), OPTIONS_VERSION);
    options_free(load.options);
    /* Whatever else is wrong with the values. */
    assert_int_equal(load_with(&load, ARGS("--version", "--port=x"), no_environment),
                     OPTIONS_VERSION);
    options_free(load.options);
}

static void load_captured(const char *const *arguments, const char *const *environment,
                          struct buf *out)
{
    char path[] = "/tmp/test_options_out.XXXXXX";
    struct load load;
    struct err e;
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    int fd = mkstemp(path);
    dup2(fd, STDOUT_FILENO);
    close(fd);
    int r = load_with(&load, arguments, environment);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    int read_result = file_read(path, out, &e);
    unlink(path);
    assert_int_equal(r, OPTIONS_EXIT);
    assert_int_equal(read_result, 0);
    options_free(load.options);
}

static void test_print_config(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(10000);
    AUTO(buf_deinit) struct buf expected = BUF_INIT(10000);
    (void)state;
    write_config("{\"allow_host\": [\"a b\", \"c\"], \"retention_age\": \"90m\"}");
    load_captured(ARGS("--print-config", "--none",
                       "a-value-of-fifty-characters-is-longer-than-the-column",
                       "--an-option-whose-name-fills-the-column=", "--config", config_path),
                  ARGS("BELLBUOY_PORT=7"), &out);
    static const struct {
        const char *name;
        const char *value;
        const char *source;
    } lines[] = {
        {"broker-url", "mqtt://127.0.0.1:1883", "default"},
        {"password", "********", "default"},
        {"none", "a-value-of-fifty-characters-is-longer-than-the-column", "flag"},
        {"port", "7", "environment"},
        {"count", "0", "default"},
        {"fast", "false", "default"},
        {"retention-age", "90m", "file"},
        {"retention-size", "1GB", "default"},
        {"color", "green", "default"},
        {"an-option-whose-name-fills-the-column", "\"\"", "flag"},
        {"allow-host", "\"a b\",c", "file"},
        {"log-level", "info", "default"},
        {"log-format", "logfmt", "default"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        bool file = str_equal(lines[i].source, "file");
        buf_appendf(&expected, "%-37s = %-40s  # %s%s%s\n", lines[i].name, lines[i].value,
                    lines[i].source, file ? " " : "", file ? config_path : "");
    }
    assert_string_equal(out.data, expected.data);
}

static void test_help(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(100000);
    (void)state;
    /* Whatever else is wrong with the values. */
    load_captured(ARGS("--port=x", "--help"), no_environment, &out);
    static const char *const parts[] = {
        "Usage: program [healthcheck | version] [--NAME VALUE]...\n\nDoes things.\n",
        "\nValues:\n"
        "  --broker-url URL                Where the broker is, with a text that is so long that "
        "it is\n"
        "                                  wrapped. [default mqtt://127.0.0.1:1883; "
        "BELLBUOY_BROKER_URL]\n"
        "  --password VALUE                Secret. [BELLBUOY_PASSWORD]\n",
        "  --port N                        Port. [0 to 65535; default 5000; BELLBUOY_PORT]\n",
        "  --[no-]fast                     Fast. [BELLBUOY_FAST]\n",
        "  --retention-age VALUE           Age. [1s or more; default 30d; "
        "BELLBUOY_RETENTION_AGE]\n",
        "\n  --an-option-whose-name-fills-the-column VALUE\n"
        "                                  Long. "
        "[BELLBUOY_AN_OPTION_WHOSE_NAME_FILLS_THE_COLUMN]\n",
        "Colour. [one of red, green, blue; default green; BELLBUOY_COLOR]\n",
        "\nLogging:\n  --log-level LEVEL  ",
        "\nGeneral:\n  --config FILE                   JSON file with options. [BELLBUOY_CONFIG]\n",
        "  --version                       Print the version, then exit.\n",
    };
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        if (strstr(out.data, parts[i]) == NULL) {
            fail_msg("\"%s\" is not in:\n%s", parts[i], out.data);
        }
    }
    for (const char *line = out.data; *line != '\0'; line += strcspn(line, "\n") + 1) {
        assert_true(strcspn(line, "\n") <= 100);
    }
}

static void test_units(void **state)
{
    static const struct {
        int (*parse)(const char *text, int64_t *ret_value);
        const char *text;
        int result;
        int64_t value;
    } cases[] = {
        {option_parse_duration_ms, "0", 0, 0},
        {option_parse_duration_ms, "0s", 0, 0},
        {option_parse_duration_ms, "500ms", 0, 500},
        {option_parse_duration_ms, "90s", 0, 90000},
        {option_parse_duration_ms, "15m", 0, 900000},
        {option_parse_duration_ms, "12h", 0, 43200000},
        {option_parse_duration_ms, "30d", 0, INT64_C(2592000000)},
        {option_parse_duration_ms, "106751991167d", 0, INT64_C(9223372036828800000)},
        {option_parse_duration_ms, "106751991168d", -ERANGE, 0},
        {option_parse_duration_ms, "99999999999999999999999999s", -ERANGE, 0},
        {option_parse_duration_ms, "5", -EINVAL, 0},
        {option_parse_duration_ms, "s", -EINVAL, 0},
        {option_parse_duration_ms, "", -EINVAL, 0},
        {option_parse_duration_ms, "-5s", -EINVAL, 0},
        {option_parse_duration_ms, "1.5s", -EINVAL, 0},
        {option_parse_duration_ms, "5 s", -EINVAL, 0},
        {option_parse_duration_ms, "5S", -EINVAL, 0},
        {option_parse_duration_ms, "1h30m", -EINVAL, 0},
        {option_parse_size_bytes, "0", 0, 0},
        {option_parse_size_bytes, "4096", 0, 4096},
        {option_parse_size_bytes, "4096B", 0, 4096},
        {option_parse_size_bytes, "1kB", 0, 1000},
        {option_parse_size_bytes, "1KB", 0, 1000},
        {option_parse_size_bytes, "256KiB", 0, 262144},
        {option_parse_size_bytes, "5MB", 0, 5000000},
        {option_parse_size_bytes, "5MiB", 0, 5242880},
        {option_parse_size_bytes, "1GB", 0, 1000000000},
        {option_parse_size_bytes, "1GiB", 0, 1073741824},
        {option_parse_size_bytes, "2TB", 0, INT64_C(2000000000000)},
        {option_parse_size_bytes, "1TiB", 0, INT64_C(1099511627776)},
        {option_parse_size_bytes, "9223372036854775807", 0, INT64_MAX},
        {option_parse_size_bytes, "9223372036854775808", -ERANGE, 0},
        {option_parse_size_bytes, "8388608TiB", -ERANGE, 0},
        {option_parse_size_bytes, "1G", -EINVAL, 0},
        {option_parse_size_bytes, "GB", -EINVAL, 0},
        {option_parse_size_bytes, "", -EINVAL, 0},
        {option_parse_size_bytes, "-1", -EINVAL, 0},
        {option_parse_size_bytes, "1.5GB", -EINVAL, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t value = -77;
        int r = cases[i].parse(cases[i].text, &value);
        if (r != cases[i].result || value != (r == 0 ? cases[i].value : -77)) {
            fail_msg("\"%s\": %d, %lld", cases[i].text, r, (long long)value);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_flag_forms),
        cmocka_unit_test(test_booleans),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_config_values),
        cmocka_unit_test(test_config_by_environment),
        cmocka_unit_test(test_wrong_arguments),
        cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_wrong_config),
        cmocka_unit_test(test_unknown_variables_are_left_alone),
        cmocka_unit_test(test_first_of_two_equal_variables_counts),
        cmocka_unit_test(test_subcommands),
        cmocka_unit_test(test_print_config),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_units),
    };
    return cmocka_run_group_tests(tests, make_config, remove_config);
}

/* --help and --print-config. */

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
#include "common/base/str.h"
#include "tests/unit/common/base/options_fixture.h"

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
    config_write("{\"allow_host\": [\"a b\", \"c\"], \"retention_age\": \"90m\"}");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print_config),
        cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, config_make, config_remove);
}

#include "tests/unit/common/base/options_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/file.h"

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

const char *const no_environment[] = {NULL};

int load_with(struct load *load, const char *const *arguments, const char *const *environment)
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
    const struct options_program program = {
        .name = "program",
        .summary = "Does things.",
        .groups = groups,
        .group_count = ARRAY_SIZE(groups),
    };
    return options_load(&program, argc, argv, variables, &load->options, &load->e);
}

char config_path[] = "/tmp/test_options.XXXXXX";

int config_make(void **state)
{
    (void)state;
    int fd = mkstemp(config_path);
    return fd >= 0 ? close(fd) : -1;
}

int config_remove(void **state)
{
    (void)state;
    return unlink(config_path);
}

void config_write(const char *text)
{
    struct err e;
    assert_int_equal(file_write_atomic(config_path, text, strlen(text), 0600, &e), 0);
}

int load_config(struct load *load, const char *text)
{
    config_write(text);
    return load_with(load, ARGS("--config", config_path), no_environment);
}

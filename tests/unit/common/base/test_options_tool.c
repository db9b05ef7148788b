/* What a command line tool has beside a service's options: operands, letters, options that are
 * flags only, and a preset. */

#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/options.h"
#include "common/base/str.h"

static const char *const no_environment[] = {NULL};

struct tool {
    const char *context;
    struct option_list files;
    bool watch;
    const char *url;
    struct option_list operands;
    struct options *options;
    struct err e;
};

#define AT(member) .offset = offsetof(struct tool, member)

static const struct option context_table[] = {{.name = "context", AT(context), .help = "Context."}};
static const struct option own_table[] = {
    {.name = "file", .type = OPTION_LIST, AT(files), .help = "File.", .letter = 'f'},
    {.name = "watch", .type = OPTION_BOOLEAN, AT(watch), .help = "Watch.", .letter = 'w'},
};
static const struct option url_table[] = {
    {.name = "broker-url", AT(url), .fallback = "default", .help = "Broker."},
};

/* A context named "bad" has a member that is no option. */
static int read_preset(const void *group_target, cJSON **ret_members, const char **ret_source,
                       struct err *e)
{
    const struct tool *tool = group_target;

    if (!tool->context)
        return 0;
    if (str_equal(tool->context, "gone"))
        return FAIL(e, ENOENT, "there is no context 'gone'");
    *ret_members = cJSON_CreateObject();
    cJSON_AddStringToObject(
        *ret_members, str_equal(tool->context, "bad") ? "brocker_url" : "broker_url", "preset");
    *ret_source = "context";
    return 0;
}

static int load(struct tool *tool, const char *const *arguments, const char *const *environment)
{
    const struct option_group groups[] = {
        {"Own", own_table, ARRAY_SIZE(own_table), tool},
        {"Context", context_table, ARRAY_SIZE(context_table), tool},
        {"Broker", url_table, ARRAY_SIZE(url_table), tool},
    };
    const struct options_program program = {
        .name = "tool",
        .summary = "A tool.",
        .groups = groups,
        .group_count = ARRAY_SIZE(groups),
        .usage = "tool FILE...",
        .ret_operands = &tool->operands,
        .flag_group_count = 1,
        .read_preset = read_preset,
    };
    char name[] = "tool";
    char *argv[16] = {name};
    char *variables[4] = {NULL};
    int argc = 1;

    *tool = (struct tool){0};
    for (; arguments[argc - 1] != NULL; argc++)
        memcpy(&argv[argc], &arguments[argc - 1], sizeof argv[0]);
    for (size_t i = 0; environment[i] != NULL; i++)
        memcpy(&variables[i], &environment[i], sizeof variables[0]);
    return options_load(&program, argc, argv, variables, &tool->options, &tool->e);
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_operands(void **state)
{
    struct tool tool;
    (void)state;
    assert_int_equal(
        load(&tool, ARGS("version", "-", "-w", "b", "--", "-f", "--", "c"), no_environment),
        OPTIONS_RUN);
    static const char *const expected[] = {"version", "-", "b", "-f", "--", "c"};
    assert_int_equal(tool.operands.count, ARRAY_SIZE(expected));
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        assert_string_equal(tool.operands.items[i], expected[i]);
    assert_null(tool.operands.items[ARRAY_SIZE(expected)]);
    assert_true(tool.watch);
    options_free(tool.options);
}

static void test_letters(void **state)
{
    struct tool tool;
    (void)state;
    assert_int_equal(load(&tool, ARGS("-f", "a", "-fb", "--file=c"), no_environment), OPTIONS_RUN);
    assert_int_equal(tool.files.count, 3);
    assert_string_equal(tool.files.items[1], "b");
    options_free(tool.options);
}

static void test_wrong(void **state)
{
    static const struct {
        const char *arguments[4];
        const char *message;
    } cases[] = {
        {{"-f"}, "-f needs a value: -f VALUE"},
        {{"-x"}, "unknown option -x; see --help"},
        {{"-wx"}, "unknown option -wx; see --help"},
        {{"--wathc"}, "unknown option --wathc; did you mean --watch?"},
        {{"--context", "gone"}, "there is no context 'gone'"},
        {{"--context", "bad"}, "context: /brocker_url is not known; did you mean \"broker_url\"?"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct tool tool;
        assert_true(load(&tool, cases[i].arguments, no_environment) < 0);
        assert_string_equal(tool.e.msg, cases[i].message);
    }
}

static void test_flag_only(void **state)
{
    static const char *const environment[] = {"BELLBUOY_WATCH=true", "BELLBUOY_FILE=x", NULL};
    struct tool tool;
    (void)state;
    assert_int_equal(load(&tool, ARGS("a"), environment), OPTIONS_RUN);
    assert_false(tool.watch);
    assert_int_equal(tool.files.count, 0);
    options_free(tool.options);
}

/* After flag and environment, before the default. */
static void test_preset(void **state)
{
    static const char *const context_variable[] = {"BELLBUOY_CONTEXT=x", NULL};
    static const char *const url_variable[] = {"BELLBUOY_BROKER_URL=variable", NULL};
    static const struct {
        const char *arguments[4];
        const char *const *environment;
        const char *url;
    } cases[] = {
        {{NULL}, no_environment, "default"},
        {{"--context=x"}, no_environment, "preset"},
        {{NULL}, context_variable, "preset"},
        {{"--context=x"}, url_variable, "variable"},
        {{"--context=x", "--broker-url=flag"}, url_variable, "flag"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct tool tool;
        assert_int_equal(load(&tool, cases[i].arguments, cases[i].environment), OPTIONS_RUN);
        assert_string_equal(tool.url, cases[i].url);
        options_free(tool.options);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operands), cmocka_unit_test(test_letters),
        cmocka_unit_test(test_wrong),    cmocka_unit_test(test_flag_only),
        cmocka_unit_test(test_preset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

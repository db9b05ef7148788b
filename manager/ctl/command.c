#include "manager/ctl/command.h"

#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/str.h"
#include "manager/ctl/context.h"

#define CONNECTION_MAX 24
#define DEFAULT_URL    "mqtt://127.0.0.1:1883"
#define ANY            SIZE_MAX
#define GROUPS_MAX     (COMMAND_SETS_MAX + 2)
#define OUTPUT_MAX     65536
#define NAME_WIDTH     12
#define WAIT_FLAG      "--wait"
#define WAIT_STATUS    "healthy" /* `--wait healthy` is --wait: there is nothing less to wait for */

const struct command commands[] = {
    {.name = "apply",
     .operands = "FILE...",
     .summary = "Publishes a compose file for nodes, and waits until they are as it says.",
     .sets = {&flags_target, &flags_document, &flags_policy, &flags_wait, &flags_canary},
     .operands_max = ANY,
     .run = apply_run},
    {.name = "status",
     .operands = "NODE...",
     .summary = "Shows nodes, their projects and services.",
     .sets = {&flags_project, &flags_watch},
     .operands_max = ANY,
     .run = status_run},
    {.name = "rollouts",
     .operands = "ID",
     .summary = "Shows the rollouts by shares that are under way or halted.",
     .sets = {&flags_rollouts},
     .operands_max = 1,
     .run = rollouts_run},
    {.name = "plan",
     .operands = "FILE...",
     .summary = "Shows what a node would do for a file, or does for its present document.",
     .sets = {&flags_target, &flags_document, &flags_policy, &flags_answer},
     .operands_max = ANY,
     .run = plan_run},
    {.name = "diff",
     .operands = "FILE...",
     .summary = "Compares a file with the document that a node has applied, key by key.",
     .sets = {&flags_target, &flags_document, &flags_policy, &flags_answer},
     .operands_max = ANY,
     .run = diff_run},
    {.name = "history",
     .summary = "Shows the revisions that a node remembers.",
     .sets = {&flags_target, &flags_project, &flags_answer},
     .run = history_run},
    {.name = "rollback",
     .summary = "Takes an earlier revision back, until a newer one is published.",
     .sets = {&flags_target, &flags_project, &flags_revision, &flags_answer},
     .run = rollback_run},
    {.name = "retry",
     .summary = "Tries a failed revision again now: ends quarantine and backoff.",
     .sets = {&flags_target, &flags_project, &flags_answer},
     .run = retry_run},
    {.name = "pause",
     .summary = "Leaves a project's containers as they are until resume.",
     .sets = {&flags_target, &flags_project, &flags_answer},
     .run = pause_run},
    {.name = "resume",
     .summary = "Goes on after pause.",
     .sets = {&flags_target, &flags_project, &flags_answer},
     .run = resume_run},
    {.name = "logs",
     .summary = "Shows the last lines that containers wrote.",
     .sets = {&flags_target, &flags_project, &flags_logs, &flags_answer},
     .run = logs_run},
    {.name = "lint",
     .operands = "FILE...",
     .summary = "Checks a compose file as a node would, without a broker.",
     .sets = {&flags_document, &flags_policy},
     .offline = true,
     .operands_max = ANY,
     .run = lint_run},
    {.name = "config",
     .operands = "FILE...",
     .summary = "Prints the document that apply would publish.",
     .sets = {&flags_document, &flags_policy},
     .offline = true,
     .operands_max = ANY,
     .run = config_run},
    {.name = "doctor",
     .summary = "Looks for what is wrong between here and the nodes, and says what to do.",
     .run = doctor_run},
    {.name = "completion",
     .operands = "SHELL",
     .summary = "Prints the completion script of bash or zsh.",
     .offline = true,
     .operands_min = 1,
     .operands_max = 1,
     .run = completion_run},
};
const size_t command_count = ARRAY_SIZE(commands);

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++) {
        if (str_equal(commands[i].name, name))
            return &commands[i];
    }
    return NULL;
}

/* ---- one command ---- */

/* One of the broker's options, as a member of the flags. */
static struct option connection_option(const struct option *option)
{
    struct option adapted = *option;

    adapted.offset += offsetof(struct flags, mqtt);
    if (str_equal(option->name, "broker-url")) {
        adapted.fallback = NULL; /* whether it was given tells whether a context is wanted */
        adapted.help = "The broker: mqtt://HOST[:1883], or mqtts://HOST[:8883] for TLS (default: "
                       "the context's, else " DEFAULT_URL ").";
    }
    return adapted;
}

struct flag_set command_connection_set(void)
{
    static struct option table[CONNECTION_MAX];
    size_t count = 0;

    for (size_t i = 0; i < flags_context.count; i++)
        table[count++] = flags_context.options[i];
    for (size_t i = 0; i < mqtt_option_count && count < CONNECTION_MAX; i++) {
        if (!str_equal(mqtt_option_table[i].name, "client-id"))
            table[count++] = connection_option(&mqtt_option_table[i]);
    }
    return (struct flag_set){.title = "Connection", .options = table, .count = count};
}

/* The first after the command's own sets is the one that a context is read for (--context). */
static size_t collect_groups(const struct command *command, struct flags *flags,
                             struct option_group groups[static GROUPS_MAX], size_t *ret_flag_count)
{
    size_t count = 0;

    while (count < COMMAND_SETS_MAX && command->sets[count]) {
        const struct flag_set *set = command->sets[count];
        groups[count++] = (struct option_group){set->title, set->options, set->count, flags};
    }
    *ret_flag_count = count;
    if (!command->offline) {
        const struct flag_set set = command_connection_set();
        groups[count++] = (struct option_group){set.title, set.options, set.count, flags};
    }
    groups[count++] =
        (struct option_group){flags_output.title, flags_output.options, flags_output.count, flags};
    return count;
}

static int load(const struct command *command, int argc, char **argv, char **environment,
                struct flags *ret_flags, struct options **ret_options, struct err *e)
{
    struct option_group groups[GROUPS_MAX];
    char name[64];
    char usage[128];
    size_t flag_count;
    size_t count = collect_groups(command, ret_flags, groups, &flag_count);
    const struct options_program program = {
        .name = name,
        .summary = command->summary,
        .groups = groups,
        .group_count = count,
        .usage = usage,
        .ret_operands = &ret_flags->operands,
        .flag_group_count = flag_count,
        .read_preset = command->offline ? NULL : context_read,
    };

    (void)snprintf(name, sizeof name, "buoyctl %s", command->name);
    (void)snprintf(usage, sizeof usage, "buoyctl %s [OPTION]...%s%s", command->name,
                   command->operands ? " " : "", command->operands ? command->operands : "");
    return options_load(&program, argc, argv, environment, ret_options, e);
}

static int check_operands(const struct call *call, const struct command *command)
{
    const struct option_list *operands = &call->flags->operands;

    if (operands->count < command->operands_min)
        return call_fail(call, CTL_USAGE, "%s needs %s; see buoyctl %s --help", command->name,
                         command->operands, command->name);
    if (operands->count > command->operands_max)
        return call_fail(call, CTL_USAGE, "%s: unexpected argument \"%s\"; see buoyctl %s --help",
                         command->name, operands->items[command->operands_max], command->name);
    return CTL_CONVERGED;
}

static int run(const struct command *command, const struct flags *flags)
{
    const struct call call = {
        .command = command->name,
        .flags = flags,
        .out = terminal_look(stdout, (enum color)flags->color),
        .err = terminal_look(stderr, (enum color)flags->color),
    };
    int status = check_operands(&call, command);

    return status == CTL_CONVERGED ? command->run(&call) : status;
}

/* Takes "healthy" behind --wait away. */
static int drop_wait_status(int argc, char **argv)
{
    int kept = 1;

    for (int i = 1; i < argc; i++) {
        if (str_equal(argv[i], WAIT_STATUS) && str_equal(argv[i - 1], WAIT_FLAG))
            continue;
        argv[kept++] = argv[i];
    }
    argv[kept] = NULL;
    return kept;
}

static int run_command(const struct command *command, int argc, char **argv, char **environment)
{
    struct flags flags = {0};
    struct options *options AUTO(options_free) = NULL;
    struct err e = {0};

    int outcome =
        load(command, drop_wait_status(argc, argv), argv, environment, &flags, &options, &e);
    switch (outcome) {
    case OPTIONS_RUN:
        if (!flags.mqtt.broker_url)
            flags.mqtt.broker_url = DEFAULT_URL;
        return run(command, &flags);
    case OPTIONS_VERSION:
        printf("buoyctl %s\n", BELLBUOY_VERSION);
        return CTL_CONVERGED;
    case OPTIONS_EXIT:
        return CTL_CONVERGED;
    default:
        fprintf(stderr, "buoyctl %s: %s\n", command->name, e.msg);
        return CTL_USAGE;
    }
}

/* ---- all of them ---- */

static void print_help(void)
{
    fputs("Usage: buoyctl COMMAND [OPTION]... [ARGUMENT]...\n\n"
          "Tells Bellbuoy's managers which containers their nodes run, and shows how they are.\n\n"
          "Commands:\n",
          stdout);
    for (size_t i = 0; i < command_count; i++)
        printf("  %-*s%s\n", NAME_WIDTH, commands[i].name, commands[i].summary);
    printf("  %-*s%s\n", NAME_WIDTH, "version", "Prints the version.");
    printf("  %-*s%s\n", NAME_WIDTH, "help", "Prints this text, or that of a command.");
    fputs("\nbuoyctl COMMAND --help tells a command's options; buoyctl(1) the rest.\n", stdout);
}

static int fail_unknown(const char *name)
{
    const char *names[32];
    size_t count = 0;

    for (; count < command_count && count < ARRAY_SIZE(names) - 2; count++)
        names[count] = commands[count].name;
    names[count++] = "version";
    names[count++] = "help";
    const char *nearest = str_nearest(name, names, count);
    fprintf(stderr, "buoyctl: unknown command '%s'; %s%s%s\n", name,
            nearest ? "did you mean " : "see buoyctl --help", nearest ? nearest : "",
            nearest ? "?" : "");
    return CTL_USAGE;
}

static int help(int argc, char **argv, char **environment)
{
    char flag[] = "--help";
    char *arguments[] = {argv[0], flag, NULL};

    if (argc < 3) {
        print_help();
        return CTL_CONVERGED;
    }
    const struct command *command = command_find(argv[2]);
    return command ? run_command(command, 2, arguments, environment) : fail_unknown(argv[2]);
}

int command_main(int argc, char **argv, char **environment)
{
    const char *name = argc > 1 ? argv[1] : NULL;

    log_setup(LOG_ERROR, LOG_LOGFMT);
    if (!name) {
        fputs("buoyctl: which command? See buoyctl --help\n", stderr);
        return CTL_USAGE;
    }
    if (str_equal(name, "help") || str_equal(name, "--help") || str_equal(name, "-h"))
        return help(argc, argv, environment);
    if (str_equal(name, "version") || str_equal(name, "--version")) {
        printf("buoyctl %s\n", BELLBUOY_VERSION);
        return CTL_CONVERGED;
    }
    const struct command *command = command_find(name);
    return command ? run_command(command, argc - 1, argv + 1, environment) : fail_unknown(name);
}

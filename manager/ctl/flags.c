#include "manager/ctl/flags.h"

#include <stddef.h>

#define AT(member) .offset = offsetof(struct flags, member)
#define SET(name, heading, table)                                                                  \
    const struct flag_set name = {                                                                 \
        .title = (heading), .options = (table), .count = ARRAY_SIZE(table)}

static const struct option document_table[] = {
    {.name = "file",
     .type = OPTION_LIST,
     AT(files),
     .value_name = "FILE",
     .help = "A compose file, or a document as `config` prints it; several are merged in order.",
     .letter = 'f'},
    {.name = "env-file",
     .type = OPTION_LIST,
     AT(env_files),
     .value_name = "FILE",
     .help = "Variables for the compose file (default: .env beside it, where there is one)."},
    {.name = "project",
     AT(project),
     .value_name = "NAME",
     .help = "The project (default: the file's name:, else its folder's name).",
     .letter = 'p'},
    {.name = "revision",
     .type = OPTION_INTEGER,
     AT(revision),
     .fallback = "0",
     .min = 0,
     .max = INT64_C(9007199254740991),
     .value_name = "N",
     .help = "The document's revision; 0: one above the highest that is known."},
};
SET(flags_document, "Document", document_table);

static const char *const on_failure_choices[] = {"file", "rollback", "hold", "keep-partial", NULL};
static const char *const drift_choices[] = {"file", "enforce", "report", NULL};
static const char *const orphans_choices[] = {"file", "remove", "keep", NULL};

static const struct option policy_table[] = {
    {.name = "on-failure",
     .type = OPTION_CHOICE,
     AT(on_failure),
     .fallback = "file",
     .choices = on_failure_choices,
     .value_name = "WHAT",
     .help = "When an apply fails; file: as the file's x-bellbuoy policy says, else rollback."},
    {.name = "drift",
     .type = OPTION_CHOICE,
     AT(drift),
     .fallback = "file",
     .choices = drift_choices,
     .value_name = "WHAT",
     .help = "When someone changes containers later; else enforce."},
    {.name = "orphans",
     .type = OPTION_CHOICE,
     AT(orphans),
     .fallback = "file",
     .choices = orphans_choices,
     .value_name = "WHAT",
     .help = "Containers of services that are no longer named; else remove."},
    {.name = "allow-empty",
     .type = OPTION_BOOLEAN,
     AT(allow_empty),
     .help = "A document without services may remove all of the project's containers."},
    {.name = "progress-deadline",
     AT(progress_deadline),
     .value_name = "TIME",
     .help = "How long an apply may take after its pulls; else 15m."},
    {.name = "min-free-disk",
     AT(min_free_disk),
     .value_name = "SIZE",
     .help = "Free space that must be left, such as 512MiB."},
    {.name = "max-pull-parallel",
     .type = OPTION_INTEGER,
     AT(max_pull_parallel),
     .fallback = "0",
     .min = 0,
     .max = 8,
     .value_name = "N",
     .help = "Images that are pulled at the same time; 0: as the file says, else 2."},
    {.name = "not-before",
     AT(not_before),
     .value_name = "TIME",
     .help = "When the apply may start at the earliest (RFC 3339)."},
    {.name = "expires",
     AT(expires),
     .value_name = "TIME",
     .help = "After this time a node no longer takes the document (RFC 3339)."},
};
SET(flags_policy, "Policy", policy_table);

static const struct option target_table[] = {
    {.name = "node",
     .type = OPTION_LIST,
     AT(nodes),
     .value_name = "NAME",
     .help = "The node; several with commas, or by repeating the option.",
     .letter = 'n'},
    {.name = "group",
     AT(group),
     .value_name = "NAME",
     .help = "All nodes of this group instead.",
     .letter = 'g'},
};
SET(flags_target, "Nodes", target_table);

static const struct option project_table[] = {
    {.name = "project", AT(project), .value_name = "NAME", .help = "The project.", .letter = 'p'},
};
SET(flags_project, "Project", project_table);

static const struct option wait_table[] = {
    {.name = "wait",
     .type = OPTION_BOOLEAN,
     AT(wait),
     .fallback = "true",
     .help = "Waits until every node is as the document says, or is known not to become so."},
    {.name = "timeout",
     .type = OPTION_DURATION,
     AT(timeout_ms),
     .fallback = "15m",
     .min = 100,
     .max = INT64_C(7) * 86400000,
     .value_name = "TIME",
     .help = "How long it waits.",
     .letter = 't'},
};
SET(flags_wait, "Waiting", wait_table);

static const struct option answer_table[] = {
    {.name = "timeout",
     .type = OPTION_DURATION,
     AT(timeout_ms),
     .fallback = "15s",
     .min = 100,
     .max = 3600000,
     .value_name = "TIME",
     .help = "How long it waits for a node's answer.",
     .letter = 't'},
};
SET(flags_answer, "Waiting", answer_table);

static const struct option watch_table[] = {
    {.name = "watch",
     .type = OPTION_BOOLEAN,
     AT(watch),
     .help = "Shows it again at each change, until Ctrl-C.",
     .letter = 'w'},
};
SET(flags_watch, "Status", watch_table);

static const struct option logs_table[] = {
    {.name = "service",
     AT(service),
     .value_name = "NAME",
     .help = "Only this service's containers (default: all of the project).",
     .letter = 's'},
    {.name = "tail",
     .type = OPTION_INTEGER,
     AT(tail),
     .fallback = "100",
     .min = 1,
     .max = 10000,
     .value_name = "N",
     .help = "The last lines of each container."},
    {.name = "timestamps",
     .type = OPTION_BOOLEAN,
     AT(timestamps),
     .help = "Begins each line with its time."},
};
SET(flags_logs, "Logs", logs_table);

static const struct option revision_table[] = {
    {.name = "revision",
     .type = OPTION_INTEGER,
     AT(revision),
     .fallback = "0",
     .min = 0,
     .max = INT64_C(9007199254740991),
     .value_name = "N",
     .help = "A revision of the history; 0: the last good one before the present."},
};
SET(flags_revision, "Revision", revision_table);

static const struct option canary_table[] = {
    {.name = "canary",
     AT(canary),
     .value_name = "SHARE",
     .help = "Rolls out to a group by shares: the first is a number of nodes, or a percentage."},
    {.name = "then",
     .type = OPTION_LIST,
     AT(then),
     .value_name = "SHARE",
     .help = "The next share, once those before are good; repeated, and all in the end."},
    {.name = "resume",
     AT(resume),
     .value_name = "ID",
     .help = "Goes on with a rollout that was halted or left alone."},
};
SET(flags_canary, "Rollout", canary_table);

static const struct option rollouts_table[] = {
    {.name = "abort",
     .type = OPTION_BOOLEAN,
     AT(abort),
     .help = "Gives the rollout up: its nodes follow their group again."},
};
SET(flags_rollouts, "Rollouts", rollouts_table);

static const char *const output_choices[] = {"table", "json", "yaml", NULL};
static const char *const color_choices[] = {"auto", "always", "never", NULL};

static const struct option output_table[] = {
    {.name = "output",
     .type = OPTION_CHOICE,
     AT(output),
     .fallback = "table",
     .choices = output_choices,
     .value_name = "FORM",
     .help = "The form of what is printed.",
     .letter = 'o'},
    {.name = "color",
     .type = OPTION_CHOICE,
     AT(color),
     .fallback = "auto",
     .choices = color_choices,
     .value_name = "WHEN",
     .help = "auto: on a terminal, unless NO_COLOR is set."},
};
SET(flags_output, "Output", output_table);

static const struct option context_table[] = {
    {.name = "context",
     AT(context),
     .value_name = "NAME",
     .help = "The entry of the context file to use (default: its \"current\")."},
    {.name = "context-file",
     AT(context_file),
     .value_name = "FILE",
     .help = "Connections by name (default: ~/.config/bellbuoy/context.json)."},
    {.name = "connect-timeout",
     .type = OPTION_DURATION,
     AT(connect_timeout_ms),
     .fallback = "10s",
     .min = 100,
     .max = 600000,
     .value_name = "TIME",
     .help = "How long the connection to the broker may take."},
    {.name = "kube-service",
     AT(kube_service),
     .value_name = "NAMESPACE/SERVICE",
     .help = "The broker's service in a cluster: kubectl forwards a port to it for this call."},
    {.name = "kube-context",
     AT(kube_context),
     .value_name = "NAME",
     .help = "The cluster, by kubectl's context (default: its current one)."},
};
SET(flags_context, "Connection", context_table);

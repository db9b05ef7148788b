#include "manager/ctl/progress.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/str.h"
#include "manager/ctl/view.h"

#define BAR_COLUMNS 24

void progress_append_bytes(struct buf *out, int64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double value = bytes > 0 ? (double)bytes : 0;
    size_t unit = 0;

    for (; value >= 1000 && unit + 1 < ARRAY_SIZE(units); unit++)
        value /= 1000;
    buf_appendf(out, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

void progress_append_bar(struct buf *out, int64_t current, int64_t total)
{
    int64_t shown = current < 0 ? 0 : total > 0 && current > total ? total : current;

    if (total <= 0) {
        progress_append_bytes(out, shown);
        return;
    }
    double part = (double)shown / (double)total;
    int filled = (int)(part * BAR_COLUMNS);
    buf_append_char(out, '[');
    for (int i = 0; i < BAR_COLUMNS; i++)
        buf_append_char(out, i < filled ? '=' : i == filled ? '>' : ' ');
    buf_appendf(out, "] %3d%%  ", (int)(part * 100));
    progress_append_bytes(out, shown);
    buf_append_str(out, " / ");
    progress_append_bytes(out, total);
}

/* The progress message where it is of this apply, else NULL. */
static const cJSON *progress_of(const struct node *node, const struct expectation *x)
{
    const cJSON *progress = node->progress;

    return str_equal(view_string(progress, "project"), x->project) &&
                   view_int(progress, "revision") == x->revision
               ? progress
               : NULL;
}

/* Counts are for those who can see them change. */
static void append_step(struct buf *out, const struct terminal *terminal, const cJSON *progress)
{
    const cJSON *step = view_object(progress, "step");

    if (!step)
        return;
    if (terminal->is_terminal)
        buf_appendf(out, "  %" PRId64 "/%" PRId64, view_int(step, "done"), view_int(step, "total"));
    buf_append_str(out, "  ");
    terminal_append(out, view_string(step, "text"));
}

static size_t append_pulls(struct buf *out, const cJSON *progress)
{
    const cJSON *pulls = view_array(progress, "pulls");
    size_t lines = 0;

    for (const cJSON *p = pulls ? pulls->child : NULL; p; p = p->next) {
        buf_append_str(out, "    ");
        terminal_append(out, view_string(p, "image"));
        buf_append_str(out, "  ");
        if (str_equal(view_string(p, "state"), "pulling"))
            progress_append_bar(out, view_int(p, "current"), view_int(p, "total"));
        else
            terminal_append(out, view_string(p, "state"));
        buf_append_char(out, '\n');
        lines++;
    }
    return lines;
}

void progress_append_reason(struct buf *out, const struct node *node, const char *project)
{
    const cJSON *reason = view_object(node_project(node, project), "reason");

    if (!reason)
        return;
    terminal_append(out, view_string(reason, "code"));
    buf_append_str(out, ": ");
    terminal_append(out, view_string(reason, "message"));
}

static void append_phase(struct buf *out, const struct terminal *terminal, const struct node *node,
                         const struct expectation *x)
{
    const cJSON *progress = progress_of(node, x);
    const cJSON *project = node_project(node, x->project);
    const char *phase = view_string(progress ? progress : project, "phase");

    if (node->presence != PRESENCE_ONLINE) {
        buf_append_str(out, presence_name(node->presence));
    } else if (!progress && view_int(view_object(project, "desired"), "revision") != x->revision) {
        buf_append_str(out, "waiting for the node");
    } else {
        terminal_append(out, phase);
        append_step(out, terminal, progress);
    }
}

/* While it works on ours, a report still tells of what was before, but where it says why it waits.
 */
static bool tells_reason(const struct node *node, const struct expectation *x, enum outcome outcome)
{
    const cJSON *project = node_project(node, x->project);
    const char *phase = view_string(project, "phase");

    if (outcome != OUTCOME_PENDING)
        return outcome != OUTCOME_CONVERGED && outcome != OUTCOME_ABSENT;
    return view_int(view_object(project, "desired"), "revision") == x->revision &&
           (str_equal(phase, "WAITING") || str_equal(phase, "INCOMPLETE"));
}

size_t progress_append_node(struct buf *out, const struct terminal *terminal,
                            const struct node *node, const struct expectation *expected,
                            enum outcome outcome)
{
    AUTO(buf_deinit) struct buf reason = BUF_INIT(4096);
    size_t lines = 1;

    terminal_append_styled(out, terminal, STYLE_STRONG, node->name);
    buf_append_str(out, "  ");
    if (outcome == OUTCOME_PENDING)
        append_phase(out, terminal, node, expected);
    else
        terminal_append_styled(out, terminal, outcome_style(outcome), outcome_name(outcome));
    if (tells_reason(node, expected, outcome))
        progress_append_reason(&reason, node, expected->project);
    if (reason.len > 0)
        buf_appendf(out, "  (%s)", reason.data);
    buf_append_char(out, '\n');
    if (outcome == OUTCOME_PENDING)
        lines += append_pulls(out, progress_of(node, expected));
    return lines;
}

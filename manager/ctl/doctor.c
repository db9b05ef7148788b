#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/str.h"
#include "manager/ctl/command.h"
#include "manager/ctl/console.h"
#include "manager/ctl/view.h"

#define TEXT_MAX       1024
#define S_PER_DAY      86400
#define DAYS_WARNED    14
#define REPORT_LATE_US INT64_C(180000000) /* a manager reports every 60 s */
/* No node has this name, and a message that is not retained leaves nothing behind. */
#define PROBE_TOPIC "bellbuoy/nodes/check/desired/check"

enum finding { FINDING_GOOD, FINDING_WARNING, FINDING_BAD };

/* What was looked at so far. */
struct examination {
    const struct call *call;
    cJSON *findings; /* [{"check", "state", "text", "advice"}] */
    bool bad;
};

static void find(struct examination *x, enum finding finding, const char *check, const char *advice,
                 const char *format, ...) FORMAT(5, 6);

static void find(struct examination *x, enum finding finding, const char *check, const char *advice,
                 const char *format, ...)
{
    static const char *const states[] = {"good", "warning", "bad"};
    cJSON *one = cJSON_CreateObject();
    char text[TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    x->bad = x->bad || finding == FINDING_BAD;
    cJSON_AddStringToObject(one, "check", check);
    cJSON_AddStringToObject(one, "state", states[finding]);
    cJSON_AddStringToObject(one, "text", text);
    cJSON_AddStringToObject(one, "advice", finding == FINDING_GOOD ? "" : advice);
    if (!cJSON_AddItemToArray(x->findings, one))
        cJSON_Delete(one);
}

/* ---- what is looked at ---- */

static bool look_at_broker(struct examination *x, struct console *console)
{
    const char *url = x->call->flags->mqtt.broker_url;
    struct err e = {0};

    int r = console_open(console, x->call, &e);
    if (r == 0)
        find(x, FINDING_GOOD, "broker", "", "%s answers", url);
    else if (r == -EACCES)
        find(x, FINDING_BAD, "broker",
             "Look at --username and --password-file, or --ca-file, --cert-file and --key-file.",
             "%s", e.msg);
    else
        find(x, FINDING_BAD, "broker",
             "Is it running, and is --broker-url right? A context (--context) may name another.",
             "%s", e.msg);
    return r == 0;
}

static bool is_local(const char *url)
{
    return strstr(url, "//127.") || strstr(url, "//localhost") || strstr(url, "//[::1]");
}

static void look_at_tls(struct examination *x, const struct console *console)
{
    const struct validity *validity = session_validity(console->session);
    const char *url = x->call->flags->mqtt.broker_url;
    int64_t now_s = clock_wall_us() / 1000000;
    int64_t days = (validity->own_end_s - now_s) / S_PER_DAY;

    if (str_starts_with(url, "mqtt://"))
        find(x, is_local(url) ? FINDING_GOOD : FINDING_WARNING, "tls",
             "Who can write to the broker is root on every node: use mqtts://.",
             is_local(url) ? "not encrypted, and on this machine only" : "not encrypted");
    else if (validity->own_end_s == 0)
        find(x, FINDING_GOOD, "tls", "", "encrypted, without a certificate of ours");
    else
        find(x, days < DAYS_WARNED ? FINDING_WARNING : FINDING_GOOD, "tls",
             "Renew it: the broker refuses it then.",
             "encrypted; our certificate is valid for %" PRId64 " more days", days);
}

/* Nothing tells what a broker denies but that it does not arrive. */
static void look_at_rights(struct examination *x, struct console *console)
{
    static const char probe[] = "{\"probe\": true}";
    int64_t deadline_ms = clock_monotonic_ms() + x->call->flags->connect_timeout_ms;
    struct err e = {0};

    int r = console_hear(console, PROBE_TOPIC, &e);
    if (r == 0)
        find(x, FINDING_GOOD, "answers", "", "we may read and write bellbuoy/reply/+");
    else
        find(x, FINDING_BAD, "answers", "Give the user these rights in the broker's access list.",
             "%s", e.msg);
    if (r < 0)
        return;
    r = session_publish(console->session, PROBE_TOPIC, probe, strlen(probe), false, &e);
    while (r == 0 && !console_retained(console, PROBE_TOPIC) && clock_monotonic_ms() < deadline_ms)
        session_turn(console->session, deadline_ms);
    if (console_retained(console, PROBE_TOPIC))
        find(x, FINDING_GOOD, "publishing", "", "we may publish desired states");
    else
        find(x, FINDING_BAD, "publishing",
             "Give the user these rights in the broker's access list.",
             "we may not write and read bellbuoy/nodes/+/desired/+");
}

static void look_at_engine(struct examination *x, const struct node *node)
{
    const cJSON *engine = view_object(node->report, "engine");

    if (str_equal(view_string(engine, "state"), "up"))
        find(x, FINDING_GOOD, node->name, "", "Docker %s is up", view_string(engine, "version"));
    else
        find(x, FINDING_BAD, node->name,
             "Start it on the node: systemctl start docker. The manager goes on by itself.",
             "its engine is %s%s%s", engine ? view_string(engine, "state") : "unknown",
             view_string(engine, "reason")[0] ? ": " : "", view_string(engine, "reason"));
}

static void look_at_projects(struct examination *x, const struct node *node)
{
    const cJSON *projects = view_object(node->report, "projects");

    for (const cJSON *p = projects ? projects->child : NULL; p; p = p->next) {
        const cJSON *reason = view_object(p, "reason");
        if (view_bool(p, "converged") && !reason)
            find(x, FINDING_GOOD, node->name, "", "%s is as its document says", p->string);
        else
            find(x, FINDING_WARNING, node->name, view_string(reason, "advice"), "%s: %s%s%s%s%s",
                 p->string, view_string(p, "phase"), reason ? ": " : "",
                 view_string(reason, "code"), reason ? ": " : "", view_string(reason, "message"));
    }
}

static void look_at_report(struct examination *x, const struct node *node)
{
    const char *time = view_string(node->report, "time");
    const char *version = view_string(view_object(node->report, "agent"), "version");
    int64_t time_us;

    if (clock_parse_us(time, strlen(time), &time_us) == 0 &&
        clock_wall_us() - time_us > REPORT_LATE_US)
        find(x, FINDING_WARNING, node->name,
             "Is its manager stuck, or is one of the two clocks wrong?",
             "its last report is of %s, though it is online", time);
    if (!str_equal(version, BELLBUOY_VERSION))
        find(x, FINDING_WARNING, node->name, "Use the same version on both sides.",
             "its manager is version %s, buoyctl %s", version, BELLBUOY_VERSION);
}

static void look_at_node(struct examination *x, const struct node *node)
{
    if (node->presence != PRESENCE_ONLINE) {
        find(x, FINDING_WARNING, node->name,
             node->presence == PRESENCE_OFFLINE
                 ? "Is the node up, and does its manager run and reach the broker?"
                 : "Nothing was heard of its presence: it may be gone for good.",
             "%s", presence_name(node->presence));
        return;
    }
    look_at_report(x, node);
    look_at_engine(x, node);
    look_at_projects(x, node);
}

static void look_at_nodes(struct examination *x, struct console *console)
{
    struct err e = {0};

    if (console_hear_nodes(console, NULL, false, &e) < 0) {
        find(x, FINDING_BAD, "nodes", "", "%s", e.msg);
        return;
    }
    if (console->fleet.count == 0)
        find(x, FINDING_WARNING, "nodes",
             "Start a manager that uses this broker; is this the right one?",
             "no node was ever seen");
    for (size_t i = 0; i < console->fleet.count; i++)
        look_at_node(x, console->fleet.nodes[i]);
}

/* ---- what is said ---- */

static void append_finding(struct buf *out, const struct terminal *terminal, const cJSON *one)
{
    const char *state = view_string(one, "state");
    const char *advice = view_string(one, "advice");

    if (str_equal(state, "good"))
        terminal_append_styled(out, terminal, STYLE_GOOD, "✓ ");
    else if (str_equal(state, "bad"))
        terminal_append_styled(out, terminal, STYLE_BAD, "✗ ");
    else
        terminal_append_styled(out, terminal, STYLE_WARNING, "! ");
    terminal_append_styled(out, terminal, STYLE_STRONG, view_string(one, "check"));
    buf_append_str(out, ": ");
    terminal_append(out, view_string(one, "text"));
    if (advice[0] != '\0') {
        buf_append_str(out, "\n    ");
        terminal_append(out, advice);
    }
    buf_append_char(out, '\n');
}

static int show(const struct examination *x)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(CALL_OUTPUT_MAX);

    if (x->call->flags->output != OUTPUT_TABLE)
        return call_print_tree(x->call, x->findings);
    for (const cJSON *one = x->findings->child; one; one = one->next)
        append_finding(&out, &x->call->out, one);
    return call_print(x->call, &out);
}

int doctor_run(const struct call *call)
{
    cJSON *findings AUTO(cJSON_Delete) = cJSON_CreateArray();
    struct examination x = {.call = call, .findings = findings};
    CONSOLE console = {0};

    if (!findings)
        return call_fail(call, CTL_FAILED, "out of memory");
    if (look_at_broker(&x, &console)) {
        look_at_tls(&x, &console);
        look_at_rights(&x, &console);
        look_at_nodes(&x, &console);
    }
    int status = show(&x);
    return status != CTL_CONVERGED ? status : x.bad ? CTL_FAILED : CTL_CONVERGED;
}

#include "manager/ctl/console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/str.h"
#include "common/mqtt/topic.h"
#include "manager/ctl/view.h"

#define ECHO_TIMEOUT_MS 10000
#define ID_SIZE         16

/* ---- what is heard ---- */

static void keep(cJSON *kept, const char *name, cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(kept, name);
    if (value && !cJSON_AddItemToObject(kept, name, value))
        cJSON_Delete(value); /* no memory: as if it had not come, and who waits times out */
}

static void take_retained(struct console *c, const char *topic, const char *payload, size_t size)
{
    cJSON *json = NULL;

    if (size > 0 && json_parse(payload, size, JSON_MAX_DEPTH, &json, NULL) < 0)
        json = cJSON_CreateNull(); /* something stands there */
    keep(c->retained, topic, json);
}

static void take_answer(struct console *c, const char *payload, size_t size)
{
    cJSON *json = NULL;

    if (json_parse(payload, size, JSON_MAX_DEPTH, &json, NULL) < 0)
        return;
    keep(c->answers, view_string(json, "correlation_id"), json);
}

static void on_message(void *context, const char *topic, const char *payload, size_t size)
{
    struct console *c = context;

    if (topic_matches("bellbuoy/reply/+", topic))
        take_answer(c, payload, size);
    else if (!fleet_take(&c->fleet, topic, payload, size) &&
             (topic_matches("bellbuoy/nodes/+/desired/+", topic) ||
              topic_matches("bellbuoy/groups/+/desired/+", topic) ||
              topic_matches("bellbuoy/rollouts/+", topic)))
        take_retained(c, topic, payload, size);
}

/* ---- life ---- */

int console_open(struct console *console, const struct call *call, struct err *e)
{
    *console = (struct console){
        .call = call,
        .retained = cJSON_CreateObject(),
        .answers = cJSON_CreateObject(),
    };
    if (!console->retained || !console->answers)
        return FAIL(e, ENOMEM, "out of memory");
    return session_open(call->flags, on_message, console, &console->session, e);
}

void console_deinit(struct console *console)
{
    session_free(TAKE(console->session));
    fleet_deinit(&console->fleet);
    cJSON_Delete(TAKE(console->retained));
    cJSON_Delete(TAKE(console->answers));
}

/* ---- what is asked of it ---- */

static int hear_node(struct console *console, const char *level, bool progress, struct err *e)
{
    static const char *const kinds[] = {"presence", "reported", "progress"};
    char topics[ARRAY_SIZE(kinds)][TOPIC_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        (void)snprintf(topics[i], TOPIC_SIZE, "bellbuoy/nodes/%s/%s", level, kinds[i]);
    const char *filters[] = {topics[0], topics[1], progress ? topics[2] : NULL, NULL};
    return session_listen(console->session, filters, e);
}

int console_hear_nodes(struct console *console, const struct option_list *names, bool progress,
                       struct err *e)
{
    int r = 0;

    if (!names || names->count == 0)
        return hear_node(console, "+", progress, e);
    for (size_t i = 0; r == 0 && i < names->count; i++) {
        const struct node *node = fleet_add(&console->fleet, names->items[i]);
        r = node ? hear_node(console, node->level, progress, e) : FAIL(e, ENOMEM, "out of memory");
    }
    return r;
}

int console_hear(struct console *console, const char *filter, struct err *e)
{
    const char *filters[] = {filter, NULL};

    return session_listen(console->session, filters, e);
}

const cJSON *console_retained(const struct console *console, const char *topic)
{
    return json_member(console->retained, topic);
}

/* True once the broker shows at `topic` what was published. */
static bool stands(const struct console *c, const char *topic, const cJSON *json)
{
    const cJSON *found = console_retained(c, topic);

    return json ? found && cJSON_Compare(found, json, true) : !found;
}

int console_retain(struct console *console, const char *topic, const cJSON *json, struct err *e)
{
    char *text AUTO(free) = json ? cJSON_PrintUnformatted(json) : strdup("");
    int64_t deadline_ms = clock_monotonic_ms() + ECHO_TIMEOUT_MS;

    if (!text)
        return FAIL(e, ENOMEM, "out of memory");
    int r = session_publish(console->session, topic, text, strlen(text), true, e);
    while (r == 0 && !stands(console, topic, json)) {
        if (clock_monotonic_ms() >= deadline_ms)
            return FAIL(e, EACCES,
                        "the broker acknowledged %s and did not pass it on: the user must have the "
                        "right to write and read it",
                        topic);
        session_turn(console->session, deadline_ms);
    }
    return r;
}

static cJSON *request_new(const struct console *c, const char *method, cJSON *params,
                          const char *id)
{
    cJSON *request AUTO(cJSON_Delete) = cJSON_CreateObject();

    if (!request || !params || !cJSON_AddItemToObject(request, "params", params)) {
        cJSON_Delete(params);
        return NULL;
    }
    if (!cJSON_AddStringToObject(request, "jsonrpc", "2.0") ||
        !cJSON_AddStringToObject(request, "id", id) ||
        !cJSON_AddStringToObject(request, "method", method) ||
        !cJSON_AddStringToObject(request, "reply_to", session_reply_topic(c->session)) ||
        !cJSON_AddStringToObject(request, "correlation_id", id))
        return NULL;
    return TAKE(request);
}

int console_ask(struct console *console, const struct node *node, const char *method, cJSON *params,
                unsigned *ret_id, struct err *e)
{
    char topic[TOPIC_SIZE];
    char id[ID_SIZE];

    (void)snprintf(id, sizeof id, "%u", console->asked + 1);
    (void)snprintf(topic, sizeof topic, "bellbuoy/nodes/%s/command", node->level);
    cJSON *request AUTO(cJSON_Delete) = request_new(console, method, params, id);
    char *text AUTO(free) = request ? cJSON_PrintUnformatted(request) : NULL;
    if (!text)
        return FAIL(e, ENOMEM, "out of memory");
    int r = session_publish(console->session, topic, text, strlen(text), false, e);
    if (r == 0)
        *ret_id = ++console->asked;
    return r;
}

int console_await(struct console *console, unsigned id, int64_t deadline_ms,
                  const cJSON **ret_answer, struct err *e)
{
    char name[ID_SIZE];

    (void)snprintf(name, sizeof name, "%u", id);
    for (;;) {
        const cJSON *answer = json_member(console->answers, name);
        if (answer) {
            *ret_answer = answer;
            return 0;
        }
        if (clock_monotonic_ms() >= deadline_ms)
            return FAIL(e, ETIMEDOUT, "no answer within %g s (--timeout)",
                        (double)console->call->flags->timeout_ms / 1000);
        session_turn(console->session, deadline_ms);
    }
}

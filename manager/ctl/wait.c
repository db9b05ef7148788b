#include "manager/ctl/wait.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "manager/ctl/display.h"
#include "manager/ctl/view.h"

#define RETURN_MS 10000 /* a manager that is restarted is away for a moment */

static int allocate(struct waiting *w, size_t most)
{
    w->nodes = calloc(most + 1, sizeof(struct node *));
    w->outcomes = calloc(most + 1, sizeof(enum outcome));
    w->seen_ms = calloc(most + 1, sizeof(int64_t));
    return w->nodes && w->outcomes && w->seen_ms ? 0 : -ENOMEM;
}

static int collect(struct waiting *w, struct console *console, const char *group)
{
    const struct option_list *names = &console->call->flags->nodes;

    for (size_t i = 0; !group && i < names->count; i++) {
        struct node *node = fleet_add(&console->fleet, names->items[i]);
        if (!node)
            return -ENOMEM;
        w->nodes[w->count++] = node;
    }
    for (size_t i = 0; group && i < console->fleet.count; i++) {
        if (node_group(console->fleet.nodes[i], group))
            w->nodes[w->count++] = console->fleet.nodes[i];
    }
    return 0;
}

static void note_online(struct waiting *w, int64_t now_ms)
{
    for (size_t i = 0; i < w->count; i++) {
        if (w->nodes[i]->presence == PRESENCE_ONLINE)
            w->seen_ms[i] = now_ms;
    }
}

int waiting_init(struct waiting *waiting, struct console *console, const char *group, struct err *e)
{
    size_t most = group ? console->fleet.count : console->call->flags->nodes.count;

    *waiting = (struct waiting){.expected.group = group};
    if (allocate(waiting, most) < 0 || collect(waiting, console, group) < 0)
        return FAIL(e, ENOMEM, "out of memory");
    note_online(waiting, clock_monotonic_ms());
    return 0;
}

int waiting_init_names(struct waiting *waiting, struct console *console, const cJSON *names,
                       size_t count, struct err *e)
{
    *waiting = (struct waiting){0};
    if (allocate(waiting, count) < 0)
        return FAIL(e, ENOMEM, "out of memory");
    for (const cJSON *n = names->child; n && waiting->count < count; n = n->next) {
        struct node *node = fleet_add(&console->fleet, n->valuestring);
        if (!node)
            return FAIL(e, ENOMEM, "out of memory");
        waiting->nodes[waiting->count++] = node;
    }
    note_online(waiting, clock_monotonic_ms());
    return 0;
}

void waiting_deinit(struct waiting *waiting)
{
    free(waiting->nodes);
    free(waiting->outcomes);
    free(waiting->seen_ms);
}

/* A node that was there since we look, and is not now, may come back. */
static bool judge(struct waiting *w, int64_t now_ms)
{
    bool pending = false;

    note_online(w, now_ms);
    for (size_t i = 0; i < w->count; i++) {
        bool there = w->seen_ms[i] > 0 && now_ms < w->seen_ms[i] + RETURN_MS;
        w->outcomes[i] = outcome_of(w->nodes[i], &w->expected);
        if (w->outcomes[i] == OUTCOME_PENDING && !there)
            w->outcomes[i] = OUTCOME_ABSENT;
        pending = pending || w->outcomes[i] == OUTCOME_PENDING;
    }
    return pending;
}

static unsigned count_changes(const struct waiting *w)
{
    unsigned changes = 1;

    for (size_t i = 0; i < w->count; i++)
        changes += w->nodes[i]->changes;
    return changes;
}

/* Once for each loss of the connection. */
static void tell_trouble(const struct console *console, bool *told)
{
    const char *trouble = session_trouble(console->session);

    if (trouble && !*told)
        call_note(console->call, "no connection to the broker, trying again: %s", trouble);
    *told = trouble != NULL;
}

static bool goes_on(const struct waiting *w)
{
    return !w->goes_on || w->goes_on(w->context);
}

int waiting_run(struct waiting *waiting, struct console *console, struct err *e)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t deadline_ms = now_ms + console->call->flags->timeout_ms;
    unsigned shown = 0;
    bool told = false;
    DISPLAY display = {0};

    if (display_init(&display, console->call, waiting->count, e) < 0)
        return FAIL(e, ENOMEM, "out of memory");
    while (judge(waiting, now_ms) && now_ms < deadline_ms && goes_on(waiting)) {
        unsigned changes = count_changes(waiting);
        if (changes != shown)
            display_update(&display, waiting->nodes, waiting->outcomes, &waiting->expected);
        shown = changes;
        tell_trouble(console, &told);
        int64_t look_ms = now_ms + 1000;
        session_turn(console->session, look_ms < deadline_ms ? look_ms : deadline_ms);
        now_ms = clock_monotonic_ms();
    }
    for (size_t i = 0; i < waiting->count; i++) {
        if (waiting->outcomes[i] == OUTCOME_PENDING)
            waiting->outcomes[i] = OUTCOME_TIMEOUT;
    }
    return 0;
}

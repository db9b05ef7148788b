#include "manager/reconcile/observe.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/desired/container.h"
#include "manager/engine/url.h"
#include "manager/reconcile/tail.h"

/* One question to the engine, and what to do with its answer. */
struct question {
    struct observation *observation;
    struct engine_call *call;
    struct tail *tail;
    int (*read)(struct question *q, const struct engine_reply *reply, struct err *e);
    const char *image;           /* of an image's */
    struct container *container; /* of a container's */
};

struct observation {
    struct observe_settings settings;
    struct observed *observed;
    struct question *questions;
    size_t count, waiting;
    struct err e; /* of the first that failed */
    char node[129];
};

void observed_release(struct observed *observed)
{
    if (!observed)
        return;
    for (size_t i = 0; observed->containers && i < observed->container_count; i++)
        cJSON_Delete((cJSON *)(uintptr_t)observed->containers[i].inspected);
    observed_deinit(observed);
    free(observed);
}

void observe_cancel(struct observation *o)
{
    if (!o)
        return;
    for (size_t i = 0; o->questions && i < o->count; i++) {
        engine_cancel(TAKE(o->questions[i].call));
        tail_cancel(TAKE(o->questions[i].tail));
    }
    observed_release(o->observed);
    free(o->questions);
    free(o);
}

static int ask_for_containers(struct observation *o);

/* ---- answers ---- */

static void finish(struct observation *o)
{
    bool failed = o->e.code != 0;

    o->settings.done(o->settings.context, failed ? NULL : TAKE(o->observed), &o->e);
    observe_cancel(o);
}

static void on_answer(void *context, const struct engine_reply *reply)
{
    struct question *q = context;
    struct observation *o = q->observation;
    struct err e = {0};

    q->call = NULL;
    o->waiting--;
    int r = reply->status == 0 ? FAIL(&e, EHOSTDOWN, "%s", reply->message) : q->read(q, reply, &e);
    if (r < 0 && o->e.code == 0) {
        o->e = e;
        o->e.code = e.code != 0 ? e.code : -r;
    }
    if (o->waiting == 0 && o->e.code == 0 && q->container == NULL) {
        /* All lists are here: now each container. */
        r = ask_for_containers(o);
        if (r < 0)
            err_set(&o->e, ENOMEM, "out of memory");
    }
    if (o->waiting == 0)
        finish(o);
}

static int refused(const struct engine_reply *reply, const char *what, struct err *e)
{
    return FAIL(e, EPROTO, "the engine does not tell its %s: %s", what, reply->message);
}

static int read_containers(struct question *q, const struct engine_reply *reply, struct err *e)
{
    if (!engine_reply_ok(reply))
        return refused(reply, "containers", e);
    return observed_read_containers(q->observation->observed, reply->body, reply->size,
                                    q->observation->node, e);
}

static int read_networks(struct question *q, const struct engine_reply *reply, struct err *e)
{
    if (!engine_reply_ok(reply))
        return refused(reply, "networks", e);
    return observed_read_networks(q->observation->observed, reply->body, reply->size, e);
}

static int read_volumes(struct question *q, const struct engine_reply *reply, struct err *e)
{
    if (!engine_reply_ok(reply))
        return refused(reply, "volumes", e);
    return observed_read_volumes(q->observation->observed, reply->body, reply->size, e);
}

static int read_image(struct question *q, const struct engine_reply *reply, struct err *e)
{
    bool there = engine_reply_ok(reply);

    if (!there && reply->status != 404)
        return refused(reply, "images", e);
    return observed_add_image(q->observation->observed, q->image, there ? reply->body : NULL,
                              reply->size, e);
}

static void keep_only(cJSON *object, const char *const *names)
{
    for (cJSON *member = object ? object->child : NULL, *next; member; member = next) {
        bool kept = false;

        next = member->next;
        for (size_t i = 0; names[i]; i++)
            kept |= str_equal(names[i], member->string);
        if (!kept)
            cJSON_Delete(cJSON_DetachItemViaPointer(object, member));
    }
}

/* What is said of a container is some 10 KB, of which a plan and a report need these. */
static void prune(cJSON *inspected)
{
    static const char *const members[] = {"State", "RestartCount", "HostConfig", NULL};
    static const char *const host[] = {"RestartPolicy", "Memory",    "MemoryReservation",
                                       "MemorySwap",    "NanoCpus",  "CpuShares",
                                       "CpusetCpus",    "PidsLimit", NULL};
    static const char *const state[] = {"Status", "Running",   "OOMKilled",  "ExitCode",
                                        "Health", "StartedAt", "FinishedAt", NULL};
    static const char *const health[] = {"Status", NULL};

    keep_only(inspected, members);
    keep_only(cJSON_GetObjectItemCaseSensitive(inspected, "HostConfig"), host);
    cJSON *state_json = cJSON_GetObjectItemCaseSensitive(inspected, "State");
    keep_only(state_json, state);
    keep_only(cJSON_GetObjectItemCaseSensitive(state_json, "Health"), health);
}

static void on_tail(void *context, const char *text)
{
    struct question *q = context;
    struct observation *o = q->observation;

    q->tail = NULL;
    q->container->tail = arena_copy(&o->observed->arena, text, strlen(text));
    o->waiting--;
    if (o->waiting == 0)
        finish(o);
}

/* What it said last tells most of why it ended. */
static void ask_for_tail(struct question *q)
{
    struct observation *o = q->observation;
    struct inspection now = inspection_read(q->container->inspected);
    bool badly = q->container->state == CONTAINER_RESTARTING ||
                 (q->container->state == CONTAINER_EXITED && now.exit_code != 0);

    if (badly && tail_start(o->settings.engine, q->container->id, on_tail, q, &q->tail, NULL) == 0)
        o->waiting++;
}

/* One that was removed since is not there; the list says so next time. */
static int read_container(struct question *q, const struct engine_reply *reply, struct err *e)
{
    cJSON *inspected = NULL;

    if (reply->status == 404)
        return 0;
    if (!engine_reply_ok(reply))
        return refused(reply, "containers", e);
    int r = json_parse(reply->body, reply->size, JSON_MAX_DEPTH, &inspected, e);
    if (r < 0)
        return r;
    prune(inspected);
    q->container->inspected = inspected;
    ask_for_tail(q);
    return 0;
}

/* ---- questions ---- */

static int ask(struct observation *o, struct question *q, const char *path)
{
    q->observation = o;
    int r = engine_call(o->settings.engine, &(struct engine_request){.method = "GET", .path = path},
                        on_answer, q, &q->call);
    if (r == 0)
        o->waiting++;
    return r;
}

static int ask_for_containers(struct observation *o)
{
    struct observed *observed = o->observed;
    char path[128];
    int r = 0;

    free(o->questions);
    o->count = 0;
    o->questions = calloc(observed->container_count + 1, sizeof(*o->questions));
    if (!o->questions)
        return -ENOMEM;
    for (size_t i = 0; i < observed->container_count && r == 0; i++) {
        struct question *q = &o->questions[o->count++];

        q->read = read_container;
        q->container = &observed->containers[i];
        (void)snprintf(path, sizeof(path), "/containers/%s/json", observed->containers[i].id);
        r = ask(o, q, path);
    }
    return r;
}

/* {"label":["io.bellbuoy.project=NAME"]} as a query's value: names have nothing else to escape. */
static int ask_for_lists(struct observation *o)
{
    char path[512];
    struct question *q = o->questions;

    (void)snprintf(path, sizeof(path),
                   "/containers/json?all=1&filters=%%7B%%22label%%22%%3A%%5B%%22" LABEL_PROJECT
                   "%%3D%s%%22%%5D%%7D",
                   o->settings.project);
    q[0].read = read_containers;
    q[1].read = read_networks;
    q[2].read = read_volumes;
    o->count = 3;
    int r = ask(o, &q[0], path);
    if (r == 0)
        r = ask(o, &q[1], "/networks");
    return r == 0 ? ask(o, &q[2], "/volumes") : r;
}

static bool is_asked_for(const struct observation *o, const char *image)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->questions[i].image && str_equal(o->questions[i].image, image))
            return true;
    return false;
}

static int ask_for_image(struct observation *o, const char *image)
{
    struct buf path AUTO(buf_deinit) = BUF_INIT(4096);
    struct question *q = &o->questions[o->count];

    buf_append_str(&path, "/images/");
    url_append_path(&path, image);
    buf_append_str(&path, "/json");
    if (buf_failed(&path))
        return -ENOMEM;
    q->read = read_image;
    q->image = image;
    o->count++;
    return ask(o, q, path.data);
}

int observe_start(const struct observe_settings *settings, struct observation **ret_observation,
                  struct err *e)
{
    struct observation *o = calloc(1, sizeof(*o));
    const struct document *d = settings->document;
    size_t services = d ? d->service_count : 0;
    int r = -ENOMEM;

    if (!o)
        return FAIL(e, ENOMEM, "out of memory");
    o->settings = *settings;
    (void)snprintf(o->node, sizeof(o->node), "%s", settings->node);
    o->observed = calloc(1, sizeof(*o->observed));
    o->questions = calloc(3 + services, sizeof(*o->questions));
    if (o->observed && o->questions)
        r = ask_for_lists(o);
    for (size_t i = 0; i < services && r == 0; i++)
        if (!is_asked_for(o, d->services[i].image))
            r = ask_for_image(o, d->services[i].image);
    if (r < 0) {
        observe_cancel(o);
        return FAIL(e, ENOMEM, "out of memory");
    }
    *ret_observation = o;
    return 0;
}

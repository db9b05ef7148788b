#include "manager/reconcile/failure.h"

#include <stdio.h>
#include <string.h>

#include "common/base/str.h"
#include "manager/reconcile/clean_text.h"

/* The engine tells causes in words alone; these have stayed the same from 20.10 to 28. */
static const struct {
    const char *words;
    enum reason_code code;
    const char *message;
} causes[] = {
    {"port is already allocated", REASON_PORT_CONFLICT, "a port of the host is in use"},
    {"address already in use", REASON_PORT_CONFLICT, "a port of the host is in use"},
    {"is already in use by container", REASON_NAME_CONFLICT,
     "a container that is not ours has the name"},
    {"no space left on device", REASON_DISK, "the node's disk is full"},
    {"network with name", REASON_NAME_CONFLICT, "a network of that name is there"},
    {"No such image", REASON_PULL_NOTFOUND, "the image is not there any more"},
    {"does not match the specified platform", REASON_ARCH, "the image is for another platform"},
    {"bind source path does not exist", REASON_RESOURCE_MISSING,
     "a file or folder of the node that it mounts is not there"},
    {"exec format error", REASON_ARCH, "the image is for another platform"},
};

void failure_set_engine(struct failure *f, const char *text)
{
    size_t len = strlen(text), size = sizeof(f->engine);

    clean_text(f->engine, size, len < size ? text : text + (len - size + 1),
               len < size ? len : size - 1);
}

void failure_set(struct failure *f, const struct op *op, enum reason_code code, const char *message,
                 const char *engine)
{
    *f = (struct failure){.code = code, .pulling = op->kind == OP_PULL};
    (void)snprintf(f->service, sizeof(f->service), "%s", op->service ? op->service->name : "");
    (void)snprintf(f->object, sizeof(f->object), "%s", op->object);
    (void)snprintf(f->message, sizeof(f->message), "%s %s: %s", op_kind_name(op->kind), op->object,
                   message);
    failure_set_engine(f, engine ? engine : "");
}

bool failure_name_holder(const struct op *op, const struct engine_reply *reply,
                         char ret_id[static 65])
{
    static const char words[] = "is already in use by container \"";
    const char *at = reply->status == 409 ? strstr(reply->message, words) : NULL;

    if (!at || (op->kind != OP_CREATE && op->kind != OP_RENAME))
        return false;
    at += strlen(words);
    size_t len = strspn(at, "0123456789abcdef");
    if (len == 0 || len > 64 || at[len] != '"')
        return false;
    memcpy(ret_id, at, len);
    ret_id[len] = '\0';
    return true;
}

void failure_set_ghost(struct failure *f, const struct op *op)
{
    (void)snprintf(f->ghost, sizeof(f->ghost), "%s", op->name);
    (void)snprintf(f->message, sizeof(f->message),
                   "%s %s: the engine keeps the name for a container that is not there",
                   op_kind_name(op->kind), op->object);
}

/* A reply may have been lost: what it asked for is there then, and the engine says so. */
static bool was_done_before(const struct op *op, int status)
{
    switch (op->kind) {
    case OP_START:
    case OP_STOP: /* 409: what is to be killed does not run */
        return status == 304 ||
               (op->kind == OP_STOP && (status == 404 || (op->kills && status == 409)));
    case OP_REMOVE:
    case OP_NETWORK_REMOVE:
        return status == 404;
    default:
        return false;
    }
}

/* It is not there, or in another state: somebody was faster, or a call that nobody waits for any
 * more was done late. */
static bool is_stale(int status)
{
    return status == 404 || status == 409;
}

/* It answers, and does not do it. Where containerd is away that is no container's fault. */
static bool is_stuck(const struct op *op, const struct engine_reply *reply)
{
    if (strstr(reply->message, ": unavailable"))
        return false;
    switch (op->kind) {
    case OP_STOP:
        return reply->status >= 500 || reply->timed_out;
    case OP_REMOVE: /* 409: its removal goes on already */
        return reply->status >= 500 || reply->timed_out || reply->status == 409;
    default:
        return false;
    }
}

static void refuse(const struct op *op, const struct engine_reply *reply, struct failure *f)
{
    for (size_t i = 0; i < ARRAY_SIZE(causes); i++)
        if (strcasestr(reply->message, causes[i].words)) {
            failure_set(f, op, causes[i].code, causes[i].message, reply->message);
            return;
        }
    failure_set(f, op, REASON_INVALID, "the engine refused it", reply->message);
}

bool failure_read(const struct op *op, const struct engine_reply *reply,
                  struct failure *ret_failure)
{
    if (engine_reply_ok(reply) || was_done_before(op, reply->status))
        return true;
    if (reply->status == 0)
        failure_set(ret_failure, op, REASON_ENGINE_DOWN, "the engine did not answer",
                    reply->message);
    else
        refuse(op, reply, ret_failure);
    ret_failure->stale = is_stale(reply->status);
    if (is_stuck(op, reply) && op->container)
        (void)snprintf(ret_failure->stuck, sizeof(ret_failure->stuck), "%s", op->container);
    return false;
}

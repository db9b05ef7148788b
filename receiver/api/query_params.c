#include "receiver/api/query_params.h"

#include <stdio.h>

#include "common/http/problem.h"

struct reading {
    struct query *query;
    unsigned allowed;
    /* The first wrong parameter, if any. It is answered after the last one was looked at: an answer
     * ends the request that is being read. */
    int error;
    bool unknown;
    char name[64];
    struct err reason;
};

void query_params_unknown(struct http_request *request, const char *name, const char *known)
{
    const struct problem problem = {
        .status = 400,
        .code = "unknown-parameter",
        .title = "Unknown query parameter",
        .parameter = name,
    };

    http_problem(request, &problem, "'%s' is not a parameter of %s; known are: %s", name,
                 http_request_path(request), known);
}

void query_params_invalid(struct http_request *request, const char *name, const char *fmt, ...)
{
    const struct problem problem = {
        .status = 400,
        .code = "invalid-parameter",
        .title = "Invalid query parameter",
        .parameter = name,
    };
    char detail[sizeof(((struct err *)0)->msg)];
    va_list args;

    va_start(args, fmt);
    vsnprintf(detail, sizeof(detail), fmt, args);
    va_end(args);
    http_problem(request, &problem, "%s", detail);
}

static void read_one(void *context, const char *name, const char *value)
{
    struct reading *reading = context;
    enum query_key key;

    if (reading->error < 0)
        return;
    key = query_key_find(name);
    if ((key & reading->allowed) == 0) {
        reading->error = -EINVAL;
        reading->unknown = true;
    } else {
        reading->error = query_set(reading->query, key, value, &reading->reason);
    }
    if (reading->error < 0)
        snprintf(reading->name, sizeof(reading->name), "%s", name);
}

int query_params_parse(struct http_request *request, unsigned allowed, struct query *ret_query)
{
    struct reading reading = {.query = ret_query, .allowed = allowed};

    query_init(ret_query);
    http_request_each_query(request, read_one, &reading);
    if (reading.error >= 0)
        return 0;
    if (reading.unknown) {
        char known[256];

        query_key_list(allowed, known, sizeof(known));
        query_params_unknown(request, reading.name, known);
    } else {
        query_params_invalid(request, reading.name, "%s", reading.reason.msg);
    }
    return -EINVAL;
}

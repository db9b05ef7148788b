#include "receiver/api/params.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/base/str.h"
#include "receiver/api/query_params.h"

#define LIST_MAX_BYTES 256
#define NAME_SIZE      64 /* of a wrong parameter's name, as it is shown */

struct parsing {
    const struct param *params;
    size_t count;
    void *target;
    unsigned seen; /* bit i: params[i] */
    /* The first wrong parameter. It is answered after the last one was looked at: an answer ends
     * the request that is being read. */
    bool is_wrong, is_unknown;
    char name[NAME_SIZE];
    struct err err;
};

static int take_known(struct parsing *p, size_t i, const char *value)
{
    const struct param *param = &p->params[i];
    if (p->seen & (1U << i))
        return FAIL(&p->err, EINVAL, "'%s' is given more than once", param->name);
    p->seen |= 1U << i;
    if (*value == '\0')
        return FAIL(&p->err, EINVAL, "'%s' is empty", param->name);
    return param->set(p->target, value, &p->err);
}

static void take(void *context, const char *name, const char *value)
{
    struct parsing *p = context;
    if (p->is_wrong)
        return;
    p->is_unknown = true;
    for (size_t i = 0; i < p->count && p->is_unknown; i++) {
        if (!str_equal(p->params[i].name, name))
            continue;
        p->is_unknown = false;
        p->is_wrong = take_known(p, i, value) < 0;
    }
    p->is_wrong |= p->is_unknown;
    if (p->is_wrong)
        snprintf(p->name, sizeof(p->name), "%s", name);
}

static void answer_unknown(const struct parsing *p, struct http_request *request)
{
    char known[LIST_MAX_BYTES] = "none";
    size_t len = 0;
    for (size_t i = 0; i < p->count && len < sizeof(known); i++)
        len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", i == 0 ? "" : ", ",
                                p->params[i].name);
    query_params_unknown(request, p->name, known);
}

bool params_parse(struct http_request *request, const struct param *params, size_t count,
                  void *target)
{
    struct parsing p = {.params = params, .count = count, .target = target};
    assert(count <= 32);
    http_request_each_query(request, take, &p);
    if (!p.is_wrong)
        return true;
    if (p.is_unknown)
        answer_unknown(&p, request);
    else
        query_params_invalid(request, p.name, "%s", p.err.msg);
    return false;
}

bool params_none(struct http_request *request)
{
    return params_parse(request, NULL, 0, NULL);
}

int param_parse_int(const char *name, const char *value, int64_t min, int64_t max,
                    int64_t *ret_value, struct err *e)
{
    if (str_parse_int(value, min, max, ret_value) < 0)
        return FAIL(e, EINVAL,
                    "'%s' must be an integer from %" PRId64 " to %" PRId64 ", not '%.40s'", name,
                    min, max, value);
    return 0;
}

#include "receiver/api/list_params.h"

int list_params_set_source(void *target, const char *value, struct err *e)
{
    struct list_params *params = target;
    if (!event_source_expand(value, params->source, sizeof(params->source)))
        return FAIL(e, EINVAL, "'source' must be a source of at most %d bytes", EVENT_SOURCE_MAX);
    return 0;
}

int list_params_set_before(void *target, const char *value, struct err *e)
{
    struct list_params *params = target;
    return param_parse_int("before", value, 1, INT64_MAX, &params->before, e);
}

int list_params_set_limit(void *target, const char *value, struct err *e)
{
    struct list_params *params = target;
    return param_parse_int("limit", value, 1, LIST_LIMIT_MAX, &params->limit, e);
}

struct journal_list list_params_get(const struct list_params *params)
{
    return (struct journal_list){
        .kind = *params->kind ? params->kind : NULL,
        .source = *params->source ? params->source : NULL,
        .before = params->before,
        .limit = (unsigned)params->limit,
    };
}

#include "receiver/stream/filter.h"

#include <string.h>

struct filter {
    unsigned references;
    unsigned given;
    int64_t criticality_gt;
    int64_t since_us, until_us;
    char texts[]; /* type, source and q, each with its NUL */
};

int filter_new(const struct query *query, struct filter **ret_filter)
{
    size_t type = strlen(query->type) + 1, source = strlen(query->source) + 1;
    size_t q = strlen(query->q) + 1;
    struct filter *filter;

    *ret_filter = NULL;
    if ((query->given & QUERY_FILTERS) == 0)
        return 0;
    filter = malloc(sizeof(*filter) + type + source + q);
    if (!filter)
        return -ENOMEM;
    filter->references = 1;
    filter->given = query->given & QUERY_FILTERS;
    filter->criticality_gt = query->criticality_gt;
    filter->since_us = query->since_us;
    filter->until_us = query->until_us;
    memcpy(filter->texts, query->type, type);
    memcpy(filter->texts + type, query->source, source);
    memcpy(filter->texts + type + source, query->q, q);
    *ret_filter = filter;
    return 0;
}

struct filter *filter_ref(struct filter *filter)
{
    if (filter)
        filter->references++;
    return filter;
}

void filter_unref(struct filter *filter)
{
    if (filter && --filter->references == 0)
        free(filter);
}

void filter_expand(const struct filter *filter, struct query *ret_query)
{
    const char *text;

    query_init(ret_query);
    if (!filter)
        return;
    ret_query->given = filter->given;
    ret_query->criticality_gt = filter->criticality_gt;
    ret_query->since_us = filter->since_us;
    ret_query->until_us = filter->until_us;
    text = filter->texts;
    memcpy(ret_query->type, text, strlen(text) + 1);
    text += strlen(text) + 1;
    memcpy(ret_query->source, text, strlen(text) + 1);
    text += strlen(text) + 1;
    memcpy(ret_query->q, text, strlen(text) + 1);
}

bool filter_has_text(const struct filter *filter)
{
    return filter && filter->given & QUERY_Q;
}

#pragma once

/* Parameters of the lists that are paged by an id, newest first: incidents and quarantine. */

#include "receiver/api/params.h"
#include "receiver/journal/journal.h"

#define LIST_LIMIT_DEFAULT 50
#define LIST_LIMIT_MAX     1000

/* What a journal_list points to is in here. */
struct list_params {
    char kind[32];                     /* "": any */
    char source[EVENT_SOURCE_MAX + 1]; /* "": any */
    int64_t before;                    /* an id; 0: from the newest */
    int64_t limit;
};
#define LIST_PARAMS_INIT ((struct list_params){.limit = LIST_LIMIT_DEFAULT})

/* Setters for struct param, whose target is a struct list_params. */
int list_params_set_source(void *target, const char *value, struct err *e);
int list_params_set_before(void *target, const char *value, struct err *e);
int list_params_set_limit(void *target, const char *value, struct err *e);

/* Borrows from `params`. */
struct journal_list list_params_get(const struct list_params *params);

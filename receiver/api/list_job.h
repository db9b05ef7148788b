#pragma once

/*
 * GET of a list that is paged by an id, newest first: incidents, quarantine. The resource says
 * which parameters it knows, how its rows are read, and writes each row.
 */

#include "receiver/api/list_params.h"
#include "receiver/api/read_job.h"

struct list_job;

struct list_resource {
    const char *name; /* of the member that holds the rows */
    const struct param *known;
    size_t known_count;
    /* Pool: as journal_read_incidents. Writes each row, if list_job_begin_row() has room. */
    int (*read)(struct list_job *job, struct journal_reader *reader,
                const struct journal_list *list, bool *ret_more, struct err *e);
};

/* Answers the request. `resource` is static. */
void list_job_run(struct api *api, struct http_request *request,
                  const struct list_resource *resource);

/* The body for a row of about `len` bytes; NULL when the page is full. */
struct buf *list_job_begin_row(struct list_job *job, int64_t id, size_t len);

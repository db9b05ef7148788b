#pragma once

/* A read_job whose parameters are those of the query grammar. */

#include "receiver/api/read_job.h"
#include "receiver/query/grammar.h"

struct query_job {
    struct read_job base;
    struct query query;
    const struct clock *clock;
    uint32_t epoch;
    uint64_t first_seq, newest_seq; /* of the journal, when the job was made */
    unsigned rows;                  /* of the page so far */
    uint64_t last_seq;              /* of the last of them */
};

/*
 * Parses the parameters of `keys` and starts the read. Answers the problems itself: wrong
 * parameters, a cursor of another epoch (400 `other-epoch`, naming both). `type`, where not NULL,
 * is the only type that is read.
 */
void query_job_run(struct api *api, struct http_request *request, const struct read_job_ops *ops,
                   unsigned keys, const char *type);

/*
 * Pool: reads a page by `each`, which sets `last_seq`, or returns > 0 where page_begin_item()
 * refuses the row; and prepares `next`. A search that takes seconds ends its page early, with a
 * `next` behind all that was searched. *ret_last: the journal's last place as of the read.
 */
MUST_CHECK int query_job_read(struct query_job *job, struct journal_reader *reader,
                              int (*each)(void *job, const struct record *record),
                              struct cursor *ret_last, struct err *e);

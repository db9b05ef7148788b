#pragma once

/*
 * One read of the journal for one answer. The handler makes a job and starts it; the read runs on
 * the pool and fills the body; the answer goes out on the loop. A client that leaves meanwhile
 * costs nothing but the read under way. Refused reads are answered as problems: 503
 * `journal-unavailable` while the journal is not open, 503 `busy` when too many wait, 503
 * `query-timeout` after 10 s.
 *
 * A resource embeds struct read_job as its first member.
 */

#include <stdatomic.h>

#include "receiver/api/page.h"
#include "receiver/api/state.h"

struct read_job;

struct read_job_ops {
    /* Pool: fills `job->body`; NULL-safe failures as -errno with a sentence in `e`. */
    int (*read)(struct read_job *job, struct journal_reader *reader, struct err *e);
    const char *content_type;
    size_t size; /* of the struct that begins with the read_job */
};

struct read_job {
    const struct read_job_ops *ops;
    struct http_request *request; /* NULL when the client has left; loop's thread */
    atomic_bool is_abandoned;     /* the same, for the pool */
    struct metric *read_time;
    struct page page; /* where the resource has pages, else zero */
    struct buf body;
    int outcome;
    bool had_reader;
    struct err err;
};

/* A job that is zero behind its base, or NULL after it has answered: no memory, or no journal. */
MUST_CHECK void *read_job_new(struct api *api, struct http_request *request,
                              const struct read_job_ops *ops);
/* Prepares `page`, as page_init. */
void read_job_paginate(struct api *api, struct read_job *job, const char *key, unsigned limit);
/* One that was not started. */
void read_job_free(struct read_job *job);
/* Takes the job. */
void read_job_start(struct api *api, struct read_job *job);

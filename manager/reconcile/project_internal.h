#pragma once

/* What the files of the project share. Inside manager/reconcile/project*.c only. */

#include "manager/reconcile/breaker.h"
#include "manager/reconcile/execute.h"
#include "manager/reconcile/observe.h"
#include "manager/reconcile/plan.h"
#include "manager/reconcile/project.h"
#include "manager/reconcile/project_state.h"

#define DRIFT_MAX 50

struct project {
    struct project_settings settings;
    char name[64];
    struct project_state state;

    struct taken *desired; /* the last that was taken; NULL: none */
    struct taken *good;    /* the last good; before the first, that which names nothing */
    struct taken *target;  /* what observation, plan and execution are about; while they are */

    struct observation *observation;
    struct observed *observed;
    struct plan plan;
    struct execution *execution;
    uv_timer_t wake, deadline;
    bool again;          /* it was to look while it was busy */
    bool keeping;        /* what is under way keeps the good one up while the desired one waits */
    bool refresh_images; /* pull_policy always has not been followed yet */
    bool timed_out;

    /* Pulls for the desired one, while the good one is kept up; `target` NULL: none. */
    struct {
        struct taken *target;
        struct collector_room *room; /* is being made before, or after `failure` */
        struct failure failure;
        struct observed *observed;
        struct plan plan;
        struct execution *execution;
    } fetch;

    unsigned stale_plans; /* in a row, of an apply */
    unsigned attempt;
    int64_t next_retry_ms, next_retry_us; /* monotonic and wall; 0: at once */
    int64_t gate_us;                      /* when the window opens; 0: it is open */
    unsigned keep_attempt;                /* likewise, of keeping up what is good */
    int64_t next_keep_ms;
    struct breaker breaker;
    struct ghosts ghosts;   /* met since it was converged */
    struct ghosts suspects; /* ids of containers that were not stopped or removed once */
    int64_t next_ghost_ms;  /* when it is tried again to remove what is buried */
    char bad_image[160];    /* what a name was moved to, and did not become good; "": none */
    struct failure trouble; /* in keeping up what is good; code REASON_NONE: none */
    struct failure refused; /* the last document offered; likewise */
    int64_t refused_revision;
    bool converged;
    struct drift drift[DRIFT_MAX];
    size_t drift_count;
    uint64_t applies, rollbacks;
};

/* ---- project_state.c's, with the project's own ---- */

/* -errno: said in the log, too. */
int project_save(struct project *p, struct err *e);

/* ---- project_offer.c ---- */

/* Makes it the desired one, in mode APPLY, on disk. Takes `taken` over. */
int project_take(struct project *p, struct taken *taken, const char *source, struct err *e);

/* ---- project.c ---- */

void project_changed(struct project *p);
void project_set_phase(struct project *p, enum phase phase);
/* Looks again in `ms` at the latest. */
void project_schedule(struct project *p, int64_t ms);
/* What was under way is about another document now. */
void project_supersede(struct project *p);
void project_step(struct project *p);
/* In the log, and to whoever is told of progress. */
void project_tell_step(struct project *p, const struct step_news *news);

/* ---- project_fetch.c ---- */

/* Takes observation and plan over, makes room where there is too little, pulls what the plan names,
 * and looks again. */
void project_fetch(struct project *p);
void project_fetch_free(struct project *p);

/* ---- project_outcome.c ---- */

int project_commit(struct project *p, struct err *e);
/* True where that is no failure: the next plan goes another way. */
bool project_goes_around(struct project *p, const struct failure *failure);
void project_forget_ghosts(struct project *p);
/* Of an apply (its pulls, too) or a rollback. */
void project_failed(struct project *p, const struct failure *failure);
/* Of keeping up what is good. */
void project_keep_failed(struct project *p, const struct failure *failure);

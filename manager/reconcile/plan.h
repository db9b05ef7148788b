#pragma once

/*
 * What has to be done so that a project becomes as its document says: single operations, one call
 * to the engine each, with their reasons and with what must be done before. A pure function of the
 * document and of what the engine has; the same for applying, for mending drift, for rolling back
 * and for `plan`. What the names and labels of containers say is enough to go on from wherever an
 * earlier run was cut off:
 *
 *   NAME             the service's container
 *   NAME.2           likewise, where the engine keeps NAME for a container that is not there
 *   NAME.new-REV     made, and not yet in its place
 *   NAME.old-REV     out of its place, kept until its successor has shown that it is good
 *   NAME.ghost-REV   given up: the engine could not stop or remove it
 *
 * A container that is as wanted is taken whatever its name: so a rollback is a plan like another,
 * for the last good document, which finds the kept containers.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "manager/desired/document.h"
#include "manager/reconcile/ghosts.h"
#include "manager/reconcile/observed.h"

enum op_kind {
    OP_PULL,
    OP_NETWORK_CREATE,
    OP_VOLUME_CREATE,
    OP_CREATE,
    OP_CONNECT, /* to a network beyond the first */
    OP_LIMITS,  /* changed in place, restart policy included */
    OP_STOP,
    OP_RENAME,
    OP_START,
    OP_VERIFY, /* waits until it has shown that it is good */
    OP_COMMIT, /* all are: what was kept goes */
    OP_REMOVE,
    OP_NETWORK_REMOVE,
    OP_DISCONNECT,
    OP_KIND_COUNT
};

#define OP_NONE     (-1)
#define PLAN_ABSENT "it is not there" /* the reason for making what is missing */

struct op {
    enum op_kind kind;
    const struct service *service;   /* NULL: none, or not in the document */
    const struct resource *resource; /* of networks, volumes and OP_CONNECT */
    int number;
    const char *container; /* its id; NULL: what operation `maker` made */
    int maker;
    const char *object; /* the container's, network's, volume's or image's name, for people */
    const char *name;   /* to give: of OP_CREATE and OP_RENAME; of OP_DISCONNECT the network's */
    bool keep_stopped;  /* of OP_LIMITS */
    bool kills;         /* of OP_STOP: at once, for asking it to stop has failed */
    bool found_running; /* of OP_VERIFY: this plan does not start it */
    bool may_fail;      /* is done then, too, and makes no plan worth to be carried out */
    const char *reason;
    int *after; /* operations that must be done before */
    size_t after_count;
};

/* What stands in the way before anything is done. */
struct obstacle {
    enum reason_code code; /* REASON_NONE: nothing */
    const char *service;   /* NULL: the project's */
    const char *message;
};

struct plan {
    struct arena arena; /* of all below; refers to document and observed */
    struct op *ops;
    size_t count;
    struct obstacle obstacle;
};

enum plan_mode {
    PLAN_STEADY,   /* the document was good once: mends what is not as it says */
    PLAN_APPLY,    /* what is replaced is kept until OP_COMMIT */
    PLAN_ROLLBACK, /* what is replaced was not good, and goes at once */
};

struct plan_settings {
    enum plan_mode mode;
    bool refresh_images;           /* pull_policy always: pull now */
    const char *bad_image;         /* an image's id that did not become good; NULL: none */
    const struct ghosts *ghosts;   /* what the engine does not let go of; NULL: none */
    const struct ghosts *suspects; /* containers that it did not let go of once; NULL: none */
    bool remove_ghosts;            /* where nothing else is to be done: try again */
};

/* Where something is to be buried the plan is about that alone: the next one goes on from there.
 * 0, also with an obstacle; or -ENOMEM. `plan` is all zero before, and for plan_deinit() after. */
MUST_CHECK int plan_make(struct plan *plan, const struct document *document,
                         const struct observed *observed, const struct plan_settings *settings);
void plan_deinit(struct plan *plan);

/* Operations that are to change the engine: 0 where all is as the document says. */
size_t plan_changes(const struct plan *plan);
bool op_is_change(enum op_kind kind);

const char *op_kind_name(enum op_kind kind); /* "create" */
/* "create line3-web-1: its configuration changed" */
void op_format(const struct op *op, struct buf *out);

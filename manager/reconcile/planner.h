#pragma once

/* What the files of the planner share. Inside manager/reconcile/plan*.c only. */

#include "manager/reconcile/plan.h"

/* One container that a service should have, and what becomes of it. Operations by index. */
struct slot {
    const struct service *service;
    int number;
    const char *name;                  /* that it should have */
    const struct container *present;   /* of that name; NULL: none */
    const struct container *candidate; /* as wanted, whatever its name; NULL: must be made */
    const char *cause;                 /* why `present` is not as wanted */
    bool replaced;                     /* another container than before will be there */
    int create, stop, start, verify;   /* OP_NONE: not needed */
    int placed;                        /* the last that gives it its name */
    int gone;                          /* the last that takes `present` away or out of its name */
};

struct planner {
    const struct document *document;
    const struct observed *observed;
    const struct plan_settings *settings;
    struct plan *plan;
    struct slot *slots;
    size_t slot_count;
    struct {
        int create, remove; /* OP_NONE: not needed */
    } * networks;           /* by the document's index */
    int *volumes;           /* that makes it; OP_NONE */
    int commit;
    struct op nowhere; /* what is written to after that */
    bool failed;       /* out of memory */
};

/* The new operation's index; reason and object are borrowed. */
int planner_add(struct planner *p, enum op_kind kind, const char *object, const char *reason);
struct op *planner_op(struct planner *p, int index);
/* `index` comes after `before`; both may be OP_NONE. */
void planner_after(struct planner *p, int index, int before);
const char *planner_textf(struct planner *p, const char *fmt, ...) FORMAT(2, 3);
void planner_block(struct planner *p, enum reason_code code, const char *service,
                   const char *message);

void planner_images(struct planner *p);
void planner_networks(struct planner *p);
void planner_volumes(struct planner *p);
void planner_find_slots(struct planner *p);
void planner_slots(struct planner *p);
void planner_order(struct planner *p);
/* True if another service is to have a port that its container holds. */
bool planner_gives_port_away(const struct planner *p, const struct slot *slot);
/* True where one of its networks is made anew. */
bool planner_changes_network(const struct planner *p, const struct slot *slot);
void planner_orphans(struct planner *p);
/* NAME.ROLE-REVISION, or the first like it that can be had. */
const char *planner_free_name(struct planner *p, const char *name, const char *role,
                              int64_t revision);
/* What the engine is known not to stop or to remove gets out of the way. */
void planner_bury(struct planner *p);
void planner_remove_ghosts(struct planner *p);
/* What did not stop when it was asked to is killed. */
void planner_kill(struct planner *p);

/* Of the document's networks and volumes; -1: none. */
int planner_resource_index(const struct resource *list, size_t count, const char *key);

#pragma once

/* What of a project must outlive a power cut, beside its documents: state.json in the store. */

#include "manager/desired/store.h"
#include "manager/reconcile/project.h"

#define STATE_ORIGINS    32
#define STATE_QUARANTINE 20

enum project_mode { MODE_STEADY, MODE_APPLY, MODE_ROLLBACK };

struct origin_state {
    char name[136]; /* "" : unused */
    int priority;
    struct revision revision;
    bool stated; /* a document is published there; else it was withdrawn */
};

struct project_state {
    enum project_mode mode;
    struct origin_state origins[STATE_ORIGINS];
    char source[136]; /* the origin of the desired document, or "rollback" */
    struct revision desired, applied, last_good;
    char quarantine[STATE_QUARANTINE][DIGEST_SIZE]; /* newest first; "": unused */
    bool paused;
    bool held; /* failed, and left as it is */
    enum phase phase;
    int64_t since_us;
    struct failure failure;
};

/* All zero where nothing is stored. -EINVAL, -errno. */
MUST_CHECK int project_state_read(const struct store *store, const char *project,
                                  struct project_state *ret_state, struct err *e);
MUST_CHECK int project_state_write(struct store *store, const char *project,
                                   const struct project_state *state, struct err *e);

bool project_state_is_quarantined(const struct project_state *state, const char *digest);
void project_state_quarantine(struct project_state *state, const char *digest);
void project_state_release(struct project_state *state, const char *digest);

/* Finds or makes; NULL: there are too many. */
struct origin_state *project_state_origin(struct project_state *state, const char *name);

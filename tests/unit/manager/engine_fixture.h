#pragma once

/* A loop with an engine in it, and what it says of its state; waits for conditions. */

#include "manager/engine/engine.h"

struct scene {
    uv_loop_t loop;
    uv_timer_t patience;
    struct engine *engine;
    unsigned ups, downs;
    char reason[400]; /* of the last change */
};

/* What a call has told, for scene_call() and for a test's own calls. */
struct outcome {
    struct engine_call *call;
    bool done;
    int status;
    char message[600];
    char *body;
    size_t size;
    bool timed_out;
    size_t data_bytes;
    unsigned data_parts; /* the first is the one of size 0 */
};

void scene_init(struct scene *s);
void scene_deinit(struct scene *s); /* fails where a handle was left open */

/* The socket where a real engine listens, or NULL: DOCKER_HOST, else /var/run/docker.sock. */
const char *scene_real_socket(void);

void scene_start(struct scene *s, const char *socket, int64_t answer_ms);
void scene_stop(struct scene *s); /* the engine alone */
void scene_wait_up(struct scene *s);
void scene_wait_down(struct scene *s, unsigned downs);
void scene_wait(struct scene *s, const bool *flag);
/* From a callback: what is waited for may have come. */
void scene_break(void);
void scene_turn(struct scene *s);

/* One call to its end. */
void scene_call(struct scene *s, const char *method, const char *path, const char *body,
                struct outcome *ret_outcome);
void scene_wait_parts(struct scene *s, const struct outcome *outcome, unsigned parts);
void outcome_deinit(struct outcome *outcome);

/* For calls of a test's own; `context` is a struct outcome. */
void on_outcome(void *context, const struct engine_reply *reply);
void on_outcome_data(void *context, const char *bytes, size_t size);

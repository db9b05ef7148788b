#pragma once

/*
 * What an engine has that a plan looks at: our containers on this node, all networks and volumes,
 * and what the images that are asked for are now. Data only, read from the engine's lists (Docker
 * Engine API 1.41 and on); made by observe.h, and by tests from text.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"

enum container_state {
    CONTAINER_CREATED,
    CONTAINER_RUNNING,
    CONTAINER_PAUSED,
    CONTAINER_RESTARTING,
    CONTAINER_REMOVING,
    CONTAINER_EXITED,
    CONTAINER_DEAD,
};

struct attached_network {
    const char *name, *id;
};

struct container {
    const char *id, *name;                /* name without its leading '/' */
    const char *project, *service, *hash; /* of our labels, "" where missing */
    const char *image_id;                 /* of the image that it was made from */
    const char *network_mode;             /* "container:ID" where it shares another's */
    int number;
    int64_t revision;
    enum container_state state;
    const struct attached_network *networks;
    size_t network_count;
    const int *host_ports; /* that it publishes, while it runs */
    size_t host_port_count;
    const char *tail;       /* last lines of one that ended badly; NULL: not asked for */
    const cJSON *inspected; /* GET /containers/ID/json; NULL: not asked for. Borrowed */
};

struct network {
    const char *id, *name;
    const char *project, *hash; /* "": not ours */
};

struct volume {
    const char *name;
    const char *project, *hash;
};

struct image {
    const char *reference; /* as asked for */
    const char *id;        /* NULL: the engine has none of that name */
    const char *architecture;
};

struct observed {
    struct arena arena; /* of all below */
    struct container *containers;
    size_t container_count;
    struct container *ghosts; /* buried (ghosts.h); among the containers they are not */
    size_t ghost_count;
    struct network *networks;
    size_t network_count;
    struct volume *volumes;
    size_t volume_count;
    struct image *images;
    size_t image_count;
};

void observed_deinit(struct observed *observed); /* all zero is empty */

/* From the replies to GET /containers/json?all=1, GET /networks and GET /volumes: -EINVAL for what
 * no engine says, -ENOMEM. Containers of another node's label are left out. */
MUST_CHECK int observed_read_containers(struct observed *observed, const char *text, size_t len,
                                        const char *node, struct err *e);
MUST_CHECK int observed_read_networks(struct observed *observed, const char *text, size_t len,
                                      struct err *e);
MUST_CHECK int observed_read_volumes(struct observed *observed, const char *text, size_t len,
                                     struct err *e);
/* From the reply to GET /images/REFERENCE/json; `text` NULL: 404. */
MUST_CHECK int observed_add_image(struct observed *observed, const char *reference,
                                  const char *text, size_t len, struct err *e);

const struct network *observed_network(const struct observed *observed, const char *name);
const struct volume *observed_volume(const struct observed *observed, const char *name);
const struct image *observed_image(const struct observed *observed, const char *reference);
const struct container *observed_container(const struct observed *observed, const char *id);

const char *container_state_name(enum container_state state);
static inline bool container_is_up(const struct container *c)
{
    return c->state == CONTAINER_RUNNING || c->state == CONTAINER_PAUSED ||
           c->state == CONTAINER_RESTARTING;
}

/* Of GET /containers/ID/json; each copes with a member that is missing. */
struct inspection {
    const char *status; /* "running" */
    const char *health; /* "healthy", "unhealthy", "starting", "none" */
    bool running, oom_killed;
    int64_t exit_code, restarts;
    int64_t started_us, finished_us; /* 0: never */
    const char *restart_policy;      /* "no" */
};
struct inspection inspection_read(const cJSON *inspected);

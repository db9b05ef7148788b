#pragma once

/*
 * A desired state: what one project's containers, networks and volumes on this node should be. Read
 * from the wire (Compose's long JSON in our envelope, docs/nodes.md), checked as a whole, and put
 * in canonical form: durations int64 ns, sizes int64 bytes, keys sorted, defaults left out.
 *
 * A document never changes after it was made; everything in it lives as long as it does.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "manager/desired/reason.h"
#include "manager/desired/safety.h"

#define DOCUMENT_MAX_BYTES    (1 << 20)
#define DOCUMENT_API_VERSION  "bellbuoy/v1"
#define DOCUMENT_MAX_SERVICES 4096
#define DIGEST_SIZE           65 /* SHA-256 as hexadecimal digits, with NUL */

enum on_failure { ON_FAILURE_ROLLBACK, ON_FAILURE_HOLD, ON_FAILURE_KEEP_PARTIAL };
enum drift_policy { DRIFT_ENFORCE, DRIFT_REPORT };
enum pull_policy { PULL_MISSING, PULL_ALWAYS, PULL_NEVER };
enum dependency_condition { DEPENDS_STARTED, DEPENDS_HEALTHY, DEPENDS_COMPLETED };
enum strategy { STRATEGY_CREATE_STOP_START, STRATEGY_STOP_CREATE_START, STRATEGY_HANDOVER };

/* When updates may start: from each time that `cron` names, for `duration_ns`. */
struct window {
    const char *cron; /* five fields; NULL: always */
    int64_t duration_ns;
    bool utc; /* else the node's zone */
};

struct policy {
    enum on_failure on_failure;
    enum drift_policy drift;
    bool keep_orphans; /* containers of services that are no longer named */
    bool allow_empty;
    int64_t progress_deadline_ns; /* of one apply, after its pulls; 15 min */
    int64_t min_free_disk_bytes;  /* 0: not looked at */
    int max_pull_parallel;        /* 1 to 8; 2 */
    struct window window;
};

struct dependency {
    const char *service;
    enum dependency_condition condition;
    bool restart;  /* recreated or restarted when that one was */
    bool required; /* else only where that one is there */
};

/* What the engine changes in a living container; not in the hash. 0, NULL: not set. */
struct limits {
    const char *restart; /* "no", "always", "on-failure", "unless-stopped"; never NULL */
    int restart_retries; /* of on-failure */
    int64_t memory_bytes, memory_reservation_bytes, memory_swap_bytes;
    int64_t nano_cpus, cpu_shares;
    const char *cpuset;
    int64_t pids;
};

struct service {
    const char *name;
    const char *image;    /* as the document has it */
    const char *platform; /* NULL: the node's own */
    enum pull_policy pull;
    const char *container_name; /* NULL: PROJECT-SERVICE-NUMBER */
    int replicas;               /* 0 to 100 */
    const struct dependency *depends_on;
    size_t depends_on_count;
    struct limits limits;
    enum strategy strategy;
    bool has_healthcheck; /* of its own; the image may have one all the same */
    int64_t healthy_within_ns, min_uptime_ns;
    bool one_shot; /* some service waits for its completion, or its x-bellbuoy says oneShot */
    const char *const *networks; /* keys of the document's networks, NULL-terminated: the first is
                                    the one that the container is made in */
    const char *const *volumes;  /* keys of the document's volumes; NULL-terminated, sorted */
    const char *namespace_of;    /* service whose network it shares (network_mode: service:X) */
    const int *host_ports;       /* that it publishes, as far as the document fixes them */
    size_t host_port_count;
    int64_t stop_grace_ns;  /* stop_grace_period; 10 s */
    char hash[DIGEST_SIZE]; /* what, when changed, makes a new container necessary */
    const cJSON *canonical;
};

/* A network or volume of the project. */
struct resource {
    const char *key;  /* in the document */
    const char *name; /* in the engine: PROJECT_KEY unless it says otherwise */
    bool external;    /* someone else's: must be there, is never made or removed */
    char hash[DIGEST_SIZE];
    const cJSON *canonical;
};

struct document {
    int64_t revision;
    const char *id;                    /* activity id, echoed in reports; NULL: none */
    int64_t not_before_us, expires_us; /* wall time; 0: none */
    const char *project;
    struct policy policy;
    const struct service *services; /* by name */
    size_t service_count;
    const struct resource *networks, *volumes; /* by key */
    size_t network_count, volume_count;
    char digest[DIGEST_SIZE];
    const cJSON *canonical; /* without revision, id and times: equal for what is to be the same */
};

/* Why a document was not taken: a code of the closed list, the place, a sentence. */
struct rejection {
    enum reason_code code;
    char pointer[256]; /* RFC 6901; "" for the whole */
    struct err e;      /* names pointer and value, and what would be right */
};

/*
 * Checks everything that can be checked without an engine: size, JSON, keys, values, cycles, what
 * `safety` allows (NULL: that is the node's business). 0, or -EINVAL with `rejection`, or -ENOMEM.
 */
MUST_CHECK int document_parse(const char *text, size_t len, const struct safety *safety,
                              struct document **ret_document, struct rejection *rejection);
void document_free(struct document *document);
DEFINE_CLEANUP(struct document *, document_free);

/* NULL where there is none of that name. */
const struct service *document_service(const struct document *document, const char *name);
const struct resource *document_network(const struct document *document, const char *key);
const struct resource *document_volume(const struct document *document, const char *key);

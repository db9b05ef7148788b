#pragma once

/*
 * What a node said, as it is kept: the compact JSON of one message with what must be known of it.
 * It never changes once it is made. docs/nodes.md fixes the messages.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define NODE_NAME_MAX    253 /* of a Kubernetes node */
#define NODE_SESSION_MAX ((INT64_C(1) << 53) - 1)

struct node_text {
    int64_t session;
    int64_t said_us;  /* the message's own time; 0: it bears none */
    int64_t came_us;  /* when it came */
    uint64_t digest;  /* of what counts as a change */
    bool is_online;   /* of a presence */
    const char *name; /* the node's true name; within the same memory */
    size_t len;
    char json[];
};

/* Memory that one takes, for the bounds of all. */
static inline size_t node_text_bytes(const struct node_text *text)
{
    return text ? sizeof(*text) + text->len : 0;
}

/* 0 where there is none. */
static inline uint64_t node_text_digest(const struct node_text *text)
{
    return text ? text->digest : 0;
}

/* FNV-1a of 64 bits (RFC draft-eastlake-fnv, section 2): tells texts apart, keeps nobody out. */
uint64_t node_text_hash(const char *bytes, size_t len);

/*
 * `node` and `session`, which every message of a node bears: the name must be that of the topic's
 * `level`. -EINVAL.
 */
MUST_CHECK int node_text_who(const cJSON *json, const char *level, const char **ret_name,
                             int64_t *ret_session, struct err *e);
/* An object and no other value; -EINVAL. */
MUST_CHECK int node_text_parse(const char *payload, size_t size, cJSON **ret_json, struct err *e);
/* The object's text, with `name`, and all else zero. -ENOMEM. */
MUST_CHECK int node_text_new(const cJSON *json, const char *name, struct node_text **ret_text,
                             struct err *e);

static inline void node_text_free(struct node_text *text)
{
    free(text);
}
DEFINE_CLEANUP(struct node_text *, node_text_free);

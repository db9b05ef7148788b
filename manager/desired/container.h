#pragma once

/*
 * A service's container as the engine is told to make it: the body of POST /containers/create
 * (Docker Engine API 1.41 and on), from the service's canonical form. Pure.
 */

#include <cjson/cJSON.h>

#include "manager/desired/document.h"

#define LABEL_PROJECT  "io.bellbuoy.project"
#define LABEL_SERVICE  "io.bellbuoy.service"
#define LABEL_NUMBER   "io.bellbuoy.number"
#define LABEL_HASH     "io.bellbuoy.hash.v1"
#define LABEL_IMAGE    "io.bellbuoy.image"    /* id of the image that it was made from */
#define LABEL_REVISION "io.bellbuoy.revision" /* for people; nothing is decided by it */
#define LABEL_NODE     "io.bellbuoy.node"
#define LABEL_RESOURCE "io.bellbuoy.resource" /* of networks and volumes: the document's key */

#define CONTAINER_NAME_SIZE 320 /* that a document can give, with NUL */

/* The name that it should have: container_name, or PROJECT-SERVICE-NUMBER. */
void container_name_format(const struct document *document, const struct service *service,
                           int number, char ret_name[static CONTAINER_NAME_SIZE]);

struct container_origin {
    const char *node;
    const char *image_id; /* "sha256:..." */
    int64_t revision;
    int number;
    const char *namespace_container; /* id or name, for network_mode: service:X; else NULL */
    const char *secrets_dir;
};

/* With restart policy "no": the document's own comes by container_limits_body() once the container
 * has shown that it is good. Only the first network; the others are connected after. The caller
 * frees; NULL: no memory. */
cJSON *container_create_body(const struct document *document, const struct service *service,
                             const struct container_origin *origin);

/* Of POST /containers/{id}/update. `keep_stopped`: with restart policy "no". */
cJSON *container_limits_body(const struct service *service, bool keep_stopped);

/* Of POST /networks/{id}/connect, for network `key` of the service. */
cJSON *container_connect_body(const struct document *document, const struct service *service,
                              const char *key, const char *container);

/* Of POST /networks/create and POST /volumes/create. */
cJSON *network_create_body(const struct document *document, const struct resource *network,
                           const char *node);
cJSON *volume_create_body(const struct document *document, const struct resource *volume,
                          const char *node);

/* True if an inspected container (GET /containers/{id}/json) already has the service's limits;
 * those that the document does not set are not compared, but for one that our own create set. */
bool container_has_limits(const struct service *service, const cJSON *inspected);

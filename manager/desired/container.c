#include "manager/desired/container.h"

#include <inttypes.h>
#include <stdio.h>

#include "manager/desired/body.h"
#include "manager/desired/endpoint.h"
#include "manager/desired/service_keys.h"

void container_name_format(const struct document *document, const struct service *service,
                           int number, char ret_name[static CONTAINER_NAME_SIZE])
{
    if (service->container_name)
        (void)snprintf(ret_name, CONTAINER_NAME_SIZE, "%s", service->container_name);
    else
        (void)snprintf(ret_name, CONTAINER_NAME_SIZE, "%s-%s-%d", document->project, service->name,
                       number);
}

static bool add_labels(struct body *body)
{
    cJSON *labels = body_object(body, "Labels");
    char number[16];
    char revision[24];

    snprintf(number, sizeof number, "%d", body->origin->number);
    snprintf(revision, sizeof revision, "%" PRId64, body->origin->revision);
    return labels && cJSON_AddStringToObject(labels, LABEL_PROJECT, body->document->project) &&
           cJSON_AddStringToObject(labels, LABEL_SERVICE, body->service->name) &&
           cJSON_AddStringToObject(labels, LABEL_NUMBER, number) &&
           cJSON_AddStringToObject(labels, LABEL_HASH, body->service->hash) &&
           cJSON_AddStringToObject(labels, LABEL_IMAGE, body->origin->image_id) &&
           cJSON_AddStringToObject(labels, LABEL_REVISION, revision) &&
           cJSON_AddStringToObject(labels, LABEL_NODE, body->origin->node);
}

static bool add_restart(struct body *body)
{
    cJSON *policy = body_object(body, "HostConfig/RestartPolicy");

    return policy && cJSON_AddStringToObject(policy, "Name", "no");
}

cJSON *container_create_body(const struct document *document, const struct service *service,
                             const struct container_origin *origin)
{
    AUTO(cJSON_Delete) cJSON *json = cJSON_CreateObject();
    struct body body = {document, service, origin, json};

    if (!json || !key_write_all(&body, service_keys, service->canonical) || !add_labels(&body) ||
        !add_restart(&body) || !endpoint_write_first(&body))
        return NULL;
    return TAKE(json);
}

cJSON *container_connect_body(const struct document *document, const struct service *service,
                              const char *key, const char *container)
{
    AUTO(cJSON_Delete) cJSON *json = cJSON_CreateObject();

    (void)document;
    if (!json || !cJSON_AddStringToObject(json, "Container", container) ||
        !key_add(json, "EndpointConfig", endpoint_settings(service, key)))
        return NULL;
    return TAKE(json);
}

#include "manager/reconcile/request.h"

#include "common/base/json.h"
#include "manager/desired/container.h"
#include "manager/engine/url.h"

#define SLACK_MS       60000  /* beyond a container's grace period */
#define STOP_OTHERS_MS 600000 /* of a container whose document is not known */

/* Takes the tree over. */
static int set_body(struct buf *body, cJSON *json)
{
    char *text = json ? cJSON_PrintUnformatted(json) : NULL;

    cJSON_Delete(json);
    if (!text)
        return -ENOMEM;
    buf_append_str(body, text);
    cJSON_free(text);
    return buf_failed(body) ? -ENOMEM : 0;
}

static cJSON *stay_stopped_body(void)
{
    cJSON *body AUTO(cJSON_Delete) = cJSON_CreateObject();
    cJSON *policy = cJSON_AddObjectToObject(body, "RestartPolicy");

    return cJSON_AddStringToObject(policy, "Name", "no") ? TAKE(body) : NULL;
}

static cJSON *disconnect_body(const char *container)
{
    cJSON *body AUTO(cJSON_Delete) = cJSON_CreateObject();

    return cJSON_AddStringToObject(body, "Container", container) &&
                   cJSON_AddBoolToObject(body, "Force", true)
               ? TAKE(body)
               : NULL;
}

static int make_create(const struct op *op, const struct request_context *c, struct buf *path,
                       struct buf *body)
{
    const struct image *image = observed_image(c->observed, op->service->image);
    const struct container_origin origin = {
        .node = c->node,
        .image_id = image && image->id ? image->id : "",
        .revision = c->document->revision,
        .number = op->number,
        .namespace_container = c->namespace_container,
        .secrets_dir = c->secrets_dir,
    };

    buf_append_str(path, "/containers/create?name=");
    url_append(path, op->name);
    if (op->service->platform) {
        buf_append_str(path, "&platform=");
        url_append(path, op->service->platform);
    }
    return set_body(body, container_create_body(c->document, op->service, &origin));
}

static int64_t stop_timeout_ms(const struct op *op)
{
    return op->service ? op->service->stop_grace_ns / 1000000 + SLACK_MS : STOP_OTHERS_MS;
}

int request_make(const struct op *op, const struct request_context *c, struct buf *path,
                 struct buf *body, struct engine_request *ret_request)
{
    struct engine_request request = {.method = "POST", .timeout_ms = SLACK_MS};
    int r = 0;

    switch (op->kind) {
    case OP_NETWORK_CREATE:
        buf_append_str(path, "/networks/create");
        r = set_body(body, network_create_body(c->document, op->resource, c->node));
        break;
    case OP_VOLUME_CREATE:
        buf_append_str(path, "/volumes/create");
        r = set_body(body, volume_create_body(c->document, op->resource, c->node));
        break;
    case OP_CREATE:
        r = make_create(op, c, path, body);
        break;
    case OP_CONNECT:
        buf_append_str(path, "/networks/");
        url_append(path, op->resource->name);
        buf_append_str(path, "/connect");
        r = set_body(body, container_connect_body(c->document, op->service, op->resource->key,
                                                  c->container));
        break;
    case OP_LIMITS:
        buf_appendf(path, "/containers/%s/update", c->container);
        r = set_body(body, op->keep_stopped || !op->service
                               ? stay_stopped_body()
                               : container_limits_body(op->service, false));
        break;
    case OP_STOP:
        buf_appendf(path, "/containers/%s/%s", c->container, op->kills ? "kill" : "stop");
        request.timeout_ms = op->kills ? SLACK_MS : stop_timeout_ms(op);
        break;
    case OP_RENAME:
        buf_appendf(path, "/containers/%s/rename?name=", c->container);
        url_append(path, op->name);
        break;
    case OP_START:
        buf_appendf(path, "/containers/%s/start", c->container);
        break;
    case OP_REMOVE:
        request.method = "DELETE";
        buf_appendf(path, "/containers/%s?force=1&v=1", c->container);
        break;
    case OP_DISCONNECT:
        buf_append_str(path, "/networks/");
        url_append(path, op->name);
        buf_append_str(path, "/disconnect");
        r = set_body(body, disconnect_body(c->container));
        break;
    case OP_NETWORK_REMOVE:
        request.method = "DELETE";
        buf_appendf(path, "/networks/%s", op->name);
        break;
    case OP_PULL:
    case OP_VERIFY:
    case OP_COMMIT:
    case OP_KIND_COUNT:
        return -EINVAL;
    }
    request.path = path->data;
    request.body = body->len > 0 ? body->data : NULL;
    if (r == 0 && buf_failed(path))
        r = -ENOMEM;
    if (r == 0)
        *ret_request = request;
    return r;
}

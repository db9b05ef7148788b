/*
 * Bytes as a desired state. What is refused has a code and a sentence that names the place; what is
 * taken is in order: its canonical form has its keys sorted, and comes out the same with every
 * object's members turned round; every body can be made; and there is no cycle in it.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/desired/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

DEFINE_CLEANUP(char *, cJSON_free);

static const char *const words[] = {"privileged", "host-network", "cap:NET_ADMIN", NULL};
static const char *const folders[] = {"/srv", NULL};
static const struct safety safety = {words, folders, "/secrets"};

static void require(bool truth)
{
    if (!truth)
        abort();
}

static void check_sorted(const cJSON *json)
{
    for (const cJSON *child = json->child; child; child = child->next) {
        if (cJSON_IsObject(json) && child->next)
            require(strcmp(child->string, child->next->string) < 0);
        check_sorted(child);
    }
}

/* The last member first, all the way down; arrays stay. */
static void turn_round(cJSON *json)
{
    cJSON *turned = NULL;
    cJSON *child;

    for (child = json->child; child; child = child->next)
        turn_round(child);
    if (!cJSON_IsObject(json))
        return;
    turned = cJSON_CreateObject();
    require(turned != NULL);
    while ((child = json->child))
        cJSON_InsertItemInArray(turned, 0, cJSON_DetachItemViaPointer(json, child));
    json->child = turned->child;
    turned->child = NULL;
    cJSON_Delete(turned);
}

static void check_turned(const struct document *document, const char *text, size_t len)
{
    AUTO(cJSON_Delete) cJSON *json = NULL;
    AUTO(cJSON_free) char *turned = NULL;
    AUTO(document_free) struct document *again = NULL;
    struct rejection rejection = {0};
    struct err e;

    require(json_parse(text, len, JSON_MAX_DEPTH, &json, &e) == 0);
    turn_round(json);
    turned = cJSON_PrintUnformatted(json);
    require(turned != NULL);
    if (strlen(turned) > DOCUMENT_MAX_BYTES)
        return; /* printed, a number or a character may be longer */
    require(document_parse(turned, strlen(turned), &safety, &again, &rejection) == 0);
    require(strcmp(again->digest, document->digest) == 0);
    require(again->revision == document->revision);
    for (size_t i = 0; i < document->service_count; i++)
        require(strcmp(again->services[i].hash, document->services[i].hash) == 0);
}

static void check_service(const struct document *document, const struct service *service)
{
    const struct container_origin origin = {"node", "sha256:0", document->revision,
                                            1,      "parent",   "/secrets"};
    AUTO(cJSON_Delete) cJSON *create = container_create_body(document, service, &origin);
    AUTO(cJSON_Delete) cJSON *limits = container_limits_body(service, false);

    require(create && limits);
    require(document_service(document, service->name) == service);
    require(service->replicas >= 0 && service->replicas <= 100);
    for (size_t i = 0; service->networks[i]; i++) {
        AUTO(cJSON_Delete)
        cJSON *connect = container_connect_body(document, service, service->networks[i], "id");

        require(document_network(document, service->networks[i]) && connect);
    }
    for (size_t i = 0; service->volumes[i]; i++)
        require(document_volume(document, service->volumes[i]) != NULL);
}

static void check_document(const struct document *document)
{
    check_sorted(document->canonical);
    require(strlen(document->digest) == DIGEST_SIZE - 1);
    for (size_t i = 0; i < document->service_count; i++)
        check_service(document, &document->services[i]);
    for (size_t i = 0; i < document->network_count; i++) {
        AUTO(cJSON_Delete)
        cJSON *body = network_create_body(document, &document->networks[i], "node");

        require(body != NULL);
    }
    for (size_t i = 0; i < document->volume_count; i++) {
        AUTO(cJSON_Delete)
        cJSON *body = volume_create_body(document, &document->volumes[i], "node");

        require(body != NULL);
    }
}

static void check_rejection(const struct rejection *rejection)
{
    const char *pointer = rejection->pointer;
    const char *msg = rejection->e.msg;
    size_t plain = 0;

    while ((unsigned char)pointer[plain] >= ' ' && pointer[plain] != 0x7f)
        plain++;
    require(rejection->code != REASON_NONE && msg[0]);
    require(str_is_utf8(pointer, strlen(pointer), NULL) && str_is_utf8(msg, strlen(msg), NULL));
    /* From the first control character on, the message has others in their place. */
    require(!pointer[0] || strncmp(msg, pointer, plain) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    AUTO(document_free) struct document *document = NULL;
    struct rejection rejection = {0};
    const char *text = (const char *)bytes;
    int r = document_parse(text, size, &safety, &document, &rejection);

    if (r < 0) {
        require(r == -EINVAL && !document);
        check_rejection(&rejection);
        return 0;
    }
    check_document(document);
    check_turned(document, text, size);
    return 0;
}

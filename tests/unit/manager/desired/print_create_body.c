/*
 * Prints what the engine would be told for a document on stdin, as JSON: {"digest", "networks":
 * {KEY: body}, "volumes": {KEY: body}, "services": {NAME: {"hash", "create", "connect": {KEY:
 * body}, "limits"}}}; or {"code", "pointer", "message"}, with exit status 3, where it is refused.
 *
 *     print_create_body [--secrets-dir DIR] [--bind DIR]... [--allow WORD]...
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "manager/desired/container.h"

#define LIST_MAX 32
#define NODE     "node-1"

DEFINE_CLEANUP(char *, cJSON_free);

static void print(const cJSON *json)
{
    AUTO(cJSON_free) char *text = cJSON_Print(json);

    puts(text);
}

static int print_rejection(const struct rejection *rejection)
{
    AUTO(cJSON_Delete) cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "code", reason_name(rejection->code));
    cJSON_AddStringToObject(json, "pointer", rejection->pointer);
    cJSON_AddStringToObject(json, "message", rejection->e.msg);
    print(json);
    return 3;
}

static void add_service(cJSON *services, const struct document *document,
                        const struct service *service, const char *secrets_dir)
{
    const struct container_origin origin = {
        .node = NODE,
        .image_id = "sha256:0000",
        .revision = document->revision,
        .number = 1,
        .namespace_container = service->namespace_of,
        .secrets_dir = secrets_dir,
    };
    cJSON *json = cJSON_AddObjectToObject(services, service->name);
    cJSON *connect = cJSON_AddObjectToObject(json, "connect");

    cJSON_AddStringToObject(json, "hash", service->hash);
    cJSON_AddItemToObject(json, "create", container_create_body(document, service, &origin));
    cJSON_AddItemToObject(json, "limits", container_limits_body(service, false));
    for (size_t i = 1; service->networks[0] && service->networks[i]; i++)
        cJSON_AddItemToObject(
            connect, service->networks[i],
            container_connect_body(document, service, service->networks[i], "CONTAINER"));
}

static void print_document(const struct document *document, const char *secrets_dir)
{
    AUTO(cJSON_Delete) cJSON *json = cJSON_CreateObject();
    cJSON *networks = cJSON_AddObjectToObject(json, "networks");
    cJSON *volumes = cJSON_AddObjectToObject(json, "volumes");
    cJSON *services = cJSON_AddObjectToObject(json, "services");

    cJSON_AddStringToObject(json, "digest", document->digest);
    cJSON_AddItemToObject(json, "canonical", cJSON_Duplicate(document->canonical, true));
    for (size_t i = 0; i < document->network_count; i++)
        if (!document->networks[i].external)
            cJSON_AddItemToObject(networks, document->networks[i].key,
                                  network_create_body(document, &document->networks[i], NODE));
    for (size_t i = 0; i < document->volume_count; i++)
        if (!document->volumes[i].external)
            cJSON_AddItemToObject(volumes, document->volumes[i].key,
                                  volume_create_body(document, &document->volumes[i], NODE));
    for (size_t i = 0; i < document->service_count; i++)
        add_service(services, document, &document->services[i], secrets_dir);
    print(json);
}

int main(int argc, char **argv)
{
    static char text[DOCUMENT_MAX_BYTES + 2];
    const char *allow[LIST_MAX] = {NULL};
    const char *binds[LIST_MAX] = {NULL};
    struct safety safety = {allow, binds, NULL};
    AUTO(document_free) struct document *document = NULL;
    struct rejection rejection = {0};
    size_t allows = 0;
    size_t folders = 0;

    for (int i = 1; i + 1 < argc && allows < LIST_MAX - 1 && folders < LIST_MAX - 1; i += 2) {
        if (strcmp(argv[i], "--allow") == 0)
            allow[allows++] = argv[i + 1];
        else if (strcmp(argv[i], "--bind") == 0)
            binds[folders++] = argv[i + 1];
        else
            safety.secrets_dir = argv[i + 1];
    }
    if (document_parse(text, fread(text, 1, sizeof text, stdin), &safety, &document, &rejection) <
        0)
        return print_rejection(&rejection);
    print_document(document, safety.secrets_dir);
    return 0;
}

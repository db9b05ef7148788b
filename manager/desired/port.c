#include "manager/desired/port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/desired/body.h"

#define PORT_LAST     65535
#define PORT_TEXT_MAX 32

/* "5000-5002/udp" */
struct range {
    int first, last;
    const char *protocol;
};

static const char *const protocols[] = {"tcp", "udp", "sctp", NULL};

static int number_parse(const char **text, int min, int *ret_number)
{
    char digits[6];
    size_t len = strspn(*text, "0123456789");
    int64_t number;

    if (!str_copy_n(digits, sizeof digits, *text, len) ||
        str_parse_int(digits, min, PORT_LAST, &number) < 0)
        return -EINVAL;
    *text += len;
    *ret_number = (int)number;
    return 0;
}

/* FIRST[-LAST][/PROTOCOL] */
static int range_parse(const char *text, struct range *ret_range)
{
    struct range range = {.protocol = protocols[0]};

    if (number_parse(&text, 1, &range.first) < 0)
        return -EINVAL;
    range.last = range.first;
    if (*text == '-') {
        text++;
        if (number_parse(&text, range.first, &range.last) < 0)
            return -EINVAL;
    }
    if (*text == '/') {
        const char *const *protocol = protocols;

        while (*protocol && strcmp(*protocol, text + 1) != 0)
            protocol++;
        if (!*protocol)
            return -EINVAL;
        range.protocol = *protocol;
    } else if (*text) {
        return -EINVAL;
    }
    *ret_range = range;
    return 0;
}

static cJSON *range_format(const struct range *range)
{
    char text[PORT_TEXT_MAX];

    if (range->first == range->last)
        snprintf(text, sizeof text, "%d/%s", range->first, range->protocol);
    else
        snprintf(text, sizeof text, "%d-%d/%s", range->first, range->last, range->protocol);
    return cJSON_CreateString(text);
}

/* ---- expose ---- */

int port_read_exposed(const struct reading *r, const struct place *at, const struct key *key,
                      const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    size_t index = 0;
    int count = 0;

    (void)key;
    if (!cJSON_IsArray(value))
        return reading_fail_value(r, at, value, "an array of ports");
    canonical = cJSON_CreateArray();
    if (!canonical)
        return reading_fail_memory(r);
    for (const cJSON *item = value->child; item; item = item->next, index++) {
        AUTO(cJSON_Delete) cJSON *text = NULL;
        struct place place = {at, NULL, index};
        struct range range;
        int ret = value_read_text(r, &place, item, &text);

        if (ret < 0)
            return ret;
        if (range_parse(text->valuestring, &range) < 0)
            return reading_fail_value(r, &place, item,
                                      "a port such as \"80\", \"53/udp\" or \"5000-5010\"");
        count += range.last - range.first + 1;
        if (count > PORT_MAX_EXPOSED)
            return reading_fail(r, REASON_SCHEMA, at, "has more than %d ports", PORT_MAX_EXPOSED);
        if (!key_add(canonical, NULL, range_format(&range)))
            return reading_fail_memory(r);
    }
    if (canonical->child)
        *ret_canonical = TAKE(canonical);
    return 0;
}

static bool expose(struct body *body, const char *port)
{
    cJSON *ports = body_object(body, "ExposedPorts");

    if (!ports)
        return false;
    return json_member(ports, port) || cJSON_AddObjectToObject(ports, port);
}

bool port_write_exposed(struct body *body, const struct key *key, const cJSON *canonical)
{
    const cJSON *item;

    (void)key;
    cJSON_ArrayForEach(item, canonical)
    {
        struct range range;

        if (range_parse(item->valuestring, &range) < 0)
            return false;
        for (int port = range.first; port <= range.last; port++) {
            char text[PORT_TEXT_MAX];

            snprintf(text, sizeof text, "%d/%s", port, range.protocol);
            if (!expose(body, text))
                return false;
        }
    }
    return true;
}

/* ---- ports ---- */

/* A port of the host, or a range that the engine takes one of. */
static int read_host_port(const struct reading *r, const struct place *at, const struct key *key,
                          const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *text = NULL;
    struct range range;

    (void)key;
    if (!cJSON_IsString(value) && !cJSON_IsNumber(value))
        return reading_fail_value(r, at, value, "a port such as \"8080\" or \"8000-8010\"");
    if (value_read_text(r, at, value, &text) < 0)
        return -ENOMEM;
    if (str_equal(text->valuestring, "") || str_equal(text->valuestring, "0"))
        return 0;
    if (strchr(text->valuestring, '/') || range_parse(text->valuestring, &range) < 0)
        return reading_fail_value(r, at, value,
                                  "a port from 1 to 65535 such as \"8080\", or \"8000-8010\"");
    *ret_canonical = TAKE(text);
    return 0;
}

/* For people and for Swarm; one engine makes nothing of it. */
static int read_note(const struct reading *r, const struct place *at, const struct key *key,
                     const cJSON *value, cJSON **ret_canonical)
{
    (void)key;
    (void)ret_canonical;
    return cJSON_IsString(value) ? 0 : reading_fail_value(r, at, value, "a string");
}

static const char *const modes[] = {"ingress", "host", NULL};

static int read_mode(const struct reading *r, const struct place *at, const struct key *key,
                     const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *mode = NULL;

    (void)ret_canonical; /* one engine publishes in the same way by both */
    return value_read_choice(r, at, key, value, &mode);
}

const struct key port_keys[] = {
    {.name = "target", .read = value_read_integer, .min = 1, .max = PORT_LAST, .required = true},
    {.name = "published", .read = read_host_port},
    {.name = "host_ip", .read = value_read_string},
    {.name = "protocol", .read = value_read_choice, .choices = protocols},
    {.name = "mode", .read = read_mode, .choices = modes},
    {.name = "name", .read = read_note},
    {.name = "app_protocol", .read = read_note},
    {.name = NULL},
};

static const char *text_of(const cJSON *object, const char *name, const char *fallback)
{
    const cJSON *value = json_member(object, name);

    return value ? value->valuestring : fallback;
}

static bool bind_port(struct body *body, const cJSON *port)
{
    char text[PORT_TEXT_MAX];
    cJSON *bindings = body_object(body, "HostConfig/PortBindings");
    cJSON *list;
    cJSON *binding;

    snprintf(text, sizeof text, "%d/%s", json_member(port, "target")->valueint,
             text_of(port, "protocol", protocols[0]));
    if (!bindings || !expose(body, text))
        return false;
    list = cJSON_GetObjectItemCaseSensitive(bindings, text);
    if (!list)
        list = cJSON_AddArrayToObject(bindings, text);
    binding = cJSON_CreateObject();
    return list && key_add(list, NULL, binding) &&
           cJSON_AddStringToObject(binding, "HostIp", text_of(port, "host_ip", "")) &&
           cJSON_AddStringToObject(binding, "HostPort", text_of(port, "published", ""));
}

bool port_write_published(struct body *body, const struct key *key, const cJSON *canonical)
{
    const cJSON *port;

    (void)key;
    cJSON_ArrayForEach(port, canonical) if (!bind_port(body, port)) return false;
    return true;
}

/* ---- conflicts ---- */

/* One address family of one published port. */
struct claim {
    int port;
    const char *protocol;
    bool v6;
    const char *ip; /* "": all of the family */
    const struct service *service;
    size_t index;
};

static int compare_claims(const void *x, const void *y)
{
    const struct claim *a = x;
    const struct claim *b = y;
    int order = a->port - b->port;

    if (order == 0)
        order = strcmp(a->protocol, b->protocol);
    if (order == 0)
        order = (int)a->v6 - (int)b->v6;
    return order != 0 ? order : strcmp(a->ip, b->ip);
}

static bool claims_collide(const struct claim *a, const struct claim *b)
{
    return a->port == b->port && strcmp(a->protocol, b->protocol) == 0 && a->v6 == b->v6 &&
           (!a->ip[0] || strcmp(a->ip, b->ip) == 0);
}

/* The claims of one port: 0 to 2. */
static size_t claims_make(const struct service *service, const cJSON *port, size_t index,
                          struct claim claims[static 2])
{
    const char *published = text_of(port, "published", "");
    const char *ip = text_of(port, "host_ip", "");
    struct claim claim = {
        .protocol = text_of(port, "protocol", protocols[0]), .service = service, .index = index};
    size_t count = 0;

    /* Of a range, or of none, the engine takes one that is free. */
    if (!published[0] || strchr(published, '-'))
        return 0;
    if (number_parse(&published, 1, &claim.port) < 0)
        return 0;
    for (int v6 = 0; v6 < 2; v6++) {
        if (ip[0] && (strchr(ip, ':') != NULL) != (v6 == 1))
            continue;
        claim.v6 = v6 == 1;
        claim.ip = str_equal(ip, "0.0.0.0") || str_equal(ip, "::") ? "" : ip;
        claims[count++] = claim;
    }
    return count;
}

static size_t count_ports(const struct document *document)
{
    size_t count = 0;

    for (size_t i = 0; i < document->service_count; i++)
        count += (size_t)cJSON_GetArraySize(json_member(document->services[i].canonical, "ports"));
    return count;
}

static int fail_claim(const struct reading *r, const struct claim *claim, const char *why)
{
    struct place services = {NULL, "services", 0};
    struct place service = {&services, claim->service->name, 0};
    struct place ports = {&service, "ports", 0};

    return reading_fail(r, REASON_SCHEMA, &(struct place){&ports, NULL, claim->index},
                        "publishes port %d/%s, %s", claim->port, claim->protocol, why);
}

static int fail_collision(const struct reading *r, const struct claim *first,
                          const struct claim *second)
{
    char why[128];

    snprintf(why, sizeof why, "which service \"%.60s\" publishes already", first->service->name);
    return fail_claim(r, second, why);
}

int port_check(const struct reading *r, const struct document *document)
{
    AUTO(free) struct claim *claims = calloc(2 * count_ports(document) + 2, sizeof *claims);
    size_t count = 0;

    if (!claims)
        return reading_fail_memory(r);
    for (size_t i = 0; i < document->service_count; i++) {
        const struct service *service = &document->services[i];
        const cJSON *port;
        size_t index = 0;

        cJSON_ArrayForEach(port, json_member(service->canonical, "ports"))
        {
            size_t made = claims_make(service, port, index++, &claims[count]);

            if (made > 0 && service->strategy == STRATEGY_HANDOVER)
                return fail_claim(r, &claims[count],
                                  "which the old and the new container cannot both have: take "
                                  "another strategy than handover");
            if (made > 0 && service->replicas > 1)
                return fail_claim(r, &claims[count],
                                  "which only one of its replicas can have: publish a range");
            count += made;
        }
    }
    qsort(claims, count, sizeof *claims, compare_claims);
    for (size_t i = 1; i < count; i++)
        if (claims_collide(&claims[i - 1], &claims[i]))
            return fail_collision(r, &claims[i - 1], &claims[i]);
    return 0;
}

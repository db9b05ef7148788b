#include "manager/desired/endpoint.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/desired/body.h"

static int read_address(const struct reading *r, const struct place *at, const struct key *key,
                        const cJSON *value, cJSON **ret_canonical)
{
    unsigned char address[sizeof(struct in6_addr)];
    int family = key->max == 6 ? AF_INET6 : AF_INET;

    if (!cJSON_IsString(value) || inet_pton(family, value->valuestring, address) != 1)
        return reading_fail_value(r, at, value,
                                  key->max == 6 ? "an IPv6 address" : "an IPv4 address");
    return value_read_string(r, at, key, value, ret_canonical);
}

const struct key endpoint_keys[] = {
    {.name = "aliases", .read = value_read_strings, .unique = true},
    {.name = "ipv4_address", .read = read_address, .max = 4},
    {.name = "ipv6_address", .read = read_address, .max = 6},
    {.name = "link_local_ips", .read = value_read_strings},
    {.name = "driver_opts", .read = value_read_map},
    {.name = "priority", .read = value_read_integer, .min = -1000000, .max = 1000000},
    {.name = "mac_address", .refused = "let the engine choose it"},
    {.name = "gw_priority", .refused = "engines before 28 do not know it; use \"priority\""},
    {.name = "interface_name", .refused = "engines before 28.1 do not know it"},
    {.name = NULL},
};

int endpoint_read_mode(const struct reading *r, const struct place *at, const struct key *key,
                       const cJSON *value, cJSON **ret_canonical)
{
    static const char *const plain[] = {"none", "bridge", "host"};
    const char *mode = cJSON_IsString(value) ? value->valuestring : "";
    bool taken =
        (str_starts_with(mode, "service:") && mode[strlen("service:")]) ||
        (str_starts_with(mode, "container:") && value_is_engine_name(mode + strlen("container:")));
    int ret = 0;

    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        taken = taken || strcmp(mode, plain[i]) == 0;
    if (!taken)
        return reading_fail_value(r, at, value,
                                  "\"none\", \"bridge\", \"service:NAME\", \"host\" or "
                                  "\"container:NAME\"; other networks go into \"networks\"");
    if (strcmp(mode, "host") == 0)
        ret = reading_require(r, at, "host-network");
    else if (str_starts_with(mode, "container:"))
        ret = reading_require(r, at, "container-network");
    return ret < 0 ? ret : value_read_string(r, at, key, value, ret_canonical);
}

int endpoint_compare(const cJSON *a, const cJSON *b)
{
    const cJSON *first = json_member(a, "priority");
    const cJSON *second = json_member(b, "priority");

    return (second ? second->valueint : 0) - (first ? first->valueint : 0);
}

/* ---- writing ---- */

static bool copy_to(cJSON *target, const char *field, const cJSON *endpoint, const char *name)
{
    const cJSON *value = json_member(endpoint, name);

    return !value || key_add(target, field, cJSON_Duplicate(value, true));
}

static bool add_addresses(cJSON *settings, const cJSON *endpoint)
{
    cJSON *ipam = cJSON_AddObjectToObject(settings, "IPAMConfig");

    return ipam && copy_to(ipam, "IPv4Address", endpoint, "ipv4_address") &&
           copy_to(ipam, "IPv6Address", endpoint, "ipv6_address") &&
           copy_to(ipam, "LinkLocalIPs", endpoint, "link_local_ips");
}

static bool add_aliases(cJSON *settings, const struct service *service, const cJSON *endpoint)
{
    cJSON *aliases = cJSON_AddArrayToObject(settings, "Aliases");
    const cJSON *alias;

    if (!aliases || !key_add(aliases, NULL, cJSON_CreateString(service->name)))
        return false;
    if (service->container_name && strcmp(service->container_name, service->name) != 0 &&
        !key_add(aliases, NULL, cJSON_CreateString(service->container_name)))
        return false;
    cJSON_ArrayForEach(
        alias,
        json_member(endpoint, "aliases")) if (strcmp(alias->valuestring, service->name) != 0 &&
                                              !key_add(aliases, NULL,
                                                       cJSON_Duplicate(alias, true))) return false;
    return true;
}

cJSON *endpoint_settings(const struct service *service, const char *key)
{
    const cJSON *networks = json_member(service->canonical, "networks");
    const cJSON *endpoint = json_member(networks, key);
    AUTO(cJSON_Delete) cJSON *settings = cJSON_CreateObject();

    if (!endpoint || !settings || !add_aliases(settings, service, endpoint) ||
        !add_addresses(settings, endpoint) ||
        !copy_to(settings, "DriverOpts", endpoint, "driver_opts"))
        return NULL;
    return TAKE(settings);
}

static bool write_mode(struct body *body, const char *mode)
{
    return body_set(body, "HostConfig/NetworkMode", cJSON_CreateString(mode));
}

static bool write_network(struct body *body, const struct resource *network)
{
    cJSON *endpoints = body_object(body, "NetworkingConfig/EndpointsConfig");

    return endpoints && write_mode(body, network->name) &&
           key_add(endpoints, network->name, endpoint_settings(body->service, network->key));
}

bool endpoint_write_first(struct body *body)
{
    const struct service *service = body->service;
    const cJSON *mode = json_member(service->canonical, "network_mode");
    AUTO(buf_deinit) struct buf shared = BUF_INIT(1024);

    if (service->networks[0])
        return write_network(body, document_network(body->document, service->networks[0]));
    if (!service->namespace_of)
        return write_mode(body, mode ? mode->valuestring : "none");
    buf_appendf(&shared, "container:%s",
                body->origin->namespace_container ? body->origin->namespace_container : "");
    return !buf_failed(&shared) && write_mode(body, shared.data);
}

#include "manager/ctl/compose/mapping.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/str.h"

#define PORT_MAX       65535
#define PORT_TEXT_SIZE 64

struct port_range {
    int64_t first, last;
};

struct port_spec {
    const char *host_ip; /* "" for all */
    struct port_range host, container;
    bool has_host;
    const char *protocol;
};

/* "80" or "80-90". */
static int parse_range(const char *text, struct port_range *ret_range)
{
    char first[8];
    size_t len = strcspn(text, "-");
    const char *last = text[len] == '-' ? text + len + 1 : first;
    if (!str_copy_n(first, sizeof first, text, len) ||
        str_parse_int(first, 0, PORT_MAX, &ret_range->first) < 0 ||
        str_parse_int(last, ret_range->first, PORT_MAX, &ret_range->last) < 0) {
        return -EINVAL;
    }
    return 0;
}

static bool is_address(const char *text)
{
    unsigned char address[16];
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

/* NULL if it is none. */
static const char *find_protocol(const char *name)
{
    static const char *const PROTOCOLS[] = {"tcp", "udp", "sctp"};
    for (size_t i = 0; i < ARRAY_SIZE(PROTOCOLS); i++) {
        if (strcasecmp(name, PROTOCOLS[i]) == 0) {
            return PROTOCOLS[i];
        }
    }
    return NULL;
}

/* Cuts `text` into its parts; what is wrong with it, or NULL. */
static const char *parse_spec(char *text, struct port_spec *spec)
{
    *spec = (struct port_spec){.host_ip = "", .protocol = "tcp"};
    char *container = strrchr(text, ':');
    char *slash = strchr(container == NULL ? text : container, '/');
    if (slash != NULL && slash[1] == '\0') {
        *slash = '\0';
    } else if (slash != NULL) {
        *slash = '\0';
        spec->protocol = find_protocol(slash + 1);
        if (spec->protocol == NULL) {
            return "its protocol is none of tcp, udp and sctp";
        }
    }
    const char *host = "";
    if (container != NULL) {
        *container++ = '\0';
        char *colon = strrchr(text, ':');
        host = colon == NULL ? text : colon + 1;
        spec->host_ip = colon == NULL ? "" : text;
        if (colon != NULL) {
            *colon = '\0';
        }
    } else {
        container = text;
    }
    size_t ip_len = strlen(spec->host_ip);
    if (ip_len > 1 && text[0] == '[' && text[ip_len - 1] == ']') {
        text[ip_len - 1] = '\0';
        spec->host_ip = text + 1;
    }
    spec->has_host = host[0] != '\0';
    if (spec->host_ip[0] != '\0' && !is_address(spec->host_ip)) {
        return "what stands first is no IP address";
    }
    if (parse_range(container, &spec->container) < 0 || spec->container.first == 0 ||
        (spec->has_host && parse_range(host, &spec->host) < 0)) {
        return "a port is a number from 1 to 65535, or two with a - between";
    }
    int64_t count = spec->container.last - spec->container.first;
    bool same = spec->host.last - spec->host.first == count;
    return spec->has_host && !same && count != 0 ? "its two ranges have not the same length" : NULL;
}

static int append_port(struct load *load, const struct node *text, const struct port_spec *spec,
                       int64_t offset, struct node *list)
{
    struct arena *arena = &load->arena;
    struct node *port = node_new(arena, NODE_MAP, text->at);
    bool spread =
        spec->container.first == spec->container.last && spec->host.first != spec->host.last;
    char published[PORT_TEXT_SIZE] = "";
    if (spread) {
        snprintf(published, sizeof published, "%" PRId64 "-%" PRId64, spec->host.first,
                 spec->host.last);
    } else if (spec->has_host) {
        snprintf(published, sizeof published, "%" PRId64, spec->host.first + offset);
    }
    if (port == NULL || node_put(port, "mode", node_string(arena, text->at, "ingress")) < 0 ||
        node_put(port, "target", node_int(arena, text->at, spec->container.first + offset)) < 0 ||
        node_put(port, "protocol", node_string(arena, text->at, spec->protocol)) < 0 ||
        (spec->host_ip[0] != '\0' &&
         node_put(port, "host_ip", node_string(arena, text->at, spec->host_ip)) < 0) ||
        (spec->has_host &&
         node_put(port, "published", node_string(arena, text->at, published)) < 0)) {
        return load_no_memory(load);
    }
    return node_append(list, port);
}

/* Compose sorts the ports of a range as texts: 9 comes after 10. */
static int compare_as_text(const void *a, const void *b)
{
    char text_a[PORT_TEXT_SIZE];
    char text_b[PORT_TEXT_SIZE];
    snprintf(text_a, sizeof text_a, "%" PRId64 "/", *(const int64_t *)a);
    snprintf(text_b, sizeof text_b, "%" PRId64 "/", *(const int64_t *)b);
    return strcmp(text_a, text_b);
}

int mapping_parse_port(struct load *load, const struct node *text, const struct step *step,
                       struct node *list)
{
    struct port_spec spec;
    const char *shown = node_print(&load->arena, text);
    char *copy = shown == NULL ? NULL : arena_copy(&load->arena, shown, strlen(shown));
    if (copy == NULL) {
        return load_no_memory(load);
    }
    const char *wrong = parse_spec(copy, &spec);
    if (wrong != NULL) {
        return load_fail(load, text, step,
                         "\"%.60s\" is no port: %s; write \"80\", \"8080:80\" or "
                         "\"127.0.0.1:8080-8081:80-81/udp\"",
                         shown, wrong);
    }
    size_t count = (size_t)(spec.container.last - spec.container.first) + 1;
    if (list->count + count > NODE_MAX_KEYS) {
        return load_fail(load, text, step, "more than %d ports", NODE_MAX_KEYS);
    }
    int64_t *ports = arena_alloc(&load->arena, count * sizeof *ports);
    if (ports == NULL) {
        return load_no_memory(load);
    }
    for (size_t i = 0; i < count; i++) {
        ports[i] = spec.container.first + (int64_t)i;
    }
    qsort(ports, count, sizeof *ports, compare_as_text);
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++) {
        result = append_port(load, text, &spec, ports[i] - spec.container.first, list);
    }
    return result;
}

/* ------------------------------------------------------------------------------------------------
 */

/* "ro", "z", "rslave" and so on; what Compose does not know it ignores, and so do we. */
static int take_option(struct load *load, struct node *volume, const char *option, size_t len)
{
    static const struct {
        const char *option, *group, *key;
    } OPTIONS[] = {
        {"nocopy", "volume", "nocopy"},     {"z", "bind", "selinux"},
        {"Z", "bind", "selinux"},           {"rprivate", "bind", "propagation"},
        {"private", "bind", "propagation"}, {"rshared", "bind", "propagation"},
        {"shared", "bind", "propagation"},  {"rslave", "bind", "propagation"},
        {"slave", "bind", "propagation"},
    };
    struct arena *arena = &load->arena;
    char name[16];
    if (!str_copy_n(name, sizeof name, option, len)) {
        return 0;
    }
    if (str_equal(name, "ro") || str_equal(name, "rw")) {
        return node_put(volume, "read_only", node_bool(arena, volume->at, name[1] == 'o'));
    }
    for (size_t i = 0; i < ARRAY_SIZE(OPTIONS); i++) {
        if (!str_equal(name, OPTIONS[i].option)) {
            continue;
        }
        struct node *group = node_get(volume, OPTIONS[i].group);
        if (group == NULL) {
            group = node_new(arena, NODE_MAP, volume->at);
            if (node_put(volume, OPTIONS[i].group, group) < 0) {
                return -ENOMEM;
            }
        }
        bool flag = str_equal(OPTIONS[i].key, "nocopy");
        return node_put(group, OPTIONS[i].key,
                        flag ? node_bool(arena, volume->at, true)
                             : node_string(arena, volume->at, OPTIONS[i].option));
    }
    return 0;
}

static int take_options(struct load *load, struct node *volume, const char *options)
{
    int result = 0;
    for (const char *at = options; *at != '\0' && result == 0; at += strspn(at, ",")) {
        size_t len = strcspn(at, ",");
        result = take_option(load, volume, at, len);
        at += len;
    }
    return result;
}

int mapping_parse_volume(struct load *load, const struct node *text, const struct step *step,
                         struct node **ret_volume)
{
    struct arena *arena = &load->arena;
    const char *source_end = strchr(text->text, ':');
    const char *target = source_end == NULL ? text->text : source_end + 1;
    size_t target_len = strcspn(target, ":");
    const char *options = target[target_len] == ':' ? target + target_len + 1 : "";
    size_t source_len = source_end == NULL ? 0 : (size_t)(source_end - text->text);
    bool ends_with_colon = target[target_len] == ':' && options[0] == '\0';
    if (target_len == 0 || ends_with_colon || (source_end != NULL && source_len == 0) ||
        strchr(options, ':') != NULL) {
        return load_fail(load, text, step,
                         "\"%.60s\" is no volume: write NAME:/path, ./folder:/path or "
                         "./folder:/path:ro",
                         text->text);
    }
    if (source_len == 1 && strchr("./~", text->text[0]) == NULL) {
        return load_fail(load, text, step,
                         "\"%.60s\": Compose takes one letter for a drive of Windows; give the "
                         "volume a longer name, or use the long syntax",
                         text->text);
    }
    bool is_short = strlen(text->text) <= 2; /* which Compose does not look into */
    bool is_bind = source_len > 0 && strchr("./~", text->text[0]) != NULL;
    struct node *volume = node_new(arena, NODE_MAP, text->at);
    const char *source = arena_copy(arena, text->text, source_len);
    const char *where = arena_copy(arena, target, target_len);
    const char *kind = is_bind ? "bind" : "volume";
    if (volume == NULL || source == NULL || where == NULL ||
        node_put(volume, "type", node_string(arena, text->at, kind)) < 0 ||
        node_put(volume, "target", node_string(arena, text->at, where)) < 0 ||
        (source_len > 0 && node_put(volume, "source", node_string(arena, text->at, source)) < 0) ||
        (!is_short && node_put(volume, kind, node_new(arena, NODE_MAP, text->at)) < 0) ||
        take_options(load, volume, options) < 0) {
        return load_no_memory(load);
    }
    *ret_volume = volume;
    return 0;
}

/* ------------------------------------------------------------------------------------------------
 */

int mapping_parse_device(struct load *load, const struct node *text, const struct step *step,
                         struct node **ret_device)
{
    struct arena *arena = &load->arena;
    size_t source_len = strcspn(text->text, ":");
    const char *target = text->text[source_len] == ':' ? text->text + source_len + 1 : "";
    size_t target_len = strcspn(target, ":");
    const char *permissions = target[target_len] == ':' ? target + target_len + 1 : "rwm";
    if (source_len == 0 || strchr(permissions, ':') != NULL) {
        return load_fail(load, text, step,
                         "\"%.60s\" is no device: write /dev/SOURCE, /dev/SOURCE:/dev/TARGET or "
                         "/dev/SOURCE:/dev/TARGET:rwm",
                         text->text);
    }
    struct node *device = node_new(arena, NODE_MAP, text->at);
    const char *source = arena_copy(arena, text->text, source_len);
    const char *where = target_len == 0 ? source : arena_copy(arena, target, target_len);
    if (device == NULL || source == NULL || where == NULL ||
        node_put(device, "source", node_string(arena, text->at, source)) < 0 ||
        node_put(device, "target", node_string(arena, text->at, where)) < 0 ||
        node_put(device, "permissions", node_string(arena, text->at, permissions)) < 0) {
        return load_no_memory(load);
    }
    *ret_device = device;
    return 0;
}

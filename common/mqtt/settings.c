#include "common/mqtt/settings.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "common/base/str.h"

#define PORT_PLAIN      1883
#define PORT_TLS        8883
#define CLIENT_ID_MAX   256
#define USERNAME_MAX    1024
#define KEEPALIVE_MIN_S 5 /* libmosquitto takes no less */
#define KEEPALIVE_MAX_S 65535

#define FIELD(name) .offset = offsetof(struct mqtt_options, name)

const struct option mqtt_option_table[] = {
    {.name = "broker-url",
     .type = OPTION_STRING,
     FIELD(broker_url),
     .fallback = "mqtt://127.0.0.1:1883",
     .value_name = "URL",
     .help = "The broker: mqtt://HOST[:1883], or mqtts://HOST[:8883] for TLS."},
    {.name = "client-id",
     .type = OPTION_STRING,
     FIELD(client_id),
     .value_name = "ID",
     .help = "The name of the session at the broker; two clients must not share one."},
    {.name = "username",
     .type = OPTION_STRING,
     FIELD(username),
     .value_name = "NAME",
     .help = "The user name at the broker."},
    {.name = "password-file",
     .type = OPTION_STRING,
     FIELD(password_file),
     .value_name = "FILE",
     .help = "A file with the user's password, read again when it changes."},
    {.name = "ca-file",
     .type = OPTION_STRING,
     FIELD(ca_file),
     .value_name = "FILE",
     .help = "PEM certificates that the broker's is checked against (default: the system's)."},
    {.name = "cert-file",
     .type = OPTION_STRING,
     FIELD(cert_file),
     .value_name = "FILE",
     .help = "Our own PEM certificate, with its chain; read again at each connection."},
    {.name = "key-file",
     .type = OPTION_STRING,
     FIELD(key_file),
     .value_name = "FILE",
     .help = "The PEM key of our certificate, without a passphrase."},
    {.name = "keepalive-s",
     .type = OPTION_INTEGER,
     FIELD(keepalive_s),
     .fallback = "60",
     .min = KEEPALIVE_MIN_S,
     .max = KEEPALIVE_MAX_S,
     .value_name = "SECONDS",
     .help = "After this time of silence the broker is asked whether it is there."},
};
const size_t mqtt_option_count = ARRAY_SIZE(mqtt_option_table);

/* The authority of a URL, as views into it. */
struct authority {
    const char *host;
    size_t host_len;
    bool bracketed;
    const char *port; /* NULL: none */
    size_t port_len;
};

/* RFC 3986, section 3.2: [ userinfo "@" ] host [ ":" port ], with an IPv6 literal in brackets. */
static int authority_parse(const char *url, const char *text, struct authority *ret_authority,
                           struct err *e)
{
    struct authority a = {.host = text};
    size_t len = strcspn(text, "/?#");
    const char *rest;

    if (text[len] != '\0' && strcmp(text + len, "/") != 0)
        return FAIL(e, EINVAL, "--broker-url '%s' must end after the port", url);
    if (memchr(text, '@', len))
        return FAIL(e, EINVAL,
                    "--broker-url must not hold a user or password: use --username and "
                    "--password-file");
    if (text[0] == '[') {
        const char *end = memchr(text, ']', len);
        if (!end)
            return FAIL(e, EINVAL, "--broker-url '%s' has '[' without ']'", url);
        a.bracketed = true;
        a.host = text + 1;
        a.host_len = (size_t)(end - a.host);
        rest = end + 1;
    } else {
        const char *colon = memchr(text, ':', len);
        rest = colon ? colon : text + len;
        a.host_len = (size_t)(rest - text);
    }
    if (rest < text + len) {
        if (rest[0] != ':')
            return FAIL(e, EINVAL, "--broker-url '%s' has something between ']' and ':'", url);
        a.port = rest + 1;
        a.port_len = (size_t)(text + len - a.port);
    }
    *ret_authority = a;
    return 0;
}

static bool is_ipv6(const char *host)
{
    char address[MQTT_HOST_SIZE];
    struct in6_addr parsed;

    /* A zone, as in fe80::1%eth0, is for getaddrinfo() to judge. */
    return str_copy_n(address, sizeof(address), host, strcspn(host, "%")) &&
           inet_pton(AF_INET6, address, &parsed) == 1;
}

static bool is_host_name(const char *host)
{
    size_t allowed = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-._");
    return allowed > 0 && host[allowed] == '\0';
}

int mqtt_url_parse(const char *url, struct mqtt_address *ret_address, struct err *e)
{
    struct mqtt_address address = {0};
    struct authority a;
    const char *rest;

    if (strncasecmp(url, "mqtt://", 7) == 0) {
        rest = url + 7;
    } else if (strncasecmp(url, "mqtts://", 8) == 0) {
        rest = url + 8;
        address.tls = true;
    } else {
        return FAIL(e, EINVAL, "--broker-url '%s' must begin with mqtt:// or mqtts://", url);
    }
    int r = authority_parse(url, rest, &a, e);
    if (r < 0)
        return r;

    if (!str_copy_n(address.host, sizeof(address.host), a.host, a.host_len))
        return FAIL(e, EINVAL, "--broker-url has a host of more than %d characters",
                    MQTT_HOST_SIZE - 1);
    if (a.bracketed ? !is_ipv6(address.host) : !is_host_name(address.host))
        return FAIL(e, EINVAL,
                    "--broker-url '%s' must name a host, or an address (IPv6 in brackets)", url);

    address.port = address.tls ? PORT_TLS : PORT_PLAIN;
    if (a.port) {
        char text[8];
        int64_t port;
        if (!str_copy_n(text, sizeof(text), a.port, a.port_len) ||
            str_parse_int(text, 1, UINT16_MAX, &port) < 0)
            return FAIL(e, EINVAL, "--broker-url '%s' must have a port from 1 to 65535", url);
        address.port = (uint16_t)port;
    }
    *ret_address = address;
    return 0;
}

/* A string that the CONNECT packet carries (MQTT 3.1.1, section 1.5.3). */
static int check_text(const char *option, const char *value, size_t max, struct err *e)
{
    size_t len;

    if (!value)
        return 0;
    len = strlen(value);
    if (len == 0 || len > max)
        return FAIL(e, EINVAL, "--%s must have 1 to %zu bytes, it has %zu", option, max, len);
    if (!str_is_utf8(value, len, NULL))
        return FAIL(e, EINVAL, "--%s must be UTF-8", option);
    return 0;
}

static int check_tls_files(const struct mqtt_options *o, bool tls, struct err *e)
{
    const char *given = o->ca_file     ? "ca-file"
                        : o->cert_file ? "cert-file"
                        : o->key_file  ? "key-file"
                                       : NULL;

    if (given && !tls)
        return FAIL(e, EINVAL, "--%s needs TLS, but --broker-url is '%s': did you mean mqtts://?",
                    given, o->broker_url);
    if (o->cert_file && !o->key_file)
        return FAIL(e, EINVAL, "--cert-file needs --key-file");
    if (o->key_file && !o->cert_file)
        return FAIL(e, EINVAL, "--key-file needs --cert-file");
    return 0;
}

int mqtt_options_check(const struct mqtt_options *options, struct mqtt_address *ret_address,
                       struct err *e)
{
    struct mqtt_address address;
    int r = mqtt_url_parse(options->broker_url, &address, e);

    if (r == 0)
        r = check_text("client-id", options->client_id, CLIENT_ID_MAX, e);
    if (r == 0)
        r = check_text("username", options->username, USERNAME_MAX, e);
    if (r == 0 && options->password_file && !options->username)
        r = FAIL(e, EINVAL, "--password-file needs --username");
    if (r == 0)
        r = check_tls_files(options, address.tls, e);
    if (r == 0)
        *ret_address = address;
    return r;
}

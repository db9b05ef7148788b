#include "broker/relay.h"

#include <stdio.h>
#include <string.h>

#include "broker/probe.h"
#include "common/base/str.h"

/* "1795280736: ", which Mosquitto writes as long as it has not read its settings. */
static const char *skip_time(const char *line)
{
    size_t digits = strspn(line, "0123456789");

    return digits > 0 && str_starts_with(line + digits, ": ") ? line + digits + 2 : line;
}

static bool is_health_login(const char *text, uint16_t health_port)
{
    char port[24];
    const char *found;

    (void)snprintf(port, sizeof(port), " on port %u.", health_port);
    found = strstr(text, port);
    return (str_starts_with(text, "New connection from ") && found && str_equal(found, port)) ||
           strstr(text, " " PROBE_CLIENT_ID);
}

static bool is_security(const char *text)
{
    if (str_starts_with(text, "OpenSSL Error")) /* a client that is gone breaks off, too */
        return !strstr(text, "unexpected eof");
    return strstr(text, "not authorised") || strstr(text, "reloading certificate");
}

struct relay_line relay_parse(const char *line, uint16_t health_port)
{
    struct relay_line parsed = {.level = LOG_INFO, .text = skip_time(line)};

    parsed.security = is_security(parsed.text);
    if (str_starts_with(parsed.text, "Error"))
        parsed.level = LOG_ERROR;
    else if (parsed.security || str_starts_with(parsed.text, "Warning"))
        parsed.level = LOG_WARNING;
    else if (is_health_login(parsed.text, health_port))
        parsed.level = LOG_DEBUG;
    return parsed;
}

void relay_write(const struct relay_line *line)
{
    log_write(line->level, "mosquitto", line->text,
              (const struct log_field[]){line->security ? LOG_SECURITY : LOG_END, LOG_END});
}

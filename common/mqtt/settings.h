#pragma once

/* The broker's options, the same for every service, and what they mean once checked. */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/options.h"

struct mqtt_options {
    const char *broker_url; /* mqtt://host[:1883] or mqtts://host[:8883] */
    const char *client_id;
    const char *username;
    const char *password_file;
    const char *ca_file; /* PEM; NULL with mqtts: the system's certificates */
    const char *cert_file;
    const char *key_file;
    int64_t keepalive_s;
};

extern const struct option mqtt_option_table[];
extern const size_t mqtt_option_count;

#define MQTT_HOST_SIZE 256

struct mqtt_address {
    char host[MQTT_HOST_SIZE]; /* name or numeric, IPv6 without brackets */
    uint16_t port;
    bool tls;
};

/* Checks the combination too (a key without its certificate, files with mqtt://). -EINVAL. */
MUST_CHECK int mqtt_options_check(const struct mqtt_options *options,
                                  struct mqtt_address *ret_address, struct err *e);
MUST_CHECK int mqtt_url_parse(const char *url, struct mqtt_address *ret_address, struct err *e);

#pragma once

/* Values that only a service has: how they are read and written. */

#include "manager/desired/value.h"

#define SERVICE_REPLICAS_MAX      100
#define SERVICE_MEMORY_MIN        (6LL << 20) /* the engine's own */
#define SERVICE_HEALTHY_WITHIN_NS 60000000000LL
#define SERVICE_MIN_UPTIME_NS     10000000000LL
#define SERVICE_STOP_GRACE_NS     10000000000LL /* the engine's own */

key_reader service_value_read_image, service_value_read_platform, service_value_read_pull_policy;
key_reader service_value_read_environment; /* null: the image's variable is taken away */
key_reader service_value_read_texts;       /* strings and numbers as strings */
key_reader service_value_read_signal, service_value_read_test, service_value_read_healthcheck;
key_reader service_value_read_hosts;   /* "a=::1", "a:1.2.3.4" -> "a:::1" */
key_reader service_value_read_restart; /* "no" equals an absent key */
key_reader service_value_read_pids;    /* -1 and 0 equal an absent key */

key_reader service_value_read_cap_add, service_value_read_security_opt;
key_reader service_value_read_devices, service_value_read_sysctls, service_value_read_ulimits;
extern const struct key service_value_device_keys[];

key_writer service_value_write_environment, service_value_write_seconds;
key_writer service_value_write_devices, service_value_write_ulimits;

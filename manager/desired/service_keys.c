#include "manager/desired/service_keys.h"

#include "manager/desired/endpoint.h"
#include "manager/desired/file_reference.h"
#include "manager/desired/mount.h"
#include "manager/desired/port.h"
#include "manager/desired/service_value.h"

#define NS_PER_MS 1000000LL
#define NS_PER_S  (1000 * NS_PER_MS)

#define BY_THE_CLI "buoyctl puts what it says into the document"
#define SWARM      "it is for a swarm of many engines; a node has one"
#define NOT_YET    "the manager does not have it"

static const char *const conditions[] = {"service_started", "service_healthy",
                                         "service_completed_successfully", NULL};

static const struct key dependency_keys[] = {
    {.name = "condition", .read = value_read_choice, .choices = conditions},
    {.name = "restart", .read = value_read_bool},
    {.name = "required", .read = value_read_bool, .unset = 1},
    {.name = NULL},
};

static const struct key healthcheck_keys[] = {
    {.name = "test", .read = service_value_read_test, .field = "Healthcheck/Test"},
    {.name = "interval",
     .read = value_read_duration,
     .field = "Healthcheck/Interval",
     .min = NS_PER_MS},
    {.name = "timeout",
     .read = value_read_duration,
     .field = "Healthcheck/Timeout",
     .min = NS_PER_MS},
    {.name = "start_period",
     .read = value_read_duration,
     .field = "Healthcheck/StartPeriod",
     .min = NS_PER_MS},
    {.name = "start_interval",
     .read = value_read_duration,
     .field = "Healthcheck/StartInterval",
     .min = NS_PER_MS},
    {.name = "retries", .read = value_read_integer, .field = "Healthcheck/Retries", .max = 1000000},
    {.name = "disable", .read = value_read_bool},
    {.name = NULL},
};

static const struct key logging_keys[] = {
    {.name = "driver", .read = value_read_string, .field = "HostConfig/LogConfig/Type"},
    {.name = "options", .read = value_read_map, .field = "HostConfig/LogConfig/Config"},
    {.name = NULL},
};

/* ---- deploy: what it says is moved to the keys that say the same ---- */

static const struct key limit_keys[] = {
    {.name = "cpus", .read = value_read_cpus},
    {.name = "memory", .read = value_read_size, .min = SERVICE_MEMORY_MIN},
    {.name = "pids", .read = service_value_read_pids, .min = -1, .max = INT32_MAX},
    {.name = NULL},
};

static const struct key reservation_keys[] = {
    {.name = "memory", .read = value_read_size},
    {.name = "cpus", .refused = "one engine cannot set processors aside; use cpu_shares"},
    {.name = "devices", .refused = NOT_YET},
    {.name = "generic_resources", .refused = SWARM},
    {.name = NULL},
};

static const struct key resource_keys[] = {
    {.name = "limits", .read = key_read_options, .keys = limit_keys},
    {.name = "reservations", .read = key_read_options, .keys = reservation_keys},
    {.name = NULL},
};

static const char *const orders[] = {"stop-first", "start-first", NULL};
static const char *const failure_actions[] = {"rollback", "pause", "continue", NULL};

static const struct key update_keys[] = {
    {.name = "order", .read = value_read_choice, .choices = orders},
    {.name = "failure_action", .read = value_read_choice, .choices = failure_actions, .keep = true},
    {.name = "monitor", .read = value_read_duration},
    {.name = "parallelism", .refused = "a node updates a service's containers in one go"},
    {.name = "delay", .refused = "a node updates a service's containers in one go"},
    {.name = "max_failure_ratio", .refused = "one container that fails is a failure"},
    {.name = NULL},
};

static const char *const modes[] = {"replicated", NULL};
static const struct key no_keys[] = {{.name = NULL}};

static const struct key deploy_keys[] = {
    {.name = "mode", .read = value_read_choice, .choices = modes},
    {.name = "replicas",
     .read = value_read_integer,
     .max = SERVICE_REPLICAS_MAX,
     .unset = 1,
     .keep = true},
    {.name = "resources", .read = key_read_options, .keys = resource_keys},
    {.name = "update_config", .read = key_read_options, .keys = update_keys},
    {.name = "placement", .read = key_read_options, .keys = no_keys},
    {.name = "labels", .refused = SWARM "; use the service's labels"},
    {.name = "restart_policy", .refused = SWARM "; use restart"},
    {.name = "rollback_config", .refused = SWARM "; use the policy's onFailure"},
    {.name = "endpoint_mode", .refused = SWARM},
    {.name = NULL},
};

/* ---- x-bellbuoy ---- */

static const char *const strategies[] = {"create-stop-start", "stop-create-start", "handover",
                                         NULL};

const struct key service_policy_keys[] = {
    {.name = "strategy", .read = value_read_choice, .choices = strategies},
    {.name = "healthyWithin",
     .read = value_read_duration,
     .min = NS_PER_MS,
     .unset = SERVICE_HEALTHY_WITHIN_NS},
    {.name = "minUptime", .read = value_read_duration, .unset = SERVICE_MIN_UPTIME_NS},
    {.name = "oneShot", .read = value_read_bool},
    {.name = NULL},
};

const struct key service_keys[] = {
    /* what runs */
    {.name = "image", .read = service_value_read_image, .field = "Image", .required = true},
    {.name = "platform", .read = service_value_read_platform},
    {.name = "pull_policy", .read = service_value_read_pull_policy, .effect = KEY_POLICY},
    {.name = "command", .read = value_read_strings, .field = "Cmd"},
    {.name = "entrypoint", .read = value_read_strings, .field = "Entrypoint", .keep = true},
    {.name = "environment",
     .read = service_value_read_environment,
     .write = service_value_write_environment,
     .keep = true},
    {.name = "working_dir", .read = value_read_path, .field = "WorkingDir"},
    {.name = "user", .read = value_read_string, .field = "User"},
    {.name = "group_add", .read = service_value_read_texts, .field = "HostConfig/GroupAdd"},
    {.name = "hostname", .read = value_read_string, .field = "Hostname"},
    {.name = "domainname", .read = value_read_string, .field = "Domainname"},
    {.name = "container_name", .read = value_read_name},
    {.name = "labels", .read = value_read_labels, .field = "Labels"},
    {.name = "tty", .read = value_read_bool, .field = "Tty"},
    {.name = "stdin_open", .read = value_read_bool, .field = "OpenStdin"},
    {.name = "init", .read = value_read_bool, .field = "HostConfig/Init", .keep = true},
    {.name = "stop_signal", .read = service_value_read_signal, .field = "StopSignal"},
    {.name = "stop_grace_period",
     .read = value_read_duration,
     .write = service_value_write_seconds,
     .field = "StopTimeout",
     .keep = true},
    {.name = "healthcheck",
     .read = service_value_read_healthcheck,
     .write = key_write_object,
     .keys = healthcheck_keys},
    {.name = "logging", .read = key_read_options, .write = key_write_object, .keys = logging_keys},

    /* how many, when, and what follows a change */
    {.name = "scale",
     .read = value_read_integer,
     .max = SERVICE_REPLICAS_MAX,
     .unset = 1,
     .effect = KEY_POLICY},
    {.name = "depends_on", .read = key_read_objects, .keys = dependency_keys, .effect = KEY_POLICY},
    {.name = "deploy", .read = key_read_options, .keys = deploy_keys, .effect = KEY_POLICY},
    {.name = "x-bellbuoy",
     .read = key_read_options,
     .keys = service_policy_keys,
     .effect = KEY_POLICY},

    /* networks */
    {.name = "networks", .read = key_read_objects, .keys = endpoint_keys, .max = ENDPOINTS_MAX},
    {.name = "network_mode", .read = endpoint_read_mode},
    {.name = "ports",
     .read = key_read_array,
     .write = port_write_published,
     .keys = port_keys,
     .max = PORT_MAX_PUBLISHED},
    {.name = "expose", .read = port_read_exposed, .write = port_write_exposed},
    {.name = "extra_hosts", .read = service_value_read_hosts, .field = "HostConfig/ExtraHosts"},
    {.name = "dns", .read = value_read_strings, .field = "HostConfig/Dns"},
    {.name = "dns_opt", .read = value_read_strings, .field = "HostConfig/DnsOptions"},
    {.name = "dns_search", .read = value_read_strings, .field = "HostConfig/DnsSearch"},

    /* files */
    {.name = "volumes", .read = mount_read_all, .write = mount_write_all, .keys = mount_keys},
    {.name = "tmpfs", .read = mount_read_tmpfs, .field = "HostConfig/Tmpfs", .unique = true},
    {.name = "secrets",
     .read = file_reference_read_secrets,
     .write = file_reference_write,
     .keys = file_reference_keys,
     .max = FILE_OBJECTS_MAX},
    {.name = "configs",
     .read = file_reference_read_configs,
     .write = file_reference_write,
     .keys = file_reference_keys,
     .max = FILE_OBJECTS_MAX},
    {.name = "read_only", .read = value_read_bool, .field = "HostConfig/ReadonlyRootfs"},
    {.name = "shm_size", .read = value_read_size, .field = "HostConfig/ShmSize"},

    /* rights */
    {.name = "privileged",
     .read = value_read_bool,
     .field = "HostConfig/Privileged",
     .word = "privileged"},
    {.name = "cap_add", .read = service_value_read_cap_add, .field = "HostConfig/CapAdd"},
    {.name = "cap_drop", .read = value_read_strings, .field = "HostConfig/CapDrop", .unique = true},
    {.name = "security_opt",
     .read = service_value_read_security_opt,
     .field = "HostConfig/SecurityOpt"},
    {.name = "devices",
     .read = service_value_read_devices,
     .write = service_value_write_devices,
     .keys = service_value_device_keys},
    {.name = "sysctls", .read = service_value_read_sysctls, .field = "HostConfig/Sysctls"},
    {.name = "ulimits", .read = service_value_read_ulimits, .write = service_value_write_ulimits},

    /* limits */
    {.name = "restart", .read = service_value_read_restart, .effect = KEY_IN_PLACE},
    {.name = "mem_limit",
     .read = value_read_size,
     .field = "HostConfig/Memory",
     .min = SERVICE_MEMORY_MIN,
     .effect = KEY_IN_PLACE},
    {.name = "mem_reservation",
     .read = value_read_size,
     .field = "HostConfig/MemoryReservation",
     .effect = KEY_IN_PLACE},
    {.name = "memswap_limit",
     .read = value_read_size,
     .field = "HostConfig/MemorySwap",
     .min = -1,
     .effect = KEY_IN_PLACE},
    {.name = "cpus",
     .read = value_read_cpus,
     .field = "HostConfig/NanoCpus",
     .effect = KEY_IN_PLACE},
    {.name = "cpu_shares",
     .read = value_read_integer,
     .field = "HostConfig/CpuShares",
     .max = 262144,
     .effect = KEY_IN_PLACE},
    {.name = "cpuset",
     .read = value_read_string,
     .field = "HostConfig/CpusetCpus",
     .effect = KEY_IN_PLACE},
    {.name = "pids_limit",
     .read = service_value_read_pids,
     .field = "HostConfig/PidsLimit",
     .min = -1,
     .max = INT32_MAX,
     .effect = KEY_IN_PLACE},
    {.name = "mem_swappiness",
     .read = value_read_integer,
     .field = "HostConfig/MemorySwappiness",
     .max = 100,
     .keep = true},
    {.name = "oom_kill_disable", .read = value_read_bool, .field = "HostConfig/OomKillDisable"},
    {.name = "oom_score_adj",
     .read = value_read_integer,
     .field = "HostConfig/OomScoreAdj",
     .min = -1000,
     .max = 1000},

    /* refused */
    {.name = "build", .refused = "the node does not build; push an image and name it"},
    {.name = "extends", .refused = BY_THE_CLI},
    {.name = "profiles", .refused = "leave out the services that are not to run"},
    {.name = "develop", .refused = "it is for the machine that builds"},
    {.name = "provider", .refused = "it calls a program of the machine that applies"},
    {.name = "models", .refused = NOT_YET},
    {.name = "credential_spec", .refused = "it is for Windows"},
    {.name = "isolation", .refused = "it is for Windows"},
    {.name = "cpu_count", .refused = "it is for Windows; use cpus"},
    {.name = "cpu_percent", .refused = "it is for Windows; use cpus"},
    {.name = "cpu_period", .refused = "use cpus"},
    {.name = "cpu_quota", .refused = "use cpus"},
    {.name = "cpu_rt_period", .refused = NOT_YET},
    {.name = "cpu_rt_runtime", .refused = NOT_YET},
    {.name = "links", .refused = "containers of one network know each other by name"},
    {.name = "external_links", .refused = "name an external network that both are in"},
    {.name = "use_api_socket", .refused = "it would give the container the node"},
    {.name = "label_file", .refused = BY_THE_CLI},
    {.name = "env_file", .refused = BY_THE_CLI},
    {.name = "attach", .refused = "it is for a terminal"},
    {.name = "ipc", .refused = NOT_YET},
    {.name = "pid", .refused = NOT_YET},
    {.name = "uts", .refused = NOT_YET},
    {.name = "cgroup", .refused = NOT_YET},
    {.name = "cgroup_parent", .refused = NOT_YET},
    {.name = "userns_mode", .refused = NOT_YET},
    {.name = "runtime", .refused = NOT_YET},
    {.name = "gpus", .refused = NOT_YET},
    {.name = "device_cgroup_rules", .refused = NOT_YET},
    {.name = "storage_opt", .refused = NOT_YET},
    {.name = "blkio_config", .refused = NOT_YET},
    {.name = "volumes_from", .refused = "name the volumes in both services"},
    {.name = "volume_driver", .refused = "say the driver in the top-level volumes"},
    {.name = "post_start", .refused = NOT_YET},
    {.name = "pre_stop", .refused = NOT_YET},
    {.name = "annotations", .refused = NOT_YET},
    {.name = "mac_address", .refused = "let the engine choose it"},
    {.name = NULL},
};

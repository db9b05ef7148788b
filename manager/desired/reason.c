#include "manager/desired/reason.h"

#include <stddef.h>

struct reason {
    const char *name;
    const char *advice;
    bool permanent;
};

static const struct reason reasons[REASON_COUNT] = {
    [REASON_NONE] = {"none", "", false},
    [REASON_SCHEMA] = {"schema", "Correct the value that the message names and apply again.", true},
    [REASON_UNSUPPORTED_KEY] = {"unsupported-key",
                                "Remove the key that the message names, or say it as the message "
                                "tells, and apply again.",
                                true},
    [REASON_NOT_ALLOWED] = {"not-allowed",
                            "Remove it, or have the node's manager started with the --allow or "
                            "--allow-bind that the message names.",
                            true},
    [REASON_EMPTY] = {"empty",
                      "To run nothing, say so: \"services\": {} with \"allowEmpty\": true in the "
                      "policy.",
                      true},
    [REASON_STALE] = {"stale", "Apply with a revision above the one that the node has.", true},
    [REASON_CONFLICT] = {"conflict",
                         "Two contents bear the same revision: apply with a higher one.", true},
    [REASON_QUARANTINED] = {"quarantined",
                            "This revision failed on the node: apply a corrected one, or say "
                            "buoyctl retry.",
                            true},
    [REASON_EXPIRED] = {"expired", "Apply with a later \"expires\", or with none.", true},
    [REASON_CYCLE] = {"cycle", "Take one of the dependencies that the message names away.", true},
    [REASON_PULL_AUTH] = {"pull-auth",
                          "Give the node's manager credentials of the registry that may read the "
                          "image.",
                          true},
    [REASON_PULL_NOTFOUND] = {"pull-notfound",
                              "Check the image's name and tag, and that it was pushed.", true},
    [REASON_PULL_NETWORK] = {"pull-network",
                             "The node tries again by itself: see that it can reach the registry.",
                             false},
    [REASON_PULL_RATELIMIT] = {"pull-ratelimit",
                               "The node tries again by itself once the registry lets it.", false},
    [REASON_DISK] = {"disk", "Free space on the node's disk; it goes on by itself then.", false},
    [REASON_ARCH] = {"arch", "Push the image for the node's platform, or name one that is there.",
                     true},
    [REASON_NAME_CONFLICT] = {"name-conflict",
                              "Another's container, network or volume has the name: rename or "
                              "remove one of the two.",
                              true},
    [REASON_PORT_CONFLICT] = {"port-conflict",
                              "Something on the node has the port already: stop it, or publish "
                              "another.",
                              false},
    [REASON_RESOURCE_MISSING] = {"resource-missing",
                                 "Make the external network, the volume or the secret's file on "
                                 "the node; it goes on by itself then.",
                                 false},
    [REASON_INVALID] = {"invalid",
                        "The engine refused it: correct what its message names and apply again.",
                        true},
    [REASON_OOM] = {"oom", "Raise the service's memory limit, or let it use less.", true},
    [REASON_CRASH_LOOP] = {"crash-loop",
                           "Read the service's last log lines: it ends again and "
                           "again.",
                           true},
    [REASON_EXITED] = {"exited", "Read the service's last log lines: it ended before it was good.",
                       true},
    [REASON_UNHEALTHY] = {"unhealthy",
                          "Read the service's last log lines, and check its healthcheck.", true},
    [REASON_TIMEOUT] = {"timeout",
                        "Give it longer (healthyWithin, progressDeadline), or see why it takes so "
                        "long.",
                        true},
    [REASON_ENGINE_DOWN] = {"engine-down",
                            "Start the node's Docker engine, or give its manager access to the "
                            "socket; it goes on by itself then.",
                            false},
    [REASON_WINDOW] = {"window", "Nothing to do: the node begins when it may.", false},
    [REASON_PAUSED] = {"paused", "Say buoyctl resume.", false},
    [REASON_BREAKER] = {"breaker",
                        "The same was done over and over without effect: apply a corrected "
                        "revision, or say buoyctl retry.",
                        true},
};

static const struct reason *reason_find(enum reason_code code)
{
    return &reasons[(size_t)code < REASON_COUNT ? code : REASON_NONE];
}

const char *reason_name(enum reason_code code)
{
    return reason_find(code)->name;
}

const char *reason_advice(enum reason_code code)
{
    return reason_find(code)->advice;
}

bool reason_is_permanent(enum reason_code code)
{
    return reason_find(code)->permanent;
}

#include "receiver/api/routes.h"

#include "common/base/cleanup.h"

const struct http_route routes[] = {
    {"GET", "/api/v1/events", 0, events_get},
    {"GET", "/api/v1/events/{cursor}", 0, event_get},
    {"POST", "/api/v1/events", HTTP_BODY, event_post},
    {"GET", "/api/v1/stream", 0, stream_get},
    {"GET", "/api/v1/sources", 0, sources_get},
    {"GET", "/api/v1/readings", 0, readings_get},
    {"GET", "/api/v1/incidents", 0, incidents_get},
    {"GET", "/api/v1/quarantine", 0, quarantine_get},
    {"GET", "/api/v1/nodes", 0, nodes_get},
    /* Before the parameter: a node of that name is found in the list. */
    {"GET", "/api/v1/nodes/stream", 0, nodes_stream_get},
    {"GET", "/api/v1/nodes/{node}", 0, node_get},
    {"GET", "/api/v1/stats", 0, stats_get},
    {"GET", "/healthz", HTTP_ANY_HOST, healthz_get},
    {"GET", "/readyz", HTTP_ANY_HOST, readyz_get},
    {"GET", "/metrics", HTTP_ANY_HOST, metrics_get},
};
const size_t route_count = ARRAY_SIZE(routes);

#pragma once

/* The table of resources; each handler stands in the file of its noun. `context` is a struct api.
 */

#include "common/http/server.h"

extern const struct http_route routes[];
extern const size_t route_count;

void events_get(void *context, struct http_request *request);
void event_get(void *context, struct http_request *request);
void event_post(void *context, struct http_request *request);
void stream_get(void *context, struct http_request *request);
void sources_get(void *context, struct http_request *request);
void readings_get(void *context, struct http_request *request);
void incidents_get(void *context, struct http_request *request);
void quarantine_get(void *context, struct http_request *request);
void nodes_get(void *context, struct http_request *request);
void nodes_stream_get(void *context, struct http_request *request);
void node_get(void *context, struct http_request *request);
void stats_get(void *context, struct http_request *request);
void healthz_get(void *context, struct http_request *request);
void readyz_get(void *context, struct http_request *request);
void metrics_get(void *context, struct http_request *request);
/* Every other path: the dashboard's files. */
void assets_get(void *context, struct http_request *request);

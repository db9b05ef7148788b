#include "receiver/api/api.h"

#include <inttypes.h>
#include <stdio.h>

#include "receiver/api/message.h"
#include "receiver/api/routes.h"
#include "receiver/api/state.h"

#define IDLE_TIMEOUT_S 30
/* Connections beside the streams': pages, reads, probes. */
#define OTHER_CONNECTIONS 256

static int make_token(struct api *api, struct err *e)
{
    if (api->settings.token_file == NULL)
        return 0;
    api->token.path = api->settings.token_file;
    int rc = secret_refresh(&api->token, e);
    if (rc < 0) {
        err_context(e, "--token-file");
        return rc;
    }
    if (api->token.len == 0)
        return FAIL(e, EINVAL, "--token-file: %s is empty", api->token.path);
    return publisher_new(api->settings.loop, api->settings.mqtt, &api->settings.mqtt_address,
                         api->settings.clock, api->settings.random, &api->publish, e);
}

static int make_server(struct api *api, struct err *e)
{
    const struct http_settings settings = {
        .address = api->settings.listen_address,
        .port = api->settings.port,
        .max_connections = api->settings.max_clients + WATCH_CLIENTS_MAX + OTHER_CONNECTIONS,
        .max_body_bytes = MESSAGE_MAX_BYTES,
        .idle_timeout_s = IDLE_TIMEOUT_S,
        .client_timeout_ms = api->settings.client_timeout_ms,
        .allow_hosts = api->settings.allow_hosts,
        .routes = routes,
        .route_count = route_count,
        .fallback = assets_get,
        .context = api,
        .metrics = api->settings.metrics,
    };
    int rc = http_server_new(api->settings.loop, &settings, &api->server, e);
    if (rc < 0)
        return rc;
    streams_set_server(api->settings.streams, api->server);
    watch_set_server(api->settings.watch, api->server);
    return 0;
}

static double pending_posts(void *context)
{
    const struct api *api = context;
    return api->publish == NULL ? 0 : (double)publisher_pending(api->publish);
}

static double broker_connected(void *context)
{
    const struct api *api = context;
    return api->publish != NULL && publisher_is_connected(api->publish) ? 1 : 0;
}

static void make_metrics(struct api *api)
{
    static const double seconds[] = {0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10};
    struct metrics *m = api->settings.metrics;
    api->read_time = metrics_histogram(m, "bellbuoy_api_read_seconds", NULL,
                                       "Time that a read of the journal for a request took.",
                                       seconds, ARRAY_SIZE(seconds));
    api->refused = metrics_counter(m, "bellbuoy_api_posts_refused_total", NULL,
                                   "Messages refused for their token or origin.");
    metrics_callback(m, "bellbuoy_api_posts_pending", NULL,
                     "Messages that wait for the broker's acknowledgement.", pending_posts, api);
    metrics_callback(m, "bellbuoy_api_broker_connected", NULL,
                     "1 while the client that sends messages is connected.", broker_connected, api);
}

int api_new(const struct api_settings *settings, struct api **ret_api, struct err *e)
{
    const struct clock *clock = settings->clock;
    const struct random_source *random = settings->random;
    struct api *api AUTO(api_free) = calloc(1, sizeof(*api));
    if (api == NULL)
        return FAIL(e, ENOMEM, "out of memory");
    api->settings = *settings;
    api->started_us = clock->wall_us(clock->context);
    api->started_ms = clock->monotonic_ms(clock->context);
    snprintf(api->dashboard.bootid, sizeof(api->dashboard.bootid), "%016" PRIx64,
             random->next(random->context));
    make_metrics(api);
    int rc = make_token(api, e);
    if (rc == 0)
        rc = make_server(api, e);
    if (rc < 0)
        return rc;
    *ret_api = TAKE(api);
    return 0;
}

uint16_t api_port(const struct api *api)
{
    return http_server_port(api->server);
}

void api_set_ingest(struct api *api, struct ingest *ingest)
{
    api->settings.ingest = ingest;
}

void api_quiesce(struct api *api)
{
    http_server_quiesce(api->server);
    streams_quiesce(api->settings.streams);
    watch_quiesce(api->settings.watch);
}

bool api_is_idle(const struct api *api)
{
    return http_server_is_idle(api->server);
}

void api_free(struct api *api)
{
    if (api == NULL)
        return;
    publisher_free(api->publish);
    http_server_free(api->server);
    free(api);
}

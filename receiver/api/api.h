#pragma once

/*
 * The receiver's HTTP API (docs/api.md): REST over the journal, the stream, probes, the dashboard's
 * files, and POST, which publishes by an MQTT client of its own. Everything here runs on the loop's
 * thread; reads of the journal run on the pool.
 */

#include <stdbool.h>
#include <uv.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/random.h"
#include "common/metrics/metrics.h"
#include "common/mqtt/settings.h"
#include "receiver/ingest/ingest.h"
#include "receiver/journal/journal.h"
#include "receiver/journal/reads.h"
#include "receiver/nodes/registry.h"
#include "receiver/nodes/watch.h"
#include "receiver/stream/streams.h"

struct api;

struct api_settings { /* all pointers are borrowed for the API's life */
    uv_loop_t *loop;
    struct journal *journal;
    struct reads *reads;
    struct streams *streams;
    struct registry *registry;
    struct watch *watch;
    struct ingest *ingest; /* NULL: comes by api_set_ingest() */
    const struct mqtt_options *mqtt;
    struct mqtt_address mqtt_address;
    const char *token_file;         /* NULL: POST is refused, and no MQTT client is made for it */
    const char *listen_address;     /* numeric IPv4 or IPv6 */
    uint16_t port;                  /* 0: any */
    const char *const *allow_hosts; /* NULL-terminated; NULL: none */
    unsigned max_clients;           /* of the stream; other requests have some room beside them */
    unsigned client_timeout_ms;     /* of a peer that acknowledges nothing */
    int64_t retention_age_ms;       /* shown by /stats, as are the next three */
    int64_t retention_bytes;
    const char *version;
    const char *instance;
    const struct clock *clock;
    const struct random_source *random;
    struct metrics *metrics;
};

/* Listens. Sets the streams' server. -EADDRINUSE, -EACCES; -ENOENT, -EINVAL for a token file that
 * cannot be read or is empty. */
MUST_CHECK int api_new(const struct api_settings *settings, struct api **ret_api, struct err *e);
uint16_t api_port(const struct api *api);
/* Until then the broker counts as not connected. */
void api_set_ingest(struct api *api, struct ingest *ingest);
/* Takes no new connections, ends the streams, lets the answers under way end. */
void api_quiesce(struct api *api);
/* True while nothing is being answered, streams included. */
bool api_is_idle(const struct api *api);
/*
 * Closes what is left, some of it by uv_close: the loop must run once more. May come before or
 * after reads_free(); a read that ends later is dropped. The streams are the caller's to free,
 * after this.
 */
void api_free(struct api *api);
DEFINE_CLEANUP(struct api *, api_free);

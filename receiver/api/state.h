#pragma once

/* What the resources of this folder share. Not for outside: that is api.h. Loop's thread only. */

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/http/server.h"
#include "receiver/api/api.h"
#include "receiver/api/publisher.h"

struct api {
    struct api_settings settings;
    struct http_server *server;
    int64_t started_us;        /* wall clock */
    int64_t started_ms;        /* monotonic */
    struct metric *read_time;  /* histogram of seconds */
    struct publisher *publish; /* NULL without a token file */
    struct secret token;
    struct log_limit refusals, token_errors; /* of log lines */
    struct metric *refused;                  /* counter of POSTs */
    struct {
        char bootid[17];   /* 64 random bits in hex: a run of the receiver */
        uint64_t sequence; /* of the last message that was sent; 0: none yet */
    } dashboard;
};

#pragma once

/* What an engine says about itself: GET /version and GET /info. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"

struct identity {
    char version[64];      /* "28.5.2" */
    char architecture[32]; /* "amd64" */
    char data_root[4096];  /* "" where it does not say */
    int api_minor;         /* 1.N is spoken with it: the lower of its newest and ours */
};

/* -EINVAL where it is no Docker engine, or none whose API we speak: `e` says what would be. */
MUST_CHECK int identity_parse_version(const char *json, size_t len, struct identity *ret_identity,
                                      struct err *e);
MUST_CHECK int identity_parse_info(const char *json, size_t len, struct identity *identity,
                                   struct err *e);
bool identity_equal(const struct identity *a, const struct identity *b);

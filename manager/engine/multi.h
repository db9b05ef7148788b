#pragma once

/* libcurl's multi interface (curl_multi_socket_action) in a libuv loop. */

#include <curl/curl.h>
#include <uv.h>

#include "common/base/error.h"

struct multi;

/* `turned` is called each time libcurl has done something, and not from inside it. */
MUST_CHECK int multi_new(uv_loop_t *loop, void (*turned)(void *context), void *context,
                         struct multi **ret_multi, struct err *e);
/* The easy handles must have been removed. By uv_close: the loop must run once more. */
void multi_stop(struct multi *multi);
void multi_free(struct multi *multi); /* accepts NULL */

/* 0 or -ENOMEM. */
MUST_CHECK int multi_add(struct multi *multi, CURL *easy);
void multi_remove(struct multi *multi, CURL *easy);
/* A transfer that has ended, or NULL. */
CURL *multi_next_ended(struct multi *multi, CURLcode *ret_code);

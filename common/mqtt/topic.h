#pragma once

/*
 * Topic names and filters (MQTT 3.1.1, section 4.7). Bellbuoy's own levels use [A-Za-z0-9_-] only:
 * NATS closes the connection on '.' and blank, RabbitMQ rewrites '.'.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"

#define TOPIC_SIZE       256 /* of Bellbuoy's own topics, with NUL */
#define TOPIC_LEVEL_SIZE 129 /* of one level, with NUL: 128 characters at most */

/* True for 1 to 128 characters of [A-Za-z0-9_-]. */
bool topic_level_is_valid(const char *level);
/* Makes a level of any name: each other character becomes '_'. Cut at 128. */
void topic_level_format(char level[static TOPIC_LEVEL_SIZE], const char *name);

/* Joins levels with '/' (list ends with NULL); -EINVAL if one is not valid, -ENAMETOOLONG. */
MUST_CHECK int topic_format(char *topic, size_t size, const char *const *levels);

bool topic_matches(const char *filter, const char *topic);
bool topic_filter_is_valid(const char *filter);
/* True if some topic matches both: overlapping filters deliver twice on some brokers. */
bool topic_filters_overlap(const char *a, const char *b);
/* True if every topic that `other` matches is matched by `filter` too. */
bool topic_filter_covers(const char *filter, const char *other);
/* Copies level `index` (from 0); false if there is none or it does not fit. */
MUST_CHECK bool topic_level(const char *topic, unsigned index, char *level, size_t size);

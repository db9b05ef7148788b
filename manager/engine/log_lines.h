#pragma once

/*
 * The lines in a container's output. Without a terminal the engine puts 8 bytes before each piece:
 * the stream (1: stdout, 2: stderr), three zeros, and the piece's size, big-endian (Engine API,
 * "Attach to a container", stream format). A line longer than LOG_LINE_MAX is told in pieces. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"

#define LOG_LINE_MAX 16384

struct log_lines {
    bool has_frames;
    bool stopped;
    unsigned char header[8];
    size_t header_len;
    size_t left;         /* of the present piece */
    bool is_error;       /* of the present piece */
    struct buf out, err; /* of each stream: the line that has begun */
    void (*line)(void *context, const char *line, size_t len, bool is_error);
    void *context;
};

void log_lines_init(struct log_lines *lines, bool has_frames,
                    void (*line)(void *context, const char *line, size_t len, bool is_error),
                    void *context);
void log_lines_deinit(struct log_lines *lines);
/* -EINVAL where there is no frame. */
MUST_CHECK int log_lines_feed(struct log_lines *lines, const char *bytes, size_t size,
                              struct err *e);
/* Tells the last lines, which have no end. */
void log_lines_end(struct log_lines *lines);
/* No further line is told, also from inside `line`; `lines` must outlive the feed. */
void log_lines_stop(struct log_lines *lines);

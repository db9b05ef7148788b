#pragma once

/*
 * CloudEvents 1.0.2 in the JSON format (cloudevents/formats/json-format.md, structured mode over
 * MQTT 3.1.1: bindings/mqtt-protocol-binding.md section 3.2). Strict on what we make; lenient on
 * what others send: unknown extension attributes and optional ones left out are fine, a required
 * attribute that is missing or of the wrong type is not.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/base/json.h"

#define EVENT_TYPE_HELLO   "bellbuoy.hello.v1"
#define EVENT_TYPE_EVENT   "bellbuoy.event.v1"
#define EVENT_TYPE_SESSION "bellbuoy.session.v1"
#define EVENT_TYPE_RAW     "bellbuoy.raw.v1"

#define EVENT_SOURCE_MAX   512 /* bytes, of any source that is accepted */
#define EVENT_ID_MAX       256
#define EVENT_TYPE_MAX     256
#define EVENT_BOOTID_MAX   64
#define EVENT_TOPIC_PREFIX "bellbuoy/events/"

#define EVENT_NO_TIME     INT64_MIN
#define EVENT_NO_NUMBER   INT64_MIN
#define EVENT_NO_SEQUENCE UINT64_MAX

/* The attributes of an event, as pointers into the parsed tree or the caller's strings. */
struct event {
    const char *type;
    const char *source;
    const char *id;
    const char *subject; /* NULL: none */
    const char *bootid;  /* NULL: none */
    uint64_t sequence;   /* EVENT_NO_SEQUENCE: none, or one that is no decimal number */
    int64_t time_us;     /* EVENT_NO_TIME: none */
    int64_t criticality; /* event_criticality() of data */
    const cJSON *data;   /* NULL: none, or data_base64 */
};

/* "hello", "event", "session", "raw" for our types, NULL for others' (and the reverse). */
const char *event_kind(const char *type);
const char *event_type_of_kind(const char *kind);
/* Full form of ?type= and ?source=: "hello" -> "bellbuoy.hello.v1", "press-7" ->
 * "/machines/press-7"; what is full stays. False if it does not fit. */
MUST_CHECK bool event_type_expand(const char *text, char *type, size_t size);
MUST_CHECK bool event_source_expand(const char *text, char *source, size_t size);

/* True where the object claims to be a CloudEvent: it has "specversion". */
bool event_is_cloudevent(const cJSON *json);

/*
 * Lenient: checks required attributes (id, source, specversion "1.0", type: non-empty strings
 * within the bounds above), that optional ones have their type (time RFC 3339, sequence string,
 * data xor data_base64), and for our own types the shape of data. -EINVAL names the attribute by
 * pointer. The event borrows from `json`.
 */
MUST_CHECK int event_decode(const cJSON *json, struct event *ret_event, struct err *e);

/*
 * Shape of data of our types: 0, or -EINVAL naming the member below `at` ("/data", or "" where the
 * whole payload is the data). `type` decides; others' types pass. `data` may be NULL.
 */
MUST_CHECK int event_check_data(const char *type, const cJSON *data, const char *at, struct err *e);

/* data.criticality of any type where it is an integer within 2^53; else EVENT_NO_NUMBER. `data` may
 * be NULL. */
int64_t event_criticality(const cJSON *data);

/* The type that a raw payload's shape shows: EVENT_TYPE_EVENT, EVENT_TYPE_SESSION or
 * EVENT_TYPE_RAW. */
const char *event_type_of_payload(const cJSON *json);

/* ---- making our own, without a tree: encode.c ---- */

struct event_identity {
    const char *source; /* "/machines/press-7" */
    const char *bootid; /* 16 hex digits */
    uint64_t sequence;  /* written with 12 digits; id is <bootid>-<sequence> */
    int64_t time_us;
};

/* Appends one event in the JSON format; `data` is JSON text of the caller's. */
void event_encode(struct buf *out, const char *type, const struct event_identity *identity,
                  const char *data, size_t data_len);
/* The data of each profile, appended as JSON. A hello without a colour (NULL) or a next one (-1)
 * leaves that member out. */
void event_encode_hello(struct buf *out, const char *text, const char *color, int64_t next_in_ms);
void event_encode_event(struct buf *out, int64_t criticality, int64_t timestamp_us,
                        const char *text);
void event_encode_session(struct buf *out, const char *session_id, int64_t timestamp_s,
                          double energy_kwh, int64_t duration_s, int64_t cost_cents);
#define EVENT_ID_SIZE 40 /* "<16 hex>-<12 digits>" and NUL, with room for the longest sequence */
void event_format_id(const struct event_identity *identity, char id[static EVENT_ID_SIZE]);
/* bellbuoy/events/<source's name as a level>/<kind> */
MUST_CHECK int event_format_topic(const char *source, const char *type, char *topic, size_t size);
/* A colour of #rrggbb for a source's name: the same name, the same colour; readable on dark and
 * light. */
#define EVENT_COLOR_SIZE 8
void event_color(const char *source, char color[static EVENT_COLOR_SIZE]);
bool event_is_color(const char *text); /* #rrggbb */

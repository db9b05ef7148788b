#pragma once

/* Rows for the journal as ingest would give them: a hello event of one source, stamped now. */

#include <string.h>

#include "bench/frame.h"
#include "receiver/journal/journal.h"

static inline void bench_add_row(struct batch *batch, unsigned long long number)
{
    static const char topic[] = "bellbuoy/events/bench/hello", source[] = "/machines/bench";
    static const char bootid[] = "5b0e9d6f41c27a83", color[] = "#2f81f7";
    char json[1024], id[64];
    size_t len = (size_t)bench_event(json, sizeof(json), number);
    size_t id_len = (size_t)snprintf(id, sizeof(id), "%s-%012llu", bootid, number);
    const char *data = strstr(json, "\"data\":") + strlen("\"data\":");
    struct batch_entry *entry = batch_add(batch);

    entry->recorded_us = entry->time_us = clock_wall_us();
    entry->criticality = EVENT_NO_NUMBER;
    entry->has_bootid = entry->has_sequence = true;
    entry->sequence = number;
    entry->topic = batch_copy(batch, topic, sizeof(topic) - 1);
    entry->type = batch_copy(batch, EVENT_TYPE_HELLO, sizeof(EVENT_TYPE_HELLO) - 1);
    entry->source = batch_copy(batch, source, sizeof(source) - 1);
    entry->id = batch_copy(batch, id, id_len);
    entry->bootid = batch_copy(batch, bootid, sizeof(bootid) - 1);
    entry->color = batch_copy(batch, color, sizeof(color) - 1);
    entry->json = batch_copy(batch, json, len);
    entry->data.at = entry->json.at + (size_t)(data - json);
    entry->data.len = len - (size_t)(data - json) - 1;
}

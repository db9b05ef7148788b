#pragma once

/* What a client asks of all clients' owner; not for users of streams.h. */

#include "receiver/stream/client.h"
#include "receiver/stream/streams.h"

/* The client wants a page of the journal: it is woken when it is there. */
void streams_queue(struct streams *streams, struct client *client);
/* How large that page may be. */
size_t streams_page_bytes(const struct streams *streams);
bool streams_is_quiescing(const struct streams *streams);
/* Bookkeeping. */
void streams_count_sent(struct streams *streams, size_t bytes, unsigned events);
void streams_count_gap(struct streams *streams, enum replay_gap gap);
void streams_count_replaying(struct streams *streams, int change);
void streams_count_pages(struct streams *streams, int change);

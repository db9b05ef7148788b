#include "receiver/ingest/ingest.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/str.h"
#include "common/mqtt/rights.h"
#include "common/mqtt/topic.h"
#include "receiver/ingest/admit.h"
#include "receiver/ingest/rates.h"
#include "receiver/ingest/subscriber.h"

#define BATCH_MESSAGES  1000       /* of one transaction */
#define BATCH_BYTES     (4 << 20)  /* beyond it a batch is committed, whatever its count */
#define BATCH_MAX_BYTES (64 << 20) /* what a batch may hold in memory */
#define READ_STEP       32         /* messages between two looks at the batch's size */
#define IDLE_MS         1000       /* housekeeping, when nothing comes */
#define BUSY_MS         10         /* and while messages come: retention must keep pace with them */
#define STORE_BASE_MS   500        /* backoff of a journal that cannot be opened or written */
#define STORE_CAP_MS    10000

struct ingest {
    struct ingest_settings settings;
    pthread_t thread;
    int wake_fd; /* written once: stop */

    /* owned by the thread */
    struct admitter *admitter;
    struct subscriber *subscriber; /* NULL until the journal is open for the first time */
    struct batch batch;
    bool journal_open, journal_ok;
    unsigned journal_attempts;
    int64_t journal_retry_ms; /* monotonic; while !journal_ok */
    int64_t maintain_ms;      /* monotonic; of the next housekeeping */

    struct rates rates;
    struct metric *m_stored, *m_duplicates, *m_quarantined, *m_batch_size, *m_commit_s,
        *m_connected;
    struct metric *m_own_expiry, *m_authority_expiry; /* with TLS */

    pthread_mutex_t lock; /* of what follows */
    struct ingest_status status;
    int64_t status_deadline_ms; /* monotonic time of the next attempt, to tell from now */
};

/* ---- what others may see ---- */

static void publish_status(struct ingest *in)
{
    struct subscriber_status now = {.mqtt = {.state = MQTT_WAITING, .next_attempt_ms = -1}};
    if (in->subscriber)
        subscriber_status(in->subscriber, &now);

    const char *reason = now.mqtt.reason ? now.mqtt.reason : "";
    if (!in->journal_ok)
        reason = "not connected while the journal cannot be written";
    else if (now.denied)
        reason = "the broker refused the subscription: check the access rights of this user";

    pthread_mutex_lock(&in->lock);
    in->status.broker = in->journal_ok ? now.mqtt.state : MQTT_WAITING;
    in->status.subscribed = in->journal_ok && now.subscribed;
    in->status.broker_since_us = now.mqtt.since_us;
    in->status.validity = now.validity;
    in->status_deadline_ms = now.mqtt.next_attempt_ms < 0
                                 ? -1
                                 : in->settings.clock->monotonic_ms(in->settings.clock->context) +
                                       now.mqtt.next_attempt_ms;
    if (!str_copy(in->status.broker_reason, sizeof(in->status.broker_reason), reason))
        in->status.broker_reason[0] = '\0';
    pthread_mutex_unlock(&in->lock);
    metric_set(in->m_connected, now.mqtt.state == MQTT_CONNECTED ? 1 : 0);
    if (in->settings.address.tls) {
        metric_set(in->m_own_expiry, validity_metric(now.validity.own_end_s));
        metric_set(in->m_authority_expiry, validity_metric(now.validity.authority_end_s));
    }
}

void ingest_status(struct ingest *in, struct ingest_status *ret_status)
{
    int64_t now_ms = in->settings.clock->monotonic_ms(in->settings.clock->context);

    pthread_mutex_lock(&in->lock);
    *ret_status = in->status;
    int64_t deadline_ms = in->status_deadline_ms;
    pthread_mutex_unlock(&in->lock);
    ret_status->next_attempt_ms =
        deadline_ms < 0 ? -1 : (deadline_ms > now_ms ? deadline_ms - now_ms : 0);
}

size_t ingest_rates(struct ingest *in, uint64_t counts[static INGEST_RATE_STEPS],
                    int64_t *ret_until_us)
{
    int64_t now_us = in->settings.clock->wall_us(in->settings.clock->context);
    return rates_copy(&in->rates, now_us, counts, ret_until_us);
}

/* ---- the journal's side ---- */

static int64_t now_ms(const struct ingest *in)
{
    return in->settings.clock->monotonic_ms(in->settings.clock->context);
}

/* Nothing is read from the broker, and so nothing acknowledged, until the journal takes writes
 * again. */
static void suspend_for_journal(struct ingest *in, const struct err *e)
{
    int64_t wait_ms =
        random_backoff_ms(in->settings.random, in->journal_attempts++, STORE_BASE_MS, STORE_CAP_MS);

    in->journal_ok = false;
    in->journal_retry_ms = now_ms(in) + wait_ms;
    log_error("ingest", "the journal cannot be written: messages stay with the broker",
              LOG_STR("reason", e->msg), LOG_INT("next_attempt_ms", wait_ms));
    publish_status(in);
}

static void seed_rates(struct ingest *in)
{
    struct journal_reader *reader = NULL;
    struct err e = {0};
    uint64_t counts[INGEST_RATE_STEPS];
    int64_t step_us = INGEST_RATE_STEP_US;
    int64_t until_us =
        (in->settings.clock->wall_us(in->settings.clock->context) / step_us + 1) * step_us;

    if (journal_reader_open(in->settings.journal, &reader, &e) < 0)
        return;
    if (journal_read_rates(reader, until_us - INGEST_RATE_STEPS * step_us, step_us, counts,
                           INGEST_RATE_STEPS, &e) == 0)
        rates_seed(&in->rates, counts, INGEST_RATE_STEPS, until_us);
    else
        log_warning("ingest", "the rate chart starts empty", LOG_STR("reason", e.msg));
    journal_reader_close(reader);
}

/* Without what is kept the nodes become known again as they report. */
static void restore_nodes(struct ingest *in)
{
    struct journal_reader *reader = NULL;
    struct err e = {0};

    int r = journal_reader_open(in->settings.journal, &reader, &e);
    if (r == 0)
        r = registry_open(in->settings.registry, reader, &e);
    journal_reader_close(reader);
    if (r < 0) {
        log_error("ingest", "what is kept of the nodes cannot be read", LOG_STR("reason", e.msg));
        registry_open_empty(in->settings.registry);
    }
}

static void on_message(void *context, const struct mqtt_message *message);
static void on_session_lost(void *context);

static void on_changed(void *context)
{
    publish_status(context);
}

static int start_subscriber(struct ingest *in, struct err *e)
{
    static const struct subscriber_handlers handlers = {
        .message = on_message,
        .session_lost = on_session_lost,
        .changed = on_changed,
    };
    return subscriber_new(&in->settings, in->settings.data_dir, &handlers, in, &in->subscriber, e);
}

static int open_journal(struct ingest *in, struct err *e)
{
    struct journal_status status;

    int r = journal_open(in->settings.journal, e);
    if (r < 0)
        return r;
    journal_status(in->settings.journal, &status);
    hub_open(in->settings.hub, status.last);
    seed_rates(in);
    restore_nodes(in);
    in->journal_open = true;
    return 0;
}

static void try_journal(struct ingest *in)
{
    struct err e = {0};
    int r = 0;

    if (!in->journal_open)
        r = open_journal(in, &e);
    else
        r = journal_probe(in->settings.journal, &e);
    if (r == 0 && !in->subscriber)
        r = start_subscriber(in, &e);
    if (r < 0) {
        suspend_for_journal(in, &e);
        return;
    }
    in->journal_ok = true;
    in->journal_attempts = 0;
    publish_status(in);
}

static void maintain(struct ingest *in, bool busy)
{
    int64_t now = now_ms(in);

    if (now < in->maintain_ms)
        return;
    bool more = journal_maintain(in->settings.journal) > 0;
    in->maintain_ms = now + (busy ? BUSY_MS : more ? 0 : IDLE_MS);
}

/* ---- a message's way ---- */

static void take_node_message(struct ingest *in, const struct mqtt_message *message,
                              const struct node_topic *topic, int64_t now_us)
{
    const struct registry_message m = {.topic = *topic,
                                       .payload = message->payload,
                                       .size = message->size,
                                       .is_retained = message->retain,
                                       .now_us = now_us};
    struct err e = {0};

    int r = registry_take(in->settings.registry, &m, &e);
    if (r == -EINVAL)
        admit_refused(in->admitter, message->topic, message->payload, message->size, now_us, e.msg,
                      &in->batch);
    else if (r < 0)
        in->batch.in.failed = true;
}

static void on_message(void *context, const struct mqtt_message *message)
{
    struct ingest *in = context;
    struct node_topic topic;
    int64_t now_us = in->settings.clock->wall_us(in->settings.clock->context);

    if (node_topic_parse(message->topic, &topic))
        take_node_message(in, message, &topic, now_us);
    else if (!topic_matches("bellbuoy/events/+/" MQTT_RIGHTS_KIND, message->topic))
        admit(in->admitter, message->topic, message->payload, message->size, now_us, &in->batch);
    /* else a service's message to itself */
}

static void on_session_lost(void *context)
{
    struct ingest *in = context;
    struct err e = {0};
    static const char detail[] = "the broker had forgotten this receiver's session: messages that "
                                 "came to the broker while the receiver was away are missing";

    log_warning("ingest", "the broker had forgotten the session");
    if (journal_incident(in->settings.journal, "session_lost", detail, &e) < 0)
        log_error("ingest", "the incident could not be stored", LOG_STR("reason", e.msg));
}

static void count_outcomes(struct ingest *in)
{
    uint64_t stored = 0, duplicates = 0, quarantined = 0;

    for (size_t i = 0; i < in->batch.count; i++) {
        stored += in->batch.entries[i].outcome == BATCH_STORED;
        duplicates += in->batch.entries[i].outcome == BATCH_DUPLICATE;
        quarantined += in->batch.entries[i].outcome == BATCH_QUARANTINED;
    }
    pthread_mutex_lock(&in->lock);
    in->status.stored += stored;
    in->status.duplicates += duplicates;
    in->status.quarantined += quarantined;
    pthread_mutex_unlock(&in->lock);
    metric_add(in->m_stored, stored);
    metric_add(in->m_duplicates, duplicates);
    metric_add(in->m_quarantined, quarantined);
    rates_add(&in->rates, in->settings.clock->wall_us(in->settings.clock->context), stored);
}

static int commit_events(struct ingest *in, struct err *e)
{
    int64_t start_us = clock_monotonic_us();

    if (in->batch.count == 0)
        return 0;
    int r = journal_append(in->settings.journal, &in->batch, e);
    if (r < 0)
        return r;
    metric_observe(in->m_commit_s, (double)(clock_monotonic_us() - start_us) / 1e6);
    metric_observe(in->m_batch_size, (double)in->batch.count);
    hub_publish(in->settings.hub, &in->batch);
    count_outcomes(in);
    return 0;
}

/* The nodes first: what they said may well come and be stored again when the events cannot be. */
static int commit(struct ingest *in, struct err *e)
{
    if (batch_failed(&in->batch)) {
        registry_drop(in->settings.registry);
        return FAIL(e, ENOMEM, "a batch of %zu messages did not fit in memory", in->batch.count);
    }
    int r = registry_commit(in->settings.registry, in->settings.journal, false, e);
    return r < 0 ? r : commit_events(in, e);
}

/*
 * The order is the promise: read, commit, acknowledge and show. A batch that cannot be committed is
 * refused, and the broker sends it again.
 */
static bool pump(struct ingest *in)
{
    struct err e = {0};
    size_t handed, messages = 0;

    batch_reset(&in->batch);
    do {
        handed = subscriber_read(in->subscriber, READ_STEP);
        messages += handed;
    } while (handed > 0 && messages < BATCH_MESSAGES &&
             in->batch.in.len + registry_taken_bytes(in->settings.registry) < BATCH_BYTES &&
             !batch_failed(&in->batch));
    if (messages > 0 && commit(in, &e) < 0) {
        subscriber_refuse(in->subscriber, "the journal could not be written");
        suspend_for_journal(in, &e);
        return true;
    }
    subscriber_acknowledge(in->subscriber);
    return messages > 0;
}

/* ---- the thread ---- */

static int poll_timeout(const struct ingest *in)
{
    int64_t now = now_ms(in);
    int64_t deadline = in->journal_retry_ms;

    if (in->journal_ok) {
        deadline = subscriber_deadline(in->subscriber);
        if (in->maintain_ms < deadline)
            deadline = in->maintain_ms;
    }
    return deadline <= now ? 0 : deadline - now > IDLE_MS ? IDLE_MS : (int)(deadline - now);
}

static bool stop_was_asked(const struct pollfd *wake)
{
    return (wake->revents & POLLIN) != 0;
}

/* So that no node looks as if it were silent after a restart. */
static void keep_times(struct ingest *in)
{
    struct err e = {0};

    if (registry_commit(in->settings.registry, in->settings.journal, true, &e) < 0)
        log_warning("ingest", "when the nodes reported last could not be stored",
                    LOG_STR("reason", e.msg));
}

static void *run(void *argument)
{
    struct ingest *in = argument;
    struct pollfd fds[2] = {{.fd = in->wake_fd, .events = POLLIN}};

    try_journal(in);
    for (;;) {
        fds[1].fd = in->journal_ok ? subscriber_fd(in->subscriber) : -1;
        fds[1].events = in->journal_ok ? subscriber_events(in->subscriber) : 0;
        fds[1].revents = 0;
        if (poll(fds, 2, poll_timeout(in)) < 0 && errno != EINTR)
            log_error("ingest", "poll failed", LOG_STR("reason", strerror(errno)));
        if (stop_was_asked(&fds[0]))
            break;
        if (in->journal_ok) {
            subscriber_tick(in->subscriber, now_ms(in));
            bool busy = pump(in);
            if (in->journal_ok)
                maintain(in, busy);
        } else if (now_ms(in) >= in->journal_retry_ms) {
            try_journal(in);
        }
    }
    if (in->journal_ok)
        keep_times(in);
    subscriber_free(TAKE(in->subscriber));
    return NULL;
}

static void register_metrics(struct ingest *in, struct metrics *m)
{
    static const double sizes[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
    static const double seconds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1};
    static const char name[] = "bellbuoy_receiver_messages_total";
    static const char help[] = "Messages taken from the broker, by what became of them.";

    in->m_stored = metrics_counter(m, name, "outcome=\"stored\"", help);
    in->m_duplicates = metrics_counter(m, name, "outcome=\"duplicate\"", help);
    in->m_quarantined = metrics_counter(m, name, "outcome=\"quarantined\"", help);
    in->m_batch_size = metrics_histogram(m, "bellbuoy_receiver_batch_messages", NULL,
                                         "Messages in one transaction.", sizes, ARRAY_SIZE(sizes));
    in->m_commit_s =
        metrics_histogram(m, "bellbuoy_receiver_commit_seconds", NULL,
                          "Time to make a batch durable.", seconds, ARRAY_SIZE(seconds));
    in->m_connected = metrics_gauge(m, "bellbuoy_receiver_broker_connected", NULL,
                                    "1 while the session with the broker stands.");
    if (in->settings.address.tls) {
        in->m_own_expiry =
            metrics_gauge(m, VALIDITY_METRIC, VALIDITY_METRIC_OWN, VALIDITY_METRIC_HELP);
        in->m_authority_expiry =
            metrics_gauge(m, VALIDITY_METRIC, VALIDITY_METRIC_CA, VALIDITY_METRIC_HELP);
        metric_set(in->m_own_expiry, validity_metric(0));
        metric_set(in->m_authority_expiry, validity_metric(0));
    }
}

static void destroy(struct ingest *in)
{
    if (in->wake_fd >= 0)
        close(in->wake_fd);
    admitter_free(in->admitter);
    batch_deinit(&in->batch);
    rates_deinit(&in->rates);
    pthread_mutex_destroy(&in->lock);
    free(in);
}

int ingest_start(const struct ingest_settings *settings, struct ingest **ret_ingest, struct err *e)
{
    struct ingest *in = calloc(1, sizeof(*in));
    if (!in)
        return FAIL(e, ENOMEM, "out of memory");
    in->settings = *settings;
    in->status_deadline_ms = -1;
    pthread_mutex_init(&in->lock, NULL);
    batch_init(&in->batch, BATCH_MAX_BYTES);
    rates_init(&in->rates, settings->clock->wall_us(settings->clock->context));
    register_metrics(in, settings->metrics);
    in->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = in->wake_fd < 0 ? -errno : 0;
    if (r == 0)
        r = admitter_new(settings->max_payload_bytes, settings->random, &in->admitter);
    if (r == 0)
        r = -pthread_create(&in->thread, NULL, run, in);
    if (r < 0) {
        destroy(in);
        return FAIL(e, -r, "the ingest thread could not be started: %s", strerror(-r));
    }
    *ret_ingest = in;
    return 0;
}

void ingest_stop(struct ingest *in)
{
    uint64_t one = 1;

    if (!in)
        return;
    if (write(in->wake_fd, &one, sizeof(one)) < 0)
        log_error("ingest", "the ingest thread could not be woken",
                  LOG_STR("reason", strerror(errno)));
    pthread_join(in->thread, NULL);
    destroy(in);
}

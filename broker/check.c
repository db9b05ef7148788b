#include "broker/check.h"

#include <stdio.h>
#include <string.h>

#include "broker/stream.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/options.h"
#include "common/base/program.h"
#include "common/base/str.h"
#include "common/mqtt/client.h"

#define KEEPALIVE_S 60
#define QOS         1

enum subject { SUBJECT_PLAINTEXT, SUBJECT_CERTIFICATE, SUBJECT_TOPIC, SUBJECT_MESSAGE };

struct check {
    struct log_options log;
    int subject;
    const char *broker_url;
    struct mqtt_address address; /* of broker_url */
    const char *ca_file, *cert_file, *key_file;
    const char *other_cert_file, *other_key_file;
    const char *topic;
    const char *receiver;
    int64_t timeout_ms;
};

/* ---- options ---- */

#define AT(member) offsetof(struct check, member)
#define TEXT(option, member, preset, value, helped)                                                \
    {                                                                                              \
        .name = (option), .type = OPTION_STRING, .offset = AT(member), .fallback = (preset),       \
        .value_name = (value), .help = (helped)                                                    \
    }

static const char *const subjects[] = {"plaintext", "certificate", "topic", "message", NULL};

static const struct option table[] = {
    {.name = "subject",
     .type = OPTION_CHOICE,
     .offset = AT(subject),
     .fallback = "message",
     .choices = subjects,
     .value_name = "NAME",
     .help = "What is tried: to log in without TLS; to log in without a certificate; to publish "
             "without the right to; to see a message in the receiver's stream."},
    TEXT("broker-url", broker_url, "mqtts://localhost:8883", "URL", "The broker."),
    TEXT("ca-file", ca_file, "/etc/bellbuoy/tls/ca.crt", "FILE",
         "The authority that the broker has its certificate of."),
    TEXT("cert-file", cert_file, "/etc/bellbuoy/tls/tls.crt", "FILE",
         "A certificate that the broker takes, with the right to read and write --topic."),
    TEXT("key-file", key_file, "/etc/bellbuoy/tls/tls.key", "FILE", "Its key."),
    TEXT("other-cert-file", other_cert_file, "/etc/bellbuoy/other/tls.crt", "FILE",
         "A certificate that the broker takes, without that right."),
    TEXT("other-key-file", other_key_file, "/etc/bellbuoy/other/tls.key", "FILE", "Its key."),
    TEXT("topic", topic, "bellbuoy/nodes/check/desired/check", "TOPIC",
         "The topic that only the first of them may write."),
    TEXT("receiver", receiver, "localhost:5000", "HOST:PORT", "The receiver."),
    {.name = "timeout",
     .type = OPTION_DURATION,
     .offset = AT(timeout_ms),
     .fallback = "15s",
     .min = 100,
     .max = 3600000,
     .value_name = "TIME",
     .help = "How long each step may take."},
};

static int load(int argc, char **argv, char **environment, struct check *ret_check,
                struct options **ret_options, struct err *e)
{
    const struct option_group groups[] = {
        {"Check", table, ARRAY_SIZE(table), ret_check},
        {"Log", log_option_table, log_option_count, &ret_check->log},
    };
    const struct options_program program = {
        .name = "broker check",
        .summary = "Tries what an installation must refuse, or carry.",
        .groups = groups,
        .group_count = ARRAY_SIZE(groups),
    };
    int r = options_load(&program, argc, argv, environment, ret_options, e);

    if (r != OPTIONS_RUN)
        return r;
    if (mqtt_url_parse(ret_check->broker_url, &ret_check->address, e) < 0)
        return -EINVAL;
    return r;
}

/* ---- a client, blocking ---- */

struct session {
    struct mqtt_options options;
    struct mqtt_client *client;
    bool subscribed, acknowledged;
    char heard[16]; /* the first message; "": none yet */
};

static void session_deinit(const struct session *s)
{
    mqtt_client_free(s->client);
}

#define SESSION __attribute__((cleanup(session_deinit))) struct session

static void on_message(void *context, const struct mqtt_message *message)
{
    struct session *s = context;

    if (!s->heard[0] && !str_copy_n(s->heard, sizeof s->heard, message->payload, message->size))
        s->heard[0] = '?';
}

static void on_published(void *context, int mid)
{
    struct session *s = context;

    (void)mid;
    s->acknowledged = true;
}

static void on_subscribed(void *context, int mid, int granted_qos)
{
    struct session *s = context;

    (void)mid;
    s->subscribed = granted_qos == QOS;
}

static bool is_connected(const struct session *s)
{
    struct mqtt_status status;

    mqtt_client_status(s->client, &status);
    return status.state == MQTT_CONNECTED;
}

static bool is_subscribed(const struct session *s)
{
    return s->subscribed;
}

static bool is_acknowledged(const struct session *s)
{
    return s->acknowledged;
}

static bool has_heard(const struct session *s)
{
    return s->heard[0] != '\0';
}

/* -ECONNREFUSED when the broker ended it, -ETIMEDOUT when nothing was heard of it. */
static int await(struct session *s, bool (*is_done)(const struct session *), const char *what,
                 int64_t timeout_ms, struct err *e)
{
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    struct mqtt_status status = {.reason = NULL};

    while (!is_done(s)) {
        if (status.reason)
            return FAIL(e, ECONNREFUSED, "no %s: %s", what, status.reason);
        if (clock_monotonic_ms() >= deadline_ms)
            return FAIL(e, ETIMEDOUT, "no %s within %lld ms", what, (long long)timeout_ms);
        mqtt_client_turn(s->client, deadline_ms);
        mqtt_client_status(s->client, &status);
    }
    return 0;
}

/* With options set, connects and waits for the login. */
static int session_open(struct session *s, const struct check *check, bool tls, struct err *e)
{
    static const struct mqtt_handlers handlers = {
        .message = on_message,
        .published = on_published,
        .subscribed = on_subscribed,
    };
    struct mqtt_client_settings settings = {
        .options = &s->options,
        .address = check->address,
        .clean_session = true,
        .random = &random_kernel,
    };

    settings.address.tls = tls;
    s->options.broker_url = check->broker_url;
    s->options.keepalive_s = KEEPALIVE_S;
    int r = mqtt_client_new(&settings, &handlers, s, &s->client, e);
    return r < 0 ? r : await(s, is_connected, "login", check->timeout_ms, e);
}

static int session_publish(struct session *s, const struct check *check, const char *text,
                           struct err *e)
{
    int mid;

    s->acknowledged = false;
    int r = mqtt_client_publish(s->client, check->topic, text, strlen(text), QOS, false, &mid);
    if (r < 0)
        return FAIL(e, -r, "cannot publish to %s", check->topic);
    return await(s, is_acknowledged, "acknowledgement", check->timeout_ms, e);
}

static int session_subscribe(struct session *s, const struct check *check, struct err *e)
{
    int mid;
    int r = mqtt_client_subscribe(s->client, check->topic, QOS, &mid);

    if (r < 0)
        return FAIL(e, -r, "cannot subscribe to %s", check->topic);
    return await(s, is_subscribed, "subscription", check->timeout_ms, e);
}

/* One that must get in: what is refused beside it is refused by a broker that works. */
static int open_allowed(struct session *s, const struct check *check, struct err *e)
{
    s->options = (struct mqtt_options){.client_id = "bellbuoy-check",
                                       .ca_file = check->ca_file,
                                       .cert_file = check->cert_file,
                                       .key_file = check->key_file};
    int r = session_open(s, check, true, e);
    if (r < 0)
        err_context(e, "%s with %s", check->broker_url, check->cert_file);
    return r;
}

/* ---- what is tried ---- */

/* `intruder` has its options; what it is goes into the message. */
static int expect_refusal(const struct check *check, struct session *intruder, bool tls,
                          const char *what, struct err *e)
{
    SESSION allowed = {.client = NULL};
    int r = open_allowed(&allowed, check, e);

    if (r < 0)
        return r;
    r = session_open(intruder, check, tls, e);
    if (r == 0)
        return FAIL(e, EPERM, "%s logs in a client %s", check->broker_url, what);
    if (r != -ECONNREFUSED)
        return r;
    printf("refused as it should be, a client %s: %s\n", what, e->msg);
    return 0;
}

static int check_plaintext(const struct check *check, struct err *e)
{
    SESSION intruder = {.options = {.client_id = "bellbuoy-check-plain"}};

    return expect_refusal(check, &intruder, false, "without TLS", e);
}

static int check_certificate(const struct check *check, struct err *e)
{
    SESSION intruder = {.options = {.client_id = "bellbuoy-check-bare", .ca_file = check->ca_file}};

    return expect_refusal(check, &intruder, true, "without a certificate", e);
}

/* A broker acknowledges what it denies. So one that may read the topic listens, and then writes
 * itself: what was let through before arrives before. */
static int check_topic(const struct check *check, struct err *e)
{
    SESSION allowed = {.client = NULL};
    SESSION other = {.options = {.client_id = "bellbuoy-check-other",
                                 .ca_file = check->ca_file,
                                 .cert_file = check->other_cert_file,
                                 .key_file = check->other_key_file}};
    int r;

    if ((r = open_allowed(&allowed, check, e)) < 0 ||
        (r = session_subscribe(&allowed, check, e)) < 0 ||
        (r = session_open(&other, check, true, e)) < 0 ||
        (r = session_publish(&other, check, "denied", e)) < 0 ||
        (r = session_publish(&allowed, check, "allowed", e)) < 0 ||
        (r = await(&allowed, has_heard, "message", check->timeout_ms, e)) < 0)
        return r;
    if (!str_equal(allowed.heard, "allowed"))
        return FAIL(e, EPERM, "the broker lets %s write %s", check->other_cert_file, check->topic);
    printf("refused as it should be: %s to write %s\n", check->other_cert_file, check->topic);
    return 0;
}

static int check_message(const struct check *check, struct err *e)
{
    int64_t start_ms = clock_monotonic_ms();
    int r = stream_await_event(check->receiver, check->timeout_ms, e);

    if (r < 0)
        return r;
    printf("a message arrived after %lld ms\n", (long long)(clock_monotonic_ms() - start_ms));
    return 0;
}

static int run(const struct check *check)
{
    static int (*const run_subject[])(const struct check *, struct err *) = {
        [SUBJECT_PLAINTEXT] = check_plaintext,
        [SUBJECT_CERTIFICATE] = check_certificate,
        [SUBJECT_TOPIC] = check_topic,
        [SUBJECT_MESSAGE] = check_message,
    };
    struct err e = {0};

    log_setup(LOG_ERROR, (enum log_format)check->log.format);
    if (run_subject[check->subject](check, &e) == 0)
        return EXIT_OK;
    fprintf(stderr, "broker check: %s\n", e.msg);
    return EXIT_FAILED;
}

int check_main(int argc, char **argv, char **environment)
{
    struct check check = {0};
    struct options *options AUTO(options_free) = NULL;
    struct err e = {0};

    switch (load(argc, argv, environment, &check, &options, &e)) {
    case OPTIONS_RUN:
        return run(&check);
    case OPTIONS_EXIT:
        return EXIT_OK;
    case OPTIONS_VERSION:
    case OPTIONS_HEALTHCHECK:
        err_set(&e, EINVAL, "check takes no other subcommand");
        break;
    default:
        break;
    }
    fprintf(stderr, "broker check: %s\n", e.msg);
    return EXIT_USAGE;
}

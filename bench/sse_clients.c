/*
 * Many SSE clients in one thread: connects, says "ready", then reads until every client has had its
 * events, and prints deliveries and latencies as one line of JSON.
 *
 *     sse_clients PORT CLIENTS EVENTS TIMEOUT_S stamp|time
 *
 * Latency is taken from each event: `stamp` from "bench_ns", the monotonic nanoseconds that the
 * fan-out programs write, `time` from the event's own wall-clock time.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/frame.h"

#define CARRY_MAX      64
#define CONNECTING_MAX 512 /* at once: the server's backlog */

/* What precedes an event's moment, how long its text is, and how old it is. */
struct mark {
    const char *text;
    size_t len, stamp_len;
    int64_t (*age_ns)(const char *stamp);
};

struct client {
    int fd;
    bool streams; /* the answer's head is there */
    unsigned events;
    size_t carry_len;
    char carry[CARRY_MAX]; /* the end of what was read, where a mark may have been cut */
};

static struct client *clients;
static int64_t *samples;
static size_t sample_count, sample_max;
static unsigned client_count, events_wanted, streaming, closed;

static int64_t stamp_age_ns(const char *stamp)
{
    char digits[20] = {0};
    memcpy(digits, stamp, sizeof(digits) - 1);
    return bench_now_ns() - strtoll(digits, NULL, 10);
}

static int64_t time_age_ns(const char *stamp)
{
    struct timespec now;
    struct tm tm = {0};
    char text[28] = {0};

    memcpy(text, stamp, sizeof(text) - 1);
    const char *fraction = strptime(text, "%Y-%m-%dT%H:%M:%S.", &tm);
    clock_gettime(CLOCK_REALTIME, &now);
    return (now.tv_sec - timegm(&tm)) * 1000000000LL + now.tv_nsec -
           (fraction ? strtoll(fraction, NULL, 10) * 1000 : 0);
}

static const struct mark marks[] = {
    {"\"bench_ns\":\"", sizeof("\"bench_ns\":\"") - 1, 19, stamp_age_ns},
    {"\"time\":\"", sizeof("\"time\":\"") - 1, 27, time_age_ns},
};
static const struct mark *mark = &marks[0];

static void die(const char *what)
{
    fprintf(stderr, "sse_clients: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void connect_client(int epoll_fd, struct client *c, uint16_t port)
{
    static const char request[] = "GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n"
                                  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) bench\r\n"
                                  "Accept: text/event-stream\r\nCache-Control: no-cache\r\n\r\n";
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        die("connect");
    if (write(c->fd, request, sizeof(request) - 1) != (ssize_t)sizeof(request) - 1)
        die("request");
    if (fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event))
        die("epoll");
}

static void take_sample(struct client *c, const char *stamp)
{
    if (sample_count < sample_max)
        samples[sample_count++] = mark->age_ns(stamp);
    c->events++;
}

/* Every mark that is whole in the bytes; what may be the beginning of one is carried over. */
static void scan(struct client *c, const char *bytes, size_t len)
{
    const char *at = bytes, *end = bytes + len;

    for (;;) {
        const char *found = memmem(at, (size_t)(end - at), mark->text, mark->len);
        if (!found) {
            size_t rest = (size_t)(end - at);
            c->carry_len = rest < mark->len - 1 ? rest : mark->len - 1;
            at = end - c->carry_len;
            break;
        }
        if ((size_t)(end - found) < mark->len + mark->stamp_len) {
            c->carry_len = (size_t)(end - found);
            at = found;
            break;
        }
        take_sample(c, found + mark->len);
        at = found + mark->len + mark->stamp_len;
    }
    memcpy(c->carry, at, c->carry_len);
}

static void read_client(int epoll_fd, struct client *c)
{
    static char bytes[CARRY_MAX + (256 << 10)];

    memcpy(bytes, c->carry, c->carry_len);
    ssize_t n = read(c->fd, bytes + c->carry_len, sizeof(bytes) - c->carry_len);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        epoll_ctl(epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
        closed++;
        return;
    }
    if (!c->streams) {
        c->streams = true;
        streaming++;
    }
    scan(c, bytes, c->carry_len + (size_t)n);
}

static void poll_once(int epoll_fd, int timeout_ms)
{
    struct epoll_event events[256];
    int n = epoll_wait(epoll_fd, events, 256, timeout_ms);

    for (int i = 0; i < n; i++)
        read_client(epoll_fd, events[i].data.ptr);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double percentile_ms(double p)
{
    return sample_count ? (double)samples[(size_t)(p * (double)(sample_count - 1))] / 1e6 : 0;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: sse_clients PORT CLIENTS EVENTS TIMEOUT_S stamp|time\n");
        return 2;
    }
    uint16_t port = (uint16_t)strtoul(argv[1], NULL, 10);
    client_count = (unsigned)strtoul(argv[2], NULL, 10);
    events_wanted = (unsigned)strtoul(argv[3], NULL, 10);
    int64_t timeout_ns = strtoll(argv[4], NULL, 10) * 1000000000LL;
    mark = strcmp(argv[5], "time") == 0 ? &marks[1] : &marks[0];
    sample_max = (size_t)client_count * events_wanted;
    clients = calloc(client_count, sizeof(*clients));
    samples = calloc(sample_max, sizeof(*samples));
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!clients || !samples || epoll_fd < 0)
        die("memory");

    for (unsigned i = 0; i < client_count; i++) {
        connect_client(epoll_fd, &clients[i], port);
        while (i + 1 - streaming - closed > CONNECTING_MAX)
            poll_once(epoll_fd, 1000);
    }
    while (streaming + closed < client_count)
        poll_once(epoll_fd, 1000);
    puts("ready");
    fflush(stdout);

    while (sample_count == 0 && closed < client_count)
        poll_once(epoll_fd, 1000);
    int64_t start_ns = bench_now_ns() - (sample_count ? samples[0] : 0);
    while (sample_count < sample_max && closed < client_count &&
           bench_now_ns() - start_ns < timeout_ns)
        poll_once(epoll_fd, 100);
    double seconds = (double)(bench_now_ns() - start_ns) / 1e9;
    qsort(samples, sample_count, sizeof(*samples), compare);
    printf("{\"clients\":%u,\"closed\":%u,\"deliveries\":%zu,\"expected\":%zu,\"seconds\":%.4f,"
           "\"deliveries_per_s\":%.0f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n",
           client_count, closed, sample_count, sample_max, seconds, (double)sample_count / seconds,
           percentile_ms(0.5), percentile_ms(0.99), percentile_ms(1));
    return sample_count == sample_max ? 0 : 1;
}

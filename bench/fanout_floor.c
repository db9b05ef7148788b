/*
 * The floor of SSE fan-out: a raw epoll loop that does nothing else. Its ratio to fanout_receiver
 * is what a server costs beyond the system calls.
 *
 *     fanout_floor coalesce|single [IGNORED]
 *
 * Prints "port N", then takes lines "send COUNT GAP_US" on stdin: COUNT events, GAP_US apart, 0 for
 * all at once. `single` writes one message a send, `coalesce` all that a client has pending.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/frame.h"

#define CLIENTS_MAX 32768
#define LOG_MAX     (64 << 20)
#define EVENTS_MAX  (1 << 20)

static struct {
    int fd;
    size_t sent; /* offset in the log */
    bool waits;  /* for EPOLLOUT */
} clients[CLIENTS_MAX];
static unsigned client_count;
static char log_bytes[LOG_MAX];
static size_t log_len, ends[EVENTS_MAX + 1];
static unsigned event_count;
static bool single;
static int epoll_fd;

static void watch(int fd, uint32_t events, uint32_t tag, int operation)
{
    struct epoll_event event = {.events = events, .data.u32 = tag};
    if (epoll_ctl(epoll_fd, operation, fd, &event) < 0)
        perror("epoll_ctl");
}

/* The end of what one send may carry. */
static size_t send_end(size_t from)
{
    unsigned low = 0, high = event_count;

    if (!single)
        return log_len;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (ends[middle] > from)
            high = middle;
        else
            low = middle + 1;
    }
    return ends[low];
}

static void flush_client(unsigned i)
{
    while (clients[i].fd >= 0 && clients[i].sent < log_len) {
        size_t end = send_end(clients[i].sent);
        ssize_t n =
            send(clients[i].fd, log_bytes + clients[i].sent, end - clients[i].sent, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno != EAGAIN) {
                close(clients[i].fd);
                clients[i].fd = -1;
            } else if (!clients[i].waits) {
                clients[i].waits = true;
                watch(clients[i].fd, EPOLLIN | EPOLLOUT, i, EPOLL_CTL_MOD);
            }
            return;
        }
        clients[i].sent += (size_t)n;
    }
    if (clients[i].waits) {
        clients[i].waits = false;
        watch(clients[i].fd, EPOLLIN, i, EPOLL_CTL_MOD);
    }
}

static void add_event(void)
{
    if (log_len + 1024 > LOG_MAX || event_count == EVENTS_MAX)
        return;
    log_len += (size_t)snprintf(log_bytes + log_len, 64, "id: 5f3a9c01-%u\ndata: ", event_count);
    log_len += (size_t)bench_event(log_bytes + log_len, 900, event_count);
    memcpy(log_bytes + log_len, "\n\n", 2);
    log_len += 2;
    ends[event_count++] = log_len;
}

static void accept_clients(int listen_fd)
{
    int fd;
    while ((fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (client_count == CLIENTS_MAX) {
            close(fd);
            continue;
        }
        clients[client_count].fd = fd;
        clients[client_count].sent = SIZE_MAX; /* until its request is there */
        watch(fd, EPOLLIN, client_count++, EPOLL_CTL_ADD);
    }
}

static void read_client(unsigned i)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                               "Connection: close\r\n\r\n";
    char bytes[4096];
    ssize_t n = read(clients[i].fd, bytes, sizeof(bytes));

    if (n <= 0) {
        close(clients[i].fd);
        clients[i].fd = -1;
    } else if (clients[i].sent == SIZE_MAX) {
        clients[i].sent = log_len;
        if (send(clients[i].fd, head, sizeof(head) - 1, MSG_NOSIGNAL) < 0)
            perror("send");
    }
}

static int listen_any(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
        perror("listen");
        exit(1);
    }
    printf("port %u\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

enum { TAG_LISTEN = CLIENTS_MAX, TAG_STDIN };

int main(int argc, char **argv)
{
    char line[128];
    unsigned left = 0;
    long long gap_ns = 0, next_ns = 0;

    single = argc > 1 && strcmp(argv[1], "single") == 0;
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int listen_fd = listen_any();
    watch(listen_fd, EPOLLIN, TAG_LISTEN, EPOLL_CTL_ADD);
    watch(STDIN_FILENO, EPOLLIN, TAG_STDIN, EPOLL_CTL_ADD);
    for (;;) {
        struct epoll_event events[256];
        long long wait_ns = left ? next_ns - bench_now_ns() : 1000000000LL;
        int n = epoll_wait(epoll_fd, events, 256, wait_ns <= 0 ? 0 : (int)(wait_ns / 1000000));
        for (int i = 0; i < n; i++) {
            if (events[i].data.u32 == TAG_LISTEN)
                accept_clients(listen_fd);
            else if (events[i].data.u32 != TAG_STDIN && events[i].events & EPOLLOUT)
                flush_client(events[i].data.u32);
            else if (events[i].data.u32 != TAG_STDIN)
                read_client(events[i].data.u32);
            else if (!fgets(line, sizeof(line), stdin))
                return 0;
            else if (strncmp(line, "send ", 5) == 0) {
                char *rest;
                left = (unsigned)strtoul(line + 5, &rest, 10);
                gap_ns = strtoll(rest, NULL, 10) * 1000;
                next_ns = bench_now_ns();
            }
        }
        bool added = false;
        while (left > 0 && bench_now_ns() >= next_ns) {
            add_event();
            added = true;
            left--;
            next_ns += gap_ns;
            if (gap_ns)
                break;
        }
        for (unsigned i = 0; added && i < client_count; i++) {
            if (!clients[i].waits && clients[i].sent != SIZE_MAX)
                flush_client(i);
        }
    }
}

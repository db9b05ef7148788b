#include "tests/unit/common/http/raw_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 10000

int raw_connect(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void wait_for(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
}

bool raw_try_send(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t n;

        wait_for(fd, POLLOUT);
        n = send(fd, at, len, MSG_NOSIGNAL);
        if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
            return false;
        assert_true(n > 0);
        at += n;
        len -= (size_t)n;
    }
    return true;
}

void raw_send_bytes(int fd, const void *bytes, size_t len)
{
    assert_true(raw_try_send(fd, bytes, len));
}

void raw_send(int fd, const char *text)
{
    raw_send_bytes(fd, text, strlen(text));
}

void raw_input_free(struct raw_input *input)
{
    free(input->text);
    *input = (struct raw_input){0};
}

void raw_read_some(int fd, struct raw_input *input)
{
    char bytes[65536];
    ssize_t n;

    wait_for(fd, POLLIN);
    n = recv(fd, bytes, sizeof(bytes), 0);
    if (n <= 0) {
        assert_true(n == 0 || errno == ECONNRESET);
        input->at_end = true;
        n = 0;
    }
    input->text = realloc(input->text, input->len + (size_t)n + 1);
    assert_non_null(input->text);
    memcpy(input->text + input->len, bytes, (size_t)n);
    input->len += (size_t)n;
    input->text[input->len] = '\0';
}

void raw_read_until(int fd, struct raw_input *input, const char *needle)
{
    while (!input->text || !strstr(input->text, needle)) {
        if (input->at_end)
            fail_msg("ended without '%s': %s", needle, input->text);
        raw_read_some(fd, input);
    }
}

void raw_read_len(int fd, struct raw_input *input, size_t len)
{
    while (input->len < len) {
        assert_false(input->at_end);
        raw_read_some(fd, input);
    }
}

void raw_read_to_end(int fd, struct raw_input *input)
{
    while (!input->at_end)
        raw_read_some(fd, input);
}

char *raw_exchange(uint16_t port, const char *request)
{
    struct raw_input input = {0};
    int fd = raw_connect(port);

    raw_send(fd, request);
    raw_read_to_end(fd, &input);
    close(fd);
    return input.text;
}

char *raw_get(uint16_t port, const char *target)
{
    char request[4096];

    assert_true(snprintf(request, sizeof(request),
                         "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                         target) < (int)sizeof(request));
    return raw_exchange(port, request);
}

size_t raw_unchunk(char *body, size_t len)
{
    size_t from = 0, to = 0;

    for (;;) {
        char *line_end = memchr(body + from, '\n', len - from);
        size_t size;

        if (!line_end)
            return to;
        size = strtoul(body + from, NULL, 16);
        from = (size_t)(line_end + 1 - body);
        if (size == 0 || from + size + 2 > len)
            return to;
        memmove(body + to, body + from, size);
        to += size;
        from += size + 2;
    }
}

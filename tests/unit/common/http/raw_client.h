#pragma once

/* HTTP by hand, for tests that send what no client library would. Blocking, with a deadline of 10 s
 * for each call; a failure fails the test. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A connection to 127.0.0.1. */
int raw_connect(uint16_t port);
void raw_send(int fd, const char *text);
void raw_send_bytes(int fd, const void *bytes, size_t len);
/* True if the peer took all of it; false once it has closed. */
bool raw_try_send(int fd, const void *bytes, size_t len);

/* What has come in on a connection. `text` is NUL-terminated. */
struct raw_input {
    char *text;
    size_t len;
    bool at_end; /* the peer closed, or reset the connection */
};
void raw_input_free(struct raw_input *input);
/* Waits for more bytes or the end. */
void raw_read_some(int fd, struct raw_input *input);
/* Reads until `needle` is in the input (from its beginning on), or fails at the end of it. */
void raw_read_until(int fd, struct raw_input *input, const char *needle);
/* Reads until at least `len` bytes are there, or fails at the end. */
void raw_read_len(int fd, struct raw_input *input, size_t len);
void raw_read_to_end(int fd, struct raw_input *input);

/* Sends one request on a connection of its own and reads until the end. The caller frees. */
char *raw_exchange(uint16_t port, const char *request);
/* "GET <target> HTTP/1.1" with Host: localhost, closed after it. */
char *raw_get(uint16_t port, const char *target);

/* Takes the chunks out of a chunked body (RFC 9112, section 7.1) in place: the body's length. What
 * is not complete at the end stays away. */
size_t raw_unchunk(char *body, size_t len);

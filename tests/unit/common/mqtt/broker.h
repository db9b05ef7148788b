#pragma once

/* A real Mosquitto of a test's own, on a free loopback port, in a folder that is removed. What
 * fails here fails the test. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct broker {
    char folder[64];
    uint16_t port;
    pid_t pid; /* 0: not running */
};

/* A folder and a port; nothing runs yet. */
void broker_init(struct broker *broker);
/* Ends it and removes the folder. */
void broker_deinit(struct broker *broker);

/* Starts it with `settings` (lines of mosquitto.conf; every "@" is the folder) and waits until it
 * accepts connections. */
void broker_start(struct broker *broker, const char *settings);
/* kill -9 */
void broker_kill(struct broker *broker);

/* An authority, a server's and a client's certificate in the folder: ca.crt, server.crt,
 * server.key, client.crt, client.key. `names` is the server's subjectAltName; 0 days have passed at
 * once. */
void broker_make_certificates(const struct broker *broker, const char *names, int server_days);
/* A password file `passwords` with one user. */
void broker_make_password(const struct broker *broker, const char *user, const char *password);
void broker_write_file(const struct broker *broker, const char *name, const char *text);
/* "<folder>/<name>"; valid for the next three calls. */
const char *broker_path(const struct broker *broker, const char *name);

/* A loopback socket that listens and never accepts, and its port. */
int silent_listener(uint16_t *ret_port);

#include "broker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"

#define START_MS 10000

extern char **environ;

static void die(const char *what)
{
    fprintf(stderr, "test broker: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void run_shell(const char *command)
{
    if (system(command) != 0) {
        fprintf(stderr, "test broker: failed: %s\n", command);
        exit(2);
    }
}

int silent_listener(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 5) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        die("listen");
    *ret_port = ntohs(address.sin_port);
    return fd;
}

void broker_init(struct broker *broker)
{
    *broker = (struct broker){.folder = "/tmp/bellbuoy-test-XXXXXX"};
    if (!mkdtemp(broker->folder))
        die("mkdtemp");
    close(silent_listener(&broker->port));
}

const char *broker_path(const struct broker *broker, const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", broker->folder, name);
    return path;
}

void broker_write_file(const struct broker *broker, const char *name, const char *text)
{
    FILE *file = fopen(broker_path(broker, name), "w");

    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        die(name);
}

static void write_settings(const struct broker *broker, const char *settings)
{
    FILE *file = fopen(broker_path(broker, "mosquitto.conf"), "w");

    if (!file)
        die("mosquitto.conf");
    fprintf(file, "listener %u 127.0.0.1\nuser root\nlog_dest none\n", broker->port);
    for (const char *s = settings; *s; s++) {
        if (*s == '@')
            fputs(broker->folder, file);
        else
            fputc(*s, file);
    }
    if (fclose(file) != 0)
        die("mosquitto.conf");
}

static bool accepts(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

    close(fd);
    return connected;
}

void broker_start(struct broker *broker, const char *settings)
{
    char program[] = "mosquitto";
    char flag[] = "-c";
    char conf[128];
    char *argv[] = {program, flag, conf, NULL};

    write_settings(broker, settings);
    snprintf(conf, sizeof(conf), "%s", broker_path(broker, "mosquitto.conf"));
    /* Debian keeps it where only root's PATH leads. */
    if (posix_spawn(&broker->pid, "/usr/sbin/mosquitto", NULL, NULL, argv, environ) != 0)
        die("mosquitto");
    for (int64_t end_ms = clock_monotonic_ms() + START_MS; !accepts(broker->port);) {
        if (clock_monotonic_ms() > end_ms || waitpid(broker->pid, NULL, WNOHANG) != 0) {
            errno = ETIMEDOUT;
            die("mosquitto does not start");
        }
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

void broker_kill(struct broker *broker)
{
    if (broker->pid == 0)
        return;
    kill(broker->pid, SIGKILL);
    waitpid(broker->pid, NULL, 0);
    broker->pid = 0;
}

void broker_deinit(struct broker *broker)
{
    char command[128];

    broker_kill(broker);
    snprintf(command, sizeof(command), "rm -r '%s'", broker->folder);
    run_shell(command);
}

void broker_make_password(const struct broker *broker, const char *user, const char *password)
{
    char command[256];

    broker_write_file(broker, "passwords", "");
    snprintf(command, sizeof(command), "mosquitto_passwd -b '%s/passwords' '%s' '%s'",
             broker->folder, user, password);
    run_shell(command);
}

void broker_make_certificates(const struct broker *broker, const char *names, int server_days)
{
    static const char script[] =
        "set -e; cd '%s'; exec 2>/dev/null\n"
        "new='openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
        "$new -x509 -days 2 -subj '/CN=Test authority' -keyout ca.key -out ca.crt\n"
        "printf 'subjectAltName=%s\\n' >server.ext\n"
        "printf 'extendedKeyUsage=clientAuth\\n' >client.ext\n"
        "for one in server client; do\n"
        "  $new -subj /CN=$one -keyout $one.key -out $one.csr\n"
        "  days=2; test $one = client || days=%d\n"
        "  openssl x509 -req -in $one.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days $days \\\n"
        "    -extfile $one.ext -out $one.crt\n"
        "done";
    char command[1024];

    snprintf(command, sizeof(command), script, broker->folder, names, server_days);
    run_shell(command);
}

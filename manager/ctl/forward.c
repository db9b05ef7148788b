#include "manager/ctl/forward.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/str.h"

#define NAME_SIZE     256
#define OUTPUT_MAX    4096
#define STATUS_NO_EXE 127 /* as the shell has it */
#define SIGN          "Forwarding from 127.0.0.1:"

struct forward {
    pid_t pid;
    int fd; /* what kubectl writes, to stdout and stderr */
    uint16_t port;
    struct buf output;
};

/* In the child, after fork: it ends with us, however we end. */
static void exec_kubectl(char *const *argv, int fd, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() == parent && dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0)
        execvp(argv[0], argv);
    _exit(STATUS_NO_EXE);
}

static int start(struct forward *f, char *const *argv, struct err *e)
{
    pid_t parent = getpid();
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return FAIL(e, errno, "no pipe: %s", strerror(errno));
    f->fd = ends[0];
    f->pid = fork();
    if (f->pid == 0)
        exec_kubectl(argv, ends[1], parent);
    close(ends[1]);
    return f->pid > 0 ? 0 : FAIL(e, EAGAIN, "kubectl cannot be started");
}

/* The port that it names, once it does; 0: not yet. */
static uint16_t find_port(const struct buf *output)
{
    const char *sign = output->data ? strstr(output->data, SIGN) : NULL;
    char digits[8];
    int64_t port = 0;

    if (!sign)
        return 0;
    sign += strlen(SIGN);
    size_t len = strspn(sign, "0123456789");
    if (sign[len] == '\0' || !str_copy_n(digits, sizeof digits, sign, len) ||
        str_parse_int(digits, 1, UINT16_MAX, &port) < 0)
        return 0;
    return (uint16_t)port;
}

/* kubectl ended: its first line tells why. */
static int fail_ended(const struct forward *f, struct err *e)
{
    const char *text = f->output.data ? f->output.data : "";
    int len = (int)strcspn(text, "\n");

    return len > 0 ? FAIL(e, ECONNREFUSED, "kubectl port-forward: %.*s", len, text)
                   : FAIL(e, ENOENT, "kubectl port-forward does not run: is kubectl installed?");
}

static int await(struct forward *f, int64_t timeout_ms, struct err *e)
{
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    char bytes[512];

    while ((f->port = find_port(&f->output)) == 0) {
        struct pollfd pollfd = {.fd = f->fd, .events = POLLIN};
        int64_t left_ms = deadline_ms - clock_monotonic_ms();
        if (left_ms <= 0 || buf_failed(&f->output))
            return FAIL(e, ETIMEDOUT, "kubectl port-forward does not begin within %g s",
                        (double)timeout_ms / 1000);
        if (poll(&pollfd, 1, (int)left_ms) <= 0)
            continue;
        ssize_t got = read(f->fd, bytes, sizeof bytes);
        if (got <= 0)
            return fail_ended(f, e);
        buf_append(&f->output, bytes, (size_t)got);
    }
    return 0;
}

int forward_open(const struct forward_settings *settings, struct forward **ret_forward,
                 struct err *e)
{
    struct forward *f AUTO(forward_free) = calloc(1, sizeof *f);
    const char *slash = strchr(settings->service, '/');
    char program[] = "kubectl", command[] = "port-forward";
    char context[NAME_SIZE + 16], space[NAME_SIZE + 16], service[NAME_SIZE + 16], ports[16];

    if (!f)
        return FAIL(e, ENOMEM, "out of memory");
    f->fd = -1;
    f->output = BUF_INIT(OUTPUT_MAX);
    if (!slash || slash == settings->service || slash[1] == '\0' ||
        strlen(settings->service) >= NAME_SIZE ||
        (settings->kube_context && strlen(settings->kube_context) >= NAME_SIZE))
        return FAIL(e, EINVAL, "--kube-service '%.64s' must be NAMESPACE/SERVICE",
                    settings->service);
    (void)snprintf(space, sizeof space, "--namespace=%.*s", (int)(slash - settings->service),
                   settings->service);
    (void)snprintf(service, sizeof service, "service/%s", slash + 1);
    (void)snprintf(ports, sizeof ports, ":%u", settings->port);
    (void)snprintf(context, sizeof context, "--context=%s",
                   settings->kube_context ? settings->kube_context : "");
    char *const argv[] = {
        program, command, space, service, ports, settings->kube_context ? context : NULL, NULL};
    int r = start(f, argv, e);
    if (r == 0)
        r = await(f, settings->timeout_ms, e);
    if (r == 0)
        *ret_forward = TAKE(f);
    return r;
}

void forward_free(struct forward *forward)
{
    if (!forward)
        return;
    if (forward->pid > 0) {
        kill(forward->pid, SIGTERM);
        while (waitpid(forward->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (forward->fd >= 0)
        close(forward->fd);
    buf_deinit(&forward->output);
    free(forward);
}

uint16_t forward_port(const struct forward *forward)
{
    return forward->port;
}

#include "broker/mosquitto.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/log.h"

#define STOP_MS 4500 /* less than the 5 s that a service may take */

struct mosquitto_process {
    struct mosquitto_settings settings;
    pid_t pid;          /* 0: not running */
    int output[2];      /* one pipe for all runs */
    uv_poll_t readable; /* of output[0] */
    uv_signal_t child;
    uv_timer_t deadline;
    unsigned open_handles;
    char line[MOSQUITTO_LINE_SIZE];
    size_t line_len;
};

/* ---- what it writes ---- */

static void take_byte(struct mosquitto_process *p, char byte)
{
    if (byte != '\n') {
        if (p->line_len < sizeof(p->line) - 1)
            p->line[p->line_len++] = byte;
        return;
    }
    p->line[p->line_len] = '\0';
    p->line_len = 0;
    p->settings.line(p->settings.context, p->line);
}

static void read_output(struct mosquitto_process *p)
{
    char chunk[4096];
    ssize_t got;

    while ((got = read(p->output[0], chunk, sizeof(chunk))) > 0)
        for (ssize_t i = 0; i < got; i++)
            take_byte(p, chunk[i]);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    if (status == 0)
        read_output(poll->data);
}

/* ---- its end ---- */

static void on_ended(struct mosquitto_process *p, int status)
{
    /* Asked to end while it starts it dies of the signal, with nothing to save. */
    bool asked = uv_is_active((uv_handle_t *)&p->deadline);
    bool well = (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
                (asked && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    char how[32];

    if (WIFSIGNALED(status))
        (void)snprintf(how, sizeof(how), "signal %d", WTERMSIG(status));
    else
        (void)snprintf(how, sizeof(how), "status %d", WEXITSTATUS(status));
    p->pid = 0;
    uv_timer_stop(&p->deadline);
    read_output(p);
    if (p->line_len > 0)
        take_byte(p, '\n');
    p->settings.ended(p->settings.context, well, how);
}

/* Process 1 is the parent of every orphan, too. */
static void on_child(uv_signal_t *signal, int number)
{
    struct mosquitto_process *p = signal->data;
    int status;
    pid_t pid;

    (void)number;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == p->pid)
            on_ended(p, status);
}

static void on_deadline(uv_timer_t *timer)
{
    const struct mosquitto_process *p = timer->data;

    log_error("broker", "mosquitto does not end and is killed: what it had not saved is lost",
              LOG_INT("waited_ms", STOP_MS));
    kill(p->pid, SIGKILL);
}

/* ---- its life ---- */

_Noreturn static void run_program(const struct mosquitto_process *p, pid_t parent)
{
    const char *const argv[] = {p->settings.program, "-c", p->settings.conf, NULL};

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGHUP, SIG_IGN); /* until it has a handler: while it reads its messages it has none */
    if (getppid() != parent || dup2(p->output[1], STDOUT_FILENO) < 0 ||
        dup2(p->output[1], STDERR_FILENO) < 0)
        _exit(126);
    /* execv() changes none of the strings; its type is older than const. */
    execv(p->settings.program, (char *const *)(uintptr_t)argv);
    _exit(127);
}

int mosquitto_process_start(struct mosquitto_process *process, struct err *e)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid < 0)
        return FAIL(e, errno, "no process could be made: %s", strerror(errno));
    if (pid == 0)
        run_program(process, parent);
    process->pid = pid;
    return 0;
}

bool mosquitto_process_is_running(const struct mosquitto_process *process)
{
    return process->pid > 0;
}

void mosquitto_process_stop(struct mosquitto_process *process)
{
    kill(process->pid, SIGTERM);
    uv_timer_start(&process->deadline, on_deadline, STOP_MS, 0);
}

void mosquitto_process_reload(struct mosquitto_process *process)
{
    kill(process->pid, SIGHUP);
}

/* ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct mosquitto_process *p = handle->data;

    if (--p->open_handles > 0)
        return;
    close(p->output[0]);
    close(p->output[1]);
    free(p);
}

void mosquitto_process_free(struct mosquitto_process *process)
{
    if (!process)
        return;
    uv_close((uv_handle_t *)&process->readable, on_handle_closed);
    uv_close((uv_handle_t *)&process->child, on_handle_closed);
    uv_close((uv_handle_t *)&process->deadline, on_handle_closed);
}

static int open_output(struct mosquitto_process *p, struct err *e)
{
    if (pipe2(p->output, O_CLOEXEC) < 0)
        return FAIL(e, errno, "no pipe could be made: %s", strerror(errno));
    /* Our end only: Mosquitto's may block. */
    if (fcntl(p->output[0], F_SETFL, O_NONBLOCK) < 0) {
        close(p->output[0]);
        close(p->output[1]);
        return FAIL(e, errno, "no pipe could be made: %s", strerror(errno));
    }
    return 0;
}

int mosquitto_process_new(uv_loop_t *loop, const struct mosquitto_settings *settings,
                          struct mosquitto_process **ret_process, struct err *e)
{
    if (access(settings->program, X_OK) < 0)
        return FAIL(e, errno, "--mosquitto '%s' cannot be run: %s", settings->program,
                    strerror(errno));
    if (access(settings->conf, R_OK) < 0)
        return FAIL(e, errno, "--conf '%s' cannot be read: %s", settings->conf, strerror(errno));
    struct mosquitto_process *p = calloc(1, sizeof(*p));
    if (!p)
        return FAIL(e, ENOMEM, "out of memory");
    p->settings = *settings;
    int r = open_output(p, e);
    if (r < 0) {
        free(p);
        return r;
    }
    uv_poll_init(loop, &p->readable, p->output[0]);
    uv_signal_init(loop, &p->child);
    uv_timer_init(loop, &p->deadline);
    p->readable.data = p->child.data = p->deadline.data = p;
    p->open_handles = 3;
    uv_poll_start(&p->readable, UV_READABLE, on_readable);
    uv_signal_start(&p->child, on_child, SIGCHLD);
    *ret_process = p;
    return 0;
}

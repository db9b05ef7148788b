#include "broadcaster/ledger.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#define MAX_BYTES     (64 * 1024 * 1024)
#define LOG_PERIOD_MS 10000

struct ledger {
    int fd;
    struct buf lines;
    struct log_limit complaints;
};

int ledger_open(const char *path, struct ledger **ret_ledger, struct err *e)
{
    struct ledger *ledger = calloc(1, sizeof(*ledger));

    if (!ledger)
        return FAIL(e, ENOMEM, "out of memory");
    ledger->lines = BUF_INIT(MAX_BYTES);
    ledger->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (ledger->fd < 0) {
        int error = errno;
        free(ledger);
        return FAIL(e, error, "--ledger '%s' cannot be opened: %s", path, strerror(error));
    }
    *ret_ledger = ledger;
    return 0;
}

void ledger_free(struct ledger *ledger)
{
    if (!ledger)
        return;
    ledger_flush(ledger);
    close(ledger->fd);
    buf_deinit(&ledger->lines);
    free(ledger);
}

static void complain(struct ledger *ledger, const char *reason)
{
    uint64_t suppressed;

    if (log_limit_pass(&ledger->complaints, clock_monotonic_ms(), LOG_PERIOD_MS, &suppressed))
        log_error("ledger", "a line could not be written", LOG_STR("reason", reason),
                  LOG_INT("suppressed", suppressed));
}

void ledger_add(struct ledger *ledger, const char *source, const char *id)
{
    if (!ledger)
        return;
    buf_append_str(&ledger->lines, source);
    buf_append_char(&ledger->lines, ' ');
    buf_append_str(&ledger->lines, id);
    buf_append_char(&ledger->lines, '\n');
}

static void forget_written(struct buf *lines, size_t written)
{
    memmove(lines->data, lines->data + written, lines->len - written);
    lines->len -= written;
    lines->data[lines->len] = '\0';
}

void ledger_flush(struct ledger *ledger)
{
    if (!ledger || ledger->lines.len == 0)
        return;
    if (buf_failed(&ledger->lines))
        complain(ledger, "too much waits to be written");
    ssize_t written = write(ledger->fd, ledger->lines.data, ledger->lines.len);
    if (written < 0)
        complain(ledger, strerror(errno));
    else if ((size_t)written == ledger->lines.len)
        buf_reset(&ledger->lines);
    else
        forget_written(&ledger->lines, (size_t)written);
}

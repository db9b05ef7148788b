/* Lines up to an empty one as arguments, the rest as the configuration file: every outcome has its
 * values within their bounds, or a reason. */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/options.h"

#define MAX_ARGUMENTS 16

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct values {
    const char *url;
    int64_t port;
    bool fast;
    int64_t age_ms;
    int64_t size_bytes;
    int color;
    struct option_list hosts;
};

static const char *const colors[] = {"red", "green", NULL};

#define AT(member) .offset = offsetof(struct values, member)

static const struct option table[] = {
    {.name = "url", AT(url), .help = "URL."},
    {.name = "port", .type = OPTION_INTEGER, AT(port), .fallback = "1", .max = 9, .help = "Port."},
    {.name = "fast", .type = OPTION_BOOLEAN, AT(fast), .help = "Fast."},
    {.name = "age",
     .type = OPTION_DURATION,
     AT(age_ms),
     .fallback = "1s",
     .min = 1000,
     .max = 60000,
     .help = "Age."},
    {.name = "size", .type = OPTION_SIZE, AT(size_bytes), .help = "Size."},
    {.name = "color", .type = OPTION_CHOICE, AT(color), .choices = colors, .help = "Colour."},
    {.name = "hosts", .type = OPTION_LIST, AT(hosts), .help = "Hosts."},
};

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
}

static void check_values(const struct values *values)
{
    require(values->port >= 0 && values->port <= 9);
    require(values->age_ms >= 1000 && values->age_ms <= 60000);
    require(values->size_bytes >= 0);
    require(values->color == 0 || values->color == 1);
    require(values->url == NULL || strlen(values->url) < SIZE_MAX);
    for (size_t i = 0; i < values->hosts.count; i++) {
        require(values->hosts.items[i] != NULL);
    }
    require(values->hosts.items[values->hosts.count] == NULL);
}

/* A file that holds the bytes; its name goes into `variable`. */
static int make_config(const char *text, char *variable, size_t size)
{
    int fd = memfd_create("config", MFD_CLOEXEC);
    size_t len = strlen(text);
    require(fd >= 0 && write(fd, text, len) == (ssize_t)len);
    snprintf(variable, size, "BELLBUOY_CONFIG=/proc/self/fd/%d", fd);
    return fd;
}

/* Cuts the text into lines up to an empty one; returns what follows that. */
static char *split_arguments(char *text, char **argv, int *ret_argc)
{
    while (*ret_argc < MAX_ARGUMENTS - 1 && *text != '\0' && *text != '\n') {
        argv[(*ret_argc)++] = text;
        text += strcspn(text, "\n");
        if (*text == '\n') {
            *text++ = '\0';
        }
    }
    return *text == '\n' ? text + 1 : text;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static char program_name[] = "program";
    static bool silenced;
    if (!silenced) { /* --help and --print-config; libFuzzer itself writes to stderr */
        silenced = freopen("/dev/null", "w", stdout) != NULL;
    }
    AUTO(free) char *text = calloc(1, size + 1);
    char *argv[MAX_ARGUMENTS] = {program_name};
    int argc = 1;
    char variable[64];
    char *environment[] = {variable, NULL};
    struct values values;
    AUTO(options_free) struct options *options = NULL;
    struct err e = {0};
    require(text != NULL);
    memcpy(text, bytes, size);
    int fd = make_config(split_arguments(text, argv, &argc), variable, sizeof variable);
    const struct option_group group = {"Values", table, ARRAY_SIZE(table), &values};
    const struct options_program program = {
        .name = "program",
        .summary = "Does things.",
        .groups = &group,
        .group_count = 1,
    };
    int outcome = options_load(&program, argc, argv, environment, &options, &e);
    close(fd);
    require((outcome >= 0) == (options != NULL));
    if (outcome < 0) {
        require(e.msg[0] != '\0');
    } else if (outcome == OPTIONS_RUN || outcome == OPTIONS_HEALTHCHECK) {
        check_values(&values);
    }
    return 0;
}

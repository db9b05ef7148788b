#include "common/metrics/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Fields of /proc/self/stat as proc(5) counts them, from 1. */
enum { STAT_STARTTIME = 22 };

/* The beginning of a small file as text; false where it cannot be read. */
static bool read_text(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (fd < 0)
        return false;
    got = read(fd, text, size - 1);
    close(fd);
    if (got <= 0)
        return false;
    text[got] = '\0';
    return true;
}

/* The n-th field of /proc/self/stat. Counted from the last ')': the command's name, field 2, may
 * hold blanks and parentheses. */
static double stat_field(int n)
{
    char text[1024];
    const char *at;

    if (!read_text("/proc/self/stat", text, sizeof text))
        return NAN;
    at = strrchr(text, ')');
    for (int field = 2; at && field < n; field++)
        at = strchr(at + 1, ' ');
    return at ? strtod(at, NULL) : NAN;
}

/* clock_gettime rather than /proc: utime and stime there are in ticks of 10 ms. */
double process_cpu_seconds(void *unused)
{
    struct timespec used;

    (void)unused;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) < 0)
        return NAN;
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

double process_resident_bytes(void *unused)
{
    char text[256];
    const char *second;

    (void)unused;
    if (!read_text("/proc/self/statm", text, sizeof text))
        return NAN;
    second = strchr(text, ' ');
    return second ? strtod(second, NULL) * (double)sysconf(_SC_PAGESIZE) : NAN;
}

double process_open_fds(void *unused)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    (void)unused;
    if (!dir)
        return NAN;
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count - 1; /* without the one of `dir` */
}

/* Start in ticks since boot, brought to wall time by the two clocks of now. */
double process_start_seconds(void *unused)
{
    struct timespec wall, since_boot;
    double start_s = stat_field(STAT_STARTTIME) / (double)sysconf(_SC_CLK_TCK);

    (void)unused;
    if (clock_gettime(CLOCK_REALTIME, &wall) < 0 || clock_gettime(CLOCK_BOOTTIME, &since_boot) < 0)
        return NAN;
    return (double)(wall.tv_sec - since_boot.tv_sec) +
           (double)(wall.tv_nsec - since_boot.tv_nsec) / 1e9 + start_s;
}

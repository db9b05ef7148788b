#pragma once

/*
 * What the kernel tells about this process, from /proc, in the form of metrics_callback(). NaN
 * where /proc does not tell. Any thread.
 */

double process_cpu_seconds(void *unused);
double process_resident_bytes(void *unused);
double process_open_fds(void *unused);
double process_start_seconds(void *unused); /* since 1970-01-01T00:00:00Z */

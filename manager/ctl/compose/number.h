#pragma once

/* Numbers, durations and sizes as Go and its libraries read and print them, which Compose shows. */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"

#define NUMBER_TEXT_SIZE 40

/* The shortest decimal that reads back as the same double, with an exponent below 1e-4 and from 1e6
 * on: fmt.Sprint of a float64. */
void number_format(double value, char ret_text[static NUMBER_TEXT_SIZE]);

/* The double that the shortest decimal of the nearest float32 stands for: 0.1 stays 0.1. */
double number_through_float32(double value);

/* A whole text as a decimal floating point number. 0 or -EINVAL. */
MUST_CHECK int number_parse(const char *text, double *ret_value);

/* "1d12h", "1.5m", "90s": units ns us ms s m h d w (str2duration). 0, -EINVAL or -ERANGE. */
MUST_CHECK int duration_parse(const char *text, int64_t *ret_ns);
/* "36h0m0s", "1m30s", "1.5ms", "0s": time.Duration's String. */
void duration_format(int64_t ns, char ret_text[static NUMBER_TEXT_SIZE]);

/* "64m", "1.5 GiB", "1024", "-1": powers of 1024, case ignored (units.RAMInBytes). 0, -EINVAL or
 * -ERANGE. */
MUST_CHECK int size_parse(const char *text, int64_t *ret_bytes);

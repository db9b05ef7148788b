#pragma once

/* Compose's quantities as text: durations as Go prints them, sizes as Docker reads them (every unit
 * a power of 1024), shares of processors. All are read into integers. */

#include <stdint.h>

#include "common/base/cleanup.h"

/* Below 10^15, where cJSON would go over to exponents, which the engine does not take. */
#define DURATION_MAX_NS (240LL * 3600 * 1000000000)
#define SIZE_MAX_BYTES  (512LL << 40)

/* "1m30s", "1.5h", "300ms", "0". 0, -EINVAL, or -ERANGE above DURATION_MAX_NS. */
MUST_CHECK int quantity_parse_duration(const char *text, int64_t *ret_ns);

/* "134217728", "128M", "128mb", "1.5GiB". 0, -EINVAL, or -ERANGE above SIZE_MAX_BYTES. */
MUST_CHECK int quantity_parse_size(const char *text, int64_t *ret_bytes);

/* "0.5" as 500000000. 0, -EINVAL or -ERANGE. */
MUST_CHECK int quantity_parse_cpus(const char *text, int64_t *ret_nano);

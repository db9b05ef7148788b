#pragma once

/* Containers and registries say what they like; reports are JSON. */

#include <stddef.h>

/* Copies `text`, cut at the end of a character where it is too long; what is not UTF-8, and control
 * characters but the newline, become '?'. */
void clean_text(char *out, size_t size, const char *text, size_t len);

#pragma once

/*
 * A command line as a list of words, as Compose splits `command` and `entrypoint` (go-shellwords):
 * blanks part words, quotes and backslashes keep them together; nothing is expanded. A bare ; & | <
 * or > ends the line, and what follows is dropped.
 */

#include "manager/ctl/compose/node.h"

/* A list of strings, and in `line` where what is dropped begins: "" if nothing is. 0, -EINVAL where
 * a quote or parenthesis is not closed, -ENOMEM. */
MUST_CHECK int words_split(struct arena *arena, struct place at, const char *line,
                           struct node **ret_words, const char **ret_dropped);

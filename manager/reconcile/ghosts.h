#pragma once

/*
 * Names that the engine keeps for a container that is not there: `docker rm` at the same time as a
 * rename leaves one, until the engine is started anew. The container that should have the name is
 * then called NAME.2 (NAME.3, ...), and is in its place there: its labels say what it is. What is
 * kept here is only what was met on the way to the next plan; a container's own name says the rest,
 * after a restart, too.
 */

#include <stdbool.h>
#include <stddef.h>

#define GHOSTS_MAX 32

struct ghosts { /* all zero: none */
    char names[GHOSTS_MAX][256];
    size_t count;
};

/* False where it is no news, or one too many. */
bool ghosts_add(struct ghosts *ghosts, const char *name);
bool ghosts_have(const struct ghosts *ghosts, const char *name); /* NULL: none */
void ghosts_forget(struct ghosts *ghosts);

/* True where `name` is `wanted` with a number: "line3-web-1.2". */
bool ghosts_stands_in(const char *name, const char *wanted);

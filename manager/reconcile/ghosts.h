#pragma once

/*
 * What the engine does not let go of.
 *
 * A name that it keeps for a container that is not there: `docker rm` at the same time as a rename
 * leaves one, until the engine is started anew. The container that should have the name is then
 * called NAME.2 (NAME.3, ...), and is in its place there: its labels say what it is.
 *
 * A container that it neither stops nor removes: it is taken out of its networks and called
 * NAME.ghost-REV. Nothing is planned for it any more but another try to remove it.
 *
 * What is kept here is only what was met on the way to the next plan; the containers' names say the
 * rest, after a restart, too.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GHOSTS_MAX 32

struct ghosts {                  /* all zero: none */
    char items[GHOSTS_MAX][256]; /* names, and ids of containers */
    size_t count;
};

/* False where it is no news, or one too many. */
bool ghosts_add(struct ghosts *ghosts, const char *item);
bool ghosts_have(const struct ghosts *ghosts, const char *item); /* NULL: none */
void ghosts_forget(struct ghosts *ghosts);

#define GHOST_ROLE "ghost"

/* True for "line3-web-1.ghost-7", and with a number behind it, of a container of revision 7. */
bool ghosts_is_buried(const char *name, int64_t revision);

/* True where `name` is `wanted` with a number: "line3-web-1.2". */
bool ghosts_stands_in(const char *name, const char *wanted);

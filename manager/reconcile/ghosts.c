#include "manager/reconcile/ghosts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/str.h"

bool ghosts_have(const struct ghosts *ghosts, const char *item)
{
    for (size_t i = 0; ghosts && i < ghosts->count; i++)
        if (str_equal(ghosts->items[i], item))
            return true;
    return false;
}

bool ghosts_add(struct ghosts *ghosts, const char *item)
{
    if (ghosts->count == GHOSTS_MAX || ghosts_have(ghosts, item) ||
        !str_copy(ghosts->items[ghosts->count], sizeof(ghosts->items[0]), item))
        return false;
    ghosts->count++;
    return true;
}

void ghosts_forget(struct ghosts *ghosts)
{
    ghosts->count = 0;
}

static bool is_number(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

bool ghosts_stands_in(const char *name, const char *wanted)
{
    size_t len = strlen(wanted);

    return strncmp(name, wanted, len) == 0 && name[len] == '.' && is_number(name + len + 1);
}

bool ghosts_is_buried(const char *name, int64_t revision)
{
    char role[40];

    (void)snprintf(role, sizeof(role), "." GHOST_ROLE "-%" PRId64, revision);
    const char *at = strstr(name, role);
    if (!at)
        return false;
    at += strlen(role);
    return at[0] == '\0' || (at[0] == '.' && is_number(at + 1));
}

#include "manager/reconcile/ghosts.h"

#include <string.h>

#include "common/base/str.h"

bool ghosts_have(const struct ghosts *ghosts, const char *name)
{
    for (size_t i = 0; ghosts && i < ghosts->count; i++)
        if (str_equal(ghosts->names[i], name))
            return true;
    return false;
}

bool ghosts_add(struct ghosts *ghosts, const char *name)
{
    if (ghosts->count == GHOSTS_MAX || ghosts_have(ghosts, name) ||
        !str_copy(ghosts->names[ghosts->count], sizeof(ghosts->names[0]), name))
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

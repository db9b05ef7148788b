#include "manager/ctl/compose/variables.h"

#include <errno.h>
#include <string.h>

#include "common/base/str.h"

static struct variable *find(const struct variables *variables, const char *name)
{
    struct variable *variable = variables->first;
    while (variable != NULL && !str_equal(variable->name, name)) {
        variable = variable->next;
    }
    return variable;
}

const char *variables_get(const struct variables *variables, const char *name)
{
    const struct variable *variable = find(variables, name);
    return variable == NULL ? NULL : variable->value;
}

int variables_set(struct variables *variables, struct arena *arena, const char *name,
                  const char *value)
{
    const char *copy = arena_copy(arena, value, strlen(value));
    if (copy == NULL) {
        return -ENOMEM;
    }
    struct variable *variable = find(variables, name);
    if (variable != NULL) {
        variable->value = copy;
        return 0;
    }
    variable = arena_alloc(arena, sizeof *variable);
    const char *name_copy = arena_copy(arena, name, strlen(name));
    if (variable == NULL || name_copy == NULL) {
        return -ENOMEM;
    }
    *variable = (struct variable){variables->first, name_copy, copy};
    variables->first = variable;
    return 0;
}

const char *lookup_find(const struct lookup *lookup, const char *name)
{
    for (size_t i = 0; i < LOOKUP_MAX; i++) {
        const char *value =
            lookup->scopes[i] == NULL ? NULL : variables_get(lookup->scopes[i], name);
        if (value != NULL) {
            return value;
        }
    }
    return NULL;
}

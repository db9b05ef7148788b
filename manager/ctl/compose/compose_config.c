/*
 * Prints a compose file as compose_load reads it: `docker compose config --format json`, for the
 * tests.
 *
 * Usage: compose_config [-f FILE]... [-p NAME] [--env-file FILE]... [--project-directory DIR]
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/ctl/compose/compose.h"

#define MAX_FILES 16

struct arguments {
    const char *files[MAX_FILES + 1], *env_files[MAX_FILES + 1];
    struct compose_settings settings;
};

static bool append(const char **list, const char *value)
{
    size_t count = 0;
    while (list[count] != NULL) {
        count++;
    }
    if (count < MAX_FILES) {
        list[count] = value;
    }
    return count < MAX_FILES;
}

static bool parse(struct arguments *a, int argc, char **argv)
{
    bool good = argc % 2 == 1;
    for (int i = 1; good && i < argc; i += 2) {
        if (str_equal(argv[i], "-f")) {
            good = append(a->files, argv[i + 1]);
        } else if (str_equal(argv[i], "--env-file")) {
            good = append(a->env_files, argv[i + 1]);
        } else if (str_equal(argv[i], "-p")) {
            a->settings.project_name = argv[i + 1];
        } else if (str_equal(argv[i], "--project-directory")) {
            a->settings.working_dir = argv[i + 1];
        } else {
            good = false;
        }
    }
    return good;
}

int main(int argc, char **argv)
{
    struct arguments a = {.settings.environment = (const char *const *)environ};
    a.settings.files = a.files;
    a.settings.env_files = a.env_files;
    if (!parse(&a, argc, argv)) {
        fputs("compose_config: wrong arguments\n", stderr);
        return 2;
    }
    struct err e = {0};
    AUTO(compose_project_free) struct compose_project *project = NULL;
    if (compose_load(&a.settings, &project, &e) < 0) {
        fprintf(stderr, "%s\n", e.msg);
        return 1;
    }
    const cJSON *warning = NULL;
    cJSON_ArrayForEach(warning, project->warnings)
    {
        fprintf(stderr, "warning: %s\n", warning->valuestring);
    }
    AUTO(free) char *text = cJSON_Print(project->model);
    if (text == NULL) {
        return 1;
    }
    puts(text);
    return 0;
}

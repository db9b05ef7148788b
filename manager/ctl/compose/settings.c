#include "manager/ctl/compose/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/str.h"
#include "manager/ctl/compose/dotenv.h"
#include "manager/ctl/compose/interpolate.h"

static const struct place NOWHERE = {"", 0, 0};

static const char *const NAMES[] = {"compose.yaml", "compose.yml", "docker-compose.yml",
                                    "docker-compose.yaml"};
static const char *const OVERRIDES[] = {"compose.override.yaml", "compose.override.yml",
                                        "docker-compose.override.yml",
                                        "docker-compose.override.yaml"};

static int take_environment(struct load *load, const char *const *environment)
{
    for (const char *const *line = environment; line != NULL && *line != NULL; line++) {
        size_t len = strcspn(*line, "=");
        const char *name = arena_copy(&load->arena, *line, len);
        if (name == NULL) {
            return load_no_memory(load);
        }
        if ((*line)[len] == '=' &&
            variables_set(&load->variables, &load->arena, name, *line + len + 1) < 0) {
            return load_no_memory(load);
        }
    }
    return 0;
}

static const char *join(struct load *load, const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = arena_alloc(&load->arena, size);
    if (path != NULL) {
        snprintf(path, size, "%s%s%s", folder, str_equal(folder, "/") ? "" : "/", name);
    }
    return path;
}

static const char *absolute(struct load *load, const char *path)
{
    char cwd[4096];
    if (path[0] == '/') {
        return load_clean_path(load, path);
    }
    if (getcwd(cwd, sizeof cwd) == NULL) {
        return NULL;
    }
    const char *joined = join(load, cwd, path);
    return joined == NULL ? NULL : load_clean_path(load, joined);
}

/* Cut at the last name; "/" stays. */
static const char *parent(struct load *load, const char *path)
{
    const char *slash = strrchr(path, '/');
    return arena_copy(&load->arena, path, slash == path ? 1 : (size_t)(slash - path));
}

/* The first of `names` that is in `folder`; NULL if none is. */
static const char *find_in(struct load *load, const char *folder, const char *const names[4])
{
    for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++) {
        const char *path = join(load, folder, names[i]);
        if (path != NULL && access(path, F_OK) == 0) {
            return path;
        }
    }
    return NULL;
}

static int append_file(struct load *load, struct node *files, const char *path)
{
    return node_append(files, node_string(&load->arena, NOWHERE, path)) < 0 ? load_no_memory(load)
                                                                            : 0;
}

/* compose.yaml and the like, in the folder or above, with its override. */
static int search_files(struct load *load, const char *start, struct node *files)
{
    const char *folder = start;
    const char *found = NULL;
    while (folder != NULL && (found = find_in(load, folder, NAMES)) == NULL &&
           !str_equal(folder, "/")) {
        folder = parent(load, folder);
    }
    if (found == NULL) {
        return FAIL(load->e, ENOENT, "there is no compose.yaml in %s or above it: name one with -f",
                    start);
    }
    const char *override = find_in(load, folder, OVERRIDES);
    int result = append_file(load, files, found);
    return result == 0 && override != NULL ? append_file(load, files, override) : result;
}

/* COMPOSE_FILE: paths with colons between. */
static int split_files(struct load *load, const char *list, struct node *files)
{
    const char *separator = variables_get(&load->variables, "COMPOSE_PATH_SEPARATOR");
    if (separator == NULL || strlen(separator) != 1) {
        separator = ":";
    }
    int result = 0;
    for (const char *at = list; *at != '\0' && result == 0; at += strspn(at, separator)) {
        size_t len = strcspn(at, separator);
        const char *path = arena_copy(&load->arena, at, len);
        result = path == NULL ? load_no_memory(load) : append_file(load, files, path);
        at += len;
    }
    return result;
}

static int find_files(struct load *load, const struct compose_settings *settings,
                      struct node *files)
{
    int result = 0;
    for (const char *const *f = settings->files; f != NULL && *f != NULL && result == 0; f++) {
        result = append_file(load, files, *f);
    }
    const char *variable = variables_get(&load->variables, "COMPOSE_FILE");
    if (result == 0 && files->count == 0 && variable != NULL && variable[0] != '\0') {
        result = split_files(load, variable, files);
    }
    if (result == 0 && files->count == 0) {
        result = search_files(load, load->working_dir, files);
    }
    return result;
}

static int read_env_file(struct load *load, const char *path, bool required, struct variables *out)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(COMPOSE_MAX_BYTES);
    struct lookup scopes = {{&load->variables, out}};
    int result = file_read(path, &text, load->e);
    if (result == -ENOENT && !required) {
        return 0;
    }
    if (result < 0) {
        return result;
    }
    if (text.len > 0 && strlen(text.data) != text.len) {
        return FAIL(load->e, EINVAL, "%s has a NUL character in it", path);
    }
    return dotenv_parse(load, path, text.data == NULL ? "" : text.data, &scopes, out);
}

static bool is_true(const char *text)
{
    static const char *const WORDS[] = {"1", "t", "T", "TRUE", "true", "True"};
    bool found = false;
    for (size_t i = 0; text != NULL && i < ARRAY_SIZE(WORDS); i++) {
        found = found || str_equal(text, WORDS[i]);
    }
    return found;
}

/* The environment beats them, a later one those before it. */
static int read_env_files(struct load *load, const char *const *paths)
{
    struct variables out = {NULL};
    int result = 0;
    if (paths == NULL || *paths == NULL) {
        const char *path = join(load, load->working_dir, ".env");
        bool disabled = is_true(variables_get(&load->variables, "COMPOSE_DISABLE_ENV_FILE"));
        if (path == NULL) {
            return load_no_memory(load);
        }
        result = disabled ? 0 : read_env_file(load, path, false, &out);
    } else {
        for (; *paths != NULL && result == 0; paths++) {
            result = read_env_file(load, *paths, true, &out);
        }
    }
    for (const struct variable *v = out.first; v != NULL && result == 0; v = v->next) {
        if (variables_get(&load->variables, v->name) == NULL &&
            variables_set(&load->variables, &load->arena, v->name, v->value) < 0) {
            result = load_no_memory(load);
        }
    }
    return result;
}

/* Where relative paths and .env are: as told, else beside the first file, else here. */
static int find_working_dir(struct load *load, const struct compose_settings *settings)
{
    bool has_file = settings->files != NULL && settings->files[0] != NULL;
    if (settings->working_dir != NULL) {
        load->working_dir = absolute(load, settings->working_dir);
    } else if (has_file) {
        const char *first = absolute(load, settings->files[0]);
        load->working_dir = first == NULL ? NULL : parent(load, first);
    } else {
        load->working_dir = absolute(load, ".");
    }
    return load->working_dir == NULL ? load_no_memory(load) : 0;
}

int settings_resolve(struct load *load, const struct compose_settings *settings,
                     struct node **ret_files)
{
    struct node *files = node_new(&load->arena, NODE_LIST, NOWHERE);
    if (files == NULL) {
        return load_no_memory(load);
    }
    int result = take_environment(load, settings->environment);
    if (result == 0) {
        result = find_working_dir(load, settings);
    }
    if (result == 0) {
        result = read_env_files(load, settings->env_files);
    }
    if (result == 0) {
        result = find_files(load, settings, files);
    }
    if (result < 0) {
        return result;
    }
    bool told =
        settings->working_dir != NULL || (settings->files != NULL && settings->files[0] != NULL);
    const char *first = absolute(load, files->first->text);
    if (!told && first != NULL) {
        load->working_dir = parent(load, first);
    }
    if (first == NULL || load->working_dir == NULL) {
        return load_no_memory(load);
    }
    *ret_files = files;
    return 0;
}

/* --- the project's name -------------------------------------------------------------------------
 */

static bool is_name_byte(char c)
{
    return islower((unsigned char)c) || isdigit((unsigned char)c) || c == '-' || c == '_';
}

/* Lower case, without what no name has; "" where nothing is left. */
static char *normalized(struct load *load, const char *name)
{
    char *out = arena_copy(&load->arena, name, strlen(name));
    size_t len = 0;
    for (const char *c = name; out != NULL && *c != '\0'; c++) {
        char lower = (char)tolower((unsigned char)*c);
        if (is_name_byte(lower) && (len > 0 || (lower != '-' && lower != '_'))) {
            out[len++] = lower;
        }
    }
    if (out != NULL) {
        out[len] = '\0';
    }
    return out;
}

static int take_said(struct load *load, const char *name, const char *where)
{
    const char *right = normalized(load, name);
    if (right == NULL) {
        return load_no_memory(load);
    }
    if (!str_equal(right, name)) {
        return FAIL(load->e, EINVAL,
                    "%s: \"%.60s\" is no project name: it has lower case letters, digits, - and _ "
                    "only, and begins with a letter or digit",
                    where, name);
    }
    load->project = name;
    return 0;
}

static int choose_name(struct load *load, const struct compose_settings *settings,
                       const struct node *named)
{
    const char *variable = variables_get(&load->variables, "COMPOSE_PROJECT_NAME");
    if (settings->project_name != NULL && settings->project_name[0] != '\0') {
        return take_said(load, settings->project_name, "--project-name");
    }
    if (variable != NULL && variable[0] != '\0') {
        return take_said(load, variable, "COMPOSE_PROJECT_NAME");
    }
    const char *name = NULL;
    if (named != NULL) {
        struct node copy = *named;
        int result = interpolate_node(load, &copy, &(struct step){NULL, "name", 0});
        if (result < 0) {
            return result;
        }
        name = copy.text;
    } else {
        name = strrchr(load->working_dir, '/') + 1;
    }
    load->project = normalized(load, name);
    if (load->project == NULL) {
        return load_no_memory(load);
    }
    if (load->project[0] == '\0') {
        return FAIL(load->e, EINVAL, "the project has no name: write `name:` into the file");
    }
    return 0;
}

int settings_name(struct load *load, const struct compose_settings *settings,
                  const struct node *named)
{
    int result = choose_name(load, settings, named);
    if (result < 0) {
        return result;
    }
    return variables_set(&load->variables, &load->arena, "COMPOSE_PROJECT_NAME", load->project) < 0
               ? load_no_memory(load)
               : 0;
}

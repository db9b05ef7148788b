/*
 * A compose file, and behind a NUL its .env: what compose_load takes, printed as JSON, is a compose
 * file again, and where that one is taken too it gives the same.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "manager/ctl/compose/compose.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool truth)
{
    if (!truth) {
        abort();
    }
}

/* The path of a file in memory, which lasts until the next call for the same `slot`. */
static const char *file_of(size_t slot, const void *bytes, size_t size)
{
    static int fds[2] = {-1, -1};
    static char paths[2][32];
    if (fds[slot] < 0) {
        fds[slot] = memfd_create("compose", 0);
        require(fds[slot] >= 0);
        snprintf(paths[slot], sizeof paths[slot], "/proc/self/fd/%d", fds[slot]);
    }
    require(ftruncate(fds[slot], 0) == 0);
    require(pwrite(fds[slot], bytes, size, 0) == (ssize_t)size);
    return paths[slot];
}

static struct compose_project *load(const char *compose, const char *dotenv)
{
    static const char *const ENVIRONMENT[] = {"HOME=/home/user", "SET=value", "EMPTY=", NULL};
    const char *const files[] = {compose, NULL};
    const char *const env_files[] = {dotenv, NULL};
    const struct compose_settings settings = {files, "fuzz", "/nowhere", env_files, ENVIRONMENT};
    struct compose_project *project = NULL;
    struct err e = {0};
    int result = compose_load(&settings, &project, &e);
    require((result == 0) == (project != NULL) && (result == 0 || e.msg[0] != '\0'));
    return project;
}

/* Each $ of a value twice, as Compose writes it. Keys are not interpolated. */
static void double_dollars(cJSON *value)
{
    for (cJSON *child = value->child; child != NULL; child = child->next) {
        double_dollars(child);
    }
    if (!cJSON_IsString(value)) {
        return;
    }
    AUTO(buf_deinit) struct buf text = BUF_INIT(1 << 24);
    for (const char *c = value->valuestring; *c != '\0'; c++) {
        buf_append_str(&text, *c == '$' ? "$" : "");
        buf_append_char(&text, *c);
    }
    require(!buf_failed(&text));
    require(cJSON_SetValuestring(value, text.data == NULL ? "" : text.data) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const uint8_t *nul = memchr(bytes, '\0', size);
    size_t len = nul == NULL ? size : (size_t)(nul - bytes);
    const uint8_t *rest = nul == NULL ? bytes : nul + 1;
    const char *dotenv = file_of(1, rest, nul == NULL ? 0 : size - len - 1);
    AUTO(compose_project_free)
    struct compose_project *project = load(file_of(0, bytes, len), dotenv);
    if (project == NULL) {
        return 0;
    }
    AUTO(cJSON_Delete) cJSON *doubled = cJSON_Duplicate(project->model, true);
    require(doubled != NULL);
    double_dollars(doubled);
    AUTO(free) char *text = cJSON_PrintUnformatted(doubled);
    require(text != NULL);
    AUTO(compose_project_free)
    struct compose_project *again = load(file_of(0, text, strlen(text)), dotenv);
    require(again == NULL || cJSON_Compare(project->model, again->model, true));
    return 0;
}

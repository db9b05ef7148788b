#include "manager/reconcile/disk.h"

#include <sys/statvfs.h>

int64_t disk_free_bytes(const struct engine *engine)
{
    const char *folder = engine_data_root(engine);
    struct statvfs fs;

    if (folder[0] == '\0' || statvfs(folder, &fs) < 0)
        return -1;
    return (int64_t)(fs.f_bavail * fs.f_frsize);
}

#include "manager/prepare.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/str.h"

#define FOLDER_MODE 0700
#define ID_MAX      0x7fffffff

struct owner {
    uid_t user;
    gid_t group;
};

static int parse_owner(const char *text, struct owner *ret_owner, struct err *e)
{
    const char *colon = strchr(text, ':');
    char user_text[16];
    int64_t user, group;

    if (!colon || !str_copy_n(user_text, sizeof user_text, text, (size_t)(colon - text)) ||
        str_parse_int(user_text, 1, ID_MAX, &user) < 0 ||
        str_parse_int(colon + 1, 0, ID_MAX, &group) < 0)
        return FAIL(e, EINVAL, "'%.40s' must be UID:GID, two numbers, such as 10001:10001", text);
    *ret_owner = (struct owner){(uid_t)user, (gid_t)group};
    return 0;
}

/* Without CAP_DAC_OVERRIDE the folder of another user cannot even be opened: looked at first. */
static bool is_theirs(const char *folder, const struct owner *owner)
{
    struct stat st;

    return lstat(folder, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == owner->user &&
           st.st_gid == owner->group;
}

int prepare_run(const char *folder, const char *owner_text, struct err *e)
{
    struct owner owner;

    int r = parse_owner(owner_text, &owner, e);
    if (r < 0 || is_theirs(folder, &owner))
        return r;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    /* The mode first: afterwards it is no longer ours to change. */
    if (fd < 0 || fchmod(fd, FOLDER_MODE) < 0 || fchown(fd, owner.user, owner.group) < 0)
        r = FAIL(e, EIO, "%s cannot be given to %s: %s", folder, owner_text, strerror(errno));
    if (fd >= 0)
        close(fd);
    return r;
}

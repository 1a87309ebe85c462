/*
 * Whether a file, by its owner and mode, can have been written by somebody else.
 */
#include "base/trust.h"

#include <grp.h>
#include <pwd.h>

/* Who is root or @uid gains nothing by writing there. */
static bool is_us(const struct passwd *pw, uid_t uid)
{
	return pw && (pw->pw_uid == uid || pw->pw_uid == 0);
}

/* Has the group members, and none but @uid and root? */
static bool is_private_group(gid_t gid, uid_t uid)
{
	const struct group *group = getgrgid(gid);
	const struct passwd *pw;
	bool only_us = group;
	int members = 0;

	for (char **name = group ? group->gr_mem : NULL; name && *name; name++) {
		members++;
		only_us = only_us && is_us(getpwnam(*name), uid);
	}
	/* those whose first group it is stand in no list of members */
	setpwent();
	while (only_us && (pw = getpwent())) {
		if (pw->pw_gid != gid)
			continue;
		members++;
		only_us = is_us(pw, uid);
	}
	endpwent();
	return only_us && members > 0;
}

/* Nobody but @uid and root may write it. */
static bool trust_owner(const struct stat *st, uid_t uid)
{
	if ((st->st_uid != uid && st->st_uid != 0) || (st->st_mode & S_IWOTH))
		return false;
	return !(st->st_mode & S_IWGRP) || is_private_group(st->st_gid, uid);
}

bool trust_folder(const struct stat *st, uid_t uid)
{
	struct stat sticky = *st;

	/* in a sticky folder nobody may replace what is another's */
	if (st->st_mode & S_ISVTX)
		sticky.st_mode &= (mode_t)~(S_IWGRP | S_IWOTH);
	return trust_owner(&sticky, uid);
}

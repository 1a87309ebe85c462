/*
 * The state file in git, through libgit2 and, where people have configured
 * something (remotes, signatures, credentials), through the git program: the
 * repository that a file is in, commits of each save with a message that says
 * what changed, past revisions (repo.h, message.h); fetch, merge and push, and
 * the lock that keeps two deploys of one remote apart (remote.h); the git
 * program as a child (child.h). A save that is cut off is finished by the next
 * one (journal.c). The index, the work tree and the hooks of the user stay what
 * they are: only the state's own path is ever staged.
 */
#ifndef WGMESH_STATE_GIT_GIT_H
#define WGMESH_STATE_GIT_GIT_H

#include "state/git/child.h"
#include "state/git/message.h"
#include "state/git/remote.h"
#include "state/git/repo.h"

#endif

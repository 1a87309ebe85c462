#!/bin/sh
# A pipeline for a repository that holds a sealed mesh state: what GitHub Actions, GitLab CI and anything else that
# runs a shell call.
#
#   sh pipeline.sh plan      on a merge request: text to the log, plan.md for a comment, plan.json to be kept
#   sh pipeline.sh deploy    on merge: deploys, records it, pushes the record
#   sh pipeline.sh drift     every night: fails when a host is not what the state says
#
# In its environment: WGMESH_IDENTITY_DATA (an age identity that opens the state), an SSH key for the hosts and for the
# remote in the agent or ~/.ssh, git's user.name and user.email. WGMESH_STATE names the state, else ./mesh-state.json.
set -u

# Says what the pipeline does, and does it.
step() {
	echo "+ wgmesh $*" >&2
	wgmesh "$@"
}

plan() {
	step validate || return
	step plan -out plan.json || return
	step plan -markdown >plan.md
}

deploy() {
	step deploy -pull -push -yes -log deploy.log
}

# 4 is the status for differences; every other one is a failure of its own.
drift() {
	status=0
	step plan -exit-code -log drift.log || status=$?
	[ "$status" -ne 4 ] || echo 'the hosts differ from the state: see the plan above' >&2
	return "$status"
}

case ${1-} in
plan | deploy | drift) "$1" ;;
*)
	echo 'usage: sh pipeline.sh plan|deploy|drift' >&2
	exit 2
	;;
esac

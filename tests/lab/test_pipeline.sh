#!/bin/bash
# End to end: the pipeline of samples/ci/ with a bare repository as its remote and real hosts: plan on a branch, deploy on
# merge, drift at night.

# shellcheck source=tests/lib/e2e.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/e2e.sh"

command -v git >/dev/null || e2e_skip_all 'there is no git'

# Becomes the program in the clone $CLONE, with the pipeline's secrets in its environment as a CI has them.
pipe() {
	lab_ctl env -C "$CLONE" PATH="$LAB_DIR/bin:$PATH" WGMESH_STATE=mesh-state.json \
		WGMESH_IDENTITY_DATA="$(<"$LAB_DIR/ci.key")" "$@" </dev/null
}

# Makes a bare repository, and the clone $1 of it.
clone() {
	CLONE=$LAB_DIR/$1
	pipe_git clone -q "$LAB_DIR/remote.git" "$CLONE"
}

# git with a name for its commits, on the control side.
pipe_git() { lab_ctl git -c init.defaultBranch=main "$@"; }

# The state of n1 and n2, sealed to the pipeline and pushed.
test_setup() {
	mkdir -p "$LAB_DIR/bin"
	ln -sf "$WGMESH" "$LAB_DIR/bin/wgmesh"
	e2e_quiet pipe_git init -q --bare "$LAB_DIR/remote.git"
	e2e_quiet lab_ctl git config --global user.name Pipeline
	e2e_quiet lab_ctl git config --global user.email pipeline@example.org
	e2e_quiet lab_ctl git config --global init.defaultBranch main
	"$WGMESH" identity new "$LAB_DIR/ci.key" >"$LAB_DIR/ci.pub" 2>/dev/null
	clone admin >/dev/null 2>&1
	cp "$E2E_ROOT/samples/ci/pipeline.sh" "$CLONE/"
	check_status 'pipeline: init' 0 pipe wgmesh init -recipient "$(<"$LAB_DIR/ci.pub")"
	check_status 'pipeline: add n1' 0 pipe wgmesh add "n1:10.99.0.1:$(lab_ip h1)" -accept-new-host-keys
	check_status 'pipeline: add n2' 0 pipe wgmesh add "n2:10.99.0.2:$(lab_ip h2)" -accept-new-host-keys
	printf 'plan.json\nplan.md\n*.log\n' >"$CLONE/.gitignore"
	e2e_quiet pipe git add pipeline.sh .gitignore
	e2e_quiet pipe git commit -q -m pipeline
	e2e_quiet pipe git push -q -u origin main
}

# On a merge request: nothing is written, neither to hosts nor to the repository.
test_plan() {
	local before
	clone ci >/dev/null 2>&1
	before=$(snapshots h1 h2)
	check_status 'pipeline: plan' 0 pipe sh pipeline.sh plan
	check_has 'pipeline: the plan as text in the log' "$OUT" '+ interface wg0 up, with 1 peer'
	check 'pipeline: as Markdown' grep -q 'n1' "$CLONE/plan.md"
	check 'pipeline: as a file to be kept' jq -e '.hosts | length == 2' "$CLONE/plan.json"
	check_same 'pipeline: no host was written' "$before" "$(snapshots h1 h2)"
	check_equal 'pipeline: the repository is clean' '' "$(pipe git status --porcelain)"
	check 'pipeline: no key in what is kept' lab_ctl sh -c '! grep -lF "$1" "$2"/plan.*' - "$(key)" "$CLONE"
}

# Prints the private key of n1.
key() { pipe wgmesh cat -secrets | jq -r .nodes.n1.private_key; }

# On merge: deployed, recorded, pushed.
test_deploy() {
	check_status 'pipeline: deploy' 0 pipe sh pipeline.sh deploy
	check 'pipeline: the hosts reach each other' can_ping h1 10.99.0.2
	check_equal 'pipeline: the record is pushed' "$(pipe git rev-parse HEAD)" "$(pipe git ls-remote origin refs/heads/main | cut -f1)"
	check_has 'pipeline: it names the hosts' "$(pipe git log -1 --format=%B)" 'Wgmesh-Converged: n1 n2'
	check_equal 'pipeline: the lock is given back' '' "$(pipe git ls-remote origin 'refs/wgmesh/lock/*')"
	check 'pipeline: a line for each step in the log' jq -es '[.[] | select(.node == "n1")] | length > 0' "$CLONE/deploy.log"
	check 'pipeline: no key in the log' lab_ctl sh -c '! grep -qF "$1" "$2"' - "$(key)" "$CLONE/deploy.log"
}

# At night: nothing, then a change by hand.
test_drift() {
	check_status 'pipeline: no drift' 0 pipe sh pipeline.sh drift
	lab_on h2 'wg set wg0 listen-port 4000'
	check_status 'pipeline: drift is seen' 4 pipe sh pipeline.sh drift
	check_has 'pipeline: and shown' "$OUT" 'listen port'
	check_status 'pipeline: the next deploy mends it' 0 pipe sh pipeline.sh deploy
	check_equal 'pipeline: it is mended' 51820 "$(lab_on h2 'wg show wg0 listen-port')"
}

# The admin pulls what the pipeline recorded, and goes on.
test_admin() {
	CLONE=$LAB_DIR/admin
	check_status 'pipeline: the admin pulls' 0 pipe wgmesh pull
	check_has 'pipeline: and sees the deploys' "$(pipe wgmesh history)" 'deploy'
	check_status 'pipeline: and changes something' 0 pipe wgmesh set n1 port=51999
	check_status 'pipeline: and pushes' 0 pipe wgmesh push
	CLONE=$LAB_DIR/ci
	check_status 'pipeline: deploys it' 0 pipe sh pipeline.sh deploy
	check_equal 'pipeline: it is there' 51999 "$(lab_on h1 'wg show wg0 listen-port')"
}

e2e_start
lab_boot h1 h2
test_setup
test_plan
test_deploy
test_drift
test_admin
lab_stop
finish

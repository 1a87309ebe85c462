#!/bin/sh
# git shows and merges states by meaning: textconv, merge driver, pre-commit
# hook, with real git, sealed and plain.
. tests/cli/common.sh

command -v git >/dev/null || { skip "git" "not installed"; finish; exit; }
export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@x \
	GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@x GIT_PAGER=cat
git config --global init.defaultBranch main

# A repository $T/w/r with a state s.json, sealed to recipients if $1 says so,
# and two nodes with keys.
repository() {
	empty_folder
	git init -q r && cd r || exit 1
	umask 022 # what git writes, others may read: a sealed state is fine so
	case $1 in
	sealed)
		[ -f "$T/id" ] || "$WGMESH" identity new "$T/id" >"$T/to"
		"$WGMESH" init -state s.json -recipient "$(cat "$T/to")"
		export WGMESH_IDENTITY="$T/id" ;;
	*)
		umask 077
		"$WGMESH" init -state s.json ;;
	esac
	export WGMESH_STATE=s.json
	"$WGMESH" git-setup &&
		"$WGMESH" add -offline a:auto:192.0.2.1 &&
		"$WGMESH" add -offline b:auto:192.0.2.2 &&
		save base
} >/dev/null 2>&1

# Commit all that the commands have not committed: plain states with keys.
save() {
	git add -A && { git diff --cached --quiet || git commit -q --no-verify -m "$1"; }
}

# Two branches: on ours and theirs, what the words say.
branches() {
	git checkout -q -b theirs && "$WGMESH" $2 && save theirs &&
		git checkout -q main && "$WGMESH" $1 && save ours
} >/dev/null 2>&1

for form in plain sealed; do
	repository $form
	branches "add -offline c:10.99.0.3:192.0.2.3" \
		"add -offline d:10.99.0.4:192.0.2.4"
	check "$form: two added nodes merge" git merge -q theirs -m merge
	check_equal "$form: all four are there" "a b c d" \
		"$("$WGMESH" list -simple | sed 's/ .*//' | xargs)"
	check_equal "$form: the serial goes on" 5 \
		"$("$WGMESH" cat | sed -n 's/.*"serial": \([0-9]*\).*/\1/p')"
	check "$form: the repository is whole" git fsck --strict
	case $form in
	sealed) check "it is still sealed" grep -q 'BEGIN AGE' s.json ;;
	esac
	check_equal "$form: nothing is left behind" ".git .gitattributes s.json" \
		"$(ls -A | xargs)"

	repository $form
	branches "add -offline c:auto:192.0.2.3" "add -offline d:auto:192.0.2.4"
	git merge theirs >"$T/out" 2>"$T/err" && flunk "$form: a conflict is one"
	check "$form: it names the address and both" \
		grep -q 'node d: address: 10.99.0.3 is that of node c' "$T/err"
	check "$form: the file can be read" "$WGMESH" list
	check "$form: deploys are told of it" \
		grep -q 'merge -resolve node d address' <<-END
		$("$WGMESH" merge -resolve)
	END
	run merge -resolve node d address theirs
	check_equal "$form: resolved" 0 "$got"
	check_equal "$form: each has one" "a 10.99.0.1 b 10.99.0.2 c 10.99.0.4 d 10.99.0.3" \
		"$("$WGMESH" list -simple | xargs)"
	save merge

	repository $form
	branches "set a port=5001 mtu=1400" "set a port=5002 keepalive=7"
	git merge theirs >"$T/out" 2>"$T/err" && flunk "$form: a conflict is one"
	run merge -resolve -json
	check "$form: one field, both sides" grep -q '"field": *"port"' "$T/out"
	check_equal "$form: only one" 1 "$(grep -c '"field"' "$T/out")"
	run merge -resolve node a port nowhere
	check_equal "$form: a side that is none" 2 "$got"
	run merge -resolve all theirs
	check "$form: theirs" grep -q 'port 5001 -> 5002' "$T/out"
	check "$form: ours beside it" grep -q '"mtu": 1400' <<-END
		$("$WGMESH" cat)
	END
	check "$form: no conflicts are left" sh -c \
		"\"$WGMESH\" merge -resolve | grep -qx 'no conflicts'"
done

# ---- what git shows ----

repository sealed
"$WGMESH" set b port=51821 >/dev/null && save port
git show --format= >"$T/shown"
check_equal "one field is one line" "+node b: port 51821" \
	"$(grep '^[+-][^+-]' "$T/shown")"
git log -p >"$T/log"
"$WGMESH" cat -secrets | sed -n 's/.*private_key": "\(.*\)".*/\1/p' >"$T/keys"
check_equal "there are keys to look for" 2 "$(grep -c . "$T/keys")"
check "no key in git log -p" sh -c "! grep -qFf '$T/keys' '$T/log'"
check "a key is a fingerprint" grep -qE 'node a: public key .{8}\.\.\.$' "$T/log"
unset WGMESH_IDENTITY
git log -p >"$T/log" 2>"$T/err"
check_equal "without the identity: git log works" 0 $?
check "and says why" grep -q 'a state that cannot be shown .*WGMESH_IDENTITY' "$T/log"
check_equal "on one line for each" 4 "$(grep -c '^+a state' "$T/log")"

# ---- sealed on one side, another passphrase on the other ----

repository plain
git checkout -q -b theirs
"$WGMESH" seal -recipient "$(cat "$T/to")" >/dev/null 2>&1 && save sealed
git checkout -q main
"$WGMESH" set a mtu=1400 >/dev/null && save ours
export WGMESH_IDENTITY="$T/id"
check "a state that they sealed" git merge -q theirs -m merge
check "is sealed" grep -q 'BEGIN AGE' s.json
check "with our change" sh -c "\"$WGMESH\" cat | grep -q '\"mtu\": 1400'"

empty_folder
git init -q r && cd r || exit 1
printf 'first passphrase' >"$T/one" && printf 'second passphrase' >"$T/two"
chmod 600 "$T/one" "$T/two"
export WGMESH_PASSWORD_FILE="$T/one"
unset WGMESH_IDENTITY
{
	"$WGMESH" init -format go -new-password-file "$T/one" ||
		"$WGMESH" init -format go -encrypt
	"$WGMESH" git-setup && "$WGMESH" add -offline a:auto:192.0.2.1 &&
		save base
	branches "set a mtu=1400" "set a port=5"
} >/dev/null 2>&1
check "a passphrase, the Go tool's form" git merge -q theirs -m merge
check "opens with it" sh -c "\"$WGMESH\" cat | grep -q '\"mtu\": 1400'"
unset WGMESH_PASSWORD_FILE
git reset -q --hard main^ 2>/dev/null
cp s.json "$T/before"
git merge theirs >"$T/out" 2>"$T/err" </dev/null && flunk "no passphrase, no merge"
check "says what is missing" grep -q "is not merged and is our side alone.*WGMESH_PASSWORD" "$T/err"
check "and leaves ours" cmp -s s.json "$T/before"
export WGMESH_PASSWORD_FILE="$T/one"
refused "that is no merge without conflicts" 1 \
	"our side alone: git checkout -m ':/s.json'" merge
refused "nor a resolved one" 1 "our side alone" merge -resolve all ours
git checkout -q -m ':/s.json' 2>/dev/null
check "git merges it then" sh -c "\"$WGMESH\" cat | grep -q '\"mtu\": 1400' &&
	\"$WGMESH\" merge && \"$WGMESH\" cat | grep -q '\"listen_port\": 5,'"
unset WGMESH_PASSWORD_FILE

# ---- git merged it as text: its markers ----

# markers TEXT WORDS: a state that is TEXT now: each command says what it is and what helps.
markers() {
	for words in list validate plan 'set a port=6' merge 'merge -resolve all ours' textconv; do
		case $words in textconv) words='textconv s.json' ;; esac
		run $words
		check "$1: $words" grep -q "$2" "$T/err" "$T/out"
	done
}
for kind in plain sealed passphrase; do
	empty_folder
	git init -q . && export WGMESH_IDENTITY="$T/id"
	case $kind in
	plain) "$WGMESH" init >/dev/null && "$WGMESH" keys host >/dev/null ;;
	sealed) "$WGMESH" init -recipient "$(cat "$T/to")" >/dev/null ;;
	passphrase) WGMESH_PASSWORD_FILE=$T/one && export WGMESH_PASSWORD_FILE && "$WGMESH" init -encrypt >/dev/null ;;
	esac
	"$WGMESH" add -offline a:auto:192.0.2.1 >/dev/null
	git checkout -q -b theirs && "$WGMESH" set a port=51822 mtu=1400 >/dev/null
	git checkout -q main && "$WGMESH" set a port=51823 >/dev/null
	git merge theirs >/dev/null 2>&1
	markers "$kind: markers of git" 'conflict markers of git'
	run list
	check_equal "$kind: what helps" "2: git checkout -m s.json" "$got: $(sed -n "s/.*'wgmesh git-setup && \(git [^']*\)'.*/\1/p" "$T/err")"
	"$WGMESH" git-setup >/dev/null 2>&1
	git checkout -q -m s.json 2>/dev/null
	run merge
	check "$kind: that helps, the rest is merged" grep -q 'node a: port' "$T/out"
	check_equal "$kind: and can be resolved" '0: 1400' "$("$WGMESH" merge -resolve all theirs >/dev/null 2>&1; echo $?): $("$WGMESH" cat | sed -n 's/.*"mtu": \([0-9]*\).*/\1/p')"
	unset WGMESH_PASSWORD_FILE
done
repository plain
mkdir -p 'a b' && printf '{\r\n<<<<<<< HEAD\r\n' >'a b/s.json'
refused 'from elsewhere, and with CRLF' 2 "git -C 'a b' checkout -m s.json'" list -state 'a b/s.json'
for line in '<<<<<<< HEAD' '||||||| 0f3a9c1' '=======' '>>>>>>> theirs'; do
	printf 'mesh:\n  interface: wg0\n%s\nnodes:\n' "$line" >mesh.yaml
	refused "mesh.yaml with $line" 2 "mesh.yaml:3:1: a conflict marker of git" apply -f mesh.yaml
done
run export && printf '# ======= a line\n' >mesh.yaml && cat "$T/out" >>mesh.yaml
run apply -f mesh.yaml
check_equal 'a comment is no marker' 0 "$got"

# ---- the setup itself ----

repository plain
printf '*.txt text' >.gitattributes
run git-setup
run git-setup
check_equal "one line, others kept" "*.txt text
s.json diff=wgmesh merge=wgmesh" "$(cat .gitattributes)"
ln -s s.json link.json
run git-setup -state link.json
check_equal "a link: the file that it leads to" 1 "$(grep -c 'diff=wgmesh' .gitattributes)"
rm link.json
check_equal "one path" 1 "$(git config --get-all wgmesh.state | wc -l)"
git reset -q --hard
"$WGMESH" set a port=7 >/dev/null && git add -A
git commit -q -m plain 2>"$T/err" && flunk "a plain state with keys is refused"
check "and says so" grep -q "'s.json' holds private keys in plain text" "$T/err"
"$WGMESH" seal -no-commit -recipient "$(cat "$T/to")" >/dev/null 2>&1 && git add -A
check "a sealed one is fine" git commit -q -m sealed
echo x >other && git add other
check "other files are, too" git commit -q -m other
printf '#!/bin/sh\necho mine\n' >.git/hooks/pre-commit
run git-setup
check "a hook of the user's is kept" grep -q mine .git/hooks/pre-commit
check "and told about" grep -q 'add the line .*wgmesh-pre-commit' "$T/err"

# Hooks that git takes from elsewhere: what is said is true, and names no clone.
# elsewhere NAME CONFIG-WORDS FOLDER WORDS
elsewhere() {
	cd "$T/w" && rm -rf r "$HOME/hooks" && mkdir "$HOME/hooks" && repository plain
	eval "$2"
	run git-setup
	check_equal "hooks $1" "0: $(ls -A "$HOME/hooks")" "$got: ${3-}"
	check "hooks $1: said" grep -q "$4" "$T/err"
	check_equal "hooks $1: no path of this clone" '' "$(grep -F -e "$T/w" "$T/err" | grep -v "'$T/w[^ ]*'" | cat)"
	git config --global --unset core.hooksPath
}
mine='printf "#!/bin/sh\necho mine\n" >'
elsewhere 'of all clones, without a pre-commit' 'git config --global core.hooksPath "$HOME/hooks"' '' 'has no pre-commit: .*rev-parse --git-common-dir'
elsewhere 'of all clones, by ~' 'git config --global core.hooksPath "~/hooks"' '' "from '$HOME/hooks' (core.hooksPath)"
elsewhere 'of all clones, with a pre-commit' "git config --global core.hooksPath '~/hooks'; $mine\$HOME/hooks/pre-commit" pre-commit "the hook '$HOME/hooks/pre-commit' is not wgmesh's"
elsewhere 'in the work tree' 'mkdir .husky; git config core.hooksPath .husky' '' "husky' (core.hooksPath), which has no pre-commit"
elsewhere 'in the work tree, with a pre-commit' "mkdir .husky; git config core.hooksPath .husky; $mine.husky/pre-commit" '' "husky/pre-commit' is not wgmesh's"
elsewhere 'nowhere' 'git config core.hooksPath /dev/null' '' "from '/dev/null' (core.hooksPath)"

# The line that is told works: where the clone is set up, and where none is.
git config --global core.hooksPath "$HOME/hooks"
printf '#!/bin/sh\n%s\n' "$(sed -n "s/.*with the line //p" "$T/err")" >"$HOME/hooks/pre-commit" && chmod +x "$HOME/hooks/pre-commit"
git config --unset core.hooksPath
run git-setup
check_equal 'a hook that has the line: nothing to say' '' "$(cat "$T/err")"
"$WGMESH" set a port=7 >/dev/null 2>&1 && git add -A
git commit -q -m plain 2>"$T/err" && flunk 'the line in a hook of all clones refuses, too'
check 'the line in a hook of all clones refuses, too' grep -q "holds private keys in plain text" "$T/err"
git init -q "$T/w/another" && cd "$T/w/another" && echo x >x && git add x
check 'and is nothing to another repository' git commit -q -m x
git config --global --unset core.hooksPath

cd "$T/w" && mkdir none && cd none || exit 1
refused "no repository" 2 "not a git repository" git-setup -state s.json
repository plain
refused "a name that cannot stand there" 2 "to be of letters" \
	git-setup -state "a b.json"
check "in a folder of its own" sh -c 'mkdir sub && cp s.json sub/t.json &&
	"$0" git-setup -state sub/t.json && cat sub/.gitattributes &&
	git config --get-all wgmesh.state | grep -qx sub/t.json' "$WGMESH"

finish

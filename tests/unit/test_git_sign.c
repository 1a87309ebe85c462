/*
 * Signed commits, made by gpg and ssh-keygen, verified by stock git.
 */
#include "tests/unit/git_scene.h"

static int begin(void **state)
{
	need("git");
	if (scene_begin(state) < 0)
		return -1;
	shell("git init -q; git config --global commit.gpgsign true");
	return 0;
}

static int end(void **state)
{
	shell("gpgconf --kill all >/dev/null 2>&1 || :");
	return scene_end(state);
}

static void test_gpg(void **state)
{
	(void)state;
	need("gpg");
	shell("gpg --batch --quiet --passphrase '' --quick-generate-key "
	      "'Ann Admin <ann@example.org>' ed25519 sign never");
	change(STATE, "{}\n", "one\n");
	shell("git verify-commit HEAD");
	assert_shell("G\n", "git log --format=%%G?");
	shell("git config user.signingkey ann@example.org");
	change(STATE, "{\"a\": 1}\n", "two\n\nWgmesh-Serial: 1\n");
	assert_shell("G\nG\n", "git log --format=%%G?");
	assert_clean();
	shell("git config user.signingkey nobody@example.org");
	assert_refused(STATE, ERR_INPUT, "nobody@example.org");
	shell("git config gpg.program /bin/true");
	assert_refused(STATE, ERR_INPUT, "/bin/true does not sign");
	shell("git config gpg.program /none");
	{
		struct err e = { 0 };

		assert_int_equal(try_change(STATE, "{}\n", "no\n", &e), -1);
		assert_int_equal(e.code, ERR_SYSTEM);
		assert_non_null(strstr(e.msg, "'/none'"));
	}
	shell("git config commit.gpgsign false");
	change(STATE, "{\"a\": 2}\n", "three\n");
	assert_shell("N\n", "git log -1 --format=%%G?");
}

static void test_ssh(void **state)
{
	(void)state;
	need("ssh-keygen");
	shell("git config gpg.format ssh");
	assert_refused(STATE, ERR_INPUT, "user.signingkey");
	shell("ssh-keygen -q -t ed25519 -N '' -f ~/key;"
	      "printf 'ann@example.org %%s\\n' \"$(cat ~/key.pub)\" >~/signers;"
	      "git config gpg.ssh.allowedSignersFile ~/signers;"
	      "git config user.signingkey ~/key.pub");
	change(STATE, "{}\n", "one\n");
	assert_shell("G\n", "git log --format=%%G?");
	shell("git config user.signingkey '~/key'");
	change(STATE, "{\"a\": 1}\n", "two\n");
	assert_shell("G\nG\n", "git log --format=%%G?");
	shell("git config user.signingkey ~/none");
	assert_refused(STATE, ERR_INPUT, "none");
}

/* The key is in an agent, the config has the public one. */
static void test_ssh_agent(void **state)
{
	AUTO(auto_free) char *pid = NULL;

	(void)state;
	need("ssh-agent");
	setenv("SSH_AUTH_SOCK", "agent", 1);
	shell("ssh-agent -a agent >agent.env 2>/dev/null");
	pid = mem_strdup(shell("sed -n 's/.*AGENT_PID=\\([0-9]*\\);.*/\\1/p' "
			       "agent.env"));
	shell("ssh-keygen -q -t ed25519 -N '' -f ~/key; ssh-add -q ~/key;"
	      "rm ~/key; git config gpg.format ssh;"
	      "git config user.signingkey \"key::$(cat ~/key.pub)\";"
	      "printf 'ann@example.org %%s\\n' \"$(cat ~/key.pub)\" >~/signers;"
	      "git config gpg.ssh.allowedSignersFile ~/signers");
	change(STATE, "{}\n", "one\n");
	assert_shell("G\n", "git log --format=%%G?");
	shell("kill %s", pid);
	unsetenv("SSH_AUTH_SOCK");
}

static void test_other_format(void **state)
{
	(void)state;
	shell("git config gpg.format x509");
	assert_refused(STATE, ERR_INPUT, "'x509'");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_gpg), CASE(test_ssh), CASE(test_ssh_agent),
		CASE(test_other_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

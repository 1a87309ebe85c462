/*
 * What wgmesh takes from ssh_config against what 'ssh -G HOST' prints for each
 * host by itself, over a corpus: no difference, though one answer serves many
 * hosts. Root: the home folder is an empty one of a mount namespace.
 */
#include "base/auto.h"
#include "base/mem.h"
#include "ssh/session/internal.h"

#include <pwd.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cmocka.h>

/* ~/.ssh/config; behind a line "=== NAME" another file of that folder */
static const char *const corpus[] = {
	"", "# nothing\n",
	"Host *\n User bob\n", "User bob\nPort 2222\n",
	"Host h1\n HostName 192.0.2.1\nHost h2\n HostName 192.0.2.2\n",
	"Host h?\n HostName h1\n", "Host h*\n HostName web1\n Port 5\n",
	"Host *\n HostName %h.example.org\n", "Host h? web*\n HostName %h.x\n",
	"Host !h1 *\n Port 2\n", "Host * !h?\n Port 3\n", "Host !h1\n Port 4\n",
	"Host h1 web1\n Port 1\nHost h*\n Port 2\nHost *\n Port 3\n",
	"Port 7\nHost h1\n Port 8\n", "host=h1\n port = 9\n",
	"HOST \"h1\" h2\n\tPORT 10 # ten\n",
	"Host h1\r\n Port 11\r\n",
	"Match host h1\n Port 1\n", "Match host h1,web*\n Port 2\n",
	"Match host !h1,*\n Port 3\n", "Match !host h1\n Port 3\n",
	"Host h1\n HostName z\nMatch host z\n Port 4\n",
	"Host h1\n HostName z\nMatch originalhost h1\n Port 5\n",
	"Match user root\n Port 6\n",
	"User bob\nMatch user bob\n Port 7\n Match user root\n Port 8\n",
	"Match localuser root host h2\n Port 9\n",
	"Match exec \"true\"\n Port 1\n", "Match exec \"false\"\n Port 1\n",
	"Match originalhost h1 !exec \"true\"\n Port 2\nHost *\n Port 3\n",
	"Match exec \"test %h = h1\"\n Port 4\n",
	"Match all\n Port 1\n", "Host h1\n Port 2\nMatch all\n User ann\n",
	"Match canonical\n Port 1\nHost *\n User x\n",
	"Host h1\n HostName z\nMatch final host z\n Port 22022\n",
	"Match final all\n Port 44\nHost h1\n User q\n",
	"CanonicalizeHostname yes\nCanonicalDomains no.invalid\n"
	"CanonicalizeFallbackLocal yes\nHost h1\n Port 3\n",
	"Include more\n=== more\nHost h1\n Port 1\n",
	"Include d/*.conf\n=== d/a.conf\nInclude more\n=== more\nHost h2\n"
	" Port 2\n",
	"Host h1\n Include more\nHost *\n User e\n=== more\nPort 3\n",
	"Include absent d/none*\nPort 4\n",
	"Include ~/.ssh/more\nPort 5\n=== more\nHost web1\nHostName h2\n",
	"IdentityFile ~/.ssh/a\nIdentityFile /b/%h-%r\nIdentityFile c\n",
	"IdentityFile ~/.ssh/id_rsa\n", "IdentityFile none\n",
	"IdentityFile \"~/with blank/%n.%p\"\nHost h1\nIdentityFile %d/%u\n",
	"IdentityFile ~/.ssh/id_%u\nIdentitiesOnly yes\n",
	"CertificateFile ~/c-cert.pub\nHost h1\nCertificateFile /k/%h\n",
	"IdentityAgent none\n", "Host h?\n IdentityAgent ~/agent-%h\n",
	"Host h1\n IdentityAgent /run/a\n",
	"UserKnownHostsFile ~/.ssh/kh1 /etc/kh2\nGlobalKnownHostsFile none\n",
	"Host *\n UserKnownHostsFile ~/.ssh/kh-%h\n",
	"Host h1 h2\n UserKnownHostsFile none\n",
	"GlobalKnownHostsFile /a /b\nHost web1\n HostKeyAlias nick\n",
	"HostKeyAlgorithms +ssh-rsa\nHost h1\n HostKeyAlgorithms ssh-rsa\n",
	"Host h1\nHostKeyAlgorithms -ssh-ed25519\n",
	"Host h1\n ProxyJump b@bastion:2200,[2001:db8::1]\n",
	"ProxyJump bastion\nHost h1\n ProxyJump none\n",
	"Host h1\n ProxyJump none\nHost *\n ProxyCommand nc -q0 %h %p %r %%\n",
	"Host h1\n ProxyCommand none\nHost *\n ProxyJump bastion\n",
	"Host h1\n ProxyCommand x %n\n ProxyJump y\nHost h2\n ProxyJump y\n"
	" ProxyCommand x\n",
	"Host 192.0.2.* 2001:db8::?\n User six\n Port 66\n",
};

static const char *const hosts[] = { "h1", "h2", "web1", "H1", "192.0.2.7",
				     "2001:db8::2" };

static char home[256], folder[300];

static int start(void **state)
{
	const struct passwd *pw = getpwuid(getuid());

	(void)state;
	if (geteuid() != 0 || !pw || access("/usr/bin/ssh", X_OK) != 0 ||
	    unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", pw->pw_dir, "tmpfs", 0, "mode=700") < 0)
		return 0;
	snprintf(home, sizeof home, "%s", pw->pw_dir);
	snprintf(folder, sizeof folder, "%s/.ssh", home);
	setenv("HOME", home, 1);
	unsetenv("SSH_AUTH_SOCK");
	return mkdir(folder, 0700);
}

/* Put the files of @text there, and none else. */
static void put_files(const char *text)
{
	AUTO(auto_free) char *copy = mem_strdup(text);
	char *rest = copy, *line;
	char path[600];
	FILE *f;

	snprintf(path, sizeof path, "%s/d", folder);
	mkdir(path, 0700);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", folder,
			 (const char *[]){ "d/a.conf", "more", "config" }[i]);
		remove(path);
	}
	f = fopen(path, "we");
	while ((line = strsep(&rest, "\n"))) {
		if (strncmp(line, "=== ", 4) == 0) {
			assert_int_equal(fclose(f), 0);
			snprintf(path, sizeof path, "%s/%s", folder, line + 4);
			f = fopen(path, "we");
		} else {
			fprintf(f, "%s\n", line);
		}
		assert_non_null(f);
	}
	assert_int_equal(fclose(f), 0);
}

/* Tokens and "~", by another way than the program's. */
static char *expand(const char *s, const char *host, const char *hostname,
		    const char *user, const char *port)
{
	struct sbuf b = SBUF_INIT;

	if (s[0] == '~' && s[1] == '/') {
		sbuf_puts(&b, home);
		s++;
	}
	for (; *s; s++) {
		if (*s != '%') {
			sbuf_putc(&b, *s);
			continue;
		}
		s++;
		sbuf_puts(&b, *s == 'h' ? hostname : *s == 'n' ? host :
			      *s == 'r' ? user : *s == 'p' ? port :
			      *s == 'd' ? home : *s == 'u' ? "root" : "%");
	}
	return sbuf_detach(&b);
}

static void put(struct sbuf *b, const char *keyword, const char *value)
{
	if (value && *value && strcasecmp(value, "none") != 0)
		sbuf_printf(b, "%s %s\n", keyword, value);
}

/* What ssh says for @host alone, those of its lines that count here. */
static char *judged(const char *host)
{
	static const char *const once[] = { "hostname", "user", "port",
		"hostkeyalias", "hostkeyalgorithms", "identitiesonly",
		"identityagent", "userknownhostsfile", "globalknownhostsfile",
		"proxyjump", "proxycommand" };
	char *value[sizeof once / sizeof *once] = { NULL };
	struct strings ids = { 0 }, certs = { 0 };
	struct sbuf b = SBUF_INIT;
	char command[128], line[8192];
	FILE *p;

	snprintf(command, sizeof command, "ssh -G '%s' 2>/dev/null", host);
	p = popen(command, "re");
	assert_non_null(p);
	while (fgets(line, sizeof line, p)) {
		char *v = strchr(line, ' ');

		line[strcspn(line, "\n")] = '\0';
		if (!v)
			continue;
		*v++ = '\0';
		for (size_t i = 0; i < sizeof once / sizeof *once; i++)
			if (strcmp(line, once[i]) == 0)
				mem_replace(&value[i], v);
		if (strcmp(line, "identityfile") == 0)
			strings_add(&ids, v);
		if (strcmp(line, "certificatefile") == 0)
			strings_add(&certs, v);
	}
	assert_int_equal(pclose(p), 0);
	if (ids.len > 4) /* its own list */
		strings_done(&ids);
	for (size_t i = 0; i < sizeof once / sizeof *once; i++) {
		AUTO(auto_free) char *whole = value[i] && i == 10 ?
			expand(value[i], host, value[0], value[1], value[2]) :
			mem_strdup(value[i] ? value[i] : "");

		put(&b, once[i], whole);
	}
	for (size_t i = 0; i < ids.len + certs.len; i++) {
		bool id = i < ids.len;
		AUTO(auto_free) char *path = expand(
			id ? ids.items[i] : certs.items[i - ids.len], host,
			value[0], value[1], value[2]);

		put(&b, id ? "identityfile" : "certificatefile", path);
	}
	for (size_t i = 0; i < sizeof once / sizeof *once; i++)
		free(value[i]);
	strings_done(&ids);
	strings_done(&certs);
	return sbuf_detach(&b);
}

/* The same of the settings that a login gets. */
static char *taken(struct remote_config *c, const char *host)
{
	AUTO(remote_settings_done) struct remote_settings s = { 0 };
	AUTO(sbuf_done) struct sbuf user_hosts = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf global_hosts = SBUF_INIT;
	const struct remote_target target = { .host = host };
	struct sbuf b = SBUF_INIT;
	struct err e = { 0 };

	if (remote_config_ask(&s, c, &target, &e) < 0)
		fail_msg("%s: %s", host, e.msg);
	/* one list: what the global one may hold stands in the corpus */
	for (size_t i = 0; i < s.known_hosts.len; i++) {
		const char *f = s.known_hosts.items[i];
		struct sbuf *to = strncmp(f, "/etc/ssh/", 9) == 0 ||
				  strlen(f) == 2 ? &global_hosts : &user_hosts;

		sbuf_printf(to, "%s%s", to->len ? " " : "", f);
	}
	put(&b, "hostname", s.host);
	put(&b, "user", s.user);
	sbuf_printf(&b, "port %d\n", s.port);
	put(&b, "hostkeyalias", s.alias);
	put(&b, "hostkeyalgorithms", s.hostkeys);
	put(&b, "identitiesonly", s.identities_only ? "yes" : "no");
	put(&b, "identityagent", s.agent);
	put(&b, "userknownhostsfile", user_hosts.s);
	put(&b, "globalknownhostsfile", global_hosts.s);
	put(&b, "proxyjump", s.jump);
	put(&b, "proxycommand", s.jump ? NULL : s.proxy);
	for (size_t i = 0; i < s.identities.len; i++)
		put(&b, "identityfile", s.identities.items[i]);
	for (size_t i = 0; i < s.certificates.len; i++)
		put(&b, "certificatefile", s.certificates.items[i]);
	return sbuf_detach(&b);
}

static void no_difference(void **state)
{
	size_t n = sizeof hosts / sizeof *hosts;

	(void)state;
	if (!*home) {
		print_message("skipped: needs root, ssh, mount namespaces\n");
		skip();
	}
	for (size_t i = 0; i < sizeof corpus / sizeof *corpus; i++) {
		AUTO(auto_remote_config_free) struct remote_config *c = NULL;
		struct err e = { 0 };

		put_files(corpus[i]);
		assert_int_equal(remote_config_load(&c, NULL, &e), 0);
		for (size_t k = 0; k < n; k++) {
			/* another one first each time: it is who gets asked */
			const char *host = hosts[(k + i) % n];
			AUTO(auto_free) char *want = judged(host);
			AUTO(auto_free) char *got = taken(c, host);

			if (strcmp(want, got) != 0)
				print_error("%s of\n%s\nwant:\n%s\ngot:\n%s\n",
					    host, corpus[i], want, got);
			assert_string_equal(want, got);
		}
	}
}

/* What a Match line started still has the stderr of ssh, and is not waited for. */
static void program_left_behind(void **state)
{
	AUTO(auto_remote_config_free) struct remote_config *c = NULL;
	AUTO(auto_free) char *pid = mem_printf("%s/more", folder);
	AUTO(auto_free) char *said = NULL;
	struct err e = { 0 };
	FILE *f;
	int tail;

	(void)state;
	if (!*home) {
		print_message("skipped: needs root, ssh, mount namespaces\n");
		skip();
	}
	put_files("Match exec \"tail -f /dev/null & echo $! >%d/.ssh/more\"\n"
		  " Port 7\n");
	assert_int_equal(remote_config_load(&c, NULL, &e), 0);
	said = taken(c, "h1");
	assert_non_null(strstr(said, "port 7\n"));
	f = fopen(pid, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &tail), 1);
	fclose(f);
	assert_int_equal(kill(tail, SIGTERM), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_difference),
		cmocka_unit_test(program_left_behind),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}

/*
 * state/store: locks, atomic saves, modes, symlinks, and that nothing which
 * goes wrong changes a byte. Each test has a folder of its own.
 */
#include "state/store/store.h"

#include "base/auto.h"

#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#define STATE "mesh-state.json"
#define LOCK STATE ".lock"
#define NEW STATE ".new"
#define LONG_MS 120000

DEFINE_AUTO(struct store *, store_close)

static const char little[] = "{\n  \"interface_name\": \"wg0\",\n"
			     "  \"network\": \"10.99.0.0/16\",\n"
			     "  \"listen_port\": 51820,\n  \"nodes\": {},\n"
			     "  \"local_hostname\": \"control\"\n}";

static int enter_folder(void **state)
{
	char path[] = "/tmp/wgmesh-store-XXXXXX";

	unsetenv("WGMESH_STATE");
	if (!mkdtemp(path) || chdir(path) < 0)
		return -1;
	*state = strdup(path);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int leave_folder(void **state)
{
	int ret = chdir("/");

	ret |= nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return ret;
}

static void put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void assert_content(const char *path, const char *want)
{
	AUTO(auto_fclose) FILE *f = fopen(path, "re");
	AUTO(sbuf_done) struct sbuf b = SBUF_INIT;
	char chunk[4096];
	size_t n;

	assert_non_null(f);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		sbuf_add(&b, chunk, n);
	assert_string_equal(sbuf_str(&b), want);
}

static void assert_mode(const char *path, mode_t mode)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void assert_absent(const char *path)
{
	assert_int_equal(access(path, F_OK), -1);
}

static ino_t inode(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_ino;
}

static struct store *must_open(const char *path, bool write)
{
	struct store *s = NULL;
	struct err e = { 0 };

	if (store_open(&s, path, write, LONG_MS, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	return s;
}

static void must_save(struct store *s, bool count)
{
	struct err e = { 0 };

	if (store_save(s, count, &e) < 0)
		fail_msg("%s", e.msg);
}

static void open_refused(const char *path, bool write, enum err_code code,
			 const char *message)
{
	struct store *s = NULL;
	struct err e = { 0 };

	assert_int_equal(store_open(&s, path, write, 0, NULL, &e), -1);
	assert_null(s);
	assert_string_equal(e.msg, message);
	assert_int_equal(e.code, code);
}

/* The same, with @word somewhere in the message. */
static void open_denied(bool write, enum err_code code, const char *word)
{
	struct store *s = NULL;
	struct err e = { 0 };

	assert_int_equal(store_open(&s, STATE, write, 0, NULL, &e), -1);
	assert_null(s);
	if (!strstr(e.msg, word))
		fail_msg("'%s' is not in '%s'", word, e.msg);
	assert_int_equal(e.code, code);
}

static void test_path(void **state)
{
	AUTO(auto_free) char *option = store_path("a", "b");
	AUTO(auto_free) char *env = store_path(NULL, "b");
	AUTO(auto_free) char *far = store_path(NULL, "");
	AUTO(auto_free) char *here = NULL;

	(void)state;
	put(STATE, little, 0600);
	here = store_path("", NULL);
	assert_string_equal(option, "a");
	assert_string_equal(env, "b");
	assert_string_equal(far, "/var/lib/wgmesh/mesh-state.json");
	assert_string_equal(here, STATE);
}

static void test_create(void **state)
{
	AUTO(auto_store_close) struct store *s = NULL;
	struct err e = { 0 };
	char name[256] = "";

	(void)state;
	assert_int_equal(store_create(&s, "a/b/" STATE, &e), 0);
	assert_mode("a", 0700);
	assert_mode("a/b", 0700);
	assert_absent("a/b/" STATE);
	gethostname(name, sizeof name - 1);
	assert_string_equal(store_mesh(s)->local_hostname, name);
	assert_int_equal(strlen(store_mesh(s)->mesh_id), 32);
	must_save(s, true);
	assert_mode("a/b/" STATE, 0600);
	assert_int_equal(store_mesh(s)->serial, 1);
	store_close(STEAL(s));
	assert_absent("a/b/" LOCK);
	assert_absent("a/b/" NEW);
	s = must_open("a/b/" STATE, false);
	assert_int_equal(store_mesh(s)->serial, 1);
	assert_null(store_note(s));
}

static void create_refused(const char *path, const char *message)
{
	struct store *s = NULL;
	struct err e = { 0 };

	assert_int_equal(store_create(&s, path, &e), -1);
	assert_null(s);
	assert_string_equal(e.msg, message);
}

static void test_create_refused(void **state)
{
	AUTO(auto_store_close) struct store *s = NULL;
	struct err e = { 0 };

	(void)state;
	put(STATE, "anything", 0600);
	create_refused(STATE, "state '" STATE "' exists already: its keys "
		       "would be lost");
	assert_content(STATE, "anything");
	assert_int_equal(symlink("nowhere", "link"), 0);
	create_refused("link", "state 'link' exists already: its keys would be "
		       "lost");
	create_refused(STATE "/x", "state '" STATE "/x': cannot make the "
		       "folder '" STATE "': Not a directory");
	assert_int_equal(store_create(&s, "late", &e), 0);
	put("late", "somebody was faster", 0600);
	assert_int_equal(store_save(s, true, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_content("late", "somebody was faster");
	assert_absent("late.new");
}

static void test_no_state(void **state)
{
	struct store *s = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(store_open(&s, "none", true, 0, NULL, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_int_equal(e.sys_errno, ENOENT);
	assert_string_equal(e.msg, "state 'none' cannot be opened: No such "
			    "file or directory");
	assert_absent("none.lock");
}

static void test_unchanged(void **state)
{
	AUTO(auto_store_close) struct store *s = NULL;
	ino_t before;

	(void)state;
	put(STATE, little, 0600);
	before = inode(STATE);
	s = must_open(STATE, true);
	must_save(s, true);
	assert_true(inode(STATE) == before);
	assert_content(STATE, little);
	assert_int_equal(store_mesh(s)->serial, 0);
}

static void test_serial(void **state)
{
	AUTO(auto_store_close) struct store *s = NULL;

	(void)state;
	put(STATE, little, 0600);
	s = must_open(STATE, true);
	store_mesh(s)->listen_port = 1;
	must_save(s, true);
	assert_int_equal(store_mesh(s)->serial, 1);
	must_save(s, true);
	assert_int_equal(store_mesh(s)->serial, 1);
	nodes_insert(&store_mesh(s)->nodes, "a")->facts.deployed = true;
	must_save(s, false);
	assert_int_equal(store_mesh(s)->serial, 1);
	store_mesh(s)->listen_port = 2;
	must_save(s, true);
	store_close(STEAL(s));
	s = must_open(STATE, false);
	assert_int_equal(store_mesh(s)->serial, 2);
	assert_int_equal(store_mesh(s)->listen_port, 2);
}

static void test_mode(void **state)
{
	static const char keyed[] = "{\n  \"nodes\": {\"a\": "
				    "{\"private_key\": \"S\"}}}";
	AUTO(auto_store_close) struct store *s = NULL;

	(void)state;
	put(STATE, keyed, 0644);
	open_refused(STATE, true, ERR_INPUT, "state '" STATE "' holds private "
		     "keys and may be read by others (mode 0644): chmod 600");
	assert_mode(STATE, 0644);
	put(STATE, little, 0644);
	s = must_open(STATE, true);
	assert_null(store_note(s));
	must_save(s, true); /* same text: the mode alone */
	assert_mode(STATE, 0600);
	assert_content(STATE, little);
}

static void test_writable_by_others(void **state)
{
	(void)state;
	put(STATE, little, 0620);
	open_refused(STATE, false, ERR_INPUT, "state '" STATE "' may be "
		     "written by others (mode 0620), expected 0600");
	put(STATE, little, 0602);
	open_refused(STATE, true, ERR_INPUT, "state '" STATE "' may be "
		     "written by others (mode 0602), expected 0600");
	assert_content(STATE, little);
	assert_mode(STATE, 0602);
	assert_absent(LOCK);
}

static void need_root(void)
{
	if (geteuid() == 0)
		return;
	print_message("skipped: needs root\n");
	skip();
}

/* Whose it is may have commands run on every host. */
static void test_owner(void **state)
{
	(void)state;
	need_root();
	put(STATE, little, 0600);
	assert_int_equal(chown(STATE, 1234, 5678), 0);
	open_denied(false, ERR_INPUT, "uid 1234");
	open_denied(true, ERR_INPUT, "chown");
	assert_absent(LOCK);
	assert_int_equal(chown(STATE, 0, 5678), 0);
	assert_int_equal(chown(".", 1234, 5678), 0);
	open_denied(true, ERR_INPUT, "folder");
	open_denied(true, ERR_INPUT, "uid 1234");
	assert_int_equal(chown(".", 0, 0), 0);
	store_close(must_open(STATE, true));
}

/* Root under sudo: the caller's file, which stays the caller's. */
static void test_owner_is_kept(void **state)
{
	AUTO(auto_store_close) struct store *s = NULL;
	struct stat st;

	(void)state;
	need_root();
	put(STATE, little, 0600);
	assert_int_equal(chown(STATE, 1234, 5678), 0);
	setenv("SUDO_UID", "1235", 1);
	open_denied(true, ERR_INPUT, "uid 1234");
	setenv("SUDO_UID", "1234", 1);
	s = must_open(STATE, true);
	store_mesh(s)->listen_port = 7;
	must_save(s, true);
	unsetenv("SUDO_UID");
	assert_int_equal(stat(STATE, &st), 0);
	assert_int_equal(st.st_uid, 1234);
	assert_int_equal(st.st_gid, 5678);
}

/* In a folder that others write, another file may take its place. */
static void test_folder_of_others(void **state)
{
	struct store *s = NULL;
	struct err e = { 0 };

	(void)state;
	put(STATE, little, 0600);
	assert_int_equal(chmod(".", 0702), 0);
	open_denied(false, ERR_INPUT, "folder");
	open_denied(true, ERR_INPUT, "chmod go-w");
	assert_int_equal(store_create(&s, "other.json", &e), -1);
	assert_non_null(strstr(e.msg, "chmod go-w"));
	assert_absent("other.json.lock");
	/* as in /tmp: what is ours, only we replace */
	assert_int_equal(chmod(".", 01777), 0);
	store_close(must_open(STATE, true));
	assert_int_equal(chmod(".", 0755), 0);
	store_close(must_open(STATE, true));
}

static void test_folder_of_a_group(void **state)
{
	const struct passwd *pw = getpwnam("nobody");

	(void)state;
	need_root();
	put(STATE, little, 0600);
	assert_int_equal(chmod(".", 0770), 0);
	assert_int_equal(chown(".", 0, pw ? pw->pw_gid : 1), 0);
	open_denied(true, ERR_INPUT, "chmod go-w");
	/* a group of one's own is nobody else */
	pw = getpwuid(0);
	assert_non_null(pw);
	assert_int_equal(chown(".", 0, pw->pw_gid), 0);
	store_close(must_open(STATE, true));
}

/* What a lock is written over must be a lock. */
static void test_lock_that_is_a_link(void **state)
{
	(void)state;
	put(STATE, little, 0600);
	put("precious", "mine", 0600);
	assert_int_equal(link("precious", LOCK), 0);
	open_denied(true, ERR_INPUT, LOCK);
	assert_content("precious", "mine");
	assert_int_equal(unlink(LOCK), 0);
	assert_int_equal(symlink("precious", LOCK), 0);
	open_denied(true, ERR_SYSTEM, LOCK);
	assert_content("precious", "mine");
	assert_int_equal(unlink(LOCK), 0);
	assert_int_equal(mkfifo(LOCK, 0600), 0);
	open_denied(true, ERR_INPUT, LOCK);
	assert_int_equal(unlink(LOCK), 0);
	store_close(must_open(STATE, true));
	assert_absent(LOCK);
}

static void test_odd_files(void **state)
{
	(void)state;
	assert_int_equal(mkdir("folder", 0700), 0);
	open_refused("folder", false, ERR_INPUT, "state 'folder' is no regular "
		     "file");
	assert_int_equal(mkfifo("fifo", 0600), 0);
	open_refused("fifo", true, ERR_INPUT, "state 'fifo' is no regular "
		     "file");
	put(STATE, "", 0600);
	assert_int_equal(truncate(STATE, (64 << 20) + 1), 0);
	open_refused(STATE, false, ERR_INPUT, "state '" STATE "' has more than "
		     "64 MiB");
}

static void test_symlinks(void **state)
{
	AUTO(auto_store_close) struct store *s = NULL;
	struct store *second = NULL;
	struct err e = { 0 };
	char target[4096];

	(void)state;
	put(STATE, little, 0600);
	assert_int_equal(symlink(STATE, "near"), 0);
	s = must_open("near", true);
	assert_string_equal(store_file(s), "./" STATE);
	store_mesh(s)->listen_port = 1;
	assert_int_equal(store_open(&second, STATE, true, 0, NULL, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	must_save(s, true);
	assert_int_equal(readlink("near", target, sizeof target),
			 strlen(STATE));
	assert_int_equal(mkdir("other", 0700), 0);
	assert_int_equal(symlink("../" STATE, "other/far"), 0);
	open_refused("other/far", false, ERR_INPUT, "state 'other/far' is a "
		     "symlink out of its folder, expected a file");
	assert_int_equal(symlink("near", "second"), 0);
	open_refused("second", false, ERR_INPUT, "state 'second' is a symlink "
		     "to a symlink, expected a file");
	assert_int_equal(symlink("nothing", "dead"), 0);
	open_refused("dead", false, ERR_SYSTEM, "state 'dead' is a symlink "
		     "that leads nowhere: No such file or directory");
	assert_int_equal(symlink("other/../" STATE, "round"), 0);
	store_close(STEAL(s));
	s = must_open("round", false);
}

static void test_broken_state(void **state)
{
	(void)state;
	put(STATE, "{\"nodes\":", 0600);
	open_refused(STATE, true, ERR_INPUT, "state '" STATE "': line 1, "
		     "column 10: ends here, expected a value");
	put(STATE, "", 0600);
	open_refused(STATE, true, ERR_INPUT, "state '" STATE "': empty, "
		     "expected a JSON object");
	put(STATE, "{\"nodes\":{\"a\":null}}", 0600);
	open_refused(STATE, true, ERR_INPUT, "state '" STATE "': node 'a': "
		     "null found, expected an object");
	assert_content(STATE, "{\"nodes\":{\"a\":null}}");
	assert_absent(LOCK);
}

static void save_refused(struct store *s, enum err_code code,
			 const char *message)
{
	struct err e = { 0 };

	assert_int_equal(store_save(s, true, &e), -1);
	assert_int_equal(e.code, code);
	assert_string_equal(e.msg, message);
	assert_int_equal(store_mesh(s)->serial, 0);
	assert_absent(NEW);
}

static void test_bad_save(void **state)
{
	AUTO(auto_store_close) struct store *s = NULL;

	(void)state;
	put(STATE, little, 0600);
	s = must_open(STATE, true);
	nodes_insert(&store_mesh(s)->nodes, "a")->ssh_port = -5;
	save_refused(s, ERR_INPUT, "state '" STATE "': node 'a': ssh_port: -5 "
		     "is no port, expected 1 to 65535");
	assert_content(STATE, little);
	store_close(STEAL(s));
	s = must_open(STATE, false);
	save_refused(s, ERR_BUG, "state '" STATE "' was opened for reading");
}

static void test_changed_behind(void **state)
{
	AUTO(auto_store_close) struct store *s = NULL;

	(void)state;
	put(STATE, little, 0600);
	s = must_open(STATE, true);
	store_mesh(s)->listen_port = 1;
	put(STATE, "{}", 0600);
	save_refused(s, ERR_CONFLICT, "state '" STATE "' was changed by "
		     "somebody else since it was read, nothing is saved");
	assert_content(STATE, "{}");
	assert_int_equal(unlink(STATE), 0);
	save_refused(s, ERR_CONFLICT, "state '" STATE "' cannot be opened: No "
		     "such file or directory");
	assert_absent(STATE);
	put(STATE, little, 0600);
	must_save(s, true);
}

static void test_locked(void **state)
{
	AUTO(auto_store_close) struct store *s = NULL;
	AUTO(auto_store_close) struct store *reader = NULL;
	struct store *second = NULL;
	struct err e = { 0 };
	char host[256] = "";
	char want[512];

	(void)state;
	put(STATE, little, 0600);
	s = must_open(STATE, true);
	assert_mode(LOCK, 0600);
	reader = must_open(STATE, false);
	assert_int_equal(store_open(&second, STATE, true, 60, NULL, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	gethostname(host, sizeof host - 1);
	snprintf(want, sizeof want, "@%.200s, pid %ld, for ", host,
		 (long)getpid());
	assert_non_null(strstr(e.msg, "state '" STATE "' is locked by "));
	assert_non_null(strstr(e.msg, want));
	store_close(STEAL(s));
	assert_absent(LOCK);
	s = must_open(STATE, true);
	assert_null(store_note(s));
}

static void *wait_and_add(void *arg)
{
	AUTO(auto_store_close) struct store *s = NULL;
	struct err e = { 0 };

	(void)arg;
	if (store_open(&s, STATE, true, LONG_MS, NULL, &e) < 0)
		return NULL;
	nodes_insert(&store_mesh(s)->nodes, "waited");
	return store_save(s, true, &e) < 0 ? NULL : arg;
}

static void test_wait(void **state)
{
	struct store *s = NULL;
	pthread_t thread;
	void *ok = NULL;

	(void)state;
	put(STATE, little, 0600);
	s = must_open(STATE, true);
	assert_int_equal(pthread_create(&thread, NULL, wait_and_add, &ok), 0);
	store_mesh(s)->listen_port = 4;
	must_save(s, true);
	store_close(s);
	assert_int_equal(pthread_join(thread, &ok), 0);
	assert_non_null(ok);
	s = must_open(STATE, false);
	assert_int_equal(store_mesh(s)->listen_port, 4);
	assert_non_null(nodes_find(&store_mesh(s)->nodes, "waited"));
	store_close(s);
}

/* The holder that lets go just before the next flock(), if any. */
static struct store *lets_go;

/* Stands in for libc's. */
int flock(int fd, int operation)
{
	store_close(STEAL(lets_go));
	return (int)syscall(SYS_flock, fd, operation);
}

/* The lock file that we opened is removed before we get its flock. */
static void test_removed_meanwhile(void **state)
{
	AUTO(auto_store_close) struct store *s = NULL;
	struct store *third = NULL;
	struct err e = { 0 };

	(void)state;
	put(STATE, little, 0600);
	s = must_open(STATE, true);
	lets_go = STEAL(s);
	s = must_open(STATE, true);
	assert_null(lets_go);
	assert_null(store_note(s));
	assert_int_equal(store_open(&third, STATE, true, 0, NULL, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
}

/* Somebody deletes our lock file by hand; the next one's stays. */
static void test_deleted_lock(void **state)
{
	AUTO(auto_store_close) struct store *s = NULL;
	AUTO(auto_store_close) struct store *second = NULL;

	(void)state;
	put(STATE, little, 0600);
	s = must_open(STATE, true);
	assert_int_equal(unlink(LOCK), 0);
	second = must_open(STATE, true);
	store_close(STEAL(s));
	assert_int_equal(access(LOCK, F_OK), 0);
}

static void test_foreign_lock(void **state)
{
	static const char line[] = "eve laptop.example.org 7 "
				   "00000000-0000-0000-0000-000000000000 ";
	AUTO(auto_store_close) struct store *s = NULL;
	char text[256];

	(void)state;
	put(STATE, little, 0600);
	snprintf(text, sizeof text, "%s99999999999\n", line);
	put(LOCK, text, 0600);
	open_refused(STATE, true, ERR_CONFLICT, "state '" STATE "' is locked "
		     "by eve@laptop.example.org, pid 7, for 0 s; if that "
		     "process is gone, delete '" LOCK "'");
	assert_content(LOCK, text);
	s = must_open(STATE, false);
	store_close(STEAL(s));
	put(LOCK, "nonsense\n", 0600);
	s = must_open(STATE, true);
	store_close(STEAL(s));
	assert_absent(LOCK);
	assert_int_equal(symlink("/etc/hostname", LOCK), 0);
	open_refused(STATE, true, ERR_SYSTEM, "state '" STATE "' cannot create "
		     "the lock file '" LOCK "': Too many levels of symbolic "
		     "links");
}

/* In a child: open for writing, say so on @fd, and wait to be killed. */
static void hold_for_ever(int fd)
{
	struct store *s = NULL;
	struct err e = { 0 };

	if (store_open(&s, STATE, true, LONG_MS, NULL, &e) == 0 &&
	    write(fd, "x", 1) == 1)
		pause();
	_exit(1);
}

/* Leave the lock of a killed process behind. */
static void leave_lock(void)
{
	int ends[2];
	pid_t child;
	char c;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	if (child == 0)
		hold_for_ever(ends[1]);
	close(ends[1]);
	assert_int_equal(read(ends[0], &c, 1), 1);
	close(ends[0]);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(access(LOCK, F_OK), 0);
}

static void test_killed_holder(void **state)
{
	static const char note[] = "cleared the lock of a process that has "
				   "ended (";
	AUTO(auto_store_close) struct store *s = NULL;

	(void)state;
	put(STATE, little, 0600);
	leave_lock();
	put(NEW, "half a state", 0644);
	s = must_open(STATE, true);
	assert_non_null(store_note(s));
	assert_memory_equal(store_note(s), note, sizeof note - 1);
	store_mesh(s)->listen_port = 5;
	must_save(s, true);
	assert_mode(STATE, 0600);
	assert_absent(NEW);
	store_close(STEAL(s));
	assert_absent(LOCK);
}

/* In a child: add node "n@i"; exits 0 when it is saved. */
static void add_one(int i)
{
	struct store *s = NULL;
	struct err e = { 0 };
	struct node *n;
	char name[16];

	if (store_open(&s, STATE, true, LONG_MS, NULL, &e) < 0)
		_exit(1);
	snprintf(name, sizeof name, "n%d", i);
	n = nodes_insert(&store_mesh(s)->nodes, name);
	if (mesh_free_ip(store_mesh(s), &store_mesh(s)->network, &n->mesh_ip,
			 &e) < 0 || store_save(s, true, &e) < 0)
		_exit(2);
	store_close(s);
	_exit(0);
}

static void add_all_at_once(int count)
{
	int status;

	for (int i = 0; i < count; i++) {
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0)
			add_one(i);
	}
	for (int i = 0; i < count; i++) {
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

/* Both from nothing and with a leftover that all of them find. */
static void test_twenty_writers(void **state)
{
	(void)state;
	for (int round = 0; round < 6; round++) {
		AUTO(auto_store_close) struct store *s = NULL;

		put(STATE, little, 0600);
		if (round % 2)
			leave_lock();
		add_all_at_once(20);
		s = must_open(STATE, false);
		assert_int_equal(store_mesh(s)->nodes.len, 20);
		assert_int_equal(store_mesh(s)->serial, 20);
		assert_absent(LOCK);
		assert_absent(NEW);
	}
}

/* In a child, where the file system or a limit stops the write. */
static int save_much(void)
{
	struct store *s = NULL;
	struct err e = { 0 };
	int ret;

	if (store_open(&s, STATE, true, 0, NULL, &e) < 0)
		return 1;
	for (int i = 0; i < 400; i++) {
		char name[16];

		snprintf(name, sizeof name, "n%d", i);
		nodes_insert(&store_mesh(s)->nodes, name);
	}
	ret = store_save(s, true, &e) < 0 && e.code == ERR_SYSTEM &&
	      strstr(e.msg, "cannot write '" NEW "'") ? 0 : 2;
	store_close(s);
	return ret;
}

static void in_child(int (*run)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0)
		_exit(run());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("skipped: cannot mount a tmpfs here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int save_under_limit(void)
{
	const struct rlimit limit = { 4096, 4096 };

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 3;
	return save_much();
}

static void test_file_limit(void **state)
{
	(void)state;
	put(STATE, little, 0600);
	in_child(save_under_limit);
	assert_content(STATE, little);
	assert_absent(NEW);
	assert_absent(LOCK);
}

/* A disk with no room, of our own and gone with this process. */
static int save_on_full_disk(void)
{
	char before[sizeof little];
	int fd;
	int ret;

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mkdir("disk", 0700) < 0 ||
	    mount("none", "disk", "tmpfs", 0, "size=16k") < 0)
		return 77;
	if (chdir("disk") < 0)
		return 3;
	put(STATE, little, 0600);
	ret = save_much();
	fd = open(STATE, O_RDONLY | O_CLOEXEC);
	if (fd < 0 ||
	    read(fd, before, sizeof before) != (ssize_t)sizeof little - 1 ||
	    memcmp(before, little, sizeof little - 1) != 0 ||
	    access(NEW, F_OK) == 0)
		return 4;
	return ret;
}

static void test_full_disk(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: needs root\n");
		skip();
	}
	in_child(save_on_full_disk);
}

/* SIGKILL at random moments: the file is always one whole state. */
static void test_killed_writers(void **state)
{
	(void)state;
	put(STATE, little, 0600);
	for (int i = 0; i < 60; i++) {
		AUTO(auto_store_close) struct store *s = NULL;
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0)
			add_one(i);
		for (int k = 0; k < i * 40; k++)
			sched_yield();
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		s = must_open(STATE, false);
		assert_int_equal(store_mesh(s)->nodes.len,
				 store_mesh(s)->serial);
	}
}

#define IN_FOLDER(f)                                                           \
	cmocka_unit_test_setup_teardown(f, enter_folder, leave_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_path),
		IN_FOLDER(test_create),
		IN_FOLDER(test_create_refused),
		IN_FOLDER(test_no_state),
		IN_FOLDER(test_unchanged),
		IN_FOLDER(test_serial),
		IN_FOLDER(test_mode),
		IN_FOLDER(test_writable_by_others),
		IN_FOLDER(test_owner),
		IN_FOLDER(test_owner_is_kept),
		IN_FOLDER(test_folder_of_others),
		IN_FOLDER(test_folder_of_a_group),
		IN_FOLDER(test_lock_that_is_a_link),
		IN_FOLDER(test_odd_files),
		IN_FOLDER(test_symlinks),
		IN_FOLDER(test_broken_state),
		IN_FOLDER(test_bad_save),
		IN_FOLDER(test_changed_behind),
		IN_FOLDER(test_locked),
		IN_FOLDER(test_wait),
		IN_FOLDER(test_removed_meanwhile),
		IN_FOLDER(test_deleted_lock),
		IN_FOLDER(test_foreign_lock),
		IN_FOLDER(test_killed_holder),
		IN_FOLDER(test_twenty_writers),
		IN_FOLDER(test_file_limit),
		IN_FOLDER(test_full_disk),
		IN_FOLDER(test_killed_writers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The -log file.
 */
#include "cmd/audit.h"

#include "cmd/jout.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

struct audit {
	int fd;
	_Atomic bool broken; /* a line is missing */
	char *user, *host;
	const char *command;
};

/* Lines go to a log (or /dev/null), never to what a link leads to. */
static int check_log(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "cannot look at the log '%s'", path);
	if ((S_ISREG(st.st_mode) && st.st_nlink == 1) || S_ISCHR(st.st_mode))
		return 0;
	return err_set(e, ERR_INPUT, "the log '%s' is no plain file of one "
		       "name; no link is followed", path);
}

int audit_open(struct audit **out, const struct cmd_env *env, struct err *e)
{
	const char *path = env->options.log;
	AUTO(auto_close) int fd = -1;

	if (!path)
		return 0;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
				O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return err_sys(e, "cannot open the log '%s'", path);
	if (check_log(fd, path, e) < 0)
		return -1;
	*out = mem_calloc(1, sizeof **out);
	(*out)->fd = fd;
	fd = -1;
	(*out)->user = mem_strdup(env_user());
	(*out)->host = mem_strdup(env_host());
	(*out)->command = env->command->name;
	return 0;
}

void audit_close(struct audit *a)
{
	if (!a)
		return;
	close(a->fd);
	free(a->user);
	free(a->host);
	free(a);
}

bool audit_is_whole(const struct audit *a)
{
	return !a || !a->broken;
}

/* The members that every line begins with. */
static struct jout *begin(const struct audit *a, const struct mesh *m,
			  const struct host *h)
{
	struct jout *j = jout_new();
	char text[32] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	jout_text(j, "time", text);
	jout_text(j, "user", a->user);
	jout_text(j, "host", a->host);
	jout_text(j, "command", a->command);
	jout_text(j, "mesh_id", m ? m->mesh_id : NULL);
	jout_number(j, "serial", m ? (long)m->serial : 0);
	jout_text(j, "node", h ? h->name : NULL);
	return j;
}

/* How it ended, and the line in one write(), which others' cannot split. */
static void end(struct audit *a, struct jout *j, const char *result,
		const struct err *why)
{
	AUTO(sbuf_done) struct sbuf line = SBUF_INIT;
	ssize_t n;

	jout_text(j, "result", result);
	if (why) {
		jout_open(j, "error");
		jout_text(j, "code", err_code_name(why->code));
		jout_text(j, "message", err_words(why).s);
		jout_end(j);
	} else {
		jout_text(j, "error", NULL);
	}
	jout_line(j, &line);
	do
		n = write(a->fd, sbuf_str(&line), line.len);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)line.len)
		a->broken = true;
}

static void no_step(struct jout *j)
{
	jout_text(j, "step", NULL);
	jout_text(j, "text", NULL);
}

/* How step @i of @h ended. Without an answer from the host nobody knows. */
static const char *step_result(const struct host *h, size_t i)
{
	const struct script_result *r = &h->applied;

	if (h->result == HOST_TO_CHANGE)
		return "planned";
	if (h->result == HOST_CHANGED || i < r->steps_done)
		return "done";
	if (!r->failure)
		return "unknown";
	return !r->refused && i == r->failed_step ? "failed" : "not_run";
}

void audit_host(struct audit *a, const struct fleet *f, const struct host *h)
{
	size_t n = h->has_plan ? h->plan.steps.len : 0;

	for (size_t i = 0; a && i < n; i++) {
		const struct step *s = &h->plan.steps.items[i];
		const char *result = step_result(h, i);
		AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
		struct jout *j = begin(a, f->mesh, h);

		step_text(&text, &h->plan, s);
		jout_text(j, "step", step_name(s->kind));
		jout_text(j, "text", sbuf_str(&text));
		end(a, j, result, host_has_failed(h) && *result != 'd' ? &h->err : NULL);
	}
	if (a && n == 0 && host_has_failed(h)) {
		struct jout *j = begin(a, f->mesh, h);

		no_step(j);
		end(a, j, fleet_result_name(h->result), &h->err);
	}
}

void audit_fleet(struct audit *a, const struct fleet *f, bool planned)
{
	for (size_t i = 0; a && i < f->hosts.len; i++)
		if (planned || host_has_failed(&f->hosts.items[i]))
			audit_host(a, f, &f->hosts.items[i]);
}

void audit_refused(struct audit *a, const struct mesh *m,
		   const struct err *why)
{
	struct jout *j;

	if (!a)
		return;
	j = begin(a, m, NULL);
	no_step(j);
	end(a, j, "refused", why);
}

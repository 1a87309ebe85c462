/*
 * The -log file.
 */
#include "cmd/audit.h"

#include "cmd/jout.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

struct audit {
	int fd;
	_Atomic bool broken; /* a line is missing */
	char *user, *host;
	const char *command;
};

int audit_open(struct audit **out, const struct cmd_env *env, struct err *e)
{
	const char *path = env->options.log;
	AUTO(auto_close) int fd = -1;
	struct stat st;

	if (!path)
		return 0;
	/* who may write the log's folder could lead our lines elsewhere */
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
				O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return err_sys(e, "cannot open the log '%s'", path);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "cannot look at the log '%s'", path);
	if (!(S_ISREG(st.st_mode) && st.st_nlink == 1) && !S_ISCHR(st.st_mode))
		return err_set(e, ERR_INPUT, "the log '%s' is no plain file of "
			       "one name; no link is followed", path);
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

/*
 * One line: step @s of @h (either may be NULL) and how it ended. It goes out in
 * one write(), which those of other threads and processes cannot split.
 */
static void write_line(struct audit *a, const struct mesh *m,
		       const struct host *h, const struct step *s,
		       const char *result, const struct err *why)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	AUTO(sbuf_done) struct sbuf line = SBUF_INIT;
	struct jout *j = jout_new();
	char when[32] = "";
	time_t now = time(NULL);
	struct tm tm;
	ssize_t n;

	if (gmtime_r(&now, &tm))
		strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (s)
		step_text(&text, &h->plan, s);
	jout_text(j, "time", when);
	jout_text(j, "user", a->user);
	jout_text(j, "host", a->host);
	jout_text(j, "command", a->command);
	jout_text(j, "mesh_id", m ? m->mesh_id : NULL);
	jout_number(j, "serial", m ? (long)m->serial : 0);
	jout_text(j, "node", h ? h->name : NULL);
	jout_text(j, "step", s ? step_name(s->kind) : NULL);
	jout_text(j, "text", s ? sbuf_str(&text) : NULL);
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
	const struct err *why = host_has_failed(h) ? &h->err : NULL;

	if (!a)
		return;
	for (size_t i = 0; i < n; i++) {
		const char *result = step_result(h, i);

		/* what was done before the failure has no error itself */
		write_line(a, f->mesh, h, &h->plan.steps.items[i], result,
			   strcmp(result, "done") == 0 ? NULL : why);
	}
	if (n == 0 && why)
		write_line(a, f->mesh, h, NULL, fleet_result_name(h->result),
			   why);
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
	if (a)
		write_line(a, m, NULL, NULL, "refused", why);
}

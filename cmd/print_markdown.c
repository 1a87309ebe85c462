/*
 * A plan as Markdown for a comment: bounded, nothing in it acts.
 */
#include "cmd/engine.h"

#include "render/markdown.h"

#include <inttypes.h>

/** Forges take comments up to 65,536 characters, or longer ones. */
#define COMMENT_MAX 60000
/** Of it: for the rows of the table; and kept for the words at the end. */
#define TABLE_MAX 20000
#define END_MAX 300

/* What did not fit. */
struct cut {
	size_t rows, lines;
};

/* Append @what if it fits below @max, else count it in @cut. */
static void add(struct sbuf *out, const struct sbuf *what, size_t max,
		size_t *cut)
{
	if (out->len + what->len > max)
		++*cut;
	else
		sbuf_add(out, sbuf_str(what), what->len);
}

static void add_row(struct sbuf *out, const struct host *h, struct cut *cut)
{
	AUTO(sbuf_done) struct sbuf row = SBUF_INIT;

	if (h->result == HOST_UNCHANGED)
		return;
	sbuf_puts(&row, "| ");
	markdown_code(&row, h->name);
	sbuf_printf(&row, " | %s%s | %zu |\n",
		    h->result == HOST_TO_CHANGE ? "to change"
						: fleet_result_name(h->result),
		    h->removed ? " (removed)" : "",
		    h->has_plan ? h->plan.steps.len : 0);
	add(out, &row, TABLE_MAX, &cut->rows);
}

/* One line of a block; a block that has one line is opened and closed. */
static void add_line(struct sbuf *out, const char *text, struct cut *cut)
{
	AUTO(sbuf_done) struct sbuf line = SBUF_INIT;

	markdown_line(&line, text);
	add(out, &line, COMMENT_MAX - END_MAX, &cut->lines);
}

static void add_block(struct sbuf *out, const struct host *h, struct cut *cut)
{
	size_t n = h->has_plan ? h->plan.steps.len : 0;

	if (!n && !host_has_failed(h) && !(h->has_plan && h->plan.notes.len))
		return;
	if (out->len + 200 > COMMENT_MAX - END_MAX) {
		cut->lines += n + 1;
		return;
	}
	sbuf_puts(out, "\n");
	markdown_code(out, h->name);
	sbuf_puts(out, "\n\n```diff\n");
	for (size_t i = 0; i < n; i++) {
		AUTO(sbuf_done) struct sbuf text = SBUF_INIT;

		step_text(&text, &h->plan, &h->plan.steps.items[i]);
		add_line(out, sbuf_str(&text), cut);
	}
	for (size_t i = 0; h->has_plan && i < h->plan.notes.len; i++)
		add_line(out, h->plan.notes.items[i], cut);
	if (host_has_failed(h))
		add_line(out, err_words(&h->err).s, cut);
	sbuf_puts(out, "```\n");
}

static void add_counts(struct sbuf *out, const struct fleet *f)
{
	static const enum host_result order[] = {
		HOST_TO_CHANGE, HOST_UNCHANGED, HOST_UNREACHABLE, HOST_FAILED
	};
	static const char *const words[] = { "to change", "unchanged",
					     "unreachable", "failed" };
	const char *comma = "";

	sbuf_printf(out, "### wgmesh plan, serial %" PRIu64 "\n\nHosts: ",
		    f->mesh->serial);
	for (size_t i = 0; i < 4; i++) {
		size_t n = fleet_count(f, order[i]);

		if (n || i < 2) {
			sbuf_printf(out, "%s%zu %s", comma, n, words[i]);
			comma = ", ";
		}
	}
	sbuf_puts(out, "\n");
}

static void add_warning(struct sbuf *out, const struct fleet *f)
{
	struct err stale;

	if (!fleet_is_stale(f, &stale))
		return;
	sbuf_puts(out, "\nWarning: ");
	markdown_code(out, err_words(&stale).s);
	sbuf_puts(out, "\n");
}

void print_markdown(const struct fleet *f)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	struct cut cut = { 0 };

	add_counts(&out, f);
	add_warning(&out, f);
	if (fleet_count(f, HOST_UNCHANGED) < f->hosts.len)
		sbuf_puts(&out, "\n| node | result | steps |\n"
				"| --- | --- | --- |\n");
	for (size_t i = 0; i < f->hosts.len; i++)
		add_row(&out, &f->hosts.items[i], &cut);
	for (size_t i = 0; i < f->hosts.len; i++)
		add_block(&out, &f->hosts.items[i], &cut);
	if (cut.rows || cut.lines)
		sbuf_printf(&out, "\nCut here: %zu rows of the table and %zu "
				  "lines more, see `wgmesh plan`.\n",
			    cut.rows, cut.lines);
	fwrite(sbuf_str(&out), 1, out.len, stdout);
}

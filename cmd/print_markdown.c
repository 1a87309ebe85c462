/*
 * A plan as Markdown for a comment on a forge: bounded, and nothing in it
 * acts. Names and errors come from hosts and from whoever wrote the state;
 * they go through render/markdown.h.
 */
#include "cmd/engine.h"

#include "render/markdown.h"

#include <inttypes.h>

/** Bytes. Forges take comments up to 65,536 characters, or longer ones. */
#define COMMENT_MAX 60000
/** Of it: for the rows of the table; and kept for the words at the end. */
#define TABLE_MAX 20000
#define END_MAX 300
/** A block is begun only where its head and a line or two have room. */
#define BLOCK_MIN 200

/* Append @what if it fits below @max, else count it in @cut. */
static void add_bounded(struct sbuf *out, const struct sbuf *what, size_t max,
			size_t *cut)
{
	if (out->len + what->len > max)
		++*cut;
	else
		sbuf_add(out, sbuf_str(what), what->len);
}

/* One line of a block. */
static void add_line(struct sbuf *out, const char *text, size_t *cut)
{
	AUTO(sbuf_done) struct sbuf line = SBUF_INIT;

	markdown_line(&line, text);
	add_bounded(out, &line, COMMENT_MAX - END_MAX, cut);
}

static void add_block(struct sbuf *out, const struct host *h, size_t *cut)
{
	size_t n = h->has_plan ? h->plan.steps.len : 0;

	if (!n && !host_has_failed(h) && !(h->has_plan && h->plan.notes.len))
		return;
	if (out->len + BLOCK_MIN > COMMENT_MAX - END_MAX) {
		*cut += n + 1;
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
	sbuf_puts(out, "```\n"); /* whatever was cut, the block is closed */
}

/* The title, how many hosts of each kind there are, and a warning. */
static void add_head(struct sbuf *out, const struct fleet *f)
{
	static const struct {
		enum host_result result;
		const char *words;
	} counts[] = { { HOST_TO_CHANGE, "to change" },
		       { HOST_UNCHANGED, "unchanged" },
		       { HOST_UNREACHABLE, "unreachable" },
		       { HOST_FAILED, "failed" } };
	struct err stale;

	sbuf_printf(out, "### wgmesh plan, serial %" PRIu64 "\n\nHosts: ",
		    f->mesh->serial);
	for (size_t i = 0; i < 4; i++) {
		size_t n = fleet_count(f, counts[i].result);

		if (n || i < 2) /* the first two are said of none, too */
			sbuf_printf(out, "%s%zu %s", i ? ", " : "", n,
				    counts[i].words);
	}
	sbuf_puts(out, "\n");
	if (fleet_is_stale(f, &stale)) {
		sbuf_puts(out, "\nWarning: ");
		markdown_code(out, err_words(&stale).s);
		sbuf_puts(out, "\n");
	}
}

void print_markdown(const struct fleet *f)
{
	AUTO(sbuf_done) struct sbuf out = SBUF_INIT;
	size_t cut_rows = 0, cut_lines = 0;

	add_head(&out, f);
	if (fleet_count(f, HOST_UNCHANGED) < f->hosts.len)
		sbuf_puts(&out, "\n| node | result | steps |\n"
				"| --- | --- | --- |\n");
	for (size_t i = 0; i < f->hosts.len; i++) {
		const struct host *h = &f->hosts.items[i];
		AUTO(sbuf_done) struct sbuf row = SBUF_INIT;

		if (h->result == HOST_UNCHANGED)
			continue;
		sbuf_puts(&row, "| ");
		markdown_code(&row, h->name);
		sbuf_printf(&row, " | %s%s | %zu |\n",
			    h->result == HOST_TO_CHANGE
				    ? "to change"
				    : fleet_result_name(h->result),
			    h->removed ? " (removed)" : "",
			    h->has_plan ? h->plan.steps.len : 0);
		add_bounded(&out, &row, TABLE_MAX, &cut_rows);
	}
	for (size_t i = 0; i < f->hosts.len; i++)
		add_block(&out, &f->hosts.items[i], &cut_lines);
	if (cut_rows || cut_lines)
		sbuf_printf(&out, "\nCut here: %zu rows of the table and %zu "
				  "lines more, see `wgmesh plan`.\n",
			    cut_rows, cut_lines);
	fwrite(sbuf_str(&out), 1, out.len, stdout);
}

/*
 * Is a saved plan still what would be planned now? Apart from the file's text,
 * for this is what people agreed to: any difference stops the deploy and is
 * named.
 */
#include "state/json/saved_plan.h"

#include "base/auto.h"
#include "state/model/model.h"

#include <inttypes.h>
#include <string.h>

/** Hosts that a refusal names; the others are counted. */
#define NAMED_MAX 4

/*
 * The serial first: a changed state has other texts as well, and says so
 * itself.
 */
int saved_plan_check_state(const struct saved_plan *saved,
			   const struct saved_plan *now, struct err *e)
{
	if (strcmp(saved->mesh_id, now->mesh_id) != 0)
		return err_set(e, ERR_CONFLICT, "the plan is for another mesh; "
			       "nothing was changed");
	if (saved->serial != now->serial)
		return err_set(e, ERR_CONFLICT, "the state has changed since "
			       "the plan was made (serial %" PRIu64 ", the "
			       "plan has %" PRIu64 "): plan again; nothing was "
			       "changed", now->serial, saved->serial);
	if (strcmp(saved->state, now->state) != 0)
		return err_set(e, ERR_CONFLICT, "the state has changed since "
			       "the plan was made (its serial has not: by "
			       "hand?): plan again; nothing was changed");
	return 0;
}

static const char *step_text(const struct saved_host *h, size_t i)
{
	return i < h->steps.len ? h->steps.items[i].text : "nothing";
}

/* Why @now is not @h, in words; the caller frees; NULL when it is. */
static char *host_difference(const struct saved_host *h,
			     const struct saved_host *now)
{
	size_t i = 0; /* the first step that is another one */

	if (!now)
		return mem_strdup("is no host of this mesh any more");
	if (!saved_host_runs(now))
		return mem_printf("is %s now", now->result);
	if (strcmp(h->observed, now->observed) != 0)
		return mem_strdup("is not as it was when the plan was made");
	while (i < h->steps.len && i < now->steps.len &&
	       strcmp(h->steps.items[i].word, now->steps.items[i].word) == 0 &&
	       strcmp(h->steps.items[i].text, now->steps.items[i].text) == 0)
		i++;
	if (i < h->steps.len || i < now->steps.len) {
		AUTO(auto_free) char *was = check_shown(step_text(h, i));
		AUTO(auto_free) char *is = check_shown(step_text(now, i));

		return mem_printf("step %zu would be '%s' now, was '%s'", i + 1,
				  is, was);
	}
	if (strcmp(h->desired, now->desired) != 0)
		return mem_strdup("would get something else now, for what is "
				  "known of other hosts has changed");
	return NULL;
}

int saved_plan_check_hosts(const struct saved_plan *saved,
			   const struct saved_plan *now, struct err *e)
{
	AUTO(sbuf_done) struct sbuf text = SBUF_INIT;
	size_t n = 0;

	for (size_t i = 0; i < saved->hosts.len; i++) {
		const struct saved_host *h = &saved->hosts.items[i];
		AUTO(auto_free) char *why = NULL;

		if (!saved_host_runs(h))
			continue;
		why = host_difference(h, saved_plan_host(now, h->node,
							 h->removed));
		if (why && n++ < NAMED_MAX)
			sbuf_printf(&text, "%shost '%s' %s", n > 1 ? "; " : "",
				    h->node, why);
	}
	if (n == 0)
		return 0;
	if (n > NAMED_MAX)
		sbuf_printf(&text, "; and %zu more", n - NAMED_MAX);
	return err_set(e, ERR_CONFLICT, "the plan is out of date, plan again; "
		       "nothing was changed: %s", sbuf_str(&text));
}

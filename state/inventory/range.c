/*
 * Host ranges of Ansible: "web[01:10:2].example.org", "db[a:f]", several in one
 * name.
 */
#include "state/inventory/internal.h"

#include "base/auto.h"
#include "base/num.h"
#include "state/model/model.h"

#include <ctype.h>
#include <string.h>

#define FORM                                                                   \
	"expected a range like [01:10], [1:9:2] or [a:f], with its bounds in " \
	"order"

/* Longer host names, with their ranges, are none. */
#define PATTERN_MAX 300

struct range {
	long first, last, step;
	int width;   /* digits, zero-filled */
	bool letters;
};

/* The place of a letter in "a...zA...Z", -1 for anything else. */
static long letter(const char *s)
{
	if (!isalpha((unsigned char)s[0]) || s[1])
		return -1;
	return *s >= 'a' ? *s - 'a' : 26 + *s - 'A';
}

static bool parse_bounds(struct range *r, const char *first, const char *last)
{
	r->first = letter(first);
	r->last = letter(last);
	r->letters = r->first >= 0 && r->last >= 0;
	if (!r->letters) {
		if (*first == '0' && first[1]) {
			r->width = (int)strlen(first);
			if (strlen(last) != strlen(first))
				return false;
		}
		first += strspn(first, "0");
		last += strspn(last, "0");
		if (!num_parse(&r->first, *first ? first : "0", 0, 999999999) ||
		    !num_parse(&r->last, *last ? last : "0", 0, 999999999))
			return false;
	}
	return r->first <= r->last;
}

/* What stands between the brackets; it is cut up. */
static bool parse_range(struct range *r, char *text)
{
	char *last = strchr(text, ':');
	char *step = last ? strchr(last + 1, ':') : NULL;

	*r = (struct range){ .step = 1 };
	if (!last || strlen(text) > 40)
		return false;
	*last++ = '\0';
	if (step) {
		*step++ = '\0';
		if (!num_parse(&r->step, step, 1, 999999999))
			return false;
	}
	return *last && parse_bounds(r, text, last);
}

static void add_name(struct strings *out, const struct range *r, long n,
		     const char *head, const char *tail)
{
	AUTO(auto_free) char *name = NULL;

	if (r->letters)
		name = mem_printf("%s%c%s", head,
				  (char)(n < 26 ? 'a' + n : 'A' + n - 26),
				  tail);
	else
		name = mem_printf("%s%0*ld%s", head, r->width, n, tail);
	strings_add(out, name);
}

/* Expand the first range of every name in @names; @more: there was one. */
static int expand(struct strings *names, size_t max, bool *more, struct err *e)
{
	struct strings out = { 0 };
	int ret = 0;

	*more = false;
	for (size_t i = 0; i < names->len && ret == 0; i++) {
		char *head = names->items[i];
		char *open = strchr(head, '[');
		char *end = open ? strchr(open, ']') : NULL;
		struct range r;

		if (!open) {
			strings_add(&out, head);
			continue;
		}
		*more = true;
		*open = '\0';
		if (end)
			*end = '\0';
		if (!end || !parse_range(&r, open + 1))
			ret = err_set(e, ERR_INPUT, FORM);
		else if ((size_t)((r.last - r.first) / r.step) >=
			 max - out.len)
			ret = err_set(e, ERR_INPUT, "more than %zu hosts",
				      max);
		for (long n = r.first; ret == 0 && n <= r.last; n += r.step)
			add_name(&out, &r, n, head, end + 1);
	}
	strings_done(names);
	*names = out;
	return ret;
}

int inventory_range(struct strings *out, const char *pattern, size_t max,
		    struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(pattern);
	struct strings names = { 0 };
	bool more = true;
	int ret = 0;

	if (strlen(pattern) > PATTERN_MAX)
		return err_set(e, ERR_INPUT, "'%s' is too long for a host",
			       shown);
	strings_add(&names, pattern);
	while (ret == 0 && more)
		ret = expand(&names, max, &more, e);
	for (size_t i = 0; ret == 0 && i < names.len; i++)
		strings_add(out, names.items[i]);
	strings_done(&names);
	return ret < 0 ? err_wrap(e, "'%s'", shown) : 0;
}

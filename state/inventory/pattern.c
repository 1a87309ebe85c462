/*
 * How an Ansible inventory names hosts: "web[01:10:2].example.org", "db[a:f]",
 * several ranges in one name, a ":PORT" behind it.
 */
#include "state/inventory/ansible.h"

#include "base/auto.h"
#include "base/num.h"

#include <ctype.h>
#include <string.h>

#define FORM                                                                   \
	"expected a range like [01:10], [1:9:2] or [a:f], with its bounds in " \
	"order"

/* Longer host names, with their ranges, are none. */
#define PATTERN_MAX 300

struct range {
	long first, last, step; /* both are in it, as Ansible has it */
	int width;              /* digits, zero-filled */
	bool letters;
};

/* The place of a letter in "a...zA...Z", -1 for anything else. */
static long letter(const char *s)
{
	if (!isalpha((unsigned char)s[0]) || s[1])
		return -1;
	return *s >= 'a' ? *s - 'a' : 26 + *s - 'A';
}

/* What stands between the brackets, at @first; it is cut up. */
static bool parse_range(struct range *r, char *first)
{
	char *last = strchr(first, ':');
	char *step = last ? strchr(last + 1, ':') : NULL;

	*r = (struct range){ .step = 1 };
	if (!last || strlen(first) > 40)
		return false;
	*last++ = '\0';
	if (step) {
		*step++ = '\0';
		if (!num_parse(&r->step, step, 1, 999999999))
			return false;
	}
	if (!*last)
		return false;
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

/*
 * Expand the first range of every name in @names; @more: there was one. How
 * many there will be is known before one is made: "[0:999999999]" costs none.
 */
static int expand_ranges(struct strings *names, size_t max, bool *more,
			 struct err *e)
{
	AUTO(strings_done) struct strings out = { 0 };

	*more = false;
	for (size_t i = 0; i < names->len; i++) {
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
			return err_set(e, ERR_INPUT, FORM);
		if ((size_t)((r.last - r.first) / r.step) >= max - out.len)
			return err_set(e, ERR_INPUT, "more than %zu hosts",
				       max);
		for (long n = r.first; n <= r.last; n += r.step) {
			char c = (char)(n < 26 ? 'a' + n : 'A' + n - 26);
			AUTO(auto_free) char *name =
				r.letters ? mem_printf("%s%c%s", head, c,
						       end + 1)
					  : mem_printf("%s%0*ld%s", head,
						       r.width, n, end + 1);

			strings_add(&out, name);
		}
	}
	strings_done(names);
	*names = out;
	out = (struct strings){ 0 };
	return 0;
}

int inventory_range(struct strings *names, const char *pattern, size_t max,
		    struct err *e)
{
	AUTO(auto_free) char *shown = check_shown(pattern);
	bool more = true;

	if (strlen(pattern) > PATTERN_MAX)
		return err_set(e, ERR_INPUT, "'%s' is too long for a host",
			       shown);
	strings_add(names, pattern);
	while (more)
		if (expand_ranges(names, max, &more, e) < 0)
			return err_wrap(e, "'%s'", shown);
	return 0;
}

/*
 * Cut ":PORT" off, which only a name without other colons can have: else it is
 * an IPv6 address, whose last group would be taken for a port.
 */
static char *cut_pattern_port(char *pattern)
{
	char *last = strrchr(pattern, ':');
	char *bracket = strrchr(pattern, ']');

	if (!last || (bracket && bracket > last) ||
	    strspn(last + 1, "0123456789") != strlen(last + 1))
		return NULL;
	if (!bracket && (strchr(pattern, ':') != last || strchr(pattern, '[')))
		return NULL;
	*last = '\0';
	return last + 1;
}

int ansible_hosts(struct ansible *a, size_t group, const char *pattern,
		  const struct ansible_vars *vars, size_t line, struct err *e)
{
	AUTO(auto_free) char *copy = mem_strdup(pattern);
	AUTO(strings_done) struct strings names = { 0 };
	const char *port = cut_pattern_port(copy);

	if (inventory_range(&names, copy, INVENTORY_HOSTS_MAX, e) < 0)
		return inventory_wrap(a->in, line, e);
	for (size_t i = 0; i < names.len; i++) {
		const struct inventory_entry *known;
		struct ansible_vars *own;

		if (check_node_name(names.items[i], e) < 0)
			return inventory_wrap(a->in, line, e);
		known = inventory_index(&a->host_names, names.items[i],
					a->hosts.len);
		if (known->number == a->hosts.len)
			*vec_add(&a->hosts) = (struct ansible_host){
				.name = known->name, .line = line };
		own = &a->hosts.items[known->number].own;
		vec_push(&a->groups.items[group].hosts, known->number);
		if (port)
			ansible_set(a, own, ANSIBLE_PORT, port, line);
		for (int v = 0; vars && v < ANSIBLE_VARS; v++)
			if (vars->of[v].text)
				ansible_set(a, own, (enum ansible_name)v,
					    vars->of[v].text,
					    vars->of[v].line);
	}
	a->members += names.len;
	if (a->hosts.len > INVENTORY_HOSTS_MAX)
		return inventory_error(a->in, line, e, "more than %d hosts",
				       INVENTORY_HOSTS_MAX);
	if (a->members > ANSIBLE_STEPS_MAX)
		return inventory_error(a->in, line, e, "hosts are named more "
				       "than %d times", ANSIBLE_STEPS_MAX);
	return 0;
}

/*
 * cmd/fleet: what is said of a host that no pass has looked at.
 */
#include "cmd/fleet.h"

#include "fixture.h"

static void test_passed_over(void **state)
{
	AUTO(mesh_done) struct mesh m = { 0 };
	struct cmd_env env = { 0 };
	struct fleet f;
	struct err e = { 0 };

	(void)state;
	env.options.parallel = 2;
	mesh_of(&m, "'nodes':{'a':{'mesh_ip':'10.99.0.1','ssh_host':'x'}},"
		    "'removed_nodes':{'b':{'ssh_host':'y'}}");
	assert_int_equal(fleet_open(&f, &env, &m, NULL, &e), 0);
	assert_int_equal(f.hosts.len, 2);
	fleet_plan(&f, false);
	assert_int_equal(fleet_count(&f, HOST_FAILED), 2);
	assert_int_equal(fleet_status(&f), EXIT_HOSTS);
	for (size_t i = 0; i < f.hosts.len; i++)
		assert_non_null(strstr(f.hosts.items[i].err.msg,
				       "passed over"));
	fleet_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

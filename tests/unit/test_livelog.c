/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/livelog.h"

/* A log that is there and cannot be read. tests/cli/test_log.py reads those that can. */

#define FIRMWARE "/sys/kernel/security/tpm0/binary_bios_measurements"
#define SLAUNCH "/sys/kernel/security/slaunch/eventlog"
/* A plain file that nobody reads at its beginning, not even root. */
#define UNREADABLE "/proc/self/mem"

struct root {
	char path[32];
	struct livelog log;
	struct cli_fault fault;
};

static void begin(struct root *r)
{
	*r = (struct root){ .path = "/tmp/gl-livelog-XXXXXX", .log = { .kind = LIVELOG_NONE } };
	assert_non_null(mkdtemp(r->path));
}

/* A symbolic link `name` below the root, with its folders. */
static void add(const struct root *r, const char *name, const char *target)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s%s", r->path, name);
	for (char *p = strchr(path + strlen(r->path) + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = 0;
		assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
		*p = '/';
	}
	assert_int_equal(symlink(target, path), 0);
}

static int take_away(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void end(struct root *r)
{
	livelog_free(&r->log);
	assert_int_equal(nftw(r->path, take_away, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* Who needs the log of a launch does not fail over that of the firmware. */
static void test_firmware(void **state)
{
	struct root r;

	(void)state;
	begin(&r);
	add(&r, FIRMWARE, UNREADABLE);
	assert_false(livelog_find(r.path, &r.log, &r.fault));
	assert_non_null(strstr(r.fault.text, FIRMWARE));
	livelog_free(&r.log);
	assert_true(livelog_find_launch(r.path, &r.log, &r.fault));
	assert_int_equal(r.log.kind, LIVELOG_NONE);
	assert_int_equal(r.log.unseen, 0);
	end(&r);
}

static void test_launch(void **state)
{
	struct root r;

	(void)state;
	begin(&r);
	add(&r, SLAUNCH, UNREADABLE);
	assert_false(livelog_find_launch(r.path, &r.log, &r.fault));
	assert_non_null(strstr(r.fault.text, SLAUNCH));
	end(&r);
}

/* Memory that cannot be opened is passed over, but not forgotten. */
static void test_memory(void **state)
{
	struct root r;

	(void)state;
	begin(&r);
	add(&r, "/dev/mem", "mem");
	assert_true(livelog_find_launch(r.path, &r.log, &r.fault));
	assert_int_equal(r.log.kind, LIVELOG_NONE);
	assert_int_equal(r.log.unseen, ELOOP);
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_firmware),
		cmocka_unit_test(test_launch),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("livelog", tests, NULL, NULL);
}

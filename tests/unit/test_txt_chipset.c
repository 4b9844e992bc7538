/* SPDX-License-Identifier: BSD-3-Clause */
#include "evp.h"
#include "qemu/txt/chipset.h"

static struct chipset c;
static uint8_t space[CHIPSET_SPACE_SIZE];

static int setup(void **state)
{
	struct chipset_config config = chipset_config_usual(0xcc000000);

	(void)state;
	memset(&c, 0, sizeof(c));
	for (size_t i = 0; i < 32; i++)
		config.public_key[i] = (uint8_t)(i + 1);
	chipset_power_on(&c, &config);
	return 0;
}

static uint64_t at(enum chipset_space s, uint32_t offset)
{
	struct rd r = rd_init((struct span){ space + offset, 8 });

	chipset_render(&c, s, space);
	return rd_le64(&r);
}

/* As after SENTER. */
static void open_up(void)
{
	chipset_join(&c, 0, true);
	chipset_open_private(&c);
	chipset_lock_mem_config(&c);
}

static uint32_t command(uint32_t offset)
{
	return chipset_write(&c, CHIPSET_PRIVATE, offset, 1, 0);
}

static void test_power_on(void **state)
{
	(void)state;
	assert_int_equal(at(CHIPSET_PUBLIC, 0), CHIPSET_STS_SEXIT_DONE | CHIPSET_STS_BASE_LOCKED);
	assert_int_equal(at(CHIPSET_PUBLIC, 0x08), 0);
	assert_int_equal(at(CHIPSET_PUBLIC, 0x10), 1);
	assert_int_equal(at(CHIPSET_PUBLIC, 0x30), 0);
	assert_int_equal(at(CHIPSET_PUBLIC, 0x100) & 0xffffffff, 0xffffffff);
	assert_int_equal(at(CHIPSET_PUBLIC, 0x110), 0x00000001b0018086);
	assert_int_equal(at(CHIPSET_PUBLIC, 0x200) & 0xffffffff, 0x9d003000);
	assert_int_equal(at(CHIPSET_PUBLIC, 0x270), 0xcbe00000);
	assert_int_equal(at(CHIPSET_PUBLIC, 0x278), 0x100000);
	assert_int_equal(at(CHIPSET_PUBLIC, 0x300), 0xcbc00000);
	assert_int_equal(at(CHIPSET_PUBLIC, 0x308), 0x100000);
	assert_int_equal(at(CHIPSET_PUBLIC, 0x330), 0xcc000041);
	assert_int_equal(at(CHIPSET_PUBLIC, 0x400), 0x0807060504030201);
	assert_int_equal(at(CHIPSET_PUBLIC, 0x418), 0x201f1e1d1c1b1a19);
	assert_int_equal(chipset_dpr(&c).base, 0xcbc00000);
	assert_int_equal(chipset_localities(&c), 1);
}

/* All ones, and writes go nowhere, commands included. */
static void test_private_closed(void **state)
{
	(void)state;
	chipset_render(&c, CHIPSET_PRIVATE, space);
	for (size_t i = 0; i < sizeof(space); i++)
		assert_int_equal(space[i], 0xff);
	assert_int_equal(command(0x38), CHIPSET_REACT_IGNORED);
	assert_int_equal(command(0x40), CHIPSET_REACT_IGNORED);
	assert_int_equal(command(0x8e0), CHIPSET_REACT_IGNORED);
	assert_int_equal(chipset_write(&c, CHIPSET_PRIVATE, 0x30, 4, 0xc0000001), CHIPSET_REACT_IGNORED);
	assert_false(c.private_open);
	assert_false(chipset_secrets(&c));
	assert_int_equal(chipset_get(&c, CHIPSET_ERRORCODE), 0);
}

/* Nothing that matters can be changed through the public space. */
static void test_public_commands(void **state)
{
	(void)state;
	open_up();
	assert_int_equal(chipset_write(&c, CHIPSET_PUBLIC, 0x38, 1, 1), CHIPSET_REACT_IGNORED);
	assert_int_equal(chipset_write(&c, CHIPSET_PUBLIC, 0x48, 1, 1), CHIPSET_REACT_IGNORED);
	assert_int_equal(chipset_write(&c, CHIPSET_PUBLIC, 0x30, 4, 1), CHIPSET_REACT_IGNORED);
	assert_int_equal(chipset_write(&c, CHIPSET_PUBLIC, 0x110, 8, 1), CHIPSET_REACT_IGNORED);
	assert_int_equal(chipset_write(&c, CHIPSET_PUBLIC, 0x8f0, 8, 0), CHIPSET_REACT_IGNORED);
	assert_true(c.private_open);
}

static void test_localities(void **state)
{
	(void)state;
	open_up();
	assert_int_equal(chipset_localities(&c), 1 | 4);
	assert_int_equal(command(0x380), CHIPSET_REACT_LOCALITY1_OPENED | CHIPSET_REACT_VALUE);
	assert_int_equal(chipset_localities(&c), 1 | 2 | 4);
	assert_int_equal(command(0x380), CHIPSET_REACT_VALUE);
	assert_int_equal(chipset_sts(&c),
		0x18000 | CHIPSET_STS_SENTER_DONE | CHIPSET_STS_BASE_LOCKED | CHIPSET_STS_MEM_CONFIG_LOCK | CHIPSET_STS_PRIVATE_OPEN);
	assert_int_equal(command(0x398), CHIPSET_REACT_LOCALITY2_CLOSED | CHIPSET_REACT_VALUE);
	assert_int_equal(command(0x388), CHIPSET_REACT_LOCALITY1_CLOSED | CHIPSET_REACT_VALUE);
	assert_int_equal(command(0x390), CHIPSET_REACT_LOCALITY2_OPENED | CHIPSET_REACT_VALUE);
	/* Closing the private space takes locality 2 with it, and nothing can be opened then. */
	assert_int_equal(command(0x48), CHIPSET_REACT_PRIVATE_CLOSED | CHIPSET_REACT_LOCALITY2_CLOSED | CHIPSET_REACT_VALUE);
	assert_int_equal(chipset_localities(&c), 1);
	assert_int_equal(command(0x390), CHIPSET_REACT_IGNORED);
	assert_int_equal(at(CHIPSET_PRIVATE, 0), UINT64_MAX);
	assert_int_equal(at(CHIPSET_PUBLIC, 0) & CHIPSET_STS_PRIVATE_OPEN, 0);
}

static void test_reset_and_unlock(void **state)
{
	(void)state;
	open_up();
	assert_int_equal(command(0x218), CHIPSET_REACT_MEM_CONFIG | CHIPSET_REACT_VALUE);
	assert_int_equal(chipset_sts(&c) & CHIPSET_STS_MEM_CONFIG_LOCK, 0);
	assert_int_equal(command(0x38), CHIPSET_REACT_RESET | CHIPSET_REACT_VALUE);
	/* Any width does, also one that begins before. */
	assert_int_equal(chipset_write(&c, CHIPSET_PRIVATE, 0x34, 8, 0) & CHIPSET_REACT_RESET, CHIPSET_REACT_RESET);
	assert_int_equal(command(0x258), CHIPSET_REACT_VALUE);
}

static void test_locks(void **state)
{
	(void)state;
	open_up();
	assert_int_equal(chipset_write(&c, CHIPSET_PRIVATE, 0x300, 4, 0x1000), CHIPSET_REACT_IGNORED);
	assert_int_equal(chipset_write(&c, CHIPSET_PUBLIC, 0x330, 4, 0), CHIPSET_REACT_IGNORED);
	(void)command(0x238);
	assert_int_equal(chipset_write(&c, CHIPSET_PRIVATE, 0x300, 4, 0x1000), CHIPSET_REACT_VALUE);
	assert_int_equal(chipset_heap(&c).base, 0x1000);
	(void)command(0x230);
	assert_int_equal(chipset_write(&c, CHIPSET_PUBLIC, 0x308, 4, 0x1000), CHIPSET_REACT_IGNORED);
	assert_int_equal(chipset_write(&c, CHIPSET_PUBLIC, 0x290, 4, 0x12345678), CHIPSET_REACT_VALUE);
	/* Two bytes of it */
	assert_int_equal(chipset_write(&c, CHIPSET_PUBLIC, 0x291, 2, 0xabcd), CHIPSET_REACT_VALUE);
	assert_int_equal(chipset_get(&c, CHIPSET_MLE_JOIN), 0x12abcd78);
	assert_int_equal(chipset_write(&c, CHIPSET_PUBLIC, 0x290, 4, 0x12abcd78), 0);
	/* Eight bytes: the upper half is no register's. Four from below: the upper two are. */
	assert_int_equal(chipset_write(&c, CHIPSET_PUBLIC, 0x290, 8, 0x1111111122222222), CHIPSET_REACT_VALUE);
	assert_int_equal(chipset_get(&c, CHIPSET_MLE_JOIN), 0x22222222);
	assert_int_equal(chipset_write(&c, CHIPSET_PUBLIC, 0x28e, 4, 0x33334444), CHIPSET_REACT_VALUE);
	assert_int_equal(chipset_get(&c, CHIPSET_MLE_JOIN), 0x22223333);
}

static void test_nowhere(void **state)
{
	(void)state;
	open_up();
	assert_int_equal(chipset_write(&c, CHIPSET_PUBLIC, 0x1000, 4, 1), CHIPSET_REACT_IGNORED);
	assert_int_equal(chipset_write(&c, CHIPSET_PRIVATE, 0xfffd, 4, 1), CHIPSET_REACT_IGNORED);
	assert_int_equal(chipset_write(&c, CHIPSET_PRIVATE, 0xffffffff, 8, 1), CHIPSET_REACT_IGNORED);
	assert_int_equal(chipset_write(&c, CHIPSET_PRIVATE, 0x30, 0, 1), CHIPSET_REACT_IGNORED);
	assert_int_equal(chipset_write(&c, CHIPSET_PRIVATE, 0x30, 16, 1), CHIPSET_REACT_IGNORED);
	assert_int_equal(chipset_get(&c, CHIPSET_ERRORCODE), 0);
}

static void test_warm_reset(void **state)
{
	(void)state;
	open_up();
	assert_int_equal(chipset_write(&c, CHIPSET_PRIVATE, 0x30, 4, 0xc0008001), CHIPSET_REACT_VALUE);
	assert_int_equal(chipset_write(&c, CHIPSET_PUBLIC, 0x290, 4, 0x1000), CHIPSET_REACT_VALUE);
	assert_false(chipset_warm_reset(&c));
	assert_int_equal(chipset_get(&c, CHIPSET_ERRORCODE), 0xc0008001);
	assert_int_equal(chipset_get(&c, CHIPSET_MLE_JOIN), 0);
	assert_int_equal(chipset_get(&c, CHIPSET_ESTS), 0);
	assert_int_equal(chipset_sts(&c), CHIPSET_STS_SEXIT_DONE | CHIPSET_STS_BASE_LOCKED);
	assert_int_equal(chipset_localities(&c), 1);
	assert_int_equal(chipset_heap(&c).base, 0xcbc00000);
	assert_false(chipset_power_cycle(&c));
	assert_int_equal(chipset_get(&c, CHIPSET_ERRORCODE), 0);
}

static void test_secrets(void **state)
{
	struct txt_trace t = { .count = 0 };

	(void)state;
	c.trace = &t;
	open_up();
	assert_int_equal(command(0x8e0), CHIPSET_REACT_SECRETS | CHIPSET_REACT_VALUE);
	assert_int_equal(at(CHIPSET_PUBLIC, 0x8f0), CHIPSET_E2STS_SECRETS);
	assert_true(chipset_warm_reset(&c));
	assert_string_equal(txt_trace_failure(&t)->rule, "reset-with-secrets");
	assert_int_equal(chipset_get(&c, CHIPSET_ESTS), CHIPSET_ESTS_WAKE_ERROR);
	assert_true(chipset_secrets(&c));
	chipset_clear_secrets(&c);
	assert_int_equal(chipset_get(&c, CHIPSET_ESTS), 0);
	assert_false(chipset_warm_reset(&c));
	open_up();
	(void)command(0x8e0);
	assert_true(chipset_power_cycle(&c));
	assert_false(chipset_secrets(&c));
	assert_int_equal(chipset_get(&c, CHIPSET_ESTS), 0);

	open_up();
	(void)command(0x8e0);
	(void)command(0x8e8);
	assert_false(chipset_warm_reset(&c));
	assert_int_equal(chipset_get(&c, CHIPSET_ESTS), 0);
	txt_trace_free(&t);
}

static void test_shutdown(void **state)
{
	(void)state;
	chipset_shutdown(&c, 8);
	assert_int_equal(chipset_get(&c, CHIPSET_ERRORCODE), 0x80000008);
	(void)chipset_warm_reset(&c);
	assert_int_equal(chipset_get(&c, CHIPSET_ESTS), CHIPSET_ESTS_TXT_RESET);
	(void)chipset_power_cycle(&c);
	assert_int_equal(chipset_get(&c, CHIPSET_ESTS), 0);
}

static void test_threads(void **state)
{
	struct chipset_config config = c.config;

	(void)state;
	config.threads = 3;
	chipset_power_on(&c, &config);
	assert_int_equal(at(CHIPSET_PUBLIC, 0x10), 7);
	chipset_join(&c, 0, true);
	chipset_join(&c, 2, true);
	assert_int_equal(chipset_sts(&c) & 3, 0);
	chipset_join(&c, 1, true);
	assert_int_equal(chipset_sts(&c) & 3, CHIPSET_STS_SENTER_DONE);
	chipset_join(&c, 1, false);
	assert_int_equal(chipset_sts(&c) & 3, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_power_on, setup),
		cmocka_unit_test_setup(test_private_closed, setup),
		cmocka_unit_test_setup(test_public_commands, setup),
		cmocka_unit_test_setup(test_localities, setup),
		cmocka_unit_test_setup(test_reset_and_unlock, setup),
		cmocka_unit_test_setup(test_locks, setup),
		cmocka_unit_test_setup(test_nowhere, setup),
		cmocka_unit_test_setup(test_warm_reset, setup),
		cmocka_unit_test_setup(test_secrets, setup),
		cmocka_unit_test_setup(test_shutdown, setup),
		cmocka_unit_test_setup(test_threads, setup),
	};

	return cmocka_run_group_tests_name("txt_chipset", tests, NULL, NULL);
}

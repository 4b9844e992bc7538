/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "cli/vlp_edit.h"

/* What edits do to files is in tests/cli/test_vlp*.py; here: what only a caller in C can ask for. */

static const uint8_t two[64] = { 1, [32] = 2 };

static struct vlp begin(void)
{
	struct vlp p;

	vlp_edit_begin(&p, VLP_HALT, ALG_SHA256, VLP_CONTROL_EXTEND_PCR17);
	return p;
}

static enum vlp_error insert(struct vlp *p, unsigned at, uint8_t module, struct span hashes)
{
	const struct vlp_entry e = { .module = module, .pcr = 19, .hashes = hashes };

	return vlp_edit_insert(p, at, &e);
}

static const struct span none = { NULL, 0 };

static void places(void **state)
{
	struct vlp p = begin();

	(void)state;
	assert_int_equal(insert(&p, 1, 1, none), VLP_E_SIZE);
	assert_int_equal(p.entry_count, 0);
	assert_int_equal(insert(&p, 0, 1, none), VLP_OK);
	assert_int_equal(insert(&p, 0, 2, none), VLP_OK);
	assert_int_equal(insert(&p, 1, 3, none), VLP_OK);
	assert_int_equal(p.entries[0].module, 2);
	assert_int_equal(p.entries[1].module, 3);
	assert_int_equal(p.entries[2].module, 1);
	assert_int_equal(vlp_edit_find(&p, 1, 0), 2);
	assert_int_equal(vlp_edit_find(&p, 4, 0), -1);
	vlp_edit_remove(&p, 0);
	assert_int_equal(p.entry_count, 2);
	assert_int_equal(vlp_edit_find(&p, 1, 0), 1);
}

/* No entry behind the last that the structure has room for. */
static void full(void **state)
{
	struct vlp p = begin();

	(void)state;
	p.entry_count = VLP_MAX_ENTRIES;
	assert_int_equal(insert(&p, VLP_MAX_ENTRIES, 1, none), VLP_E_SIZE);
	assert_int_equal(insert(&p, 0, 1, none), VLP_E_SIZE);
	assert_int_equal(p.entry_count, VLP_MAX_ENTRIES);
}

static void hashes_that_are_none(void **state)
{
	struct vlp p = begin();
	struct vlp before;
	uint8_t room[64];

	(void)state;
	assert_int_equal(insert(&p, 0, 1, (struct span){ two, 33 }), VLP_E_HASH_COUNT);
	assert_int_equal(insert(&p, 0, 1, (struct span){ two, 32 }), VLP_OK);
	before = p;
	assert_int_equal(vlp_edit_extend(&p, 0, 20, (struct span){ two, 31 }, (struct mspan){ room, sizeof(room) }), VLP_E_HASH_COUNT);
	assert_int_equal(vlp_edit_extend(&p, 0, 20, (struct span){ two, 32 }, (struct mspan){ room, 63 }), VLP_E_SIZE);
	assert_int_equal(vlp_edit_extend(&p, 0, 20, (struct span){ two, 64 }, (struct mspan){ room, 63 }), VLP_E_SIZE);
	assert_memory_equal(&p, &before, sizeof(p));
	assert_int_equal(vlp_edit_extend(&p, 0, 20, (struct span){ two + 32, 32 }, (struct mspan){ room, sizeof(room) }), VLP_OK);
	assert_int_equal(p.entries[0].hash_count, 2);
	assert_int_equal(p.entries[0].pcr, 20);
	assert_memory_equal(p.entries[0].hashes.p, two, 64);
	/* an algorithm that nobody knows */
	p.hash_alg = 0x12;
	assert_int_equal(insert(&p, 0, 2, none), VLP_E_ALG);
	assert_int_equal(vlp_edit_remove_hash(&p, 0, 0, (struct mspan){ room, sizeof(room) }), VLP_E_HASH_COUNT);
}

static void removing_hashes(void **state)
{
	struct vlp p = begin();
	uint8_t room[32];

	(void)state;
	assert_int_equal(insert(&p, 0, 1, (struct span){ two, 64 }), VLP_OK);
	assert_int_equal(vlp_edit_remove_hash(&p, 0, 2, (struct mspan){ room, sizeof(room) }), VLP_E_HASH_COUNT);
	assert_int_equal(vlp_edit_remove_hash(&p, 0, 0, (struct mspan){ room, 31 }), VLP_E_BUFFER);
	assert_int_equal(p.entries[0].hash_count, 2);
	assert_int_equal(vlp_edit_remove_hash(&p, 0, 0, (struct mspan){ room, sizeof(room) }), VLP_OK);
	assert_memory_equal(p.entries[0].hashes.p, two + 32, 32);
	assert_int_equal(vlp_edit_remove_hash(&p, 0, 0, (struct mspan){ NULL, 0 }), VLP_OK);
	assert_int_equal(p.entry_count, 0);
}

/* A sound policy stays sound; an unsound one may be worked on, but gets no unsound entry on top. */
static void soundness(void **state)
{
	struct vlp p = begin();

	(void)state;
	assert_int_equal(insert(&p, 0, 128, none), VLP_E_MODULE);
	assert_int_equal(insert(&p, 0, VLP_MODULE_ANY, none), VLP_OK);
	assert_int_equal(insert(&p, 1, 1, none), VLP_E_SHADOWED);
	assert_int_equal(insert(&p, 0, 1, none), VLP_OK);
	assert_int_equal(insert(&p, 0, 1, none), VLP_E_DUPLICATE);
	p.reserved = 1;
	assert_int_equal(insert(&p, 0, 2, none), VLP_OK);
	assert_int_equal(insert(&p, 0, 200, none), VLP_E_MODULE);
	assert_int_equal(insert(&p, 3, 3, none), VLP_E_SHADOWED);
	assert_int_equal(p.entry_count, 3);
}

static void size(void **state)
{
	static uint8_t many[32 * 70], room[sizeof(many)];
	struct vlp p = begin();
	/* 12 + 8 + 65 * 32 = 2100 */
	const size_t most = (size_t)65 * 32;

	(void)state;
	assert_int_equal(insert(&p, 0, 1, (struct span){ many, most + 32 }), VLP_E_SIZE);
	assert_int_equal(insert(&p, 0, 1, (struct span){ many, most }), VLP_OK);
	assert_int_equal(vlp_edit_extend(&p, 0, 19, (struct span){ many, 32 }, (struct mspan){ room, sizeof(room) }), VLP_E_SIZE);
	/* not even where something is wrong already */
	p.reserved = 1;
	assert_int_equal(vlp_edit_extend(&p, 0, 19, (struct span){ many, 32 }, (struct mspan){ room, sizeof(room) }), VLP_E_SIZE);
	assert_int_equal(p.entries[0].hash_count, 65);
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places), cmocka_unit_test(full), cmocka_unit_test(hashes_that_are_none), cmocka_unit_test(removing_hashes),
		cmocka_unit_test(soundness), cmocka_unit_test(size),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, NULL, NULL);
}

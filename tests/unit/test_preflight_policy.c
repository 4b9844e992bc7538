/* SPDX-License-Identifier: BSD-3-Clause */
/* Policies and geo tag of the host of test_preflight.c: what efi/core/preflight_policy.c finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/preflight_host.h"

static void test_vlp(void **state)
{
	static struct vlp other;
	static uint8_t room[VLP_MAX_SIZE];
	size_t n;

	(void)state;
	flight_good(VLP_HALT);
	flight_nv(VLP_1)->state = PREFLIGHT_NV_MISSING;
	flight_one(PREFLIGHT_VLP_MISSING);
	flight_says("0x01c10131");
	flight_good(VLP_HALT);
	flight_nv(VLP_1)->state = PREFLIGHT_NV_ATTRIBUTES;
	flight_nv(VLP_1)->attributes = WRITTEN | 0x2;
	flight_one(PREFLIGHT_VLP_UNREADABLE);
	flight_good(VLP_HALT);
	flight_nv(VLP_1)->state = PREFLIGHT_NV_ERROR;
	flight_one(PREFLIGHT_VLP_UNREADABLE);
	flight_good(VLP_HALT);
	flight_nv(VLP_1)->content = SPAN_LITERAL("this is no policy");
	flight_one(PREFLIGHT_VLP_INVALID);
	/* The index may be larger than the policy. */
	flight_good(VLP_HALT);
	memcpy(room, flight.f.policy_bytes.p, flight.f.policy_bytes.n);
	memset(room + flight.f.policy_bytes.n, 0, 10);
	flight_nv(VLP_1)->content = (struct span){ room, flight.f.policy_bytes.n + 10 };
	flight_none();
	/* Another one: its type decides, whatever the file on the ESP says. */
	flight_good(VLP_NONFATAL);
	other = flight.vlp;
	other.type = VLP_HALT;
	assert_int_equal(vlp_encode(&other, (struct mspan){ room, sizeof(room) }, &n), VLP_OK);
	flight_nv(VLP_1)->content = (struct span){ room, n };
	flight_check();
	assert_int_equal(flight.r.policy_type, VLP_HALT);
	assert_int_equal(preflight_action(&flight.r, 0), VLP_ACT_HALT);
	flight_one(PREFLIGHT_VLP_DIFFERS);
	/* The same with bytes behind it, at which tboot does not look. */
	memset(room + n, 0xff, 10);
	flight_nv(VLP_1)->content = (struct span){ room, n + 10 };
	flight_check();
	assert_int_equal(flight.r.policy_type, VLP_HALT);
	flight_one(PREFLIGHT_VLP_DIFFERS);
	/* tboot takes none that firmware may write. */
	flight_good(VLP_HALT);
	flight_nv(VLP_1)->attributes |= 1;
	flight_one(PREFLIGHT_VLP_UNREADABLE);
	flight_says("ppwrite");
}

/* Who takes the module away, or puts another one there, does not get rid of the owner's policy. */
static void test_other_policy_rules(void **state)
{
	static struct vlp halt;
	static uint8_t room[VLP_MAX_SIZE];
	size_t n;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		flight_good(VLP_NONFATAL);
		halt = flight.vlp;
		halt.type = VLP_HALT;
		assert_int_equal(vlp_encode(&halt, (struct mspan){ room, sizeof(room) }, &n), VLP_OK);
		flight_nv(VLP_1)->content = (struct span){ room, n };
		if (i == 0)
			flight.d.txt.sinit.file.n = 0;
		else if (i == 1)
			flight.f.sinit = flight_sinit(flight.file, 0x20220101, 1, 0xb002, NULL);
		else
			flight.f.sinit = flight_sinit(flight.file, 0x20220101, 0, 0xb001, NULL);
		flight_check();
		assert_int_equal(flight.r.count, 1);
		assert_int_equal(flight.r.policy_type, VLP_HALT);
		assert_int_equal(preflight_action(&flight.r, 0), VLP_ACT_HALT);
	}
}

/* The indices are those of the module's set. */
static void test_index_set(void **state)
{
	(void)state;
	flight_good(VLP_HALT);
	flight.f.sinit = flight_sinit(flight.file, 0x20220101, 0, 0xb001, NULL);
	flight_one(PREFLIGHT_VLP_MISSING);
	flight_says("0x01200001");
	flight_nv(VLP_1)->index = VLP_0;
	flight_none();
	flight_define(OWNER_0, SPAN_LITERAL("no policy"));
	flight_one(PREFLIGHT_LCP_INVALID);
}

static struct span owner_policy(uint8_t type)
{
	struct lcp_policy p = { .version = LCP_POLICY_3_0, .hash_alg = LCP_ALG_SHA256, .type = type, .hash_mask = 8, .hash_size = 32 };
	size_t n;

	assert_int_equal(lcp_policy_encode(&p, (struct mspan){ flight.owner, sizeof(flight.owner) }, &n), LCP_OK);
	if (n > sizeof(flight.owner))
		fail();
	return (struct span){ flight.owner, n };
}

static void lcp_data(struct span more)
{
	memset(flight.lcp, 0, sizeof(flight.lcp));
	memcpy(flight.lcp, LCP_DATA_SIGNATURE, 32);
	if (more.n)
		memcpy(flight.lcp + LCP_DATA_HEADER_SIZE + 7, more.p, more.n);
	flight.d.txt.lcp = (struct description_module){ .role = ROLE_LCP, .file = SPAN_LITERAL("lcp") };
	flight.f.lcp_io = LAUNCH_IO_OK;
	flight.f.lcp = SPAN_OF(flight.lcp);
}

static void test_lcp(void **state)
{
	uint8_t element[300];

	(void)state;
	flight_good(VLP_HALT);
	flight_define(OWNER_1, owner_policy(LCP_POLICY_ANY));
	flight_none();
	flight_good(VLP_HALT);
	flight_define(OWNER_1, owner_policy(LCP_POLICY_LIST));
	flight_one(PREFLIGHT_LCP_NO_DATA);
	lcp_data((struct span){ NULL, 0 });
	flight_none();
	flight_good(VLP_HALT);
	lcp_data((struct span){ NULL, 0 });
	flight_one(PREFLIGHT_LCP_MISSING);
	flight_define(OWNER_1, owner_policy(LCP_POLICY_ANY));
	flight_one(PREFLIGHT_LCP_MISSING);
	flight_good(VLP_HALT);
	flight_define(OWNER_1, (struct span){ owner_policy(LCP_POLICY_ANY).p, 20 });
	flight_one(PREFLIGHT_LCP_INVALID);
	flight_good(VLP_HALT);
	flight_define(OWNER_1, owner_policy(LCP_POLICY_ANY));
	flight_nv(OWNER_1)->state = PREFLIGHT_NV_ERROR;
	flight_one(PREFLIGHT_LCP_UNREADABLE);
	flight_good(VLP_HALT);
	flight_define(OWNER_1, owner_policy(LCP_POLICY_LIST));
	lcp_data((struct span){ NULL, 0 });
	flight.lcp[3] ^= 1;
	flight_one(PREFLIGHT_LCP_FILE);
	flight.lcp[3] ^= 1;
	flight.f.lcp_io = LAUNCH_IO_ERROR;
	flight_one(PREFLIGHT_LCP_FILE);
	/* The launch policy within the data, as tboot looks for it. */
	flight_good(VLP_HALT);
	flight_define(OWNER_1, owner_policy(LCP_POLICY_LIST));
	flight_nv(VLP_1)->state = PREFLIGHT_NV_MISSING;
	memcpy(element, lcp_uuid_tboot, LCP_UUID_SIZE);
	memcpy(element + LCP_UUID_SIZE, flight.f.policy_bytes.p, flight.f.policy_bytes.n);
	lcp_data((struct span){ element, LCP_UUID_SIZE + flight.f.policy_bytes.n });
	flight_none();
	flight.lcp[LCP_DATA_HEADER_SIZE + 7 + LCP_UUID_SIZE + 4] ^= 1;
	flight_one(PREFLIGHT_VLP_MISSING);
}

static void test_geo(void **state)
{
	(void)state;
	flight_good(VLP_HALT);
	flight_nv(GEO_INDEX_DEFAULT)->state = PREFLIGHT_NV_MISSING;
	flight_one(PREFLIGHT_GEO_MISSING);
	flight_says("0x01c10110");
	flight_good(VLP_HALT);
	flight_nv(GEO_INDEX_DEFAULT)->state = PREFLIGHT_NV_ATTRIBUTES;
	flight_nv(GEO_INDEX_DEFAULT)->attributes = WRITTEN;
	flight_one(PREFLIGHT_GEO_UNREADABLE);
	flight_good(VLP_HALT);
	flight_nv(GEO_INDEX_DEFAULT)->state = PREFLIGHT_NV_ERROR;
	flight_one(PREFLIGHT_GEO_UNREADABLE);
	flight_good(VLP_HALT);
	flight_nv(GEO_INDEX_DEFAULT)->state = PREFLIGHT_NV_ATTRIBUTES;
	flight_nv(GEO_INDEX_DEFAULT)->content.n = GEO_NV_MAX + 1;
	flight_one(PREFLIGHT_GEO_SIZE);
	flight_good(VLP_HALT);
	flight.geo[5] ^= 1;
	flight_one(PREFLIGHT_GEO_DIFFERS);
	/* Any content will do. */
	flight.vlp.entries[1].hash_type = VLP_HASH_ANY;
	flight_none();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vlp),
		cmocka_unit_test(test_other_policy_rules),
		cmocka_unit_test(test_index_set),
		cmocka_unit_test(test_lcp),
		cmocka_unit_test(test_geo),
	};

	return cmocka_run_group_tests_name("preflight_policy", tests, NULL, NULL);
}

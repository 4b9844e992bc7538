/* SPDX-License-Identifier: BSD-3-Clause */
/* NV administration and the host's way to the TPM, against a real software TPM by the TCTI loader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/swtpm_process.h"
#include "tpm/host/host_tcti.h"
#include "tpm/host/nv_admin.h"

#define INDEX 0x01c10110u
#define PASSWORD "a secret that is nowhere else"

struct bench {
	struct swtpm_process swtpm;
	TSS2_TCTI_CONTEXT *tcti;
	struct tpm tpm;
};

static const struct nv_auth none;

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	char conf[128], error[256];
	struct text e = TEXT_OF(error);

	assert_non_null(b);
	*state = b;
	swtpm_start(&b->swtpm);
	swtpm_tcti_conf(&b->swtpm, conf, sizeof(conf));
	if (host_tcti_open(conf, &b->tcti, &e) != TSS2_RC_SUCCESS)
		fail_msg("%s", error);
	b->tpm.delay_ms = host_delay_ms;
	assert_int_equal(tpm_init(&b->tpm, b->tcti), TSS2_RC_SUCCESS);
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	tpm_done(&b->tpm);
	host_tcti_close(&b->tcti);
	assert_null(b->tcti);
	host_tcti_close(&b->tcti);
	swtpm_stop(&b->swtpm);
	free(b);
	return 0;
}

/* TPM2_HierarchyChangeAuth of the owner. */
static void set_owner_password(struct bench *b, struct span password)
{
	TSS2L_SYS_AUTH_COMMAND auth = { .count = 1, .auths = { { .sessionHandle = TPM2_RS_PW } } };
	TSS2L_SYS_AUTH_RESPONSE answer = { .count = 0 };
	TPM2B_AUTH value = { .size = (UINT16)password.n };

	memcpy(value.buffer, password.p, password.n);
	assert_int_equal(Tss2_Sys_HierarchyChangeAuth(b->tpm.sys, TPM2_RH_OWNER, &auth, &value, &answer), TSS2_RC_SUCCESS);
}

static bool contains(const void *p, size_t n, struct span what)
{
	return memmem(p, n, what.p, what.n) != NULL;
}

static void owner_password_is_wanted_and_wiped(void **state)
{
	struct bench *b = *state;
	const struct span password = SPAN_LITERAL(PASSWORD);
	struct nv_auth owner = { .size = 0 }, wrong = { .size = 0 };
	/* clang-format off */
	struct nv_space space = {
		.index = INDEX, .size = 64, .name_alg = TPM2_ALG_SHA256, .attributes = TPMA_NV_AUTHREAD | TPMA_NV_OWNERWRITE | TPMA_NV_NO_DA,
	};
	/* clang-format on */
	uint8_t content[64], back[64];

	memset(content, 0x42, sizeof(content));
	assert_true(nv_auth_set(&owner, password));
	assert_true(nv_auth_set(&wrong, SPAN_LITERAL("x")));
	set_owner_password(b, password);
	assert_int_equal(tpm_rc_base(nv_define(&b->tpm, &space, &none, &none)), TPM2_RC_BAD_AUTH);
	assert_int_equal(tpm_rc_base(nv_define(&b->tpm, &space, &wrong, &none)), TPM2_RC_BAD_AUTH);
	assert_int_equal(nv_define(&b->tpm, &space, &owner, &none), TSS2_RC_SUCCESS);
	assert_false(contains(b->tpm.room, sizeof(b->tpm.room), password));
	assert_int_equal(nv_write(&b->tpm, INDEX, NV_BY_OWNER, &owner, SPAN_OF(content)), TSS2_RC_SUCCESS);
	assert_false(contains(b->tpm.room, sizeof(b->tpm.room), password));
	assert_int_equal(tpm_rc_base(nv_write(&b->tpm, INDEX, NV_BY_OWNER, &wrong, SPAN_OF(content))), TPM2_RC_BAD_AUTH);
	/* the boot chain reads without any password */
	assert_int_equal(tpm_nv_read(&b->tpm, INDEX, back, sizeof(back)), TSS2_RC_SUCCESS);
	assert_memory_equal(back, content, sizeof(back));
	assert_int_equal(tpm_rc_base(nv_undefine(&b->tpm, INDEX, &wrong)), TPM2_RC_BAD_AUTH);
	assert_int_equal(nv_undefine(&b->tpm, INDEX, &owner), TSS2_RC_SUCCESS);
	assert_false(contains(b->tpm.room, sizeof(b->tpm.room), password));
	assert_int_equal(tpm_rc_base(nv_undefine(&b->tpm, INDEX, &owner)), TPM2_RC_HANDLE);
	/* the caller's own stays until he wipes it */
	assert_true(contains(&owner, sizeof(owner), password));
	nv_auth_wipe(&owner);
	assert_int_equal(owner.size, 0);
	assert_false(contains(&owner, sizeof(owner), (struct span){ password.p, 4 }));
}

static void index_password_reads_and_writes(void **state)
{
	struct bench *b = *state;
	struct nv_auth own = { .size = 0 };
	struct nv_space space = {
		.index = INDEX,
		.size = 1500,
		.name_alg = TPM2_ALG_SHA256,
		.attributes = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_OWNERREAD | TPMA_NV_OWNERWRITE | TPMA_NV_NO_DA,
	};
	uint8_t content[1500], back[1500];

	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (uint8_t)(i * 5);
	assert_true(nv_auth_set(&own, SPAN_LITERAL(PASSWORD)));
	assert_int_equal(nv_define(&b->tpm, &space, &none, &own), TSS2_RC_SUCCESS);
	assert_false(contains(b->tpm.room, sizeof(b->tpm.room), SPAN_LITERAL(PASSWORD)));
	assert_int_equal(tpm_rc_base(nv_write(&b->tpm, INDEX, NV_BY_INDEX, &none, SPAN_OF(content))), TPM2_RC_BAD_AUTH);
	assert_int_equal(nv_write(&b->tpm, INDEX, NV_BY_INDEX, &own, SPAN_OF(content)), TSS2_RC_SUCCESS);
	assert_int_equal(nv_read(&b->tpm, INDEX, NV_BY_INDEX, &own, (struct mspan){ back, sizeof(back) }), TSS2_RC_SUCCESS);
	assert_memory_equal(back, content, sizeof(back));
	/* a short answer does not overwrite the command of itself */
	assert_int_equal(nv_read(&b->tpm, INDEX, NV_BY_INDEX, &own, (struct mspan){ back, 1 }), TSS2_RC_SUCCESS);
	assert_false(contains(b->tpm.room, sizeof(b->tpm.room), SPAN_LITERAL(PASSWORD)));
	memset(back, 0, sizeof(back));
	assert_int_equal(nv_read(&b->tpm, INDEX, NV_BY_OWNER, &none, (struct mspan){ back, sizeof(back) }), TSS2_RC_SUCCESS);
	assert_memory_equal(back, content, sizeof(back));
	/* a boot chain without the password does not get it */
	assert_int_equal(tpm_rc_base(tpm_nv_read(&b->tpm, INDEX, back, sizeof(back))), TPM2_RC_BAD_AUTH);
	assert_int_equal(back[1], 0);
}

static void write_lock_holds(void **state)
{
	struct bench *b = *state;
	struct nv_space space = {
		.index = INDEX,
		.size = 4,
		.name_alg = TPM2_ALG_SHA256,
		.attributes = TPMA_NV_AUTHREAD | TPMA_NV_OWNERWRITE | TPMA_NV_NO_DA | TPMA_NV_WRITEDEFINE,
	};
	struct tpm_nv_public p;
	uint8_t back[4];

	assert_int_equal(nv_define(&b->tpm, &space, &none, &none), TSS2_RC_SUCCESS);
	assert_int_equal(nv_write(&b->tpm, INDEX, NV_BY_OWNER, &none, SPAN_LITERAL("abcd")), TSS2_RC_SUCCESS);
	assert_int_equal(nv_write(&b->tpm, INDEX, NV_BY_OWNER, &none, SPAN_LITERAL("abcde")), TPM2_RC_NV_RANGE);
	assert_int_equal(nv_write_lock(&b->tpm, INDEX, NV_BY_INDEX, &none), TPM2_RC_AUTH_UNAVAILABLE);
	assert_int_equal(nv_write_lock(&b->tpm, INDEX, NV_BY_OWNER, &none), TSS2_RC_SUCCESS);
	assert_int_equal(tpm_nv_public(&b->tpm, INDEX, &p), TSS2_RC_SUCCESS);
	assert_true(p.attributes & TPMA_NV_WRITELOCKED && p.attributes & TPMA_NV_WRITTEN);
	assert_int_equal(nv_write(&b->tpm, INDEX, NV_BY_OWNER, &none, SPAN_LITERAL("ABCD")), TPM2_RC_NV_LOCKED);
	assert_int_equal(tpm_nv_read(&b->tpm, INDEX, back, sizeof(back)), TSS2_RC_SUCCESS);
	assert_memory_equal(back, "abcd", 4);
}

static void impossible_spaces_are_the_tpms_refusal(void **state)
{
	struct bench *b = *state;
	uint8_t policy[65] = { 1 };
	struct nv_space space = { .index = INDEX, .size = 4, .name_alg = TPM2_ALG_SHA256, .attributes = TPMA_NV_AUTHREAD };

	assert_int_equal(tpm_rc_base(nv_define(&b->tpm, &space, &none, &none)), TPM2_RC_ATTRIBUTES); /* nobody may write */
	space.attributes |= TPMA_NV_OWNERWRITE;
	space.size = 65535;
	assert_int_equal(tpm_rc_base(nv_define(&b->tpm, &space, &none, &none)), TPM2_RC_SIZE);
	space.size = 4;
	space.name_alg = 0x1234;
	assert_int_equal(tpm_rc_base(nv_define(&b->tpm, &space, &none, &none)), TPM2_RC_HASH);
	space.name_alg = TPM2_ALG_SHA256;
	space.policy = (struct span){ policy, 31 };
	assert_int_equal(tpm_rc_base(nv_define(&b->tpm, &space, &none, &none)), TPM2_RC_SIZE);
	space.policy.n = 65;
	assert_int_equal(nv_define(&b->tpm, &space, &none, &none), TSS2_SYS_RC_BAD_VALUE);
}

static void passwords_have_a_limit(void **state)
{
	static const uint8_t bytes[65];
	struct nv_auth a = { .size = 7 };

	(void)state;
	assert_false(nv_auth_set(&a, (struct span){ bytes, 65 }));
	assert_int_equal(a.size, 7);
	assert_true(nv_auth_set(&a, (struct span){ bytes, 64 }));
	assert_int_equal(a.size, 64);
	assert_true(nv_auth_set(&a, (struct span){ NULL, 0 }));
	assert_int_equal(a.size, 0);
}

/* ---- the way to the TPM ---- */

static void assert_one_line(const struct text *t, const char *part)
{
	assert_false(t->cut);
	assert_null(strchr(t->p, '\n'));
	if (!strstr(t->p, part))
		fail_msg("\"%s\" is not in: %s", part, t->p);
}

static void unusable_tcti_gives_one_line(void **state)
{
	static const char *const confs[] = { "device:/nonexistent/tpm0", "swtpm:path=/nonexistent/sock", "nosuchtcti:x",
		"device:\x1b[31m\n" };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(confs); i++) {
		char b[300];
		struct text e = TEXT_OF(b);
		TSS2_TCTI_CONTEXT *tcti = (TSS2_TCTI_CONTEXT *)b;

		assert_int_not_equal(host_tcti_open(confs[i], &tcti, &e), TSS2_RC_SUCCESS);
		assert_ptr_equal(tcti, b);
		assert_one_line(&e, i == 3 ? "device:?[31m?" : confs[i]);
		assert_one_line(&e, "--tcti");
	}
}

static void without_a_device_the_line_says_so(void **state)
{
	char b[300];
	struct text e = TEXT_OF(b);
	TSS2_TCTI_CONTEXT *tcti = NULL;

	(void)state;
	if (access("/dev/tpmrm0", F_OK) == 0 || access("/dev/tpm0", F_OK) == 0) {
		print_message("this machine has a TPM, which is not touched by tests\n");
		return;
	}
	assert_int_equal(host_tcti_open(NULL, &tcti, &e), TSS2_TCTI_RC_NO_CONNECTION);
	assert_one_line(&e, "no TPM");
	assert_one_line(&e, "--tcti");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(owner_password_is_wanted_and_wiped),
		TEST(index_password_reads_and_writes),
		TEST(write_lock_holds),
		TEST(impossible_spaces_are_the_tpms_refusal),
		cmocka_unit_test(passwords_have_a_limit),
		cmocka_unit_test(unusable_tcti_gives_one_line),
		cmocka_unit_test(without_a_device_the_line_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

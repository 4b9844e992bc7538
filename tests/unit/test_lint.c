/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_tpm2_types.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/lint_impl.h"
#include "cli/lint_tpm.h"
#include "lint_world.h"
#include "txt/tboot_line.h"

typedef struct lint_facts_world W;

/* Makes and checks; the caller frees. */
static W *checked(void (*change)(W *w))
{
	W *w = lint_world_new();

	if (change)
		change(w);
	lint_world_make(w);
	lint_world_check(w);
	return w;
}

/* ---- tables ---- */

static void test_tables(void **state)
{
	(void)state;
	for (size_t g = 0; g < LINT_GROUPS; g++) {
		const char *prefix = lint_groups[g].rules[0].id;
		size_t length = (size_t)(strrchr(prefix, '-') - prefix);

		for (size_t i = 0; i < *lint_groups[g].count; i++) {
			const struct lint_rule *r = &lint_groups[g].rules[i];
			char id[24];

			/* Numbered without gaps: no id is ever given twice. */
			(void)snprintf(id, sizeof(id), "%.*s-%03zu", (int)length, prefix, i + 1);
			assert_string_equal(r->id, id);
			assert_true(r->severity < LINT_SEVERITY_COUNT);
			assert_true(strlen(r->title) > 10 && r->title[strlen(r->title) - 1] != '.');
			assert_true(strlen(r->text) > 30 && r->text[strlen(r->text) - 1] == '.');
			assert_true(strlen(r->fix) > 10 && r->fix[strlen(r->fix) - 1] == '.');
			assert_true(strlen(r->source) > 5);
			for (const char *p = r->text; *p; p++)
				assert_true(*p >= ' ' && *p <= '~');
		}
	}
}

static void make_bad(W *w)
{
	w->modules[1].present = false;                       /* error, first table */
	w->policy.type = VLP_NONFATAL;                       /* warning */
	w->nv[NV_GEO].nv.attributes &= ~TPMA_NV_WRITELOCKED; /* info */
	w->po.sinit_min_version = 0x20;                      /* error, last table */
}

static void test_order(void **state)
{
	W *w = checked(make_bad);

	(void)state;
	assert_true(lint_count(&w->report, LINT_ERROR) >= 2 && lint_count(&w->report, LINT_WARNING) >= 1 &&
		    lint_count(&w->report, LINT_INFO) >= 2);
	assert_int_equal(lint_count(&w->report, LINT_ERROR) + lint_count(&w->report, LINT_WARNING) + lint_count(&w->report, LINT_INFO),
		w->report.finding_count);
	for (size_t i = 1; i < w->report.finding_count; i++)
		assert_true(w->report.findings[i - 1].rule->severity <= w->report.findings[i].rule->severity);
	assert_string_equal(w->report.findings[0].rule->id, "GL-BUILD-001");
	lint_world_free(w);
}

/* ---- tboot's command line and version ---- */

static void test_cmdline(void **state)
{
	struct lint_tboot t;
	char line[TBOOT_LINE_MAX + 32];

	(void)state;
	lint_tboot_parse(NULL, LINT_TBOOT_DEFAULT, &t);
	assert_false(t.given);
	assert_true(t.extpol == LINT_EXTPOL_FIXED && t.extpol_alg == LCP_ALG_SHA256 && t.ignore_prev_err && !t.measure_nv && !t.min_ram);
	lint_tboot_parse("", LINT_TBOOT_DEFAULT, &t);
	assert_true(t.given && !t.unknown[0]);

	lint_tboot_parse("  extpol=sha512\tmin_ram=0x2000000  measure_nv=true ", LINT_TBOOT_DEFAULT, &t);
	assert_true(t.extpol_alg == LCP_ALG_SHA512 && t.min_ram == 0x2000000 && t.measure_nv && !t.unknown[0]);
	/* The last one counts; values other than true are false. */
	lint_tboot_parse("measure_nv=true measure_nv=yes ignore_prev_err=0", LINT_TBOOT_DEFAULT, &t);
	assert_true(!t.measure_nv && !t.ignore_prev_err);
	/* tboot takes abbreviations, and passes over what has no value. */
	lint_tboot_parse("ext=sha384 min_ram extpol=", LINT_TBOOT_DEFAULT, &t);
	assert_true(t.extpol_alg == LCP_ALG_SHA384 && !t.min_ram && !t.unknown[0]);
	lint_tboot_parse("extpolicy=sha384", LINT_TBOOT_DEFAULT, &t);
	assert_string_equal(t.unknown, "extpolicy");
	assert_int_equal(t.extpol_alg, LCP_ALG_SHA256);
	lint_tboot_parse("extpol=sm3", LINT_TBOOT_DEFAULT, &t);
	assert_true(t.extpol == LINT_EXTPOL_FIXED && t.extpol_alg == LCP_ALG_SM3_256);
	lint_tboot_parse("force_pmrs=true", LINT_VERSION(1, 11, 10), &t);
	assert_string_equal(t.unknown, "force_pmrs");
	lint_tboot_parse("force_pmrs=true", LINT_VERSION(1, 11, 11), &t);
	assert_string_equal(t.unknown, "");
	/* Numbers as tboot reads them: 32 bits, no sign. What is behind its buffer it does not read. */
	lint_tboot_parse("min_ram=-1", LINT_TBOOT_DEFAULT, &t);
	assert_int_equal(t.min_ram, 0);
	lint_tboot_parse("min_ram=0x1ffffffff", LINT_TBOOT_DEFAULT, &t);
	assert_int_equal(t.min_ram, UINT32_MAX);
	memset(line, ' ', sizeof(line));
	for (size_t at = TBOOT_LINE_MAX - 13; at <= TBOOT_LINE_MAX; at++) {
		(void)snprintf(line + at, sizeof(line) - at, "extpol=sha384");
		lint_tboot_parse(line, LINT_TBOOT_DEFAULT, &t);
		assert_int_equal(t.extpol == LINT_EXTPOL_FIXED && t.extpol_alg == LCP_ALG_SHA384, at + 13 <= TBOOT_LINE_MAX);
		memset(line, ' ', sizeof(line));
	}
	/* Longer than any buffer. */
	lint_tboot_parse(
		"extpol=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0, &t);
	assert_int_equal(t.extpol, LINT_EXTPOL_UNKNOWN);
	assert_int_equal(strlen(t.extpol_text), LINT_WORD_MAX - 1);
	lint_tboot_parse("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb=1", 0, &t);
	assert_int_equal(strlen(t.unknown), LINT_WORD_MAX - 1);
}

static void test_version(void **state)
{
	static const char *const bad[] = { "", "1", "1.", ".1", "1.2.", "1.2.3.4", "1.x", "1.256", "1.0001", "vv1.2", "1 .2", "-1.2" };
	char buf[24];
	struct text t = TEXT_OF(buf);
	uint32_t v = 7;

	(void)state;
	assert_true(lint_version_parse("1.10.5", &v));
	assert_int_equal(v, LINT_TBOOT_DEFAULT);
	assert_true(lint_version_parse("v1.11", &v));
	assert_int_equal(v, LINT_VERSION(1, 11, 0));
	lint_version_print(LINT_VERSION(1, 11, 12), &t);
	assert_string_equal(buf, "1.11.12");
	for (size_t i = 0; i < GL_COUNT(bad); i++)
		assert_false(lint_version_parse(bad[i], &v));
	assert_int_equal(v, LINT_VERSION(1, 11, 0));
}

/* ---- sentences about the launch ---- */

static void assert_says(const W *w, const char *part)
{
	if (!lint_world_says(w, part))
		lint_world_print(w);
	assert_true(lint_world_says(w, part));
}

static void test_launch_clean(void **state)
{
	W *w = checked(NULL);

	(void)state;
	assert_says(w, "This build is for direct mode");
	assert_says(w, "Module 1, linux (hypervisor), goes to PCR 19 and is the one that the policy demands.");
	assert_says(
		w, "geolaunch.efi measures NV index 0x01c10110 (64 bytes, a geo tag for DE) into PCR 22; it is what the policy demands.");
	assert_says(w, "SINIT, sinit.bin, version 16, index set 1");
	assert_says(w, "Launch control allows the launch: tboot's digest is in list 0, element 0 of the owner's policy data.");
	assert_says(
		w, "tboot 1.10.5 takes its policy from NV index 0x01c10131: type halt, sha256, 4 entries; it is the one of this build.");
	assert_says(w, "tboot hashes with sha256 and extends this bank only.");
	assert_says(w, "Module 0, geolaunch's stage (in place of launch.conf), goes to PCR 17; nothing is compared.");
	assert_says(w, "geolaunch's stage closes");
	lint_world_free(w);
}

static void no_vlp(W *w)
{
	w->nv[NV_VLP].present = false;
}

static void custom(W *w)
{
	no_vlp(w);
	w->has_custom = true;
}

static void custom_any(W *w)
{
	custom(w);
	w->po.type = LCP_POLICY_ANY;
}

static void other_mle(W *w)
{
	w->f.mle.d[ALG_SHA256][0] ^= 1;
}
static void wrong_module(W *w)
{
	w->module_hash[1][0] ^= 1;
}

static void wrong_module_continue(W *w)
{
	wrong_module(w);
	w->policy.type = VLP_CONTINUE;
}

static void unlisted(W *w)
{
	w->policy.entries[2] = w->policy.entries[3];
	w->policy.entry_count--;
}

/* clang-format off */
static void sha384(W *w) { lint_tboot_parse("min_ram=1 extpol=sha384", w->f.tboot_version, &w->f.tboot); }
static void embedded(W *w) { lint_tboot_parse("min_ram=1 extpol=embedded", w->f.tboot_version, &w->f.tboot); }
static void no_geo(W *w) { w->nv[NV_GEO].present = false; }
static void geo_password(W *w) { w->nv[NV_GEO].nv.read = LINT_READ_PASSWORD; }
static void other_place(W *w) { w->geo[8] = 'F'; }
/* clang-format on */

static void no_tpm(W *w)
{
	w->f.has_tpm = false;
	w->no_po = true;
	for (unsigned i = 0; i < NV_MAX; i++)
		w->nv[i].present = false;
}

static void bad_policy(W *w)
{
	w->policy.reserved = 1;
}
/* clang-format off */
/* Seen after a reset: what is locked against reading can be read, what clear_stclear forgets cannot. */
static void read_locked(W *w, unsigned i) { w->nv[i].nv.attributes |= TPMA_NV_READLOCKED; w->nv[i].nv.read = LINT_READ_NOT_TRIED; }
static void vlp_locked(W *w) { read_locked(w, NV_VLP); }
static void geo_locked(W *w) { read_locked(w, NV_GEO); }
static void po_locked(W *w) { read_locked(w, NV_PO); }
static void po_locked_custom(W *w) { po_locked(w); custom(w); }
static void po_password(W *w) { w->nv[NV_PO].nv.read = LINT_READ_PASSWORD; }
static void vlp_stclear(W *w) { w->nv[NV_VLP].nv.attributes |= TPMA_NV_CLEAR_STCLEAR; }
static void geo_stclear(W *w) { w->nv[NV_GEO].nv.attributes |= TPMA_NV_CLEAR_STCLEAR; }
static void po_stclear(W *w) { w->nv[NV_PO].nv.attributes |= TPMA_NV_CLEAR_STCLEAR; }
/* What a launch needs beside its modules. */
static void no_tboot(W *w) { static const char *const names[] = { "tboot", NULL }; w->f.missing = names; }
static void no_tboot_nonfatal(W *w) { no_tboot(w); w->policy.type = VLP_NONFATAL; }
static void no_application(W *w) { static const char *const names[] = { "EFI/BOOT/BOOTX64.EFI", "geolaunch.efi", NULL }; w->f.missing = names; }
/* clang-format on */

static void supplier(W *w)
{
	w->f.mle.banks = 0;
}

static const struct {
	void (*change)(W *w);
	const char *says;
	const char * not ; /* may be NULL */
} launches[] = {
	{ no_vlp, "tboot 1.10.5 finds no policy and takes its default one, type nonfatal", "geolaunch's stage" },
	{ custom, "takes its policy from the custom element of the owner's policy data", NULL },
	/* In front of a policy of type any the custom element counts for nothing. */
	{ custom_any, "finds no policy and takes its default one", NULL },
	{ other_mle, "SINIT refuses the launch: no MLE element has the digest of this MLE. TXT.ERRORCODE is 0xc00012e1",
		"takes its policy" },
	{ wrong_module, "is none of those that the policy allows: the launch stops here.", "Then the host starts" },
	{ wrong_module_continue, "is none of those that the policy allows: the launch goes on.", NULL },
	{ wrong_module_continue, "Then the host starts", NULL },
	{ unlisted, "Module 2, vmm (vmm), has no entry in the policy: the launch stops here.", "Then the host starts" },
	{ sha384, "goes to PCR 19 and is none of those that the policy allows: the launch stops here.", "geolaunch's stage closes" },
	{ embedded, "tboot extends all banks that it knows and compares no module with the policy.", NULL },
	{ embedded, "its hashes in the policy count for nothing", NULL },
	{ no_geo, "NV index 0x01c10110 is not defined: a cap is measured into PCR 22, and the launch stops here.", "Then the host starts" },
	{ geo_password, "it has a password, and nobody types one at launch: a cap is measured, and the launch stops here.", NULL },
	{ other_place, "a geo tag for FE) into PCR 22; it is not what the policy demands: the launch stops here.", "Then the host starts" },
	{ no_tpm, "No TPM was looked at (--tcti, --nv-dump). If tboot 1.10.5 finds this build's policy (type halt, sha256)", NULL },
	{ bad_policy, "geolaunch.efi refuses the policy (the reserved field is not 0", NULL },
	{ vlp_locked, "Which policy the TPM has for tboot is not known. If tboot 1.10.5 finds this build's policy (type halt, sha256)",
		"finds no policy" },
	{ geo_locked, "reads NV index 0x01c10110 for PCR 22; its content was not looked at.", "cap is measured" },
	{ po_locked, "Whether launch control allows the launch cannot be said: what its policy in the TPM holds is not known.",
		"Launch control allows" },
	{ po_locked, "takes its policy from NV index 0x01c10131", NULL },
	{ po_locked_custom, "Which policy the TPM has for tboot is not known", "finds no policy" },
	{ po_password,
		"SINIT cannot read the owner's launch control policy in NV index 0x01c10106 (it has a password, and nobody types one",
		"Launch control allows" },
	{ po_stclear, "it stops, and the platform resets.", "takes its policy" },
	{ vlp_stclear, "finds no policy and takes its default one", "takes its policy from NV" },
	{ geo_stclear, "with clear_stclear it counts as never written after each reset: a cap is measured, and the launch stops here.",
		"it is what the policy demands" },
	{ no_tboot, "tboot is missing: geolaunch.efi launches nothing. It stops.", "host starts" },
	{ no_tboot_nonfatal, "It stops or starts the host unmeasured, as the policy's type says.", "host starts" },
	{ no_application, "geolaunch.efi is missing: nothing is launched.", "host starts" },
	{ supplier, "Whether launch control allows the launch cannot be said", NULL },
};

static void test_launches(void **state)
{
	(void)state;
	for (size_t i = 0; i < GL_COUNT(launches); i++) {
		W *w = checked(launches[i].change);

		assert_says(w, launches[i].says);
		if (launches[i].not &&lint_world_says(w, launches[i].not )) {
			lint_world_print(w);
			fail_msg("launch %zu says: %s", i, launches[i].not );
		}
		lint_world_free(w);
	}
}

/* What comes from outside is not printed as it is. */
static void test_plain(void **state)
{
	W *w = lint_world_new();

	(void)state;
	lint_world_make(w);
	w->f.sinit_file = "a\033[31m\xff.bin";
	w->f.platform.device_id++;
	lint_world_check(w);
	assert_int_equal(lint_world_found(w, "GL-ACM-001"), 1);
	for (size_t i = 0; i < w->report.finding_count; i++)
		assert_false(strchr(w->report.findings[i].where, '\033'));
	assert_says(w, "a?[31m?.bin");
	lint_world_free(w);
}

/* ---- hostile bytes ---- */

/* Runs all rules with one byte after the other changed, and with each length; the bytes lie in a block of their exact size. */
static void mutate(W *w, const struct span *place, size_t limit)
{
	struct span good = *place, *at = (struct span *)(uintptr_t)place;
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	size_t step = good.n / limit + 1;

	for (size_t i = 0; i < 2 * good.n; i += step) {
		size_t n = i < good.n ? good.n : i - good.n;
		uint8_t *bytes = malloc(n ? n : 1);

		assert_non_null(bytes);
		for (size_t v = 0; v < (i < good.n ? GL_COUNT(values) : 1); v++) {
			memcpy(bytes, good.p, n);
			if (i < good.n)
				bytes[i] = values[v];
			*at = (struct span){ bytes, n };
			lint_report_free(&w->report);
			lint_world_check(w);
		}
		free(bytes);
	}
	*at = good;
}

static void test_mutations(void **state)
{
	W *w = lint_world_new();

	(void)state;
	w->has_custom = true;
	lint_world_sign(w, 1);
	lint_world_make(w);
	mutate(w, &w->f.policy_bytes, 400);
	mutate(w, &w->f.lcp_data[LCP_PO], 800);
	for (size_t i = 0; i < w->f.nv_count; i++)
		mutate(w, &w->found[i].content, 400);
	lint_report_free(&w->report);
	lint_world_check(w);
	assert_int_equal(lint_count(&w->report, LINT_ERROR), 0);
	lint_world_free(w);
}

/* ---- dumps ---- */

#define ENTRY "{\"index\": \"0x01c10131\", \"attributes\": 570687490, \"size\": 2, \"content\": \"abcd\"}"
#define DUMP(nv) "{\"format\": \"geolaunch-nv-1\", \"banks\": [\"sha256\"], \"nv\": [" nv "]}"

static void test_dump(void **state)
{
	static const char text[] =
		"{\"format\": \"geolaunch-nv-1\", \"banks\": [\"sha1\", \"sha384\"], \"unknown_banks\": true, \"nv\": [" ENTRY
		", {\"index\": \"0x01c10110\", \"attributes\": 4, \"attribute_names\": \"x\", \"size\": 64, \"name_alg\": 12, \"policy\": \"0102\","
		" \"read\": \"password\", \"content\": null}], \"pcrs\": {\"sha1\": {\"0\": \"0123456789012345678901234567890123456789\"}}}";
	struct lint_tpm t = { .nv = NULL };
	struct cli_fault fault;

	(void)state;
	assert_true(lint_dump_parse("x", SPAN_LITERAL(text), &t, &fault));
	assert_int_equal(t.banks, ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA384));
	assert_true(t.unknown_banks);
	assert_int_equal(t.owner, HOST_OWNER_UNKNOWN);
	assert_int_equal(t.nv_count, 2);
	assert_int_equal(t.nv[0].index, 0x01c10131);
	assert_int_equal(t.nv[0].attributes, 570687490);
	assert_int_equal(t.nv[0].name_alg, TPM2_ALG_SHA256);
	assert_true(t.nv[0].read == LINT_READ_OK && t.nv[0].content.n == 2 && t.nv[0].content.p[1] == 0xcd);
	assert_true(t.nv[1].read == LINT_READ_PASSWORD && t.nv[1].policy.n == 2 && t.nv[1].name_alg == 12 && t.nv[1].content.n == 0);
	assert_true(pcr_known(&t.pcrs, ALG_SHA1, 0));
	lint_tpm_free(&t);
}

static const struct {
	const char *text;
	const char *says;
} bad_dumps[] = {
	{ "", "not JSON" },
	{ "[]", "not of the format" },
	{ "{\"format\": \"geolaunch-nv-2\"}", "not of the format" },
	{ "{\"format\": \"geolaunch-nv-1\", \"nv\": []}", "\"banks\": not a list" },
	{ "{\"format\": \"geolaunch-nv-1\", \"banks\": [1], \"nv\": []}", "not names of algorithms" },
	{ "{\"format\": \"geolaunch-nv-1\", \"banks\": [\"md5\"], \"nv\": []}", "not names of algorithms" },
	{ "{\"format\": \"geolaunch-nv-1\", \"banks\": [], \"nv\": 1}", "\"nv\": not a list" },
	{ "{\"format\": \"geolaunch-nv-1\", \"banks\": [], \"nv\": [], \"more\": 1}", "unknown key \"more\"" },
	{ "{\"format\": \"geolaunch-nv-1\", \"banks\": [], \"unknown_banks\": 1, \"nv\": []}", "\"unknown_banks\": not true or false" },
	{ "{\"format\": \"geolaunch-nv-1\", \"banks\": [], \"owner_auth_set\": 0, \"nv\": []}", "\"owner_auth_set\": not true or false" },
	{ "{\"format\": \"geolaunch-nv-1\", \"banks\": [], \"nv\": [], \"pcrs\": {\"sha256\": {\"0\": \"12\"}}}", "PCR 0 of bank sha256" },
	{ DUMP("1"), "not a list of objects" },
	{ DUMP("{\"index\": 5}"), "\"index\"" },
	{ DUMP("{\"index\": \"0x40000010\", \"attributes\": 1, \"size\": 1}"), "\"index\"" },
	{ DUMP("{\"index\": \"0x01c10131\", \"attributes\": -1, \"size\": 1}"), "\"attributes\"" },
	{ DUMP("{\"index\": \"0x01c10131\", \"attributes\": 4294967296, \"size\": 1}"), "\"attributes\"" },
	{ DUMP("{\"index\": \"0x01c10131\", \"attributes\": 1, \"size\": 65536}"), "\"size\"" },
	{ DUMP("{\"index\": \"0x01c10131\", \"attributes\": 1, \"size\": 1, \"name_alg\": \"sha256\"}"), "\"name_alg\"" },
	{ DUMP("{\"index\": \"0x01c10131\", \"attributes\": 1, \"size\": 1, \"policy\": \"123\"}"), "\"policy\"" },
	{ DUMP("{\"index\": \"0x01c10131\", \"attributes\": 1, \"size\": 1, \"content\": \"1234\"}"), "\"content\"" },
	{ DUMP("{\"index\": \"0x01c10131\", \"attributes\": 1, \"size\": 1, \"content\": \"zz\"}"), "\"content\"" },
	{ DUMP("{\"index\": \"0x01c10131\", \"attributes\": 1, \"size\": 1, \"content\": 12}"), "\"content\"" },
	{ DUMP("{\"index\": \"0x01c10131\", \"attributes\": 1, \"size\": 1, \"read\": \"ok\"}"), "\"read\"" },
	{ DUMP("{\"index\": \"0x01c10131\", \"attributes\": 1, \"size\": 1, \"read\": \"maybe\"}"), "\"read\"" },
	{ DUMP("{\"index\": \"0x01c10131\", \"attributes\": 1, \"size\": 1, \"read\": \"password\", \"content\": \"12\"}"), "\"read\"" },
	{ DUMP("{\"index\": \"0x01c10131\", \"attributes\": 1, \"size\": 1, \"other\": 1}"), "unknown key \"other\"" },
	{ DUMP(ENTRY ", " ENTRY), "twice" },
};

static void test_bad_dumps(void **state)
{
	(void)state;
	for (size_t i = 0; i < GL_COUNT(bad_dumps); i++) {
		struct lint_tpm t = { .nv = NULL };
		struct cli_fault fault = { .code = CLI_OK };

		assert_false(lint_dump_parse("x.json", span_str(bad_dumps[i].text), &t, &fault));
		assert_int_equal(fault.code, CLI_INPUT);
		if (!strstr(fault.text, bad_dumps[i].says) || !strstr(fault.text, "x.json"))
			fail_msg("dump %zu: %s", i, fault.text);
		lint_tpm_free(&t);
	}
}

/* read(write(x)) = x. */
static void test_dump_again(void **state)
{
	char path[] = "/tmp/gl-lint-XXXXXX";
	struct lint_tpm a = { .banks = ALG_BIT(ALG_SHA512), .unknown_banks = true, .owner = HOST_OWNER_OPEN }, b = { .nv = NULL };
	static const uint8_t bytes[4096] = { 1, 2, 3 };
	/* clang-format off */
	const struct lint_nv nv[] = {
		{ .index = 0x01c10131, .attributes = 0xffffffff, .size = 4096, .name_alg = 11, .policy = { bytes, 64 }, .read = LINT_READ_OK,
			.content = SPAN_OF(bytes) },
		{ .index = 0x01000000, .size = 65535, .name_alg = 0xffff, .read = LINT_READ_LOCKOUT },
		{ .index = 0x01ffffff, .size = 0, .read = LINT_READ_NOT_TRIED },
	};
	/* clang-format on */
	struct cli_fault fault;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < GL_COUNT(nv); i++)
		assert_true(lint_tpm_add(&a, &nv[i], &fault));
	a.pcrs.banks = ALG_BIT(ALG_SHA512);
	a.pcrs.known[ALG_SHA512] = 0xff;
	a.pcrs.v[ALG_SHA512][7][63] = 9;
	assert_true(lint_dump_write(path, &a, &fault));
	assert_true(lint_dump_read(path, &b, &fault));
	unlink(path);
	assert_true(a.banks == b.banks && b.unknown_banks && a.owner == b.owner && a.nv_count == b.nv_count);
	for (size_t i = 0; i < a.nv_count; i++) {
		assert_true(a.nv[i].index == b.nv[i].index && a.nv[i].attributes == b.nv[i].attributes && a.nv[i].size == b.nv[i].size &&
			    a.nv[i].name_alg == b.nv[i].name_alg && a.nv[i].read == b.nv[i].read);
		assert_true(span_equal(a.nv[i].policy, b.nv[i].policy) && span_equal(a.nv[i].content, b.nv[i].content));
	}
	assert_memory_equal(&a.pcrs.known, &b.pcrs.known, sizeof(a.pcrs.known));
	assert_int_equal(b.pcrs.v[ALG_SHA512][7][63], 9);
	lint_tpm_free(&a);
	lint_tpm_free(&b);
}

/* A TPM without a bank that is known has no values of PCRs; its dump can be read all the same. */
static void test_dump_without_pcrs(void **state)
{
	struct lint_tpm a = { .unknown_banks = true }, b = { .nv = NULL };
	struct cli_fault fault;
	char *text = lint_dump_text(&a);

	(void)state;
	assert_non_null(text);
	assert_null(strstr(text, "pcrs"));
	assert_true(lint_dump_parse("x", span_str(text), &b, &fault));
	assert_true(b.unknown_banks && !b.banks && !b.nv_count && !b.pcrs.banks);
	free(text);
	lint_tpm_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_cmdline),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_launch_clean),
		cmocka_unit_test(test_launches),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_bad_dumps),
		cmocka_unit_test(test_dump_again),
		cmocka_unit_test(test_dump_without_pcrs),
	};

	return cmocka_run_group_tests_name("lint", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/stage_rules.h"

#define HEX_64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER_64 "f0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char good[] =
	"geolaunch-stage 1 policy=halt hypervisor=xen modules=hypervisor,kernel,initrd,vmm:0755,file:0644,file:0000 "
	"nv=0x01c10110,nv,22,sha256," HEX_64 "," OTHER_64 " nv=0x01c10111,nv_raw,21,any nv=0x01c10112,nv,18,sha256," HEX_64
	" halt=poweroff,5";
static const char small[] = "geolaunch-stage 1 policy=nonfatal hypervisor=linux modules=hypervisor halt=reboot,0";
static const char with_efi[] = "geolaunch-stage 1 policy=nonfatal hypervisor=linux modules=hypervisor halt=reboot,0 efi=runtime";

static struct stage_rules r;

static void assert_writes(const struct stage_rules *x, const char *text)
{
	uint8_t buf[STAGE_RULES_MAX_SIZE];
	size_t n = 0, measured = 0;

	assert_int_equal(stage_rules_validate(x), STAGE_RULES_OK);
	assert_int_equal(stage_rules_write(x, (struct mspan){ NULL, 0 }, &measured), STAGE_RULES_OK);
	assert_int_equal(stage_rules_write(x, (struct mspan){ buf, sizeof(buf) }, &n), STAGE_RULES_OK);
	assert_int_equal(n, measured);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(buf, text, n);
}

static void test_good(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct stage_module modules[] = {
		{ ROLE_HYPERVISOR, 0 }, { ROLE_KERNEL, 0 }, { ROLE_INITRD, 0 }, { ROLE_VMM, 0755 }, { ROLE_FILE, 0644 }, { ROLE_FILE, 0 },
	};
	/* clang-format on */
	size_t at = 4711;

	assert_int_equal(stage_rules_parse(SPAN_LITERAL(good), &r, &at), STAGE_RULES_OK);
	assert_int_equal(at, 4711);
	assert_int_equal(r.policy, STAGE_HALT);
	assert_int_equal(r.hypervisor, HYPERVISOR_XEN);
	assert_int_equal(r.module_count, GL_COUNT(modules));
	for (size_t i = 0; i < GL_COUNT(modules); i++) {
		assert_int_equal(r.modules[i].role, modules[i].role);
		assert_int_equal(r.modules[i].mode, modules[i].mode);
	}
	assert_int_equal(r.nv_count, 3);
	assert_int_equal(r.nv[0].index, 0x01c10110);
	assert_false(r.nv[0].raw);
	assert_int_equal(r.nv[0].pcr, 22);
	assert_false(r.nv[0].any);
	assert_int_equal(r.hash_alg, ALG_SHA256);
	assert_int_equal(r.nv[0].hash_count, 2);
	assert_int_equal(stage_rules_hashes(&r, &r.nv[0]).n, 64);
	assert_int_equal(stage_rules_hashes(&r, &r.nv[0]).p[0], 0);
	assert_int_equal(stage_rules_hashes(&r, &r.nv[0]).p[31], 0xff);
	assert_int_equal(stage_rules_hashes(&r, &r.nv[0]).p[32], 0xf0);
	assert_true(r.nv[1].raw && r.nv[1].any);
	assert_int_equal(stage_rules_hashes(&r, &r.nv[1]).n, 0);
	assert_int_equal(stage_rules_hashes(&r, &r.nv[2]).n, 32);
	assert_int_equal(stage_rules_hashes(&r, &r.nv[2]).p[1], 0x11);
	assert_int_equal(r.halt, STAGE_POWEROFF);
	assert_int_equal(r.halt_delay, 5);
	assert_writes(&r, good);
	assert_int_equal(stage_rules_parse(SPAN_LITERAL(small), &r, NULL), STAGE_RULES_OK);
	assert_int_equal(r.nv_count, 0);
	assert_int_equal(r.halt, STAGE_REBOOT);
	assert_writes(&r, small);
	assert_false(r.efi_runtime);
	assert_int_equal(stage_rules_parse(SPAN_LITERAL(with_efi), &r, NULL), STAGE_RULES_OK);
	assert_true(r.efi_runtime);
	assert_writes(&r, with_efi);
	r.hypervisor = HYPERVISOR_XEN;
	assert_int_not_equal(stage_rules_validate(&r), STAGE_RULES_OK);
}

struct change {
	const char *from, *to;
	enum stage_rules_error error;
	const char *at; /* what stands at the offset of the error */
};

/* One change each to the good text; with STAGE_RULES_OK it must come out again as it went in. */
static const struct change changes[] = {
	{ "geolaunch-stage 1 ", "geolaunch-stage 2 ", STAGE_RULES_E_FORMAT, "geolaunch-stage 2" },
	{ "geolaunch-stage 1 ", "", STAGE_RULES_E_FORMAT, "policy" },
	{ "geolaunch-stage 1 ", " geolaunch-stage 1 ", STAGE_RULES_E_FORMAT, " geolaunch" },
	{ "stage 1 ", "stage 12 ", STAGE_RULES_E_WORD, "2 " },
	{ "stage 1 ", "stage 1  ", STAGE_RULES_E_WORD, "  policy" },
	{ " policy=halt", "", STAGE_RULES_E_WORD, " hypervisor=" },
	{ " policy=halt hypervisor=xen", " hypervisor=xen policy=halt", STAGE_RULES_E_WORD, " hypervisor=" },
	{ "policy=halt", "policy=nonfatal", STAGE_RULES_OK, NULL },
	{ "policy=halt", "policy=continue", STAGE_RULES_OK, NULL },
	{ "policy=halt", "policy=", STAGE_RULES_E_POLICY, " hypervisor" },
	{ "policy=halt", "policy=Halt", STAGE_RULES_E_POLICY, "Halt" },
	{ "policy=halt", "policy=halt\t", STAGE_RULES_E_POLICY, "halt\t" },
	{ "policy=halt", "policy=halt policy=halt", STAGE_RULES_E_WORD, " policy=halt hyp" },
	{ "hypervisor=xen", "hypervisor=kvm", STAGE_RULES_E_HYPERVISOR, "kvm" },
	{ "hypervisor=xen", "hypervisor=linux", STAGE_RULES_E_KERNEL, "kernel" },
	{ "modules=hypervisor", "modules=kernel", STAGE_RULES_E_FIRST, "kernel" },
	{ "modules=hypervisor", "modules=", STAGE_RULES_E_ROLE, ",kernel" },
	{ "modules=hypervisor,", "modules=", STAGE_RULES_E_FIRST, "kernel" },
	{ "modules=hypervisor", "modules=hypervisor:0644", STAGE_RULES_E_FILE_MODE, "hypervisor:" },
	{ ",kernel", "", STAGE_RULES_E_KERNEL, "initrd" },
	{ ",kernel,initrd,vmm:0755,file:0644,file:0000", "", STAGE_RULES_E_KERNEL, "hypervisor nv" },
	{ ",kernel", ",kernel,kernel", STAGE_RULES_E_TWICE, "kernel,initrd" },
	{ ",initrd", "", STAGE_RULES_OK, NULL },
	{ ",initrd", ",initrd,initrd", STAGE_RULES_E_TWICE, "initrd,vmm" },
	{ ",initrd", ",INITRD", STAGE_RULES_E_ROLE, "INITRD" },
	{ ",initrd", ",initrd:0644", STAGE_RULES_E_FILE_MODE, "initrd:" },
	{ ",initrd,vmm:0755", ",vmm:0755,initrd", STAGE_RULES_E_ORDER, "initrd" },
	{ ",vmm:0755", ",vmm", STAGE_RULES_E_FILE_MODE, "vmm," },
	{ ",vmm:0755", ",vmm:755", STAGE_RULES_E_FILE_MODE, "755" },
	{ ",vmm:0755", ",vmm:00755", STAGE_RULES_E_FILE_MODE, "00755" },
	{ ",vmm:0755", ",vmm:0758", STAGE_RULES_E_FILE_MODE, "0758" },
	{ ",vmm:0755", ",vmm:1755", STAGE_RULES_E_FILE_MODE, "1755" },
	{ ",vmm:0755", ",vmm:0755,vmm:0755", STAGE_RULES_E_TWICE, "vmm:0755,file" },
	{ ",file:0000", ",stage", STAGE_RULES_E_ROLE, "stage nv" },
	{ ",file:0000", ",", STAGE_RULES_E_ROLE, " nv" },
	{ " nv=0x01c10110", " nv=0x1c10110", STAGE_RULES_E_NV_INDEX, "0x1c1" },
	{ " nv=0x01c10110", " nv=01c10110x0", STAGE_RULES_E_NV_INDEX, "01c1" },
	{ " nv=0x01c10110", " nv=0x01C10110", STAGE_RULES_E_NV_INDEX, "0x01C" },
	{ " nv=0x01c10110", " nv=0x40000010", STAGE_RULES_E_NV_INDEX, "0x4" },
	{ " nv=0x01c10110", " nv=0x01c10111", STAGE_RULES_E_NV_INDEX, "0x01c10111,nv_raw" },
	{ " nv=0x01c10110", " nv=0x01ffffff", STAGE_RULES_OK, NULL },
	{ ",nv,22", ",nv_raw,22", STAGE_RULES_OK, NULL },
	{ ",nv,22", ",raw,22", STAGE_RULES_E_NV_KIND, "raw,22" },
	{ ",nv,22", "", STAGE_RULES_E_NV_KIND, "sha256" },
	{ ",nv,22", ",nv,16", STAGE_RULES_E_PCR, "16" },
	{ ",nv,22", ",nv,23", STAGE_RULES_E_PCR, "23" },
	{ ",nv,22", ",nv,022", STAGE_RULES_E_PCR, "022" },
	{ ",nv,22", ",nv,17", STAGE_RULES_OK, NULL },
	{ ",nv,22", ",nv,4294967318", STAGE_RULES_E_PCR, "4294967318" },
	{ "22,sha256", "22,sha384", STAGE_RULES_E_HASH, HEX_64 "," OTHER_64 },
	{ "22,sha256", "22,md5", STAGE_RULES_E_ALG, "md5" },
	{ "22,sha256", "22,any", STAGE_RULES_E_WORD, "," HEX_64 },
	{ "22,sha256", "22", STAGE_RULES_E_ALG, HEX_64 },
	{ "18,sha256", "18,sha1", STAGE_RULES_E_ALG, "sha1" },
	{ "22,sha256," HEX_64 "," OTHER_64, "22,any", STAGE_RULES_OK, NULL },
	{ "," HEX_64 "," OTHER_64, "", STAGE_RULES_E_HASH, "sha256 nv" },
	{ "," HEX_64 "," OTHER_64, ",", STAGE_RULES_E_HASH, " nv=0x01c10111" },
	{ "," OTHER_64, "", STAGE_RULES_OK, NULL },
	{ "ff,f0", "fF,f0", STAGE_RULES_E_HASH, HEX_64 + 64 },
	{ "ff,f0", "f,f0", STAGE_RULES_E_HASH, HEX_64 + 64 },
	{ "ff,f0", "fg,f0", STAGE_RULES_E_HASH, HEX_64 + 64 },
	{ "21,any", "21,any,any", STAGE_RULES_E_WORD, ",any nv" },
	{ "nv=0x01c10111", "NV=0x01c10111", STAGE_RULES_E_WORD, " NV" },
	{ "halt=poweroff,5", "halt=poweroff,5 efi=runtime", STAGE_RULES_E_EFI, "runtime" }, /* Xen */
	{ "halt=poweroff,5", "halt=poweroff,5 efi=", STAGE_RULES_E_EFI, "" },
	{ "halt=poweroff,5", "halt=poweroff,5 efi=noruntime", STAGE_RULES_E_EFI, "noruntime" },
	{ "halt=poweroff,5", "efi=runtime halt=poweroff,5", STAGE_RULES_E_WORD, " efi" },
	{ " halt=poweroff,5", "", STAGE_RULES_E_WORD, "" },
	{ "halt=poweroff", "halt=reboot", STAGE_RULES_OK, NULL },
	{ "halt=poweroff", "halt=return", STAGE_RULES_E_HALT, "return" },
	{ "poweroff,5", "poweroff", STAGE_RULES_E_HALT_DELAY, "poweroff" },
	{ "poweroff,5", "poweroff,", STAGE_RULES_E_HALT_DELAY, "" },
	{ "poweroff,5", "poweroff,300", STAGE_RULES_OK, NULL },
	{ "poweroff,5", "poweroff,301", STAGE_RULES_E_HALT_DELAY, "301" },
	{ "poweroff,5", "poweroff,05", STAGE_RULES_E_HALT_DELAY, "05" },
	{ "poweroff,5", "poweroff,5s", STAGE_RULES_E_HALT_DELAY, "5s" },
	{ "poweroff,5", "poweroff,5 ", STAGE_RULES_E_TRAILING, " " },
	{ "poweroff,5", "poweroff,5 tboot=0x8c8000", STAGE_RULES_E_TRAILING, " tboot" },
};

static void test_changes(void **state)
{
	(void)state;
	static struct stage_rules out, untouched;
	bool seen[STAGE_RULES_ERROR_COUNT] = { false };

	for (size_t i = 0; i < GL_COUNT(changes); i++) {
		const struct change *c = &changes[i];
		const char *place = strstr(good, c->from);
		char text[2048];
		size_t at = 0, n;

		assert_non_null(place);
		n = (size_t)snprintf(text, sizeof(text), "%.*s%s%s", (int)(place - good), good, c->to, place + strlen(c->from));
		memset(&out, 0x5a, sizeof(out));
		memset(&untouched, 0x5a, sizeof(untouched));

		enum stage_rules_error e = stage_rules_parse((struct span){ (const uint8_t *)text, n }, &out, &at);

		if (e != c->error)
			fail_msg("\"%s\" -> \"%s\": error %d (%s), expected %d", c->from, c->to, e, stage_rules_strerror(e), c->error);
		seen[e] = true;
		if (e) {
			assert_memory_equal(&out, &untouched, sizeof(out));
			assert_true(at <= n);
			if (strncmp(text + at, c->at, strlen(c->at)) != 0)
				fail_msg("\"%s\" -> \"%s\": error at \"%s\", expected at \"%s\"", c->from, c->to, text + at, c->at);
		} else {
			assert_writes(&out, text);
		}
	}
	for (unsigned e = 0; e < STAGE_RULES_ERROR_COUNT; e++)
		assert_true(seen[e] || e == STAGE_RULES_E_SIZE || e == STAGE_RULES_E_MODULES || e == STAGE_RULES_E_NV_COUNT ||
			    e == STAGE_RULES_E_TBOOT || e == STAGE_RULES_E_BUFFER);
}

static void test_cut_anywhere(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(good) - 1; n++)
		assert_int_not_equal(stage_rules_parse((struct span){ (const uint8_t *)good, n }, &r, NULL), STAGE_RULES_OK);
}

/* No text at all, as a stage without a command line has it. */
static void test_empty(void **state)
{
	(void)state;
	size_t at = 4711;

	assert_int_equal(stage_rules_parse((struct span){ NULL, 0 }, &r, &at), STAGE_RULES_E_FORMAT);
	assert_int_equal(at, 0);
	assert_int_equal(stage_rules_parse(SPAN_LITERAL(""), &r, NULL), STAGE_RULES_E_FORMAT);
}

/* A byte changed anywhere, to anything: refused, or other rules that are written as they were read. */
static void test_every_byte(void **state)
{
	(void)state;
	unsigned accepted = 0;

	for (size_t at = 0; at < sizeof(good) - 1; at++) {
		for (unsigned v = 0; v < 256; v++) {
			char text[sizeof(good)];

			memcpy(text, good, sizeof(good));
			text[at] = (char)v;
			if (stage_rules_parse((struct span){ (const uint8_t *)text, sizeof(good) - 1 }, &r, NULL))
				continue;
			accepted++;
			assert_writes(&r, text);
		}
	}
	assert_true(accepted > sizeof(good));
}

/* As many modules, NV indices and bytes as there can be, and one more. */
static void test_limits(void **state)
{
	(void)state;
	char text[2048], indices[512] = "", modules[1024] = "hypervisor";
	size_t n;

	for (unsigned i = 0; i < STAGE_RULES_MAX_MODULES - 1; i++)
		strcat(modules, ",file:0644");
	for (unsigned i = 0; i < STAGE_RULES_MAX_NV; i++)
		snprintf(indices + strlen(indices), sizeof(indices) - strlen(indices), " nv=0x0100000%x,nv,22,any", i);
	n = (size_t)snprintf(
		text, sizeof(text), "geolaunch-stage 1 policy=halt hypervisor=linux modules=%s%s halt=reboot,300", modules, indices);
	assert_int_equal(stage_rules_parse((struct span){ (uint8_t *)text, n }, &r, NULL), STAGE_RULES_OK);
	assert_int_equal(r.module_count, STAGE_RULES_MAX_MODULES);
	assert_int_equal(r.nv_count, STAGE_RULES_MAX_NV);
	assert_writes(&r, text);
	n = (size_t)snprintf(
		text, sizeof(text), "geolaunch-stage 1 policy=halt hypervisor=linux modules=%s,file:0644 halt=reboot,300", modules);
	assert_int_equal(stage_rules_parse((struct span){ (uint8_t *)text, n }, &r, NULL), STAGE_RULES_E_MODULES);
	n = (size_t)snprintf(text, sizeof(text),
		"geolaunch-stage 1 policy=halt hypervisor=linux modules=hypervisor%s nv=0x01f00000,nv,22,any "
		"halt=reboot,300",
		indices);
	assert_int_equal(stage_rules_parse((struct span){ (uint8_t *)text, n }, &r, NULL), STAGE_RULES_E_NV_COUNT);
	memset(text, 'x', sizeof(text));
	assert_int_equal(stage_rules_parse((struct span){ (uint8_t *)text, STAGE_RULES_MAX_SIZE }, &r, NULL), STAGE_RULES_E_FORMAT);
	assert_int_equal(stage_rules_parse((struct span){ (uint8_t *)text, STAGE_RULES_MAX_SIZE + 1 }, &r, NULL), STAGE_RULES_E_SIZE);
}

static void assert_refused(const struct stage_rules *x, enum stage_rules_error error)
{
	uint8_t buf[2048];
	size_t n = 4711;

	assert_int_equal(stage_rules_write(x, (struct mspan){ buf, sizeof(buf) }, &n), error);
	assert_int_equal(n, 4711);
}

static void test_write_refuses(void **state)
{
	(void)state;
	struct stage_rules base, x;

	assert_int_equal(stage_rules_parse(SPAN_LITERAL(good), &base, NULL), STAGE_RULES_OK);
#define REFUSED(change, error) \
	do { \
		x = base; \
		change; \
		assert_refused(&x, error); \
	} while (0)
	REFUSED(x.policy = STAGE_POLICY_COUNT, STAGE_RULES_E_POLICY);
	REFUSED(x.hypervisor = HYPERVISOR_COUNT, STAGE_RULES_E_HYPERVISOR);
	REFUSED(x.hypervisor = HYPERVISOR_LINUX, STAGE_RULES_E_KERNEL);
	REFUSED(x.module_count = 0, STAGE_RULES_E_FIRST);
	REFUSED(x.module_count = 1, STAGE_RULES_E_KERNEL);
	REFUSED(x.module_count = STAGE_RULES_MAX_MODULES + 1, STAGE_RULES_E_MODULES);
	REFUSED(x.modules[5].role = ROLE_COUNT, STAGE_RULES_E_ROLE);
	REFUSED(x.modules[5].role = ROLE_STAGE, STAGE_RULES_E_ROLE);
	REFUSED(x.modules[5].role = ROLE_VMM, STAGE_RULES_E_TWICE);
	REFUSED(x.modules[0].mode = 1, STAGE_RULES_E_FILE_MODE);
	REFUSED(x.modules[3].mode = 01000, STAGE_RULES_E_FILE_MODE);
	REFUSED(x.nv_count = STAGE_RULES_MAX_NV + 1, STAGE_RULES_E_NV_COUNT);
	REFUSED(x.nv[0].index = 0x02000000, STAGE_RULES_E_NV_INDEX);
	REFUSED(x.nv[1].index = x.nv[0].index, STAGE_RULES_E_NV_INDEX);
	REFUSED(x.nv[0].pcr = 255, STAGE_RULES_E_PCR);
	REFUSED(x.hash_alg = ALG_COUNT, STAGE_RULES_E_ALG);
	REFUSED(x.hash_alg = ALG_SHA1, STAGE_RULES_E_HASH);
	REFUSED(x.nv[0].hash_count = 0, STAGE_RULES_E_HASH);
	REFUSED(x.nv[0].hash_count = 255, STAGE_RULES_E_HASH);
	REFUSED(x.nv[1].hash_count = 1, STAGE_RULES_E_HASH);
	REFUSED(x.nv[2].hash_at = 0, STAGE_RULES_E_HASH);
	REFUSED(x.nv_count = 2, STAGE_RULES_E_HASH);
	REFUSED(x.hashes_size = sizeof(x.hashes) + 1, STAGE_RULES_E_HASH);
	REFUSED(x.halt = STAGE_HALT_COUNT, STAGE_RULES_E_HALT);
	REFUSED(x.halt_delay = 301, STAGE_RULES_E_HALT_DELAY);
	/* valid piece by piece, but longer than tboot passes on */
	REFUSED((x.nv[2].hash_count = 13, x.hashes_size = 15 * 32), STAGE_RULES_E_SIZE);
#undef REFUSED
	for (size_t size = 0; size < sizeof(good) - 1; size++) {
		uint8_t buf[sizeof(good)];
		size_t n = 4711;

		assert_int_equal(stage_rules_write(&base, (struct mspan){ buf, size }, &n), STAGE_RULES_E_BUFFER);
		assert_int_equal(n, 4711);
	}
}

static void test_split(void **state)
{
	(void)state;
	static const struct {
		const char *line, *rules;
		uint32_t shared;
	} cases[] = {
		{ "a b tboot=0x8c8000", "a b", 0x8c8000 },
		{ "a b tboot=0x008C8000", "a b", 0x8c8000 },
		{ " tboot=0xffffffff", "", 0xffffffff },
		{ "a tboot=0x1 tboot=0x2", "a tboot=0x1", 2 },
		{ "tboot=0x8c8000", NULL, 0 },
		{ "a b tboot=0x", NULL, 0 },
		{ "a b tboot=0x0", NULL, 0 },
		{ "a b tboot=0x123456789", NULL, 0 },
		{ "a b tboot=0x12g4", NULL, 0 },
		{ "a b tboot=0x1234 ", NULL, 0 },
		{ "a b tboot=0x1234 quiet", NULL, 0 },
		{ "a b tboot=0X1234", NULL, 0 },
		{ "a b tboot=1234", NULL, 0 },
		{ "a b\ttboot=0x1234", NULL, 0 },
		{ "a b", NULL, 0 },
		{ "", NULL, 0 },
	};

	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		struct span rules = { NULL, 4711 };
		uint32_t shared = 4711;
		enum stage_rules_error e = stage_rules_split(span_str(cases[i].line), &rules, &shared);

		if (!cases[i].rules) {
			assert_int_equal(e, STAGE_RULES_E_TBOOT);
			assert_true(rules.n == 4711 && shared == 4711);
			continue;
		}
		assert_int_equal(e, STAGE_RULES_OK);
		assert_int_equal(shared, cases[i].shared);
		assert_true(span_is_str(rules, cases[i].rules));
	}
}

static void test_texts(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STAGE_RULES_ERROR_COUNT; i++) {
		assert_non_null(stage_rules_strerror((enum stage_rules_error)i));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(
				stage_rules_strerror((enum stage_rules_error)i), stage_rules_strerror((enum stage_rules_error)j));
	}
	assert_string_equal(stage_rules_strerror(STAGE_RULES_ERROR_COUNT), "unknown error in the stage's rules");
	assert_string_equal(hypervisor_name(HYPERVISOR_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_write_refuses),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests_name("stage_rules", tests, NULL, NULL);
}

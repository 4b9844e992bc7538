/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "cli/manifest.h"

/* The refusals with their lines are in tests/cli/test_build_refusals.py; here: what a good manifest becomes, and what no file may do. */

static const char full[] =
	"version: 1\n"
	"name: fra1\n"
	"mode: direct\n"
	"policy: { type: continue, hash: sha384 }\n"
	"banks: [sha512, sha1]\n"
	"on_halt: return\n"
	"halt_delay: 300\n"
	"hypervisor:\n"
	"  kind: linux\n"
	"  file: vmlinuz\n"
	"  cmdline: 'console=ttyS0  x'\n"
	"  initrd: initrd.img\n"
	"vmm:\n"
	"  file: /bin/vmm\n"
	"  path: /usr/bin/vmm\n"
	"files:\n"
	"  - { file: a, path: /etc/a, mode: 0600, pcr: 18 }\n"
	"  - file: b\n"
	"    path: /etc/b\n"
	"geo:\n"
	"  index: 0x01800001\n"
	"  kind: nv_raw\n"
	"  verify: false\n"
	"  pcr: 20\n"
	"  tag: { country: DE, subdivision: HE, site: FRA1, latitude: 50.1109, longitude: -8.6821 }\n";

static const char least[] =
	"version: 1\n"
	"mode: direct\n"
	"policy: { type: halt }\n"
	"hypervisor: { kind: linux, file: vmlinuz }\n";

#define BIOS "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define AUX \
	"01c10102000b6204440800040102030400" \
	"68"

static const char txt[] =
	"version: 1\n"
	"mode: txt\n"
	"policy: { type: halt, hash: sha384 }\n"
	"hypervisor: { kind: xen, file: xen.gz, cmdline: 'initrd=no', kernel: { file: vmlinuz, cmdline: quiet }, initrd: i }\n"
	"tboot: { file: tboot.gz, cmdline: 'logging=none' }\n"
	"sinit: { file: s.acm }\n"
	"stage: { file: st.elf }\n"
	"lcp: { data: l.dat, policy: o.pol }\n"
	"platform:\n"
	"  log: [ a.log, b.log ]\n"
	"  bios_acm: '" BIOS
	"'\n"
	"  scrtm: 7\n"
	"  aux: '" AUX
	"'\n"
	"  ps: none\n";

static bool parse(const char *text, struct manifest *m)
{
	struct cli_fault fault = { .text = "" };

	memset(m, 0, sizeof(*m));
	return manifest_parse("host.yaml", span_str(text), m, &fault);
}

static void everything_given(void **state)
{
	struct manifest m;
	struct geo_tag tag;

	(void)state;
	assert_true(parse(full, &m));
	assert_string_equal(m.file, "host.yaml");
	assert_string_equal(m.name, "fra1");
	assert_int_equal(m.policy_type, VLP_CONTINUE);
	assert_int_equal(m.policy_hash, ALG_SHA384);
	assert_int_equal(m.policy_line, 4);
	assert_int_equal(m.banks, ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA512));
	assert_true(m.halt_return);
	assert_int_equal(m.halt_delay, 300);

	assert_int_equal(m.module_count, 5);
	assert_int_equal(m.modules[0].role, ROLE_HYPERVISOR);
	assert_string_equal(m.modules[0].file.s, "vmlinuz");
	assert_int_equal(m.modules[0].file.line, 10);
	assert_string_equal(m.modules[0].cmdline.s, "console=ttyS0  x");
	assert_int_equal(m.modules[0].pcr, 19);
	assert_int_equal(m.modules[1].role, ROLE_INITRD);
	assert_string_equal(m.modules[1].file.s, "initrd.img");
	assert_null(m.modules[1].cmdline.s);
	assert_int_equal(m.modules[1].pcr, 19);
	assert_int_equal(m.modules[2].role, ROLE_VMM);
	assert_string_equal(m.modules[2].path.s, "/usr/bin/vmm");
	assert_int_equal(m.modules[2].path.line, 15);
	assert_int_equal(m.modules[2].mode, 0755);
	assert_int_equal(m.modules[2].pcr, 20);
	assert_int_equal(m.modules[3].role, ROLE_FILE);
	assert_int_equal(m.modules[3].mode, 0600);
	assert_int_equal(m.modules[3].pcr, 18);
	assert_string_equal(m.modules[4].file.s, "b");
	assert_int_equal(m.modules[4].file.line, 18);
	assert_int_equal(m.modules[4].mode, 0644);
	assert_int_equal(m.modules[4].pcr, 21);

	assert_true(m.geo.given);
	assert_int_equal(m.geo.index, 0x01800001);
	assert_true(m.geo.raw);
	assert_false(m.geo.verify);
	assert_int_equal(m.geo.pcr, 20);
	assert_null(m.geo.file.s);
	assert_true(m.geo.has_tag);
	assert_int_equal(m.geo.tag_line, 25);
	assert_int_equal(geo_decode(SPAN_OF(m.geo.tag), &tag), GEO_OK);
	assert_string_equal(tag.country, "DE");
	assert_string_equal(tag.subdivision, "HE");
	assert_string_equal(tag.site, "FRA1");
	assert_true(tag.has_coordinates);
	assert_int_equal(tag.latitude, 501109000);
	assert_int_equal(tag.longitude, -86821000);
	manifest_free(&m);
}

static void mode_txt(void **state)
{
	static const enum role roles[] = { ROLE_HYPERVISOR, ROLE_KERNEL, ROLE_INITRD };
	struct manifest m;

	(void)state;
	assert_true(parse(txt, &m));
	assert_int_equal(m.mode, DESCRIPTION_TXT);
	assert_int_equal(m.hypervisor, HYPERVISOR_XEN);
	assert_int_equal(m.module_count, GL_COUNT(roles));
	for (size_t i = 0; i < GL_COUNT(roles); i++)
		assert_int_equal(m.modules[i].role, roles[i]);
	/* Xen's own line may say what Linux' may not. */
	assert_string_equal(m.modules[0].cmdline.s, "initrd=no");
	assert_string_equal(m.modules[1].file.s, "vmlinuz");
	assert_string_equal(m.modules[1].cmdline.s, "quiet");
	assert_string_equal(m.txt.tboot.file.s, "tboot.gz");
	assert_string_equal(m.txt.tboot.cmdline.s, "logging=none extpol=sha384");
	assert_int_equal(m.txt.tboot.role, ROLE_TBOOT);
	assert_string_equal(m.txt.sinit.file.s, "s.acm");
	assert_string_equal(m.txt.stage.file.s, "st.elf");
	assert_string_equal(m.txt.lcp_data.s, "l.dat");
	assert_string_equal(m.txt.lcp_policy.s, "o.pol");
	assert_int_equal(m.platform.log_count, 2);
	assert_string_equal(m.platform.logs[1].s, "b.log");
	assert_int_equal(m.platform.bios_acm_count, 1);
	assert_int_equal(m.platform.bios_acm[0][31], 0xff);
	assert_int_equal(m.platform.scrtm.v, 7);
	assert_true(m.platform.aux.given && m.platform.aux.n == 18 && m.platform.aux.bytes[17] == 0x68);
	assert_true(m.platform.ps.given && m.platform.ps.n == 0);
	assert_int_equal(m.banks_line, 0);
	manifest_free(&m);
	assert_null(m.txt.tboot.file.s);
	assert_int_equal(m.platform.log_count, 0);
}

static void defaults(void **state)
{
	struct manifest m;

	(void)state;
	assert_true(parse(least, &m));
	assert_string_equal(m.name, "host");
	assert_int_equal(m.policy_type, VLP_HALT);
	assert_int_equal(m.policy_hash, ALG_SHA256);
	assert_int_equal(m.banks, ALG_SET_ALL);
	assert_false(m.halt_return);
	assert_int_equal(m.halt_delay, 5);
	assert_int_equal(m.module_count, 1);
	assert_null(m.modules[0].cmdline.s);
	assert_false(m.geo.given);
	manifest_free(&m);
}

static void geo_defaults(void **state)
{
	char text[512];
	struct manifest m;

	(void)state;
	(void)snprintf(text, sizeof(text), "%sgeo: { file: tag.bin }\n", least);
	assert_true(parse(text, &m));
	assert_true(m.geo.given && m.geo.verify);
	assert_false(m.geo.raw || m.geo.has_tag);
	assert_int_equal(m.geo.index, 0x01c10110);
	assert_int_equal(m.geo.pcr, 22);
	assert_string_equal(m.geo.file.s, "tag.bin");
	manifest_free(&m);
}

/* YAML's ways of writing the same, and texts that YAML 1.1 takes for something else (NO is false there). */
static void same_in_other_words(void **state)
{
	struct manifest m;

	(void)state;
	assert_true(parse(
		"%YAML 1.1\n---\n{\"version\": 1, mode: 'direct', policy: &p {type: halt}, hypervisor: {kind: linux, file: \"a b\"},\n"
		" geo: {tag: {country: NO}}}\n...\n# end\n",
		&m));
	assert_string_equal(m.modules[0].file.s, "a b");
	assert_memory_equal(m.geo.tag + 8, "NO", 2);
	manifest_free(&m);
}

/* A refusal leaves the output alone and has an exit code and a text. */
static void nothing_on_failure(void **state)
{
	struct manifest m, before;
	struct cli_fault fault = { .text = "" };

	(void)state;
	memset(&m, 0xa5, sizeof(m));
	before = m;
	assert_false(manifest_parse("x.yaml", SPAN_LITERAL("version: 1\nfoo: 2\n"), &m, &fault));
	assert_memory_equal(&m, &before, sizeof(m));
	assert_int_equal(fault.code, CLI_INPUT);
	assert_string_equal(fault.text,
		"unknown key \"foo\" in the manifest: x.yaml:2: known here: version name mode policy banks on_halt "
		"halt_delay hypervisor vmm files geo tboot sinit stage lcp platform");
}

/* Every prefix, and every byte changed: refused or understood, never anything else (the sanitizers watch). */
static void cut_and_change(const char *whole, size_t size, size_t max_good)
{
	static const char bytes[] = { 0, ' ', '\n', '[', ']', '{', '}', '&', '*', '!', '"', '\'', ':', '-', '#', 'x', '9', (char)0xff };
	CLEANUP_FREE char *text = malloc(size + 1);
	size_t good = 0;

	assert_non_null(text);
	for (size_t i = 0; i <= size; i++) {
		struct manifest m;
		struct cli_fault fault;

		if (manifest_parse("x", (struct span){ (const uint8_t *)whole, i }, &m, &fault)) {
			good++;
			manifest_free(&m);
		}
	}
	/* complete from some point on, wherever YAML is */
	assert_true(good > 0 && good < max_good);
	for (size_t i = 0; i < size; i++)
		for (size_t j = 0; j < sizeof(bytes); j++) {
			struct manifest m;
			struct cli_fault fault;

			memcpy(text, whole, size + 1);
			text[i] = bytes[j];
			if (manifest_parse("x", (struct span){ (const uint8_t *)text, size }, &m, &fault)) {
				assert_true(m.module_count >= 1 && m.modules[0].role == ROLE_HYPERVISOR);
				manifest_free(&m);
			} else {
				assert_true(fault.code == CLI_INPUT && fault.text[0]);
			}
		}
}

static void cut_and_changed(void **state)
{
	(void)state;
	cut_and_change(full, sizeof(full) - 1, sizeof(full) / 4);
	cut_and_change(txt, sizeof(txt) - 1, sizeof(txt) / 4);
}

static void numbers(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text;
		uint64_t max;
		bool ok;
		uint64_t value;
	} cases[] = {
		{ "0", 0, true, 0 }, { "18446744073709551615", UINT64_MAX, true, UINT64_MAX }, { "0xffffffffffffffff", UINT64_MAX, true, UINT64_MAX },
		{ "0x01C10110", UINT32_MAX, true, 0x01c10110 }, { "22", 22, true, 22 },
		{ "23", 22, false, 0 }, { "18446744073709551616", UINT64_MAX, false, 0 }, { "0x10000000000000000", UINT64_MAX, false, 0 },
		{ "", 9, false, 0 }, { "0x", 9, false, 0 }, { "+1", 9, false, 0 }, { "-1", 9, false, 0 }, { " 1", 9, false, 0 },
		{ "1 ", 9, false, 0 }, { "1a", 99, false, 0 }, { "0X1", 9, false, 0 }, { "1.0", 99, false, 0 },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		uint64_t v = 77;

		assert_int_equal(cli_number(cases[i].text, cases[i].max, &v), cases[i].ok);
		assert_int_equal(v, cases[i].ok ? cases[i].value : 77);
	}
}

static void degrees(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text;
		int limit;
		bool ok;
		int32_t value;
	} cases[] = {
		{ "0", 90, true, 0 }, { "-0", 90, true, 0 }, { "90", 90, true, 900000000 }, { "-90.0000000", 90, true, -900000000 },
		{ "180", 180, true, 1800000000 }, { "-180", 180, true, -1800000000 }, { "50.1109", 90, true, 501109000 },
		{ "+8.6821", 180, true, 86821000 }, { ".5", 90, true, 5000000 }, { "1.", 90, true, 10000000 }, { "0.0000001", 90, true, 1 },
		{ "-0.0000001", 90, true, -1 }, { "90.0000001", 90, false, 0 }, { "-180.0000001", 180, false, 0 }, { "0.00000001", 90, false, 0 },
		{ "", 90, false, 0 }, { ".", 90, false, 0 }, { "-", 90, false, 0 }, { "1e1", 90, false, 0 }, { "1000", 180, false, 0 },
		{ "0x1", 90, false, 0 }, { "1 ", 90, false, 0 }, { "--1", 90, false, 0 }, { "nan", 90, false, 0 },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		int32_t v = 77;

		assert_int_equal(cli_degrees(cases[i].text, cases[i].limit, &v), cases[i].ok);
		assert_int_equal(v, cases[i].ok ? cases[i].value : 77);
	}
}

static void hexadecimal(void **state)
{
	uint8_t out[3] = { 7, 7, 7 };

	(void)state;
	assert_false(cli_unhex("0aF", out, 2));
	assert_false(cli_unhex("0aFg", out, 2));
	assert_false(cli_unhex("0aF", out, 1));
	assert_false(cli_unhex("0aFF11", out, 2));
	assert_false(cli_unhex("", out, 2));
	assert_false(cli_unhex(" aFF", out, 2));
	assert_memory_equal(out, "\7\7\7", 3);
	assert_true(cli_unhex("0aFf", out, 2));
	assert_memory_equal(out, "\x0a\xff\7", 3);
	assert_true(cli_unhex("", out, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_given),
		cmocka_unit_test(mode_txt),
		cmocka_unit_test(defaults),
		cmocka_unit_test(geo_defaults),
		cmocka_unit_test(same_in_other_words),
		cmocka_unit_test(nothing_on_failure),
		cmocka_unit_test(cut_and_changed),
		cmocka_unit_test(numbers),
		cmocka_unit_test(degrees),
		cmocka_unit_test(hexadecimal),
	};

	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}

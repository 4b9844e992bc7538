/* SPDX-License-Identifier: BSD-3-Clause */
/* Secure Boot in txt mode: tboot and what it starts are pinned, or not started. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/fake_efi_txt.h"

#include <cmocka.h>

#include "common/hash.h"
#include "lcp/data.h"
#include "tboot-policy/vlp.h"

/* A policy that names each module by its digest. */
static void pin(uint8_t type)
{
	static uint8_t digests[5][32];
	struct vlp v = { .version = VLP_VERSION,
		.type = type,
		.hash_alg = alg_table[ALG_SHA256].tpm_id,
		.control = 1,
		.entry_count = GL_COUNT(digests) + 1 };
	const char *rules = strstr(efi_txt.conf, "geolaunch-stage 1");

	v.entries[GL_COUNT(digests)] = (struct vlp_entry){ .module = VLP_MODULE_NV, .pcr = 22, .nv_index = SCENE_GEO };
	for (unsigned i = 0; i < GL_COUNT(digests); i++) {
		const struct scene_module *m = &scene.modules[i];

		oracle_module_digest(ALG_SHA256,
			i ? i == SCENE_VMM         ? SPAN_LITERAL("/usr/bin/vmm")
		                : i == SCENE_LINUX ? SPAN_LITERAL(EFI_TXT_CMDLINE)
		                                   : m->cmdline
			  : (struct span){ (const uint8_t *)rules, (size_t)(strchr(rules, '\n') - rules) },
			i ? m->bytes : SPAN_OF(efi_txt.stage), digests[i]);
		v.entries[i] = (struct vlp_entry){ .module = (uint8_t)i,
			.pcr = i ? 19 : VLP_PCR_NONE,
			.hash_type = VLP_HASH_IMAGE,
			.hash_count = 1,
			.hashes = SPAN_OF(digests[i]) };
	}
	assert_int_equal(vlp_encode(&v, (struct mspan){ efi_txt.policy, sizeof(efi_txt.policy) }, &efi_txt.policy_n), VLP_OK);
	(void)soft_tpm_define(&scene.tpm, 0x01c10131, (struct span){ efi_txt.policy, efi_txt.policy_n });
}

/* What a signed description names by its digest: tboot, the SINIT module, launch control data. */
enum { NAMED_TBOOT, NAMED_SINIT, NAMED_LCP, NAMED };
struct named {
	char lines[NAMED][80]; /* "sha256 ...\n", or empty */
};

static void name_one(struct named *names, unsigned which, struct span file)
{
	struct text line = TEXT_OF(names->lines[which]);
	struct digests d;

	hash_span(ALG_BIT(ALG_SHA256), file, &d);
	text_str(&line, "sha256 ");
	text_bytes(&line, digest_span(&d, ALG_SHA256));
	text_char(&line, '\n');
}

/* All of it in geolaunch.efi. */
static void embed(const struct named *names)
{
	static char conf[sizeof(efi_txt.conf) + sizeof(*names)];
	const char *sinit = strstr(efi_txt.conf, "module sinit"), *stage = strstr(efi_txt.conf, "module stage");
	int n = snprintf(conf, sizeof(conf), "%.*s%smodule sinit\nfile sinit\n%smodule lcp\nfile lcp\n%s%s", (int)(sinit - efi_txt.conf),
		efi_txt.conf, names->lines[NAMED_TBOOT], names->lines[NAMED_SINIT], names->lines[NAMED_LCP], stage);

	sample_pe_application((struct span){ (const uint8_t *)conf, (size_t)n }, (struct span){ efi_txt.policy, efi_txt.policy_n },
		(struct mspan){ fw.application_memory, SAMPLE_PE_MEMORY });
}

static void test_secure_boot(void **state)
{
	static CHAR16 name[] = u"SecureBoot";
	static const struct {
		const char *what, *says; /* NULL: it starts */
	} rows[] = {
		{ "good", NULL },
		{ "any", "geolaunch: pre-flight secure-boot: " },
		{ "no digest", "(tboot, file tboot)" },
		{ "no sinit", "(sinit, file sinit)" },
		{ "no lcp", "(lcp, file lcp)" },
		{ "digest", "geolaunch: pre-flight tboot-differs: " },
		{ "sinit", "geolaunch: pre-flight file-differs: " },
		{ "lcp", "geolaunch: pre-flight file-differs: " },
		{ "stage", "geolaunch: pre-flight secure-boot: " },
		{ "linux", "(hypervisor, file linux)" },
		{ "initrd", NULL }, /* no program of its own: that the policy decides */
		{ "off", NULL },
		{ "off, digest", "geolaunch: pre-flight tboot-differs: " },
		{ "off, lcp", "geolaunch: pre-flight file-differs: " },
	};
	EFI_GUID guid = EFI_GLOBAL_VARIABLE;
	static uint8_t other[64], lcp[4096];

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		const char *what = rows[i].what;
		struct named names = { { "" } };
		UINT8 on = strncmp(what, "off", 3) != 0;

		efi_txt_good(VLP_NONFATAL);
		memset(lcp, 0, sizeof(lcp));
		memcpy(lcp, LCP_DATA_SIGNATURE, 32);
		(void)fw_add_file(SCENE_FOLDER "lcp", SPAN_OF(lcp));
		assert_int_equal(fw.rs.SetVariable(name, &guid, 6, 1, &on), EFI_SUCCESS);
		if (strcmp(what, "off") != 0) {
			name_one(&names, NAMED_TBOOT, SPAN_OF(efi_txt.tboot));
			name_one(&names, NAMED_SINIT, SPAN_OF(efi_txt.sinit));
			name_one(&names, NAMED_LCP, SPAN_OF(lcp));
		}
		if (strstr(what, "no "))
			names.lines[!strcmp(what, "no digest") ? NAMED_TBOOT : !strcmp(what, "no sinit") ? NAMED_SINIT : NAMED_LCP][0] = 0;
		else if (strstr(what, "digest"))
			names.lines[NAMED_TBOOT][70] ^= 1;
		if (strcmp(what, "any") != 0 && strcmp(what, "off") != 0)
			pin(VLP_NONFATAL);
		embed(&names);
		/* No rule of geolaunch.efi's looks at these bytes. */
		if (!strcmp(what, "sinit"))
			efi_txt.sinit[sizeof(efi_txt.sinit) - 1] ^= 1;
		if (strstr(what, "lcp") && !strstr(what, "no "))
			lcp[sizeof(lcp) - 1] ^= 1;
		if (!strcmp(what, "stage"))
			efi_txt.stage[7] ^= 1;
		if (!strcmp(what, "linux"))
			fw_find_file(SCENE_FOLDER "linux")->bytes = SPAN_OF(other);
		if (!strcmp(what, "initrd"))
			fw_find_file(SCENE_FOLDER "initrd")->bytes = SPAN_OF(other);
		(void)scene_run_unchecked();
		if (!rows[i].says ? efi_txt.left != 1 : efi_txt.left || fw.starts || !efi_txt_says(rows[i].says))
			fail_msg("%s:\n%s", what, fw.console);
		if (rows[i].says)
			efi_txt_expect_halted();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secure_boot),
	};

	return cmocka_run_group_tests_name("efi_txt_secure", tests, NULL, NULL);
}

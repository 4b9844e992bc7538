/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules of lint in front of hostile policies: a byte of flags, a version of tboot, then pieces with a u16 size in front of each: tboot's
 * command line, policy.vlp, the contents of tboot's index, the owner's index and the geo index; the rest is the policy data. Nothing crashes,
 * findings are sorted and made of plain text, and there is something to say about the launch.
 */
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_tpm2_types.h>

#include "cli/lint.h"
#include "common/cursor.h"
#include "common/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool say_yes(void *ctx, const struct lcp_list *l, uint16_t *hash_alg)
{
	(void)ctx;
	(void)l;
	*hash_alg = LCP_ALG_SHA256;
	return true;
}

static struct span piece(struct rd *r)
{
	size_t n = rd_le16(r);

	return rd_bytes(r, n);
}

static void check_report(const struct lint_report *r)
{
	if (!r->launch_count)
		abort();
	for (size_t i = 0; i < r->finding_count; i++) {
		if (i && r->findings[i - 1].rule->severity > r->findings[i].rule->severity)
			abort();
		for (const char *p = r->findings[i].detail; *p; p++)
			if (*p < ' ' || *p > '~')
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t indices[] = { 0x01c10131, 0x01c10106, 0x01c10110 };
	struct rd r = rd_init((struct span){ data, size });
	uint8_t flags = rd_u8(&r), version = rd_u8(&r);
	char txt[] = "txt", direct[] = "direct";
	struct expected expected = { .mode = flags & 1 ? txt : direct, .banks = ALG_BIT(ALG_SHA256) };
	struct lint_module module = { .number = 1, .role = ROLE_HYPERVISOR, .file = "linux", .present = flags >> 1 & 1 };
	struct lint_nv nv[GL_COUNT(indices)];
	struct pcrs pcrs = { .banks = 0 };
	struct lint_facts f = { .expected = &expected,
		.modules = &module,
		.module_count = 1,
		.has_tpm = flags >> 2 & 1,
		.nv = nv,
		.banks = ALG_BIT(ALG_SHA256),
		.pcrs = &pcrs,
		.verify = { say_yes, NULL },
		.tboot_version = LINT_VERSION(1, version, 0) };
	struct span cmdline = piece(&r);
	char text[256] = "";
	struct lint_report report;
	uint32_t parsed;

	if (cmdline.n)
		memcpy(text, cmdline.p, cmdline.n < sizeof(text) ? cmdline.n : sizeof(text) - 1);
	if (lint_version_parse(text, &parsed) && parsed > LINT_VERSION(UINT8_MAX, UINT8_MAX, UINT8_MAX))
		abort();
	lint_tboot_parse(flags & 8 ? text : NULL, f.tboot_version, &f.tboot);
	hash_span(ALG_SET_ALL, SPAN_LITERAL("linux"), &module.measured);
	hash_span(ALG_SET_ALL, SPAN_LITERAL("tboot"), &f.mle);
	f.policy_bytes = piece(&r);
	for (size_t i = 0; i < GL_COUNT(indices); i++) {
		struct span content = piece(&r);

		if (content.n)
			nv[f.nv_count++] = (struct lint_nv){ .index = indices[i],
				.size = (uint16_t)content.n,
				.content = content,
				.read = LINT_READ_OK,
				.attributes = TPMA_NV_OWNERWRITE | TPMA_NV_AUTHREAD | TPMA_NV_WRITTEN };
	}
	f.lcp_data[LCP_PO] = rd_bytes(&r, rd_left(&r));
	if (lint_check(&f, &report))
		check_report(&report);
	lint_report_free(&report);
	return 0;
}

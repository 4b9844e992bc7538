/* SPDX-License-Identifier: BSD-3-Clause */
#include "lint_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_tpm2_types.h>

#include "cli/lint_impl.h"
#include "common/hash.h"
#include "lcp/custom.h"
#include "lcp/digest.h"

#define BANKS ALG_BIT(ALG_SHA256)
#define READABLE (TPMA_NV_AUTHREAD | TPMA_NV_NO_DA | TPMA_NV_WRITTEN)

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "lint world: %s\n", what);
	abort();
}

static bool fake_verify(void *ctx, const struct lcp_list *l, uint16_t *hash_alg)
{
	const struct lint_facts_world *w = ctx;

	(void)l;
	*hash_alg = LCP_ALG_SHA256;
	return w->signature_valid;
}

static void add_module(struct lint_facts_world *w, enum role role, const char *file)
{
	struct lint_module *m = &w->modules[w->module_count];
	struct digests image;

	*m = (struct lint_module){ .number = (unsigned)w->module_count, .role = role, .file = file, .present = true };
	hash_span(ALG_SET_ALL, span_str(file), &image);
	measure_module(ALG_SET_ALL, (struct span){ NULL, 0 }, &image, &m->measured);
	w->module_count++;
}

static struct vlp_entry *add_entry(struct lint_facts_world *w, uint8_t module, uint8_t pcr, struct span hash)
{
	struct vlp_entry *e = &w->policy.entries[w->policy.entry_count++];

	*e = (struct vlp_entry){
		.module = module, .pcr = pcr, .hash_type = hash.n ? VLP_HASH_IMAGE : VLP_HASH_ANY, .hash_count = hash.n > 0, .hashes = hash
	};
	return e;
}

static void make_policy(struct lint_facts_world *w)
{
	struct digests geo;

	w->policy = (struct vlp){ .version = VLP_VERSION, .type = VLP_HALT, .hash_alg = LCP_ALG_SHA256, .control = 1 };
	add_module(w, ROLE_DESCRIPTION, "launch.conf");
	add_module(w, ROLE_HYPERVISOR, "linux");
	add_module(w, ROLE_VMM, "vmm");
	for (unsigned i = 0; i < WORLD_MODULES; i++)
		memcpy(w->module_hash[i], w->modules[i].measured.d[ALG_SHA256], 32);
	(void)add_entry(w, 0, VLP_PCR_NONE, (struct span){ NULL, 0 });
	(void)add_entry(w, 1, 19, (struct span){ w->module_hash[1], 32 });
	(void)add_entry(w, 2, 20, (struct span){ w->module_hash[2], 32 });
	measure_nv(ALG_SET_ALL, false, SPAN_OF(w->geo), &geo);
	memcpy(w->geo_hash, geo.d[ALG_SHA256], 32);
	add_entry(w, VLP_MODULE_NV, 22, (struct span){ w->geo_hash, 32 })->nv_index = 0x01c10110;
}

static struct expected_event *add_event(struct lint_facts_world *w, unsigned pcr, uint32_t type, const char *name)
{
	struct expected_event *e = &w->events[w->expected.event_count++];

	*e = (struct expected_event){ .pcr = pcr, .type = type, .name = (char *)(uintptr_t)name };
	return e;
}

static void make_expected(struct lint_facts_world *w)
{
	uint8_t bytes[VLP_MAX_SIZE];
	size_t n;

	w->expected = (struct expected){ .mode = (char *)(uintptr_t) "direct",
		.country = "DE",
		.policy_type = VLP_HALT,
		.policy_hash = ALG_SHA256,
		.banks = BANKS,
		.events = w->events };
	must(vlp_encode(&w->policy, (struct mspan){ bytes, sizeof(bytes) }, &n) == VLP_OK, "policy");
	measure_policy(BANKS, 1, (struct span){ bytes, n }, &add_event(w, 17, MEASURE_POLICY, "policy")->digests);
	add_event(w, 17, MEASURE_MODULE, "module 0 description launch.conf")->digests = w->modules[0].measured;
	add_event(w, 19, MEASURE_MODULE, "module 1 hypervisor linux")->digests = w->modules[1].measured;
	add_event(w, 20, MEASURE_MODULE, "module 2 vmm vmm")->digests = w->modules[2].measured;
	measure_nv(BANKS, false, SPAN_OF(w->geo), &add_event(w, 22, MEASURE_NV, "nv 0x01c10110")->digests);
	(void)add_event(w, 17, MEASURE_CLOSING, "closing");
	for (size_t i = 0; i < w->expected.event_count; i++)
		w->events[i].digests.banks &= BANKS;
}

static void set_nv(struct lint_facts_world *w, unsigned i, uint32_t index, uint32_t attributes)
{
	w->nv[i].present = true;
	w->nv[i].nv =
		(struct lint_nv){ .index = index, .attributes = attributes | READABLE, .name_alg = TPM2_ALG_SHA256, .read = LINT_READ_OK };
}

struct lint_facts_world *lint_world_new(void)
{
	struct lint_facts_world *w = calloc(1, sizeof(*w));

	must(w != NULL, "memory");
	memcpy(w->geo,
		"GEO1\x40\0\0\0"
		"DE",
		10);
	make_policy(w);
	make_expected(w);
	set_nv(w, NV_VLP, 0x01c10131, TPMA_NV_OWNERWRITE);
	set_nv(w, NV_PO, 0x01c10106, TPMA_NV_OWNERWRITE | TPMA_NV_POLICYWRITE);
	set_nv(w, NV_ERROR, 0x01c10132, TPMA_NV_AUTHWRITE);
	set_nv(w, NV_GEO, 0x01c10110, TPMA_NV_OWNERWRITE | TPMA_NV_WRITEDEFINE | TPMA_NV_WRITELOCKED);
	for (unsigned pcr = 0; pcr < 8; pcr++)
		w->pcrs.v[ALG_SHA256][pcr][0] = (uint8_t)(pcr + 1);
	w->pcrs.banks = BANKS;
	w->pcrs.known[ALG_SHA256] = 0xff;

	w->sinit = acm_recipe_sinit(1);
	w->chipset = (struct acm_chipset){ .flags = 1, .vendor_id = 0x8086, .device_id = 0xb001, .revision_id = 1 };
	w->processor = (struct acm_processor){ .fms = 0x906a0, .fms_mask = 0xfffffff0 };
	w->sinit.chipsets = &w->chipset;
	w->sinit.processors = &w->processor;
	w->sinit.chipset_count = w->sinit.processor_count = 1;
	w->f.platform = (struct acm_platform){ .has_didvid = true, .vendor_id = 0x8086, .device_id = 0xb001, .revision_id = 1 };

	w->po = (struct lcp_policy){ .version = LCP_POLICY_3_2,
		.hash_alg = LCP_ALG_SHA256,
		.type = LCP_POLICY_LIST,
		.sinit_min_version = 1,
		.max_sinit_min_version = 255,
		.hash_mask = 0x8,
		.sign_mask = 0x8,
		.hash_size = 32 };
	w->list = (struct lcp_list){ .version = LCP_LIST_2_1, .sig_alg = LCP_ALG_NULL };
	w->element_alg = LCP_ALG_SHA256;
	w->mle_type = LCP_ELEMENT_MLE2;
	hash_span(ALG_SET_ALL, SPAN_LITERAL("tboot"), &w->mle_listed);
	hash_span(ALG_SET_ALL, SPAN_LITERAL("tboot"), &w->f.mle);
	w->signature_valid = true;

	w->f.has_tpm = true;
	w->f.banks = BANKS;
	w->f.has_tboot_version = true;
	w->f.tboot_version = LINT_TBOOT_DEFAULT;
	lint_tboot_parse("logging=serial min_ram=0x2000000", w->f.tboot_version, &w->f.tboot);
	return w;
}

void lint_world_sign(struct lint_facts_world *w, uint16_t counter)
{
	memset(w->key, 0x5a, sizeof(w->key));
	memset(w->signature, 0xa5, sizeof(w->signature));
	w->list.sig_alg = LCP_ALG_RSASSA;
	w->list.sig = (struct lcp_signature){
		.revocation = counter, .key_alg = LCP_ALG_RSA, .key_bits = 2048, .key = SPAN_OF(w->key), .block = SPAN_OF(w->signature)
	};
}

/* ---- putting it together ---- */

static void add_element(struct lint_facts_world *w, size_t *at, const struct lcp_element *e)
{
	size_t n = 0;

	must(lcp_element_encode(e, (struct mspan){ w->elements + *at, sizeof(w->elements) - *at }, &n) == LCP_OK, "element");
	*at += n;
}

static void make_elements(struct lint_facts_world *w)
{
	struct lcp_element mle = { .type = w->mle_type, .hash_alg = w->element_alg, .count = 1 },
			   pconf = { .type = LCP_ELEMENT_PCONF2, .hash_alg = LCP_ALG_SHA256, .count = 1 }, custom;
	uint8_t digest[LCP_DIGEST_MAX], info[LCP_PCR_INFO_MAX];
	size_t at = 0, n;
	struct pcrs good = w->pcrs;
	enum alg a;

	must(alg_by_id(w->element_alg, &a), "algorithm");
	mle.hashes = digest_span(&w->mle_listed, a);
	if (!w->no_mle_element)
		add_element(w, &at, &mle);
	good.v[ALG_SHA256][0][0] = 1;
	must(lcp_pcr_composite(&good, ALG_SHA256, 0xff, digest), "composite");
	must(lcp_pcr_info_encode(LCP_ALG_SHA256, 0xff, (struct span){ digest, 32 }, (struct mspan){ info, sizeof(info) }, &n) == LCP_OK,
		"PCR info");
	pconf.pcr_infos = (struct span){ info, n };
	add_element(w, &at, &pconf);
	if (w->has_custom) {
		lcp_custom_wrap(lcp_uuid_tboot, 0, w->custom.p ? w->custom : w->f.policy_bytes, &custom);
		add_element(w, &at, &custom);
	}
	w->list.elements = (struct span){ w->elements, at };
}

static void make_lcp(struct lint_facts_world *w)
{
	struct lcp_data data = { .list_count = 1 };
	struct digests d;
	size_t n;

	w->f.verify = (struct lcp_verify_ops){ fake_verify, w };
	if (w->no_po) {
		w->nv[NV_PO].present = false;
		return;
	}
	make_elements(w);
	data.lists[0] = w->list;
	must(lcp_data_encode(&data, (struct mspan){ w->data, sizeof(w->data) }, &n) == LCP_OK, "data");
	if (!w->no_data)
		w->f.lcp_data[LCP_PO] = (struct span){ w->data, n };
	must(lcp_data_hash(&data, ALG_SET_ALL, &d) == LCP_OK, "data hash");
	if (!w->po_hash_kept) {
		enum alg a;

		must(alg_by_id(w->po.hash_alg, &a), "policy algorithm");
		memcpy(w->po.hash, d.d[a], alg_table[a].size);
	}
	must(lcp_policy_encode(&w->po, (struct mspan){ w->po_bytes, sizeof(w->po_bytes) }, &n) == LCP_OK, "owner policy");
	if (!w->nv[NV_PO].kept)
		w->nv[NV_PO].nv.content = (struct span){ w->po_bytes, n };
}

static void make_nv(struct lint_facts_world *w)
{
	static const uint8_t fixed[8] = { 1 };
	const struct span contents[NV_MAX] = {
		[NV_VLP] = w->f.policy_bytes.n > VLP_MAX_SIZE ? (struct span){ w->f.policy_bytes.p, VLP_MAX_SIZE } : w->f.policy_bytes,
		[NV_ERROR] = SPAN_OF(fixed),
		[NV_GEO] = SPAN_OF(w->geo),
	};

	w->f.nv = w->found;
	for (unsigned i = 0; i < NV_MAX; i++) {
		struct lint_nv *nv = &w->nv[i].nv;

		if (!w->nv[i].present)
			continue;
		if (contents[i].p && !w->nv[i].kept)
			nv->content = contents[i];
		if (nv->content.n && !nv->size)
			nv->size = (uint16_t)nv->content.n;
		if (nv->read != LINT_READ_OK || !(nv->attributes & TPMA_NV_WRITTEN))
			nv->content = (struct span){ NULL, 0 };
		w->found[w->f.nv_count++] = *nv;
	}
}

void lint_world_make(struct lint_facts_world *w)
{
	size_t n = w->policy_size;

	if (!n)
		must(vlp_encode(&w->policy, (struct mspan){ w->policy_bytes, sizeof(w->policy_bytes) }, &n) == VLP_OK, "policy");
	w->f.policy_bytes = (struct span){ w->policy_bytes, n };
	w->f.expected = &w->expected;
	w->f.modules = w->modules;
	w->f.module_count = w->module_count;
	w->f.pcrs = &w->pcrs;
	make_lcp(w);
	make_nv(w);
	must(acm_make(&w->sinit, (struct mspan){ w->sinit_bytes, sizeof(w->sinit_bytes) }) == ACM_OK, "SINIT");
	must(acm_decode(SPAN_OF(w->sinit_bytes), &w->f.sinit) == ACM_OK, "SINIT decodes");
	w->f.sinit_file = "sinit.bin";
}

void lint_world_check(struct lint_facts_world *w)
{
	must(lint_check(&w->f, &w->report), "lint_check");
}

void lint_world_free(struct lint_facts_world *w)
{
	lint_report_free(&w->report);
	free(w);
}

size_t lint_world_found(const struct lint_facts_world *w, const char *id)
{
	size_t n = 0;

	for (size_t i = 0; i < w->report.finding_count; i++)
		n += !strcmp(w->report.findings[i].rule->id, id);
	return n;
}

bool lint_world_says(const struct lint_facts_world *w, const char *part)
{
	for (size_t i = 0; i < w->report.launch_count; i++)
		if (strstr(w->report.launch[i], part))
			return true;
	return false;
}

void lint_world_print(const struct lint_facts_world *w)
{
	for (size_t i = 0; i < w->report.finding_count; i++)
		fprintf(stderr, "  %s %s: %s %s\n", w->report.findings[i].rule->id, w->report.findings[i].where,
			w->report.findings[i].rule->title, w->report.findings[i].detail);
	for (size_t i = 0; i < w->report.launch_count; i++)
		fprintf(stderr, "  - %s\n", w->report.launch[i]);
}

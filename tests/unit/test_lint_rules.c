/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <tss2/tss2_tpm2_types.h>

#include <cmocka.h>

#include "cli/lint_impl.h"
#include "common/hash.h"
#include "lcp/acm_measure.h"
#include "lint_world.h"
#include "txt/sinit_events.h"

/*
 * Every rule: a host on which all is right, one thing changed, and the rule finds it. The changes are made to the parts (before) or to the
 * facts (after).
 */

typedef struct lint_facts_world W;

/* ---- build ---- */

/* clang-format off */
static void b_missing(W *w) { w->modules[1].present = false; }
static void b_changed(W *w) { w->modules[1].measured.d[ALG_SHA256][0] ^= 1; }
static void b_policy(W *w) { w->policy.entries[0].pcr = 18; }
static void b_inactive(W *w) { w->expected.banks |= ALG_BIT(ALG_SHA1); }
static void b_more(W *w) { w->f.banks |= ALG_BIT(ALG_SHA384); }
static void b_unknown(W *w) { w->f.unknown_banks = true; }
static void b_none(W *w) { w->f.banks = ALG_BIT(ALG_SHA1); }
/* clang-format on */

/* ---- a build for mode txt; all of these change the facts ---- */

static struct stage_rules rules;

static void add_sinit_event(W *w, uint32_t type, const struct digests *d)
{
	struct expected_event *e = &w->events[w->expected.event_count++];

	*e = (struct expected_event){ .pcr = 17, .type = type, .name = (char *)(uintptr_t) "x", .digests = *d };
	e->digests.banks &= w->expected.banks;
}

/* The usual host, but with tboot's events in place of ours, and the stage's rules. */
static void make_txt(W *w)
{
	uint8_t data[ACM_DRTM_SIZE];
	struct digests d;

	w->expected.mode = (char *)(uintptr_t) "txt";
	w->expected.drtm = true;
	for (size_t i = 0; i < w->expected.event_count; i++)
		if (w->events[i].type == MEASURE_POLICY || w->events[i].type == MEASURE_MODULE)
			w->events[i].type = 0x501;
	acm_drtm_data(&w->f.sinit, 0, data);
	hash_span(ALG_SET_ALL, SPAN_OF(data), &d);
	add_sinit_event(w, SINIT_EVTYPE_HASH_START, &d);
	add_sinit_event(w, SINIT_EVTYPE_MLE_HASH, &w->f.mle);
	rules = (struct stage_rules){ .policy = STAGE_HALT, .module_count = 2, .nv_count = 1, .hash_alg = ALG_SHA256, .hashes_size = 32 };
	rules.nv[0] = (struct stage_nv){ .index = 0x01c10110, .pcr = 22, .hash_count = 1 };
	memcpy(rules.hashes, w->geo_hash, 32);
	w->f.rules = &rules;
}

/* clang-format off */
static void x_missing(W *w) { make_txt(w); w->modules[1].present = false; }
static void x_changed(W *w) { make_txt(w); w->modules[1].measured.d[ALG_SHA256][0] ^= 1; }
static void x_policy(W *w) { make_txt(w); w->policy_bytes[3] ^= 1; }
static void x_no_rules(W *w) { make_txt(w); w->f.rules = NULL; }
static void x_type(W *w) { make_txt(w); rules.policy = STAGE_NONFATAL; }
static void x_index(W *w) { make_txt(w); rules.nv[0].index++; }
static void x_pcr(W *w) { make_txt(w); rules.nv[0].pcr = 21; }
static void x_raw(W *w) { make_txt(w); rules.nv[0].raw = true; }
static void x_any(W *w) { make_txt(w); rules.nv[0].any = true; rules.nv[0].hash_count = 0; }
static void x_hash(W *w) { make_txt(w); rules.hashes[31] ^= 1; }
static void x_alg(W *w) { make_txt(w); rules.hash_alg = ALG_SHA1; }
static void x_none(W *w) { make_txt(w); rules.nv_count = 0; }
static void x_more(W *w) { make_txt(w); rules.nv[rules.nv_count++] = (struct stage_nv){ .index = 0x01c10111, .pcr = 22, .any = true }; }
static void x_tboot(W *w) { make_txt(w); w->f.mle.d[ALG_SHA256][0] ^= 1; }
static void x_sinit(W *w) { make_txt(w); w->sinit_bytes[sizeof(w->sinit_bytes) - 1] ^= 1; }
static void x_other(W *w)
{
	static char log[] = "a.log" EXPECTED_OTHER_SINIT;
	static char *from[] = { log };

	make_txt(w);
	w->events[0].from = from;
	w->events[0].from_count = 1;
}
static void b_inside(W *w) { w->f.embedded = EMBEDDED_OTHER_DESCRIPTION; }
static void b_inside_policy(W *w) { w->f.embedded = EMBEDDED_OTHER_POLICY; }
static void b_inside_bad(W *w) { w->f.embedded = EMBEDDED_DAMAGED; }
static void b_others(W *w) { static const char *const names[] = { "file-9", NULL }; w->f.others = names; }
static void b_geo(W *w) { static const uint8_t other[64] = { 1 }; w->f.geo_content = SPAN_OF(other); }
static void b_refused(W *w) { w->f.refusal = "no such file: out/esp: run 'geolaunch build' again"; }
static void b_refused_others(W *w) { b_others(w); b_refused(w); }
static void b_refused_file(W *w) { b_refused(w); w->modules[1].measured.d[ALG_SHA256][0] ^= 1; }
static void b_file(W *w) { static const char *const names[] = { "tboot", NULL }; w->f.missing = names; }
static void b_description(W *w)
{
	w->f.no_description = true;
	w->f.description_error = DESCRIPTION_E_KEY;
	w->f.description_line = 5;
}
static void x_no_description(W *w) { make_txt(w); w->f.rules = NULL; w->f.no_description = true; }
static void x_direct_only(W *w)
{
	w->f.sinit_file = NULL;
	w->f.tboot.given = w->f.has_tboot_version = false;
	w->f.lcp[LCP_PO] = w->f.lcp[LCP_PS] = w->f.lcp_data[LCP_PO] = (struct span){ NULL, 0 };
}
static void x_zeros(W *w)
{
	static const uint8_t zeros[32];
	struct digests d;

	make_txt(w);
	hash_span(w->expected.banks, SPAN_OF(zeros), &d);
	add_sinit_event(w, SINIT_EVTYPE_BIOSAC, &d);
}
static void x_no_country(W *w) { memcpy(w->expected.country, "UK", 3); }
static void x_user_country(W *w) { memcpy(w->expected.country, "ZZ", 3); }
static void x_efi(W *w) { make_txt(w); rules.efi_runtime = true; }

/* ---- policy ---- */

static void v_format(W *w) { w->policy.reserved = 1; }
/* clang-format on */

static void v_cut(W *w)
{
	memcpy(w->policy_bytes, "\2\2\x0b", 3);
	w->policy_size = 3;
}

static void v_shadow(W *w)
{
	w->policy.entries[1].module = VLP_MODULE_ANY;
}

static void v_size(W *w)
{
	static uint8_t hashes[2400];

	w->policy.entries[1].hash_count = 75;
	w->policy.entries[1].hashes = SPAN_OF(hashes);
}

static void v_nonfatal(W *w)
{
	w->policy.type = VLP_NONFATAL;
}

static void v_any(W *w)
{
	for (unsigned i = 0; i < w->policy.entry_count; i++) {
		w->policy.entries[i].hash_type = VLP_HASH_ANY;
		w->policy.entries[i].hash_count = 0;
		w->policy.entries[i].hashes.n = 0;
	}
}

/* clang-format off */
static void v_control(W *w) { w->policy.control = 0; }
static void v_pcr(W *w) { w->policy.entries[2].pcr = 14; }
static void v_unlisted(W *w) { w->policy.entries[2].module = 7; }
static void v_absent(W *w) { w->module_count--; }
static void v_no_pcr(W *w) { w->policy.entries[2].pcr = VLP_PCR_NONE; }
static void v_closing(W *w) { w->expected.event_count--; }
static void v_digest(W *w) { w->module_hash[1][5] ^= 1; }
/* clang-format on */

static void v_sha1(W *w)
{
	v_any(w);
	w->policy.hash_alg = LCP_ALG_SHA1;
}

static void v_many(W *w)
{
	while (w->module_count < 34) {
		w->modules[w->module_count] = w->modules[2];
		w->modules[w->module_count].number = (unsigned)w->module_count;
		w->module_count++;
	}
	w->policy.entries[2].module = VLP_MODULE_ANY;
}

/* ---- indices ---- */

/* clang-format off */
static void move_set(W *w, unsigned i, uint32_t index) { w->nv[i].nv.index = index; }

static void n_set(W *w) { move_set(w, NV_VLP, 0x01200001); }
static void n_set_po(W *w) { move_set(w, NV_PO, 0x01400001); }
static void n_set_0(W *w) { w->sinit.tpm_nv_index_set = 0; }
static void n_ppwrite(W *w) { w->nv[NV_VLP].nv.attributes |= TPMA_NV_PPWRITE; }
static void n_ppwrite_po(W *w) { w->nv[NV_PO].nv.attributes |= TPMA_NV_PPWRITE; }
static void n_no_authread(W *w) { w->nv[NV_VLP].nv.attributes &= ~TPMA_NV_AUTHREAD; }
static void n_password(W *w) { w->nv[NV_VLP].nv.read = LINT_READ_PASSWORD; }
static void n_unwritten(W *w) { w->nv[NV_VLP].nv.attributes &= ~TPMA_NV_WRITTEN; }
/* clang-format on */

static void n_both(W *w)
{
	w->nv[NV_OTHER] = w->nv[NV_VLP];
	w->nv[NV_OTHER].nv.index = 0x01200001;
	w->nv[NV_OTHER].nv.size = 12;
}

static void n_custom(W *w)
{
	w->has_custom = true;
}

static const uint8_t other_policy[] = { 2, 0, 0x0b, 1, 0, 0, 0, 0, 0, 0, 0, 1, 129, 17, 0, 0, 0, 0, 0, 0 };

static void n_other(W *w)
{
	w->nv[NV_VLP].kept = true;
	w->nv[NV_VLP].nv.content = SPAN_OF(other_policy);
}

static void n_lcp_in_it(W *w)
{
	static const uint8_t bytes[70] = { 0, 3, 0x0b };

	w->nv[NV_VLP].kept = true;
	w->nv[NV_VLP].nv.content = SPAN_OF(bytes);
}

/* clang-format off */
static void n_small(W *w) { w->nv[NV_VLP].nv.size = 70; }
static void n_no_vlp(W *w) { w->nv[NV_VLP].present = false; }
static void n_da(W *w) { w->nv[NV_VLP].nv.attributes &= ~TPMA_NV_NO_DA; }
static void n_open(W *w) { w->nv[NV_VLP].nv.attributes |= TPMA_NV_AUTHWRITE; }
static void n_open_po(W *w) { w->nv[NV_PO].nv.attributes |= TPMA_NV_AUTHWRITE; }

static void n_large(W *w) { w->nv[NV_VLP].nv.size = 2200; }

static void n_no_error(W *w) { w->nv[NV_ERROR].present = false; }
static void n_error_size(W *w) { w->nv[NV_ERROR].nv.size = 2; }
static void n_error_auth(W *w) { w->nv[NV_ERROR].nv.attributes &= ~TPMA_NV_AUTHWRITE; }
static void n_error_password(W *w) { w->nv[NV_ERROR].nv.read = LINT_READ_PASSWORD; }
static void n_error_locked(W *w) { w->nv[NV_ERROR].nv.attributes |= TPMA_NV_WRITELOCKED | TPMA_NV_WRITEDEFINE; }
static void n_error_locked_until_reset(W *w) { w->nv[NV_ERROR].nv.attributes |= TPMA_NV_WRITELOCKED; }
static void n_po_unreadable(W *w) { w->nv[NV_PO].nv.attributes &= ~TPMA_NV_AUTHREAD; }
/* clang-format on */

static const uint8_t other_po[86] = { 0, 3 };

static void a_po_size(W *w)
{
	w->f.lcp[LCP_PO] = SPAN_OF(other_po);
}

static void a_po_new(W *w)
{
	w->f.lcp[LCP_PO] = (struct span){ w->po_bytes, 70 };
	w->f.nv_count = 1; /* the policy's alone */
}

/* clang-format off */
static void a_po_other(W *w) { w->f.lcp[LCP_PO] = (struct span){ other_po, 70 }; }
static void x_no_po(W *w) { make_txt(w); w->f.build_lcp = (struct span){ w->po_bytes, 70 }; w->f.nv_count = 1; }
static void x_no_po_but_given(W *w) { x_no_po(w); w->f.lcp[LCP_PO] = w->f.build_lcp; }
static void x_other_po(W *w) { make_txt(w); w->f.build_lcp = (struct span){ other_po, 70 }; }
static void x_other_po_size(W *w) { make_txt(w); w->f.build_lcp = SPAN_OF(other_po); }
/* With an event of what is taken for granted of AUX, PS and the owner's index. */
static void nv_info(W *w, bool aux, bool ps, bool po)
{
	const struct sinit_nv_public indices[3] = {
		{ .exists = aux, .index = 0x01c10102, .name_alg = TPM2_ALG_SHA256, .attributes = 0x20040000, .size = 104 },
		{ .exists = ps, .index = 0x01c10103, .name_alg = TPM2_ALG_SHA256, .attributes = 0x20040000, .size = 70 },
		{ .exists = po, .index = 0x01c10106, .name_alg = TPM2_ALG_SHA256, .attributes = 0x2204000a, .size = 70 },
	};
	uint8_t bytes[SINIT_NV_INFO_MAX];
	struct digests d;

	make_txt(w);
	hash_span(ALG_SET_ALL, (struct span){ bytes, sinit_nv_info(indices, bytes) }, &d);
	add_sinit_event(w, SINIT_EVTYPE_NV_INFO, &d);
	if (po)
		w->f.build_lcp = (struct span){ w->po_bytes, 70 };
}
static void add_index(W *w, uint32_t index, uint16_t size)
{
	w->found[w->f.nv_count++] = (struct lint_nv){ .index = index, .attributes = 0x20040000, .size = size, .name_alg = TPM2_ALG_SHA256 };
}
static struct lint_nv *po_of(W *w) { return &w->found[1]; }
static void i_policywrite(W *w) { nv_info(w, false, false, true); po_of(w)->attributes &= ~TPMA_NV_POLICYWRITE; }
static void i_name_alg(W *w) { nv_info(w, false, false, true); po_of(w)->name_alg = TPM2_ALG_SHA384; }
static void i_other_aux(W *w) { nv_info(w, true, false, true); po_of(w)->name_alg = TPM2_ALG_SHA384; }
static void i_unexpected(W *w) { nv_info(w, false, false, false); }
static void i_unexpected_aux(W *w) { nv_info(w, true, false, false); add_index(w, 0x01c10102, 104); }
static void i_told(W *w)
{
	static char none[] = "no PO index";
	static char *from[] = { none };

	nv_info(w, true, true, false);
	w->events[w->expected.event_count - 1].from = from;
	w->events[w->expected.event_count - 1].from_count = 1;
}
static void i_ps(W *w) { nv_info(w, false, false, true); add_index(w, 0x01c10103, 70); }
static void i_aux(W *w) { nv_info(w, false, false, true); add_index(w, 0x01c10102, 104); }
static void i_both(W *w) { i_ps(w); add_index(w, 0x01c10102, 104); }
/* As expected, or nobody can tell. */
static void i_good(W *w) { nv_info(w, true, true, true); add_index(w, 0x01c10103, 70); add_index(w, 0x01c10102, 104); }
static void i_locked(W *w) { i_good(w); po_of(w)->attributes |= TPMA_NV_READLOCKED | TPMA_NV_WRITELOCKED; }
static void i_untold(W *w) { nv_info(w, true, true, false); }
static void i_aux_gone(W *w) { nv_info(w, true, false, true); }
static void n_stclear_po(W *w) { w->nv[NV_PO].nv.attributes |= TPMA_NV_CLEAR_STCLEAR; }
static void n_stclear(W *w) { w->nv[NV_VLP].nv.attributes |= TPMA_NV_CLEAR_STCLEAR; }

/* ---- geo ---- */

static void g_missing(W *w) { w->nv[NV_GEO].present = false; }
/* clang-format on */

static void g_raw(W *w)
{
	static const uint8_t bytes[33] = { 1 };

	w->policy.entries[3].module = VLP_MODULE_NV_RAW;
	w->nv[NV_GEO].kept = true;
	w->nv[NV_GEO].nv.content = SPAN_OF(bytes);
}

/* A digest in size, but none that the launch takes as it is. */
static void g_raw_sha1(W *w)
{
	static const uint8_t bytes[20] = { 1 };

	w->policy.entries[3].module = VLP_MODULE_NV_RAW;
	w->nv[NV_GEO].kept = true;
	w->nv[NV_GEO].nv.content = SPAN_OF(bytes);
}

/* clang-format off */
static void g_unreadable(W *w) { w->nv[NV_GEO].nv.attributes &= ~TPMA_NV_AUTHREAD; }
static void g_password(W *w) { w->nv[NV_GEO].nv.read = LINT_READ_PASSWORD; }
static void g_da(W *w) { w->nv[NV_GEO].nv.attributes &= ~TPMA_NV_NO_DA; }
static void g_platform(W *w) { w->nv[NV_GEO].nv.attributes |= TPMA_NV_PLATFORMCREATE; }
static void g_ppwrite(W *w) { w->nv[NV_GEO].nv.attributes |= TPMA_NV_PPWRITE; }
static void g_content(W *w) { w->geo[8] = 'F'; }
static void g_tpm12(W *w) { w->policy.entries[3].nv_index = 0x40000010; }
/* clang-format on */

static void g_large(W *w)
{
	w->nv[NV_GEO].nv.read = LINT_READ_NOT_TRIED;
	w->nv[NV_GEO].nv.size = 4097;
}

/* What write_stclear locks the next reset unlocks. */
static void g_locked_until_reset(W *w)
{
	w->nv[NV_GEO].nv.attributes &= ~TPMA_NV_WRITEDEFINE;
	w->nv[NV_GEO].nv.attributes |= TPMA_NV_WRITE_STCLEAR;
}

static void g_open_after_reset(W *w)
{
	g_locked_until_reset(w);
	w->nv[NV_GEO].nv.attributes |= TPMA_NV_AUTHWRITE;
}

static void g_open(W *w)
{
	w->nv[NV_GEO].nv.attributes |= TPMA_NV_AUTHWRITE;
	w->nv[NV_GEO].nv.attributes &= ~TPMA_NV_WRITELOCKED;
}

/* clang-format off */
static void g_none(W *w) { w->policy.entry_count--; }
static void a_owner_open(W *w) { w->f.owner_open = true; }
static void g_unlocked(W *w) { w->nv[NV_GEO].nv.attributes &= ~TPMA_NV_WRITELOCKED; }
static void g_stclear(W *w) { w->nv[NV_GEO].nv.attributes |= TPMA_NV_CLEAR_STCLEAR; }
static void g_unexpected(W *w) { w->policy.entries[3].nv_index = 0x01c10111; }

/* ---- tboot ---- */

static void tboot(W *w, const char *cmdline) { lint_tboot_parse(cmdline, w->f.tboot_version, &w->f.tboot); }

static void t_sha384(W *w) { tboot(w, "min_ram=0x2000000 extpol=sha384"); }
static void t_embedded(W *w) { tboot(w, "min_ram=0x2000000 extpol=embedded"); }
static void t_agile(W *w) { tboot(w, "min_ram=0x2000000 extpol=agile"); }
static void t_spelling(W *w) { tboot(w, "min_ram=0x2000000 extpol=SHA256"); }
/* clang-format on */

static void t_old(W *w)
{
	w->f.tboot_version = LINT_VERSION(1, 9, 11);
	t_sha384(w);
}

/* clang-format off */
static void t_usual(W *w) { (void)w; }
static void t_measure_nv(W *w) { tboot(w, "min_ram=0x2000000 measure_nv=true"); }
static void t_no_min_ram(W *w) { tboot(w, "logging=serial"); }
static void t_min_ram_0(W *w) { tboot(w, "min_ram=0"); }
static void t_unknown(W *w) { tboot(w, "min_ram=0x2000000 logging=vga foo=1 bar"); }

static void t_force_pmrs(W *w) { tboot(w, "min_ram=0x2000000 force_pmrs=true"); }
/* clang-format on */

static void t_bank(W *w)
{
	w->f.banks = ALG_BIT(ALG_SHA1);
	w->expected.banks = ALG_BIT(ALG_SHA1);
}

/* clang-format off */
static void t_left_out(W *w) { w->f.banks |= ALG_BIT(ALG_SHA1); }
static void t_legacy(W *w) { tboot(w, "min_ram=0x2000000 pcr_map=legacy"); }
static void t_racm(W *w) { tboot(w, "min_ram=0x2000000 call_racm=true"); }
static void t_racm_check(W *w) { tboot(w, "min_ram=0x2000000 call_racm=check"); }
/* clang-format on */

static void t_mle(W *w)
{
	w->f.mle_failed = true;
	w->f.mle_error = LCP_E_MLE_CMDLINE;
}

/* clang-format off */
static void t_pointers(W *w) { w->f.mle_pointers = 33; }
static void t_log(W *w) { tboot(w, "min_ram=0x2000000 force_tpm2_legacy_log=true"); }
static void t_prev_err(W *w) { tboot(w, "min_ram=0x2000000 ignore_prev_err=false"); }

/* ---- SINIT ---- */

static void s_chipset(W *w) { w->f.platform.device_id = 0xb002; }
/* clang-format on */

static void s_processor(W *w)
{
	w->f.platform.has_cpu = true;
	w->f.platform.fms = 0x806c1;
}

/* clang-format off */
static void s_log(W *w) { w->sinit.capabilities &= ~ACM_CAP_TCG_EVENT_LOG; }
static void s_bios(W *w) { w->sinit.chipset_type = ACM_BIOS; }
static void s_lists(W *w) { w->sinit.info_version = 9; }
static void s_debug(W *w) { w->sinit.flags = ACM_FLAG_DEBUG_SIGNED; }
static void s_tpm12(W *w) { w->sinit.tpm_family = ACM_TPM_DISCRETE_12; }
static void s_no_tpm(W *w) { w->sinit.info_version = 4; }
/* clang-format on */

static void s_alg(W *w)
{
	static const uint16_t algs[] = { LCP_ALG_SHA1 };

	w->sinit.tpm_algs = algs;
	w->sinit.tpm_alg_count = 1;
}

/* clang-format off */
static void s_unsound(W *w) { w->sinit.entry_point = 0x20000; }

/* ---- launch control ---- */

static void l_aux_delete(W *w) { w->po.control = LCP_CONTROL_AUX_DELETE; }
static void l_mle(W *w) { w->mle_listed.d[ALG_SHA256][0] ^= 1; }
static void l_pcr(W *w) { w->pcrs.v[ALG_SHA256][0][0] ^= 0x80; }
static void l_mask(W *w) { w->po.hash_mask = 0x40; }
static void l_no_mask(W *w) { w->po.hash_mask = 0; }
static void l_no_sign(W *w) { w->po.sign_mask = 0; }
/* clang-format on */

static void l_sign_mask(W *w)
{
	lint_world_sign(w, 0);
	w->po.sign_mask = 0x40;
}

static void l_revoked(W *w)
{
	lint_world_sign(w, 2);
	w->po.revocation[0] = 3;
}

static void l_version(W *w)
{
	w->po.sinit_min_version = 0x20;
}

static void l_max(W *w)
{
	w->po.sinit_min_version = 5;
	w->po.max_sinit_min_version = 4;
}

static void l_digest(W *w)
{
	w->po_hash_kept = true;
	w->po.hash[0] = 1;
}

static void l_no_data(W *w)
{
	w->no_data = true;
}

static void l_signature(W *w)
{
	lint_world_sign(w, 0);
	w->signature_valid = false;
}

static void l_element(W *w)
{
	w->element_alg = LCP_ALG_SHA384;
}

static void l_custom(W *w)
{
	w->has_custom = true;
	w->custom = SPAN_OF(other_policy);
}

static void l_large(W *w)
{
	w->f.lcp_data[LCP_PO] = (struct span){ w->data, 65537 };
}

static void l_counter(W *w)
{
	lint_world_sign(w, 5);
	w->po.revocation[0] = 3;
}

/* clang-format off */
static void l_format(W *w) { w->po.reserved2 = 1; }
static void l_data_format(W *w) { w->f.lcp_data[LCP_PO].n--; }
static void l_no_mle(W *w) { w->no_mle_element = true; }
static void l_any(W *w) { w->po.type = LCP_POLICY_ANY; }
static void l_none(W *w) { w->no_po = true; }
static void l_open(W *w) { w->f.mle.banks = 0; }
/* clang-format on */

static void l_legacy(W *w)
{
	w->mle_type = LCP_ELEMENT_MLE;
	w->element_alg = LCP_ALG_SHA1;
}

static void l_supplier(W *w)
{
	static uint8_t bytes[LCP_POLICY_MAX_SIZE];
	struct lcp_policy ps = w->po;
	size_t n;

	ps.type = LCP_POLICY_LIST;
	if (lcp_policy_encode(&ps, (struct mspan){ bytes, sizeof(bytes) }, &n) == LCP_OK)
		w->f.lcp[LCP_PS] = (struct span){ bytes, n };
}

/* clang-format off */
static const struct {
	const char *id;
	void (*before)(W *w);
	void (*after)(W *w);
	const char *also; /* ids of what else is found then */
} cases[] = {
	{ "GL-BUILD-001", b_missing, NULL, "" }, { "GL-BUILD-002", b_changed, NULL, "GL-VLP-013" },
	{ "GL-BUILD-003", b_policy, NULL, "" }, { "GL-BUILD-004", b_inactive, NULL, "" },
	{ "GL-BUILD-005", b_more, NULL, "GL-TBOOT-010" }, { "GL-BUILD-006", b_unknown, NULL, "" },
	{ "GL-BUILD-007", b_none, NULL, "GL-TBOOT-009 GL-BUILD-004 GL-BUILD-005 GL-TBOOT-010" }, { "GL-BUILD-001", NULL, x_missing, "" },
	{ "GL-BUILD-002", NULL, x_changed, "GL-VLP-013" }, { "GL-BUILD-003", NULL, x_policy, "GL-VLP-006" },
	{ "GL-BUILD-008", NULL, x_no_rules, "" }, { "GL-BUILD-008", NULL, x_type, "" }, { "GL-BUILD-008", NULL, x_index, "" },
	{ "GL-BUILD-008", NULL, x_pcr, "" }, { "GL-BUILD-008", NULL, x_raw, "" }, { "GL-BUILD-008", NULL, x_any, "" },
	{ "GL-BUILD-008", NULL, x_hash, "" }, { "GL-BUILD-008", NULL, x_alg, "" }, { "GL-BUILD-008", NULL, x_none, "" },
	{ "GL-BUILD-008", NULL, x_more, "" }, { "GL-BUILD-009", NULL, x_tboot, "GL-LCP-002" }, { "GL-BUILD-010", NULL, x_sinit, "" },
	{ "GL-BUILD-011", NULL, x_efi, "" }, { "GL-BUILD-012", NULL, x_other, "" }, { "GL-BUILD-013", NULL, b_inside, "" },
	{ "GL-BUILD-013", NULL, b_inside_policy, "" }, { "GL-BUILD-013", NULL, b_inside_bad, "" }, { "GL-BUILD-014", NULL, b_others, "" },
	{ "GL-BUILD-001", NULL, b_file, "" }, { "GL-BUILD-015", NULL, b_description, "" }, { "GL-BUILD-015", NULL, x_no_description, "" },
	{ "GL-BUILD-016", NULL, x_zeros, "" }, { "GL-BUILD-017", NULL, b_geo, "" }, { "GL-BUILD-018", NULL, b_refused, "" },
	{ "GL-BUILD-014", NULL, b_refused_others, "" }, { "GL-BUILD-002", NULL, b_refused_file, "GL-VLP-013" },

	{ "GL-VLP-001", v_format, NULL, "GL-BUILD-003" }, { "GL-VLP-001", v_cut, NULL, "GL-NV-007 GL-NV-009" },
	{ "GL-VLP-002", v_shadow, NULL, "GL-BUILD-003 GL-VLP-013" },
	{ "GL-VLP-003", v_size, NULL, "GL-BUILD-003 GL-VLP-013 GL-NV-007 GL-NV-008 GL-NV-009" },
	{ "GL-VLP-004", v_nonfatal, NULL, "GL-BUILD-003" }, { "GL-VLP-005", v_any, NULL, "GL-BUILD-003" },
	{ "GL-VLP-006", v_control, NULL, "GL-BUILD-003" }, { "GL-VLP-007", v_pcr, NULL, "GL-BUILD-003" },
	{ "GL-VLP-008", v_unlisted, NULL, "GL-BUILD-003 GL-VLP-009" }, { "GL-VLP-009", v_absent, NULL, "" },
	{ "GL-VLP-010", v_sha1, NULL, "GL-BUILD-003 GL-TBOOT-001 GL-VLP-005" }, { "GL-VLP-011", v_no_pcr, NULL, "GL-BUILD-003" },
	{ "GL-VLP-012", v_closing, NULL, "" }, { "GL-VLP-013", v_digest, NULL, "GL-BUILD-003" },
	{ "GL-VLP-014", v_many, NULL, "GL-BUILD-003" },

	{ "GL-NV-001", n_set, NULL, "GL-NV-009" }, { "GL-NV-001", n_set_po, NULL, "GL-LCP-001" },
	{ "GL-NV-001", n_set_0, NULL, "GL-NV-009 GL-LCP-001 GL-NV-013" }, { "GL-NV-002", n_ppwrite, NULL, "GL-NV-009" },
	{ "GL-NV-002", n_ppwrite_po, NULL, "" }, { "GL-NV-003", n_no_authread, NULL, "GL-NV-009" },
	{ "GL-NV-003", n_password, NULL, "GL-NV-009" }, { "GL-NV-003", n_unwritten, NULL, "GL-NV-009" },
	{ "GL-NV-004", n_both, NULL, "" }, { "GL-NV-005", n_custom, NULL, "" }, { "GL-NV-006", n_other, NULL, "GL-NV-008" },
	{ "GL-NV-007", n_lcp_in_it, NULL, "GL-NV-008 GL-NV-009" }, { "GL-NV-008", n_small, NULL, "" },
	{ "GL-NV-009", n_no_vlp, NULL, "" }, { "GL-NV-009", n_ppwrite, NULL, "GL-NV-002" },
	{ "GL-NV-009", n_password, NULL, "GL-NV-003" }, { "GL-NV-010", n_da, NULL, "" }, { "GL-NV-011", n_open, NULL, "" },
	{ "GL-NV-011", n_open_po, NULL, "" }, { "GL-NV-012", n_large, NULL, "" }, { "GL-NV-013", n_no_error, NULL, "" },
	{ "GL-NV-014", n_error_size, NULL, "" }, { "GL-NV-014", n_error_auth, NULL, "" }, { "GL-NV-014", n_error_password, NULL, "" },
	{ "GL-NV-014", n_error_locked, NULL, "" }, { "GL-NV-015", n_po_unreadable, NULL, "" },
	{ "GL-NV-016", NULL, a_po_size, "GL-NV-017 GL-LCP-004" }, { "GL-NV-016", NULL, a_po_new, "GL-GEO-001 GL-NV-013" },
	{ "GL-NV-017", NULL, a_po_other, "GL-LCP-004" }, { "GL-NV-018", n_stclear, NULL, "GL-NV-009" },
	{ "GL-NV-009", n_stclear, NULL, "GL-NV-018" }, { "GL-NV-015", n_stclear_po, NULL, "" }, { "GL-NV-019", NULL, x_direct_only, "" },
	{ "GL-NV-020", NULL, x_no_po, "GL-LCP-001 GL-GEO-001 GL-NV-013 GL-NV-016" },
	{ "GL-NV-020", NULL, x_no_po_but_given, "GL-GEO-001 GL-NV-013 GL-NV-016" }, { "GL-NV-021", NULL, x_other_po, "" },
	{ "GL-NV-021", NULL, x_other_po_size, "GL-NV-016" }, { "GL-NV-022", NULL, i_policywrite, "" }, { "GL-NV-022", NULL, i_name_alg, "" },
	{ "GL-NV-022", NULL, i_other_aux, "" }, { "GL-NV-023", NULL, i_unexpected, "" }, { "GL-NV-023", NULL, i_unexpected_aux, "" },
	{ "GL-NV-023", NULL, i_told, "" }, { "GL-NV-024", NULL, i_ps, "" }, { "GL-NV-024", NULL, i_aux, "" },
	{ "GL-NV-024", NULL, i_both, "" },

	{ "GL-GEO-001", g_missing, NULL, "" }, { "GL-GEO-002", g_raw, NULL, "GL-BUILD-003 GL-GEO-006 GL-GEO-012" },
	{ "GL-GEO-003", g_unreadable, NULL, "" }, { "GL-GEO-003", g_password, NULL, "" }, { "GL-GEO-004", g_da, NULL, "" },
	{ "GL-GEO-005", g_platform, NULL, "" }, { "GL-GEO-005", g_ppwrite, NULL, "" }, { "GL-GEO-006", g_content, NULL, "" },
	{ "GL-GEO-007", g_tpm12, NULL, "GL-BUILD-003 GL-GEO-012" }, { "GL-GEO-008", g_large, NULL, "" },
	{ "GL-GEO-009", g_open, NULL, "" }, { "GL-GEO-002", g_raw_sha1, NULL, "GL-BUILD-003 GL-GEO-006 GL-GEO-012" },
	{ "GL-GEO-003", g_stclear, NULL, "" }, { "GL-GEO-009", g_open_after_reset, NULL, "" },
	{ "GL-GEO-011", g_locked_until_reset, NULL, "" }, { "GL-GEO-010", g_none, NULL, "GL-BUILD-003" },
	{ "GL-GEO-011", g_unlocked, NULL, "" }, { "GL-GEO-012", g_unexpected, NULL, "GL-BUILD-003 GL-GEO-001" },
	{ "GL-GEO-013", NULL, a_owner_open, "" }, { "GL-GEO-014", NULL, x_no_country, "" }, { "GL-GEO-015", NULL, x_user_country, "" },

	{ "GL-TBOOT-001", t_sha384, NULL, "GL-TBOOT-009 GL-TBOOT-010" }, { "GL-TBOOT-002", t_embedded, NULL, "" },
	{ "GL-TBOOT-002", t_agile, NULL, "GL-TBOOT-003" }, { "GL-TBOOT-003", t_agile, NULL, "GL-TBOOT-002" },
	{ "GL-TBOOT-004", t_spelling, NULL, "" }, { "GL-TBOOT-004", t_old, NULL, "GL-TBOOT-001 GL-TBOOT-009 GL-TBOOT-010" },
	{ "GL-TBOOT-005", t_usual, NULL, "" }, { "GL-TBOOT-006", t_measure_nv, NULL, "" }, { "GL-TBOOT-007", t_no_min_ram, NULL, "" },
	{ "GL-TBOOT-007", t_min_ram_0, NULL, "" }, { "GL-TBOOT-008", t_unknown, NULL, "" }, { "GL-TBOOT-008", t_force_pmrs, NULL, "" },
	{ "GL-TBOOT-009", t_bank, NULL, "GL-TBOOT-010" }, { "GL-TBOOT-010", t_left_out, NULL, "GL-BUILD-005" },
	{ "GL-TBOOT-011", t_legacy, NULL, "" }, { "GL-TBOOT-012", t_racm, NULL, "" }, { "GL-TBOOT-012", t_racm_check, NULL, "" },
	{ "GL-TBOOT-013", t_mle, NULL, "" }, { "GL-TBOOT-014", t_log, NULL, "" }, { "GL-TBOOT-016", t_pointers, NULL, "" },
	{ "GL-TBOOT-015", t_prev_err, NULL, "" },

	{ "GL-ACM-001", s_chipset, NULL, "" }, { "GL-ACM-001", s_processor, NULL, "" }, { "GL-ACM-002", s_log, NULL, "" },
	{ "GL-ACM-003", s_bios, NULL, "" }, { "GL-ACM-004", s_lists, NULL, "" }, { "GL-ACM-005", s_debug, NULL, "GL-LCP-001" },
	{ "GL-ACM-006", s_tpm12, NULL, "" }, { "GL-ACM-006", s_no_tpm, NULL, "" }, { "GL-ACM-007", s_alg, NULL, "GL-LCP-004" },
	{ "GL-ACM-008", s_unsound, NULL, "" },

	{ "GL-LCP-001", l_aux_delete, NULL, "" }, { "GL-LCP-001", s_debug, NULL, "GL-ACM-005" }, { "GL-LCP-002", l_mle, NULL, "" },
	{ "GL-LCP-003", l_pcr, NULL, "" }, { "GL-LCP-004", l_mask, NULL, "GL-LCP-012" }, { "GL-LCP-004", l_no_mask, NULL, "GL-LCP-012" },
	{ "GL-LCP-005", l_no_sign, NULL, "" }, { "GL-LCP-005", l_sign_mask, NULL, "GL-LCP-001" },
	{ "GL-LCP-006", l_revoked, NULL, "GL-LCP-001" }, { "GL-LCP-007", l_version, NULL, "" }, { "GL-LCP-008", l_max, NULL, "" },
	{ "GL-LCP-009", l_digest, NULL, "" }, { "GL-LCP-010", l_no_data, NULL, "" }, { "GL-LCP-011", l_signature, NULL, "" },
	{ "GL-LCP-012", l_element, NULL, "GL-LCP-001" }, { "GL-LCP-013", l_custom, NULL, "GL-NV-005" },
	{ "GL-LCP-014", NULL, l_large, "GL-LCP-001 GL-LCP-017" }, { "GL-LCP-015", l_counter, NULL, "" },
	{ "GL-LCP-016", l_format, NULL, "" }, { "GL-LCP-017", NULL, l_data_format, "GL-LCP-001" }, { "GL-LCP-018", l_no_mle, NULL, "" },
	{ "GL-LCP-019", l_any, NULL, "" }, { "GL-LCP-020", l_none, NULL, "" }, { "GL-LCP-021", l_open, NULL, "" },
	{ "GL-LCP-022", l_legacy, NULL, "GL-LCP-001" }, { "GL-LCP-023", NULL, l_supplier, "" },
};
/* clang-format on */

/* On a host where all is right this is all there is to say: there is a geo tag, and tboot does not measure it. */
#define USUAL "GL-TBOOT-005"

static void test_clean(void **state)
{
	W *w = lint_world_new();

	(void)state;
	lint_world_make(w);
	lint_world_check(w);
	if (w->report.finding_count != 1)
		lint_world_print(w);
	assert_int_equal(w->report.finding_count, 1);
	assert_int_equal(lint_world_found(w, USUAL), 1);
	lint_world_free(w);
}

/* The same host with a build for mode txt. */
static void test_clean_txt(void **state)
{
	W *w = lint_world_new();

	(void)state;
	lint_world_make(w);
	make_txt(w);
	lint_world_check(w);
	if (w->report.finding_count != 1)
		lint_world_print(w);
	assert_int_equal(w->report.finding_count, 1);
	assert_int_equal(lint_world_found(w, USUAL), 1);
	assert_true(lint_world_says(w, "geolaunch's stage closes"));
	assert_false(lint_world_says(w, "direct mode"));
	lint_world_free(w);
}

/* Each finding is the one that the case is about, one that comes with it, or usual. */
static bool nothing_else(const W *w, const char *id, const char *also)
{
	for (size_t i = 0; i < w->report.finding_count; i++) {
		const char *found = w->report.findings[i].rule->id;

		if (strcmp(found, id) != 0 && strcmp(found, USUAL) != 0 && !strstr(also, found))
			return false;
	}
	return true;
}

static bool all_of(const W *w, const char *also)
{
	char id[16];

	for (int n = 0; sscanf(also, " %15s%n", id, &n) == 1; also += n)
		if (!lint_world_found(w, id))
			return false;
	return true;
}

static void test_each_rule(void **state)
{
	size_t failures = 0;

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		const char *also = cases[i].also;
		W *w = lint_world_new();

		if (cases[i].before)
			cases[i].before(w);
		lint_world_make(w);
		if (cases[i].after)
			cases[i].after(w);
		lint_world_check(w);
		if (!lint_world_found(w, cases[i].id) || !nothing_else(w, cases[i].id, also) || !all_of(w, also)) {
			fprintf(stderr, "case %zu: not just %s %s; instead:\n", i, cases[i].id, also);
			lint_world_print(w);
			failures++;
		}
		lint_world_free(w);
	}
	assert_int_equal(failures, 0);
}

/* The next reset ends a read lock, so of these nothing is known but that they can be read at launch. */
static void locked(W *w, unsigned i)
{
	w->nv[i].nv.attributes |= TPMA_NV_READLOCKED | TPMA_NV_READ_STCLEAR;
	w->nv[i].nv.read = LINT_READ_NOT_TRIED;
}

/* clang-format off */
static void g_read_locked(W *w) { locked(w, NV_GEO); }
static void g_read_failed(W *w) { locked(w, NV_GEO); w->nv[NV_GEO].nv.read = LINT_READ_FAILED; }
static void n_read_locked(W *w) { locked(w, NV_VLP); }
static void n_po_read_locked(W *w) { locked(w, NV_PO); }
static void all_read_locked(W *w) { g_read_locked(w); n_read_locked(w); n_po_read_locked(w); }
/* A dump of other tools without contents. */
static void all_untold(W *w) { for (unsigned i = 0; i < NV_MAX; i++) w->nv[i].nv.read = LINT_READ_NOT_TRIED; }
static void untold_custom(W *w) { n_no_vlp(w); n_custom(w); n_po_read_locked(w); }
/* Nobody else's loader runs where the build is signed. */
static void pointers_of_signed(W *w) { t_pointers(w); w->f.embedded = EMBEDDED_SAME; }
/* clang-format on */

static void (*const harmless[])(W *w) = { g_read_locked, g_read_failed, n_read_locked, n_po_read_locked, all_read_locked, all_untold,
	untold_custom, n_error_locked_until_reset, pointers_of_signed };

static void (*const as_expected[])(W *w) = { i_good, i_locked, i_untold, i_aux_gone };

/* What is measured of the indices is what is expected, or it cannot be said what is. */
static void test_public_areas_as_expected(void **state)
{
	static const char *const ids[] = { "GL-NV-020", "GL-NV-021", "GL-NV-022", "GL-NV-023", "GL-NV-024" };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(as_expected); i++) {
		W *w = lint_world_new();

		lint_world_make(w);
		as_expected[i](w);
		lint_world_check(w);
		for (size_t k = 0; k < GL_COUNT(ids); k++) {
			if (lint_world_found(w, ids[k]))
				lint_world_print(w);
			assert_int_equal(lint_world_found(w, ids[k]), 0);
		}
		lint_world_free(w);
	}
}

static void test_what_a_reset_ends(void **state)
{
	size_t failures = 0;

	(void)state;
	for (size_t i = 0; i < GL_COUNT(harmless); i++) {
		W *w = lint_world_new();

		harmless[i](w);
		lint_world_make(w);
		lint_world_check(w);
		if (w->report.finding_count != 1 || !lint_world_found(w, USUAL)) {
			fprintf(stderr, "harmless %zu:\n", i);
			lint_world_print(w);
			failures++;
		}
		lint_world_free(w);
	}
	assert_int_equal(failures, 0);
}

/* clear_stclear is told once, with what comes of it. */
static void test_stclear_once(void **state)
{
	W *w = lint_world_new();

	(void)state;
	n_stclear(w);
	lint_world_make(w);
	lint_world_check(w);
	assert_int_equal(lint_world_found(w, "GL-NV-018"), 1);
	assert_int_equal(lint_world_found(w, "GL-NV-003"), 0);
	lint_world_free(w);
}

/* The one remark of a clean host goes with its cause. */
static void test_usual_goes(void **state)
{
	W *w = lint_world_new();

	(void)state;
	g_none(w);
	lint_world_make(w);
	lint_world_check(w);
	assert_int_equal(lint_world_found(w, USUAL), 0);
	lint_world_free(w);
}

static void test_every_rule_has_a_case(void **state)
{
	(void)state;
	for (size_t g = 0; g < LINT_GROUPS; g++)
		for (size_t r = 0; r < *lint_groups[g].count; r++) {
			size_t i = 0;

			while (i < GL_COUNT(cases) && strcmp(cases[i].id, lint_groups[g].rules[r].id) != 0)
				i++;
			if (i == GL_COUNT(cases))
				fprintf(stderr, "no case for %s\n", lint_groups[g].rules[r].id);
			assert_true(i < GL_COUNT(cases));
		}
}

/* Errors that belong to TXT alone are not told of a build for direct mode with nothing of TXT about. */
static void test_direct_only(void **state)
{
	W *w = lint_world_new();

	(void)state;
	w->no_po = true;
	w->nv[NV_VLP].present = w->nv[NV_ERROR].present = false;
	lint_world_make(w);
	w->f.sinit_file = NULL;
	w->f.has_tboot_version = false;
	lint_tboot_parse(NULL, w->f.tboot_version, &w->f.tboot);
	lint_world_check(w);
	if (w->report.finding_count)
		lint_world_print(w);
	assert_int_equal(w->report.finding_count, 0);
	assert_true(lint_world_says(w, "geolaunch.efi closes"));
	assert_false(lint_world_says(w, "tboot"));
	lint_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_clean_txt),
		cmocka_unit_test(test_each_rule),
		cmocka_unit_test(test_public_areas_as_expected),
		cmocka_unit_test(test_what_a_reset_ends),
		cmocka_unit_test(test_stclear_once),
		cmocka_unit_test(test_usual_goes),
		cmocka_unit_test(test_every_rule_has_a_case),
		cmocka_unit_test(test_direct_only),
	};

	return cmocka_run_group_tests_name("lint_rules", tests, NULL, NULL);
}

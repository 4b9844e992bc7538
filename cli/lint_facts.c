/* SPDX-License-Identifier: BSD-3-Clause */

/* Questions to the facts that more than one rule asks. */

#include <string.h>
#include <tss2/tss2_tpm2_types.h>

#include "cli/lint_impl.h"
#include "cli/predict.h"
#include "common/eventlog.h"
#include "geo/geo.h"
#include "txt/sinit_events.h"

const char *const lint_read_names[LINT_READ_COUNT] = { "not-tried", "ok", "password", "lockout", "failed" };

const uint32_t lint_indices[LINT_USES][2] = {
	[LINT_USE_VLP] = { 0x01200001, 0x01c10131 },
	[LINT_USE_PO] = { 0x01400001, 0x01c10106 },
	[LINT_USE_PS] = { 0x01800001, 0x01c10103 },
	[LINT_USE_AUX] = { 0x01800003, 0x01c10102 },
	[LINT_USE_ERROR] = { 0x01200002, 0x01c10132 },
};

const struct lint_nv *lint_find_nv(const struct lint_facts *f, uint32_t index)
{
	for (size_t i = 0; i < f->nv_count; i++)
		if (f->nv[i].index == index)
			return &f->nv[i];
	return NULL;
}

bool lint_nv_locked(const struct lint_nv *nv)
{
	/* A lock that writedefine does not make stay is gone with the next reset, before the next launch. */
	return nv->attributes & TPMA_NV_WRITELOCKED && nv->attributes & TPMA_NV_WRITEDEFINE;
}

bool lint_nv_open_to_all(const struct lint_nv *nv)
{
	/* A password is seen by reading only; what cannot be read may have one. */
	return nv->attributes & TPMA_NV_AUTHWRITE && nv->read == LINT_READ_OK && !lint_nv_locked(nv);
}

const char *lint_nv_unreadable_at_launch(const struct lint_nv *nv)
{
	/* Startup(CLEAR) ends what TPM2_NV_ReadLock began: TPM 2.0 Library part 3. */
	switch (geo_readable(nv->attributes & ~TPMA_NV_READLOCKED, nv->size)) {
	case GEO_UNREADABLE_AUTH:
		return "its attributes lack authread";
	case GEO_UNREADABLE_UNWRITTEN:
		return "nothing was ever written to it";
	case GEO_UNREADABLE_SIZE:
		return "its size is 0 or over 4096 bytes";
	default:
		break;
	}
	switch (nv->read) {
	case LINT_READ_PASSWORD:
		return "it has a password, and nobody types one at launch";
	case LINT_READ_LOCKOUT:
		return "the TPM is in dictionary-attack lockout, and its attributes lack no_da";
	case LINT_READ_FAILED:
		if (!(nv->attributes & TPMA_NV_READLOCKED))
			return "the TPM refuses to read it";
		break;
	default:
		break;
	}
	return nv->attributes & TPMA_NV_CLEAR_STCLEAR ? "with clear_stclear it counts as never written after each reset" : NULL;
}

struct span lint_wanted_po(const struct lint_facts *f)
{
	return f->lcp[LCP_PO].p ? f->lcp[LCP_PO] : f->build_lcp;
}

bool lint_tboot_accepts(const struct vlp *p)
{
	for (int part = -1; part < p->entry_count; part++)
		switch (vlp_validate_part(p, part)) {
		case VLP_E_VERSION:
		case VLP_E_TYPE:
		case VLP_E_ALG:
		case VLP_E_MODULE:
		case VLP_E_PCR:
		case VLP_E_HASH_TYPE:
		case VLP_E_SIZE: /* cut off in its buffer */
			return false;
		default:
			break;
		}
	return true;
}

const char *lint_alg_name(uint16_t tpm_id)
{
	const char *name = lcp_alg_name(tpm_id);

	return name ? name : "unknown";
}

void lint_banks_text(alg_set banks, char *buf, size_t cap)
{
	struct text t = { .p = buf, .cap = cap };

	text_str(&t, "");
	for (unsigned a = 0; a < ALG_COUNT; a++)
		if (banks & ALG_BIT(a)) {
			text_str(&t, t.n ? ", " : "");
			text_str(&t, alg_table[a].name);
		}
	if (!t.n)
		text_str(&t, "none");
}

void lint_description_text(const struct lint_facts *f, char *buf, size_t cap)
{
	if (f->description_error)
		(void)snprintf(buf, cap, "line %zu: %s", f->description_line, description_strerror(f->description_error));
	else
		(void)snprintf(buf, cap, "there is no such file");
}

bool lint_extpol_alg(const struct lint_facts *f, enum alg *out)
{
	return f->tboot.extpol == LINT_EXTPOL_FIXED && alg_by_id(f->tboot.extpol_alg, out);
}

const struct expected_event *lint_expected_nv(const struct lint_facts *f, const struct vlp_entry *e)
{
	char buf[64];
	struct text name = TEXT_OF(buf);

	name_nv(&name, e->module == VLP_MODULE_NV_RAW, e->nv_index);
	for (size_t i = 0; i < f->expected->event_count; i++)
		if (f->expected->events[i].type == MEASURE_NV && !strcmp(f->expected->events[i].name, buf))
			return &f->expected->events[i];
	return NULL;
}

const struct expected_event *lint_sinit_event(const struct lint_facts *f, uint32_t type)
{
	for (size_t i = 0; i < f->expected->event_count; i++)
		if (f->expected->events[i].pcr == SINIT_PCR_DETAILS && f->expected->events[i].type == type)
			return &f->expected->events[i];
	return NULL;
}

bool lint_is_policy(const struct expected_event *e)
{
	return e->type == MEASURE_POLICY || (e->type == EV_TBOOT && !strcmp(e->name, "policy"));
}

bool lint_is_module(const struct expected_event *e)
{
	return e->type == MEASURE_MODULE || (e->type == EV_TBOOT && !lint_is_policy(e));
}

const struct lint_module *lint_module(const struct lint_facts *f, unsigned number)
{
	for (size_t i = 0; i < f->module_count; i++)
		if (f->modules[i].number == number)
			return &f->modules[i];
	return NULL;
}

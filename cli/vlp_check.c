/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/vlp_check.h"

#include "common/hash.h"
#include "common/measure.h"

/* One id per rule of the codec; the texts are vlp_strerror()'s. */
static const char *const error_ids[VLP_ERROR_COUNT] = {
	[VLP_OK] = "vlp-ok",
	[VLP_E_TRUNCATED] = "vlp-truncated",
	[VLP_E_TRAILING] = "vlp-trailing",
	[VLP_E_VERSION] = "vlp-version",
	[VLP_E_TYPE] = "vlp-type",
	[VLP_E_ALG] = "vlp-alg",
	[VLP_E_CONTROL] = "vlp-control",
	[VLP_E_RESERVED] = "vlp-reserved",
	[VLP_E_NO_ENTRIES] = "vlp-no-entries",
	[VLP_E_MODULE] = "vlp-module",
	[VLP_E_PCR] = "vlp-pcr",
	[VLP_E_HASH_TYPE] = "vlp-hash-type",
	[VLP_E_HASH_COUNT] = "vlp-hash-count",
	[VLP_E_NV_INDEX] = "vlp-nv-index",
	[VLP_E_DUPLICATE] = "vlp-duplicate",
	[VLP_E_SHADOWED] = "vlp-shadowed",
	[VLP_E_SIZE] = "vlp-size",
	[VLP_E_BUFFER] = "vlp-buffer",
};

struct vlp_rule vlp_rule_of_error(enum vlp_error error)
{
	const char *id = (unsigned)error < VLP_ERROR_COUNT ? error_ids[error] : "vlp-unknown";

	return (struct vlp_rule){ .id = id, .error = true, .text = vlp_strerror(error) };
}

/* ---- warnings about the whole ---- */

static bool is_nv(const struct vlp_entry *e)
{
	return e->module == VLP_MODULE_NV || e->module == VLP_MODULE_NV_RAW;
}

static bool is_nonfatal(const struct vlp *p)
{
	return p->type == VLP_NONFATAL;
}

static bool is_not_extended(const struct vlp *p)
{
	return !(p->control & VLP_CONTROL_EXTEND_PCR17);
}

static bool is_sha1(const struct vlp *p)
{
	return p->hash_alg == alg_table[ALG_SHA1].tpm_id;
}

static bool needs_extpol(const struct vlp *p)
{
	return p->hash_alg != alg_table[ALG_SHA256].tpm_id;
}

static bool has_no_module_0(const struct vlp *p)
{
	return p->entry_count && !vlp_find_module(p, 0);
}

static bool verifies_nothing(const struct vlp *p)
{
	for (unsigned i = 0; i < p->entry_count; i++)
		if (p->entries[i].hash_type != VLP_HASH_ANY)
			return false;
	return p->entry_count;
}

/* ---- warnings about an entry ---- */

static bool is_static_pcr(const struct vlp *p, const struct vlp_entry *e)
{
	(void)p;
	return e->pcr != VLP_PCR_NONE && (e->pcr < PCR_DRTM_FIRST || e->pcr > PCR_DRTM_LAST);
}

/* Module 0 goes to PCR 17 without its entry. */
static bool is_unmeasured(const struct vlp *p, const struct vlp_entry *e)
{
	(void)p;
	return e->pcr == VLP_PCR_NONE && e->module != 0;
}

static bool is_behind_gap(const struct vlp *p, const struct vlp_entry *e)
{
	return e->module > 1 && e->module <= VLP_MODULE_MAX && !vlp_find_module(p, e->module - 1u);
}

static bool is_nv_entry(const struct vlp *p, const struct vlp_entry *e)
{
	(void)p;
	return is_nv(e);
}

static struct span hash_at(const struct vlp *p, const struct vlp_entry *e, unsigned i)
{
	enum alg alg;
	size_t size = alg_by_id(p->hash_alg, &alg) ? alg_table[alg].size : 0;

	if (!size || (i + 1) * size > e->hashes.n)
		return (struct span){ NULL, 0 };
	return (struct span){ e->hashes.p + i * size, size };
}

static bool has_hash_twice(const struct vlp *p, const struct vlp_entry *e)
{
	for (unsigned i = 0; i < e->hash_count; i++)
		for (unsigned j = 0; j < i; j++)
			if (hash_at(p, e, i).n && span_equal(hash_at(p, e, i), hash_at(p, e, j)))
				return true;
	return false;
}

/* What tb_polgen writes for a gzip file that ends behind its first bytes. */
static bool has_hash_of_nothing(const struct vlp *p, const struct vlp_entry *e)
{
	const struct span nothing = { NULL, 0 };
	struct digests image, empty;
	enum alg alg;

	if (!alg_by_id(p->hash_alg, &alg))
		return false;
	hash_span(ALG_BIT(alg), nothing, &image);
	if (is_nv(e))
		empty = image;
	else
		measure_module(ALG_BIT(alg), nothing, &image, &empty);
	for (unsigned i = 0; i < e->hash_count; i++)
		if (span_equal(hash_at(p, e, i), digest_span(&empty, alg)))
			return true;
	return false;
}

/* clang-format off */
static const struct {
	struct vlp_rule rule;
	bool (*whole)(const struct vlp *p);
	bool (*entry)(const struct vlp *p, const struct vlp_entry *e);
} warnings[] = {
	{ { "vlp-nonfatal", false, "the type is nonfatal: a module that does not match is started all the same, only the PCRs tell" },
		is_nonfatal, NULL },
	{ { "vlp-not-extended", false, "policy_control is 0: zeros are measured in place of the policy, another policy is not seen in PCR 17" },
		is_not_extended, NULL },
	{ { "vlp-sha1", false, "the hash algorithm is SHA-1, for which other files with the same hash can be made: use sha256" }, is_sha1, NULL },
	{ { "vlp-extpol", false, "tboot hashes with the algorithm of its option extpol, sha256 if not given: give extpol the policy's" },
		needs_extpol, NULL },
	{ { "vlp-no-module-0", false, "no entry for module 0: add one, of type any with PCR none if it is only to be measured" },
		has_no_module_0, NULL },
	{ { "vlp-any-only", false, "every entry is of type any: all is measured, nothing is verified" }, verifies_nothing, NULL },
	{ { "vlp-pcr-static", false, "the PCR is none of 17-22: a dynamic launch does not reset it" }, NULL, is_static_pcr },
	{ { "vlp-unmeasured", false, "the PCR is none: what the entry is for leaves no trace in any PCR" }, NULL, is_unmeasured },
	{ { "vlp-gap", false, "no entry for the module before: loaders number modules without gaps" }, NULL, is_behind_gap },
	{ { "vlp-nv-tpm2", false, "tboot obeys NV entries with TPM 1.2 only and ignores them with TPM 2.0; geolaunch.efi obeys them" },
		NULL, is_nv_entry },
	{ { "vlp-hash-twice", false, "a hash occurs twice in the entry: remove one" }, NULL, has_hash_twice },
	{ { "vlp-hash-of-nothing", false, "a hash is that of no bytes at all: was the image empty or cut off?" }, NULL, has_hash_of_nothing },
};
/* clang-format on */

static void check_part(const struct vlp *p, int part, vlp_found *found, void *ctx)
{
	enum vlp_error error = vlp_validate_part(p, part);
	struct vlp_rule broken = vlp_rule_of_error(error);

	if (error)
		found(ctx, &broken, part);
	for (size_t i = 0; i < GL_COUNT(warnings); i++)
		if (part < 0 ? warnings[i].whole && warnings[i].whole(p) : warnings[i].entry && warnings[i].entry(p, &p->entries[part]))
			found(ctx, &warnings[i].rule, part);
}

void vlp_check(const struct vlp *p, vlp_found *found, void *ctx)
{
	for (int part = -1; part < p->entry_count; part++)
		check_part(p, part, found, ctx);
}

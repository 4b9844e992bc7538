/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/verify_impl.h"
#include "common/eventlog.h"

const struct verify_verdict_info verify_verdict_table[VERIFY_VERDICT_COUNT] = {
	[VERIFY_TRUSTED] = { "trusted", 0 },
	[VERIFY_NO_DRTM] = { "no-drtm", 10 },
	[VERIFY_GEO_MISSING] = { "geo-missing", 11 },
	[VERIFY_GEO_MISMATCH] = { "geo-mismatch", 12 },
	[VERIFY_MODULE_MISMATCH] = { "module-mismatch", 13 },
	[VERIFY_POLICY_MISMATCH] = { "policy-mismatch", 14 },
	[VERIFY_LOG_MISMATCH] = { "log-mismatch", 15 },
	[VERIFY_CAPPED] = { "capped", 16 },
};

const char *const verify_difference_name[VERIFY_DIFFERENCE_COUNT] = {
	[VERIFY_SAME] = "same",
	[VERIFY_DIFF_DIGEST] = "digest",
	[VERIFY_DIFF_NAME] = "name",
	[VERIFY_DIFF_MISSING] = "missing",
	[VERIFY_DIFF_EXTRA] = "extra",
	[VERIFY_DIFF_CAP] = "cap",
};

const enum verify_verdict verify_cap_category[CAP_COUNT] = {
	[CAP_POLICY_MISSING] = VERIFY_POLICY_MISMATCH,
	[CAP_POLICY_INVALID] = VERIFY_POLICY_MISMATCH,
	[CAP_DESCRIPTION_MISSING] = VERIFY_MODULE_MISMATCH,
	[CAP_DESCRIPTION_INVALID] = VERIFY_MODULE_MISMATCH,
	[CAP_MODULE_MISSING] = VERIFY_MODULE_MISMATCH,
	[CAP_MODULE_UNREADABLE] = VERIFY_MODULE_MISMATCH,
	[CAP_MODULE_UNLISTED] = VERIFY_MODULE_MISMATCH,
	[CAP_MODULE_MISMATCH] = VERIFY_MODULE_MISMATCH,
	[CAP_NV_MISSING] = VERIFY_GEO_MISSING,
	[CAP_NV_UNREADABLE] = VERIFY_GEO_MISMATCH,
	[CAP_NV_SIZE] = VERIFY_GEO_MISMATCH,
	[CAP_NV_MISMATCH] = VERIFY_GEO_MISMATCH,
	[CAP_TPM_ERROR] = VERIFY_CAPPED,
	[CAP_START_FAILED] = VERIFY_CAPPED,
	[CAP_PREFLIGHT] = VERIFY_CAPPED,
	[CAP_DESCRIPTION_UNSIGNED] = VERIFY_CAPPED,
};

void verify_note(struct verify_job *j, alg_set banks, enum verify_verdict v)
{
	for (unsigned a = 0; a < ALG_COUNT; a++)
		if (banks & ALG_BIT(a) && !j->muted)
			j->by_bank[a] |= 1u << v;
}

enum verify_verdict verify_type_category(uint32_t type)
{
	switch (type) {
	case MEASURE_POLICY:
	case 0x40c: /* SINIT: launch control policy */
	case 0x412:
	case 0x413:
		return VERIFY_POLICY_MISMATCH;
	case MEASURE_NV:
		return VERIFY_GEO_MISMATCH;
	case MEASURE_CLOSING:
		return VERIFY_VERDICT_COUNT;
	default: /* modules, and whatever SINIT or somebody else measured */
		return VERIFY_MODULE_MISMATCH;
	}
}

/* tboot has one type for all; what it measures is told by the name that we gave the event. */
enum verify_verdict verify_category(const struct expected_event *e)
{
	if (e->type == EV_TBOOT && strcmp(e->name, "policy") == 0)
		return VERIFY_POLICY_MISMATCH;
	return verify_type_category(e->type);
}

/* Names come from files and logs: nothing but printable ASCII gets to a terminal. */
static void make_printable(char *s)
{
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			*s = '?';
}

/* Takes over `s` (NULL: memory ran out). A string that is there already is not added again. */
static void add_string(struct verify_result *r, struct verify_strings *list, char *s)
{
	char **v;

	if (!s) {
		r->out_of_memory = true;
		return;
	}
	make_printable(s);
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], s) == 0) {
			free(s);
			return;
		}
	v = reallocarray(list->v, list->n + 1, sizeof(*v));
	if (!v) {
		free(s);
		r->out_of_memory = true;
		return;
	}
	list->v = v;
	list->v[list->n++] = s;
}

void verify_explain(struct verify_job *j, const char *format, ...)
{
	char *s = NULL;
	va_list ap;

	if (j->muted)
		return;
	va_start(ap, format);
	if (vasprintf(&s, format, ap) < 0)
		s = NULL;
	va_end(ap);
	add_string(j->r, &j->r->explanation, s);
}

bool verify_result_explain(struct verify_result *r, const char *sentence)
{
	add_string(r, &r->explanation, strdup(sentence));
	return !r->out_of_memory;
}

void verify_add_module(struct verify_job *j, const char *name)
{
	if (!j->muted)
		add_string(j->r, &j->r->modules, strdup(name));
}

void verify_note_cap(struct verify_job *j, alg_set banks, enum cap why)
{
	if (!j->r->capped && !j->muted) {
		j->r->capped = true;
		j->r->why = why;
	}
	verify_note(j, banks, VERIFY_CAPPED);
	verify_note(j, banks, verify_cap_category[why]);
}

void verify_bank_names(alg_set banks, char *buf, size_t cap)
{
	struct text t = { .p = buf, .cap = cap };

	text_str(&t, "");
	for (unsigned a = 0; a < ALG_COUNT; a++) {
		if (!(banks & ALG_BIT(a)))
			continue;
		text_str(&t, t.n ? ", " : "");
		text_str(&t, alg_table[a].name);
	}
}

bool verify_expects(const struct expected *e, uint32_t type)
{
	for (size_t i = 0; i < e->event_count; i++)
		if (e->events[i].type == type)
			return true;
	return false;
}

/*
 * tboot extends the bank of the policy's hash alone. Without that bank nothing of its measurements is compared: the others have the same
 * values whatever it started.
 */
static bool check_covered(const struct verify_job *j, char *error, size_t cap)
{
	for (size_t i = 0; i < j->expected->event_count; i++) {
		const struct expected_event *e = &j->expected->events[i];
		char own[64], compared[64];

		if (e->digests.banks & j->r->compared)
			continue;
		verify_bank_names(e->digests.banks, own, sizeof(own));
		verify_bank_names(j->r->compared, compared, sizeof(compared));
		snprintf(error, cap,
			"\"%.80s\" is measured in bank %s only, and of that bank there are no values: %s alone proves nothing of it",
			e->name, own, compared);
		return false;
	}
	return true;
}

/* Sorts out which banks can be compared. */
static bool choose_banks(struct verify_job *j, char *error, size_t cap)
{
	struct verify_result *r = j->r;
	char buf[64];

	r->compared = j->expected->banks & j->tpm->banks;
	r->inactive = j->expected->banks & ~j->tpm->banks;
	r->unpredicted = j->tpm->banks & ~j->expected->banks;
	if (!r->compared) {
		char have[64];

		verify_bank_names(j->expected->banks, buf, sizeof(buf));
		verify_bank_names(j->tpm->banks, have, sizeof(have));
		snprintf(error, cap, "no PCR bank in common: expected values are for %s, %s are %s", buf,
			j->in->file ? "those of the file" : "the TPM's active banks", have[0] ? have : "none that geolaunch knows");
		return false;
	}
	/* Whoever can switch banks off must not choose what is compared: two files with one SHA-1 can be made. */
	if (r->compared == ALG_BIT(ALG_SHA1) && r->inactive) {
		verify_bank_names(r->inactive, buf, sizeof(buf));
		snprintf(error, cap,
			"the only PCR bank in common is sha1, which proves little: %s one of %s%s, "
			"or build with \"banks: [sha1]\" if that has to do",
			j->in->file ? "give values of" : "activate", buf, j->in->file ? "" : " in the TPM");
		return false;
	}
	if (!check_covered(j, error, cap))
		return false;
	for (unsigned a = 0; a < ALG_COUNT; a++)
		for (unsigned pcr = PCR_DRTM_FIRST; r->compared & ALG_BIT(a) && pcr <= PCR_DRTM_LAST; pcr++) {
			if (!pcr_known(j->tpm, (enum alg)a, pcr)) {
				snprintf(error, cap, "the TPM's value of PCR %u in bank %s is not given; PCR 17-22 are needed", pcr,
					alg_table[a].name);
				return false;
			}
			if (!pcr_known(&j->expected->pcrs, (enum alg)a, pcr)) {
				snprintf(error, cap, "nothing is expected of PCR %u in bank %s", pcr, alg_table[a].name);
				return false;
			}
		}
	return true;
}

static void explain_banks(struct verify_job *j)
{
	char buf[64];

	if (j->r->inactive) {
		verify_bank_names(j->r->inactive, buf, sizeof(buf));
		verify_explain(j, "Not %s%.200s and so not compared: %s.", j->in->file ? "in " : "active in this TPM",
			j->in->file ? j->in->file : "", buf);
	}
	if (j->r->unpredicted) {
		verify_bank_names(j->r->unpredicted, buf, sizeof(buf));
		verify_explain(j, "%s%.200s, but without expected values and so not compared: %s.", j->in->file ? "In " : "Active",
			j->in->file ? j->in->file : "", buf);
	}
}

/*
 * All banks saw the same launch; if they tell different stories, somebody extended one of them only. But tboot does just that, with the bank
 * of the policy's hash: that one may tell more.
 */
static void check_banks_consistent(struct verify_job *j)
{
	unsigned own = j->expected->drtm ? j->by_bank[j->expected->policy_hash] : 0, all = 0;
	bool differ = false;
	int first = -1;

	for (unsigned a = 0; a < ALG_COUNT; a++) {
		if (!(j->r->compared & ALG_BIT(a)))
			continue;
		all |= j->by_bank[a];
		if (j->expected->drtm && a == j->expected->policy_hash)
			continue;
		if (first < 0)
			first = (int)a;
		differ |= j->by_bank[a] != j->by_bank[first] ||
		          (j->expected->drtm && j->r->compared & ALG_BIT(j->expected->policy_hash) && j->by_bank[a] & ~own);
	}
	if (differ) {
		for (unsigned a = 0; a < ALG_COUNT; a++) {
			char buf[128];
			struct text t = TEXT_OF(buf);

			if (!(j->r->compared & ALG_BIT(a)))
				continue;
			text_str(&t, "");
			for (unsigned v = 0; v < VERIFY_VERDICT_COUNT; v++)
				if (v != VERIFY_NO_DRTM && j->by_bank[a] >> v & 1) {
					text_str(&t, t.n ? ", " : "");
					text_str(&t, verify_verdict_table[v].name);
				}
			verify_explain(j, "The banks disagree: %s says %s.", alg_table[a].name, t.n ? buf : "as expected");
		}
		all |= 1u << VERIFY_LOG_MISMATCH;
	}
	j->r->verdicts |= all;
}

static bool pcr_agrees(const struct verify_job *j, unsigned pcr)
{
	return pcrs_equal(j->tpm, &j->expected->pcrs, j->r->compared, pcr, pcr);
}

/*
 * Whether all that PCR 17 holds is as expected, but for what the closing event says of PCR 19-22, which is what they hold now. If not,
 * others than those expected may have measured the geo index, or made PCR 22 anew: it can be reset.
 */
static bool is_bound(const struct verify_job *j)
{
	struct digests closing;
	struct pcrs p;

	if (pcr_agrees(j, PCR_DRTM_FIRST))
		return true;
	if (!measure_closing(j->r->compared, j->tpm, &closing))
		return false;
	pcrs_reset_dynamic(&p, j->r->compared, j->expected->drtm);
	for (size_t i = 0; i < j->expected->event_count; i++) {
		const struct expected_event *e = &j->expected->events[i];

		if (e->pcr == PCR_DRTM_FIRST && !pcrs_extend(&p, e->pcr, e->type == MEASURE_CLOSING ? &closing : &e->digests))
			return false;
	}
	return pcrs_equal(j->tpm, &p, j->r->compared, PCR_DRTM_FIRST, PCR_DRTM_FIRST);
}

static void conclude(struct verify_job *j)
{
	const unsigned harmless = 1u << VERIFY_NO_DRTM;
	struct verify_result *r = j->r;
	bool equal = pcrs_equal(j->tpm, &j->expected->pcrs, r->compared, PCR_DRTM_FIRST, PCR_DRTM_LAST);

	if (!j->expected->drtm)
		verify_note(j, r->compared, VERIFY_NO_DRTM);
	check_banks_consistent(j);
	if (!equal && !(r->verdicts & ~harmless) && !verify_lacks_launch(j)) {
		verify_explain(j, "The TPM's values are not the expected ones, and the log does not tell why.");
		r->verdicts |= 1u << VERIFY_LOG_MISMATCH;
	}
	r->agree = equal && !(r->verdicts & ~harmless);
	r->drtm = j->expected->drtm && j->from_zero && !verify_has(r, VERIFY_NO_DRTM);
	r->geo_agrees = verify_expects(j->expected, MEASURE_NV) && !verify_has(r, VERIFY_LOG_MISMATCH) && is_bound(j);
	for (size_t i = 0; i < j->expected->event_count; i++)
		if (j->expected->events[i].type == MEASURE_NV && !pcr_agrees(j, j->expected->events[i].pcr))
			r->geo_agrees = false;
	if (r->agree && r->drtm)
		r->verdicts |= 1u << VERIFY_TRUSTED;
	if (j->start == VERIFY_START_RESET && !(r->verdicts & ~harmless))
		verify_explain(j,
			"From there the same was measured as expected, but without a dynamic launch: "
			"whatever ran before could have made the same values.");
	if (!j->expected->drtm && r->agree)
		verify_explain(j,
			"Everything agrees, but no dynamic launch (D-RTM) stands behind it: "
			"whatever ran before geolaunch could have made the same values.");
}

bool verify(const struct verify_input *in, struct verify_result *out, char *error, size_t cap)
{
	struct verify_job j = { .in = in, .expected = in->expected, .tpm = in->tpm, .r = out };
	enum verify_log_use use = VERIFY_LOG_DOUBTFUL;

	*out = (struct verify_result){ .has_log = in->has_log };
	if (!choose_banks(&j, error, cap))
		return false;
	verify_judge_start(&j);
	if (in->has_log)
		use = verify_by_log(&j, error, cap);
	if (use == VERIFY_LOG_NONE)
		return false;
	if (use == VERIFY_LOG_DOUBTFUL && j.start != VERIFY_START_UNMEASURED && j.start != VERIFY_START_CAPPED)
		verify_by_pcrs(&j);
	explain_banks(&j);
	conclude(&j);
	if (out->out_of_memory)
		snprintf(error, cap, "out of memory");
	return !out->out_of_memory;
}

static void free_strings(struct verify_strings *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
	*list = (struct verify_strings){ NULL, 0 };
}

void verify_result_free(struct verify_result *r)
{
	free_strings(&r->modules);
	free_strings(&r->explanation);
}

int verify_exit_code(const struct verify_result *r)
{
	for (unsigned v = VERIFY_VERDICT_COUNT; v > 0; v--)
		if (r->verdicts >> (v - 1) & 1)
			return verify_verdict_table[v - 1].exit_code;
	return verify_verdict_table[VERIFY_LOG_MISMATCH].exit_code;
}

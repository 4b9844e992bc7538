/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules of lint in front of hostile facts. Input: three bytes of flags, tboot's version, the TPM's banks, PCR 0, the platform (see
 * below), then pieces with a u16 size in front of each: tboot's command line, policy.vlp, the stage's rules, a SINIT module, launch
 * control policies of owner and supplier, their policy data, events that the build expects (each three bytes); then NV indices: u8 which
 * one, u32 attributes, u8 state, pieces policy and content; in place of an index (u8 254) a piece, what the geo index is to hold. Nothing
 * crashes, findings are sorted and made of plain text, there is something to say about the launch, and asked twice lint says the same.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/lint_impl.h"
#include "common/eventlog.h"
#include "common/hash.h"
#include "tests/fuzz/exact.h"
#include "txt/sinit_events.h"

#define NV_MAX 12
#define EVENT_MAX 16

enum { TXT = 1, MODULE_THERE = 2, HAS_TPM = 4, HAS_LINE = 8, HAS_PCRS = 16, OWNER_OPEN = 32, UNKNOWN_BANKS = 64, SIGNED_BADLY = 128 };
/* the second byte of flags: the lowest three bits are enum embedded_match */
enum { MLE_FAILED = 8, NO_MLE = 16, HAS_VERSION = 32, HAS_COUNTRY = 64, NO_DESCRIPTION = 128 };
/* the third: what is known of the platform */
enum { HAS_DIDVID = 1, HAS_CPU = 2, HAS_PLATFORM_ID = 4, HAS_FUSING = 8, PRODUCTION = 16 };

/* in the byte of banks */
#define HAS_OTHERS 128

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool say_yes(void *ctx, const struct lcp_list *l, uint16_t *hash_alg)
{
	(void)ctx;
	(void)l;
	*hash_alg = LCP_ALG_SHA256;
	return true;
}

static bool say_no(void *ctx, const struct lcp_list *l, uint16_t *hash_alg)
{
	(void)ctx;
	(void)l;
	(void)hash_alg;
	return false;
}

static void check_text(const char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			abort();
}

static void check_report(const struct lint_report *r)
{
	if (!r->launch_count || r->out_of_memory)
		abort();
	for (size_t i = 0; i < r->launch_count; i++)
		check_text(r->launch[i]);
	for (size_t i = 0; i < r->finding_count; i++) {
		if (i && r->findings[i - 1].rule->severity > r->findings[i].rule->severity)
			abort();
		check_text(r->findings[i].where);
		check_text(r->findings[i].detail);
	}
	if (lint_count(r, LINT_ERROR) + lint_count(r, LINT_WARNING) + lint_count(r, LINT_INFO) != r->finding_count)
		abort();
}

static void check_equal(const struct lint_report *a, const struct lint_report *b)
{
	if (a->finding_count != b->finding_count || a->launch_count != b->launch_count)
		abort();
	for (size_t i = 0; i < a->finding_count; i++)
		if (a->findings[i].rule != b->findings[i].rule || strcmp(a->findings[i].where, b->findings[i].where) != 0 ||
			strcmp(a->findings[i].detail, b->findings[i].detail) != 0)
			abort();
	for (size_t i = 0; i < a->launch_count; i++)
		if (strcmp(a->launch[i], b->launch[i]) != 0)
			abort();
}

/* What the input is about, in memory of its own. */
struct facts {
	struct exact x;
	struct expected expected;
	struct expected_event events[EVENT_MAX];
	struct lint_module modules[3];
	struct lint_nv nv[NV_MAX];
	struct stage_rules rules;
	struct pcrs pcrs;
	struct lint_facts f;
};

static const char *exact_text(struct exact *x, struct span s)
{
	char *p = (char *)exact_room(x, s.n + 1);

	for (size_t i = 0; i < s.n; i++)
		p[i] = (char)s.p[i];
	p[s.n] = 0;
	return p;
}

static void read_platform(struct rd *r, struct acm_platform *p)
{
	uint8_t known = rd_u8(r);

	*p = (struct acm_platform){
		.has_didvid = known & HAS_DIDVID,
		.has_cpu = known & HAS_CPU,
		.has_platform_id = known & HAS_PLATFORM_ID,
		.has_fusing = known & HAS_FUSING,
		.production = known & PRODUCTION,
		.platform_type = known >> 5,
	};
	p->vendor_id = rd_le16(r);
	p->device_id = rd_le16(r);
	p->revision_id = rd_le16(r);
	p->fms = rd_le32(r);
	p->platform_id = rd_le64(r);
}

/* Three bytes: which kind, PCR and where it is from, whose digest. */
static void read_events(struct facts *k, struct span in)
{
	static char from_other[] = "a.log, of another SINIT module", from[] = "launch.conf";
	static char *from_lists[] = { from, from_other };
	static char policy[] = "policy", description[] = "module 0 description launch.conf", hypervisor[] = "module 1 hypervisor linux",
		    initrd[] = "module 2 initrd initrd", nv[] = "nv 0x01c10110", raw[] = "nv_raw 0x01c10110", closing[] = "closing",
		    start[] = "HASH_START", mle[] = "MLE_HASH", other[] = "x";
	static const struct {
		uint32_t type;
		char *name;
	} kinds[] = {
		{ MEASURE_POLICY, policy },
		{ MEASURE_MODULE, description },
		{ MEASURE_MODULE, hypervisor },
		{ MEASURE_MODULE, initrd },
		{ MEASURE_NV, nv },
		{ MEASURE_NV, raw },
		{ MEASURE_CLOSING, closing },
		{ EV_TBOOT, policy },
		{ EV_TBOOT, hypervisor },
		{ SINIT_EVTYPE_HASH_START, start },
		{ SINIT_EVTYPE_MLE_HASH, mle },
		{ SINIT_EVTYPE_NV_INFO, other },
	};
	struct rd r = rd_init(in);

	while (k->expected.event_count < EVENT_MAX && rd_left(&r) >= 3) {
		struct expected_event *e = &k->events[k->expected.event_count++];
		uint8_t kind = rd_u8(&r) % GL_COUNT(kinds), where = rd_u8(&r), what = rd_u8(&r);

		*e = (struct expected_event){ .pcr = PCR_DRTM_FIRST + where % (PCR_DRTM_LAST - PCR_DRTM_FIRST + 1),
			.type = kinds[kind].type,
			.name = kinds[kind].name };
		e->from = &from_lists[where >> 7];
		e->from_count = 1;
		if (what % 4 == 1)
			measure_policy(ALG_SET_ALL, 1, k->f.policy_bytes, &e->digests);
		else if (what % 4 == 2)
			e->digests = k->modules[1].measured;
		else if (what % 4 == 3)
			measure_nv(ALG_SET_ALL, e->name == raw, k->f.nv_count ? k->nv[0].content : in, &e->digests);
		else
			hash_span(ALG_SET_ALL, span_str(e->name), &e->digests);
		e->digests.banks &= what >> 4;
		k->expected.banks |= e->digests.banks;
	}
	k->expected.events = k->events;
}

static void read_indices(struct facts *k, struct rd *r)
{
	static const uint32_t usual[] = { 0x01200001, 0x01c10131, 0x01400001, 0x01c10106, 0x01800001, 0x01c10103, 0x01200002, 0x01c10132,
		0x01c10110, 0x40000010 };

	while (k->f.nv_count < NV_MAX && rd_left(r) > 0) {
		struct lint_nv *nv = &k->nv[k->f.nv_count];
		uint8_t which = rd_u8(r);
		struct span content;

		if (which == 254 && !k->f.geo_content.p) {
			k->f.geo_content = exact_piece(&k->x, r);
			continue;
		}
		nv->index = which < GL_COUNT(usual) ? usual[which] : rd_le32(r);
		nv->attributes = rd_le32(r);
		nv->read = (enum lint_read)(rd_u8(r) % LINT_READ_COUNT);
		nv->name_alg = LCP_ALG_SHA256;
		nv->policy = exact_piece(&k->x, r);
		content = exact_piece(&k->x, r);
		if (r->bad || nv->policy.n > DIGEST_MAX)
			break;
		nv->size = (uint16_t)content.n;
		nv->content = nv->read == LINT_READ_OK ? content : (struct span){ NULL, 0 };
		k->f.nv_count++;
	}
	k->f.nv = k->nv;
}

static void read_modules(struct facts *k, uint8_t flags)
{
	k->modules[0] = (struct lint_module){ .number = 0, .role = ROLE_DESCRIPTION, .file = "launch.conf", .present = true };
	k->modules[1] = (struct lint_module){ .number = 1, .role = ROLE_HYPERVISOR, .file = "linux", .present = flags & MODULE_THERE };
	k->modules[2] = (struct lint_module){ .number = 2, .role = ROLE_INITRD, .file = "initrd", .present = true };
	for (size_t i = 0; i < GL_COUNT(k->modules); i++)
		hash_span(ALG_SET_ALL, span_str(k->modules[i].file), &k->modules[i].measured);
	k->f.modules = k->modules;
	k->f.module_count = GL_COUNT(k->modules);
}

static void read_pcrs(struct facts *k, uint8_t value)
{
	k->pcrs.banks = k->f.banks;
	for (unsigned a = 0; a < ALG_COUNT; a++) {
		k->pcrs.known[a] = k->f.banks & ALG_BIT(a) ? 0xff : 0;
		memset(k->pcrs.v[a][0], value, DIGEST_MAX);
	}
	k->f.pcrs = &k->pcrs;
}

/* Pieces that may be missing: an empty one. */
static void read_pieces(struct facts *k, struct rd *r, uint8_t flags)
{
	struct lint_facts *f = &k->f;
	const char *line = exact_text(&k->x, exact_piece(&k->x, r));
	struct span rules, sinit, events;
	uint32_t parsed;
	size_t at;

	if (lint_version_parse(line, &parsed) && parsed > LINT_VERSION(UINT8_MAX, UINT8_MAX, UINT8_MAX))
		abort();
	lint_tboot_parse(flags & HAS_LINE ? line : NULL, f->tboot_version, &f->tboot);
	f->policy_bytes = exact_piece(&k->x, r);
	rules = exact_piece(&k->x, r);
	if (stage_rules_parse(rules, &k->rules, &at) == STAGE_RULES_OK)
		f->rules = &k->rules;
	sinit = exact_piece(&k->x, r);
	if (acm_decode(sinit, &f->sinit) == ACM_OK)
		f->sinit_file = "sinit.bin";
	for (size_t o = 0; o < LCP_OWNERS; o++)
		f->lcp[o] = exact_piece(&k->x, r);
	for (size_t o = 0; o < LCP_OWNERS; o++)
		f->lcp_data[o] = exact_piece(&k->x, r);
	if (flags & TXT)
		f->build_lcp = f->lcp[LCP_PO];
	if (flags & TXT && flags & SIGNED_BADLY)
		f->lcp[LCP_PO] = (struct span){ NULL, 0 };
	events = exact_piece(&k->x, r);
	read_indices(k, r);
	read_events(k, events);
}

/* Of a launch.conf that cannot be read nothing is known. */
static void forget_description(struct facts *k, uint8_t flags, uint8_t why)
{
	k->f.no_description = true;
	k->f.description_error = (enum description_error)(why % DESCRIPTION_ERROR_COUNT);
	k->f.description_line = why;
	k->f.rules = NULL;
	if (!(flags & HAS_LINE))
		k->f.tboot.extpol = LINT_EXTPOL_UNTOLD;
	for (size_t i = 0; i < GL_COUNT(k->modules); i++)
		k->modules[i].measured.banks = 0;
}

static void read_facts(struct facts *k, struct rd *r)
{
	static char txt[] = "txt", direct[] = "direct";
	static const char *const others[] = { "other.bin", NULL };
	uint8_t flags = rd_u8(r), more = rd_u8(r), version, banks, value;
	struct lint_facts *f = &k->f;

	f->expected = &k->expected;
	k->expected.mode = flags & TXT ? txt : direct;
	k->expected.drtm = flags & TXT;
	k->expected.banks = ALG_BIT(ALG_SHA256);
	if (more & HAS_COUNTRY)
		memcpy(k->expected.country, "DE", 3);
	f->embedded = (enum embedded_match)((more & 7) % (EMBEDDED_DAMAGED + 1));
	f->mle_failed = more & MLE_FAILED;
	f->mle_error = f->mle_failed ? LCP_E_POLICY_TRUNCATED : LCP_OK;
	if (!f->mle_failed && !(more & NO_MLE))
		hash_span(ALG_SET_ALL, SPAN_LITERAL("tboot"), &f->mle);
	f->has_tpm = flags & HAS_TPM;
	f->owner_open = flags & OWNER_OPEN;
	f->unknown_banks = flags & UNKNOWN_BANKS;
	f->verify.verify = flags & SIGNED_BADLY ? say_no : say_yes;
	f->has_tboot_version = more & HAS_VERSION;
	read_platform(r, &f->platform);
	version = rd_u8(r);
	f->tboot_version = LINT_VERSION(1, version, 0);
	banks = rd_u8(r);
	f->banks = banks & ALG_SET_ALL;
	f->others = banks & HAS_OTHERS ? others : NULL;
	value = rd_u8(r);
	if (flags & HAS_PCRS)
		read_pcrs(k, value);
	read_modules(k, flags);
	read_pieces(k, r, flags);
	if (more & NO_DESCRIPTION)
		forget_description(k, flags, version);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init((struct span){ data, size });
	struct facts *k = calloc(1, sizeof(*k));
	struct lint_report report, again;

	if (!k)
		abort();
	read_facts(k, &r);
	memset(&report, 0xaa, sizeof(report));
	memset(&again, 0x55, sizeof(again));
	if (!lint_check(&k->f, &report) || !lint_check(&k->f, &again))
		abort();
	check_report(&report);
	check_equal(&report, &again);
	lint_report_free(&report);
	lint_report_free(&again);
	exact_free(&k->x);
	free(k);
	return 0;
}

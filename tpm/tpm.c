/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpm/tpm.h"

#include <string.h>

#include "tpm/tpm_run.h"

/* A TPM that asks to try again gets 2 s: self-tests and the first NV access after a start take less. */
#define TRIES_MAX 100
#define TRY_DELAY_MS 20

/* PCR_Read again from the start if PCRs changed between two pieces; on a host that runs they change all the time. */
#define PCR_RESTARTS_MAX 4

#define PCR_MASK_DRTM (((UINT32_C(1) << (PCR_DRTM_LAST + 1)) - 1) & ~((UINT32_C(1) << PCR_DRTM_FIRST) - 1))

/* Used when the TPM does not name its limit; every TPM 2.0 takes at least this. */
#define NV_PIECE_DEFAULT 512

/* ---- one command ---- */

static TSS2_RC sys_start(struct tpm *t, TSS2_TCTI_CONTEXT *tcti)
{
	TSS2_ABI_VERSION abi = TSS2_ABI_VERSION_CURRENT;
	TSS2_SYS_CONTEXT *sys = (TSS2_SYS_CONTEXT *)t->room;

	return Tss2_Sys_Initialize(sys, sizeof(t->room), tcti, &abi);
}

/* SYS stays in the middle of an exchange that failed and would refuse every command from then on. */
static void sys_recover(struct tpm *t)
{
	TSS2_TCTI_CONTEXT *tcti = NULL;

	if (Tss2_Sys_GetTctiContext(t->sys, &tcti) != TSS2_RC_SUCCESS)
		return;
	(void)Tss2_Tcti_Cancel(tcti);
	(void)sys_start(t, tcti);
}

void tpm_scrub(struct tpm *t)
{
	TSS2_TCTI_CONTEXT *tcti = NULL;

	if (!t->sys || Tss2_Sys_GetTctiContext(t->sys, &tcti) != TSS2_RC_SUCCESS)
		return;
	tpm_wipe(t->room, sizeof(t->room));
	(void)sys_start(t, tcti);
}

static bool is_tpm_code(TSS2_RC rc)
{
	return (tpm_rc_base(rc) & TSS2_RC_LAYER_MASK) == TSS2_TPM_RC_LAYER;
}

static bool try_again(TSS2_RC rc)
{
	TSS2_RC base = tpm_rc_base(rc);

	return base == TPM2_RC_RETRY || base == TPM2_RC_YIELDED || base == TPM2_RC_TESTING || base == TPM2_RC_NV_RATE;
}

TSS2_RC tpm_run(struct tpm *t, TSS2_RC (*op)(TSS2_SYS_CONTEXT *sys, void *args), void *args)
{
	TSS2_RC rc;

	if (!t->sys)
		return TSS2_SYS_RC_BAD_SEQUENCE;
	for (unsigned i = 1;; i++) {
		rc = op(t->sys, args);
		if (!try_again(rc) || i >= TRIES_MAX)
			break;
		if (t->delay_ms)
			t->delay_ms(t->delay_ctx, TRY_DELAY_MS);
	}
	if (!is_tpm_code(rc))
		sys_recover(t);
	/* The one meaning that SYS gives to this: the tag of the response is that of a TPM 1.2. */
	return rc == TSS2_SYS_RC_GENERAL_FAILURE ? (TSS2_RC)TPM2_RC_BAD_TAG : rc;
}

bool tpm_parameters_are(TSS2_SYS_CONTEXT *sys, size_t n)
{
	const uint8_t *p = NULL;
	size_t got = 0;

	return Tss2_Sys_GetRpBuffer(sys, &got, &p) == TSS2_RC_SUCCESS && got == n;
}

void tpm_password(TSS2L_SYS_AUTH_COMMAND *out, struct span password)
{
	memset(out, 0, sizeof(*out));
	out->count = 1;
	out->auths[0].sessionHandle = TPM2_RS_PW;
	if (password.n > sizeof(out->auths[0].hmac.buffer))
		return;
	out->auths[0].hmac.size = (UINT16)password.n;
	if (password.n > 0)
		memcpy(out->auths[0].hmac.buffer, password.p, password.n);
}

bool tpm_password_answered(const TSS2L_SYS_AUTH_RESPONSE *r)
{
	return r->count == 1 && r->auths[0].nonce.size == 0 && r->auths[0].hmac.size == 0;
}

/* ---- capabilities ---- */

struct capability {
	TPM2_CAP what;
	UINT32 property, count;
	TPMI_YES_NO more;
	TPMS_CAPABILITY_DATA data;
};

static TSS2_RC capability_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct capability *c = args;
	TSS2_RC rc;

	memset(&c->data, 0, sizeof(c->data));
	rc = Tss2_Sys_GetCapability(sys, NULL, c->what, c->property, c->count, &c->more, &c->data, NULL);
	if (rc == TSS2_RC_SUCCESS && c->data.capability != c->what)
		return TSS2_SYS_RC_MALFORMED_RESPONSE;
	return rc;
}

/* The PCRs that a selection names. False if it is longer than selections get. */
GL_MUST static bool selection_mask(const TPMS_PCR_SELECTION *s, uint32_t *out)
{
	uint32_t mask = 0;

	if (s->sizeofSelect > sizeof(s->pcrSelect))
		return false;
	for (unsigned i = 0; i < s->sizeofSelect; i++)
		mask |= (uint32_t)s->pcrSelect[i] << 8 * i;
	*out = mask;
	return true;
}

/* Bytes of a TPML_PCR_SELECTION on the wire; 0 if it cannot be one. */
static size_t selections_size(const TPML_PCR_SELECTION *l)
{
	size_t n = 4;

	if (l->count > GL_COUNT(l->pcrSelections))
		return 0;
	for (unsigned i = 0; i < l->count; i++)
		n += 3u + l->pcrSelections[i].sizeofSelect;
	return n;
}

static TSS2_RC banks_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct capability *c = args;
	TSS2_RC rc = capability_op(sys, c);

	if (rc == TSS2_RC_SUCCESS && !tpm_parameters_are(sys, 5 + selections_size(&c->data.data.assignedPCR)))
		return TSS2_SYS_RC_MALFORMED_RESPONSE;
	return rc;
}

GL_MUST static TSS2_RC read_banks(struct tpm *t)
{
	struct capability c = { .what = TPM2_CAP_PCRS, .count = TPM2_NUM_PCR_BANKS };
	const TPML_PCR_SELECTION *l = &c.data.data.assignedPCR;
	alg_set seen = 0, banks = 0;
	bool unknown;
	TSS2_RC rc = tpm_run(t, banks_op, &c);

	if (rc != TSS2_RC_SUCCESS)
		return rc;
	unknown = c.more != 0;
	for (unsigned i = 0; i < l->count; i++) {
		uint32_t mask;
		enum alg a;

		if (!selection_mask(&l->pcrSelections[i], &mask))
			return TSS2_SYS_RC_MALFORMED_RESPONSE;
		if (!alg_by_id(l->pcrSelections[i].hash, &a)) {
			unknown = unknown || mask & PCR_MASK_DRTM;
			continue;
		}
		if (seen & ALG_BIT(a))
			return TSS2_SYS_RC_MALFORMED_RESPONSE;
		seen |= ALG_BIT(a);
		/* Half a bank can neither be measured into as a whole nor left out. */
		if ((mask & PCR_MASK_DRTM) == PCR_MASK_DRTM)
			banks |= ALG_BIT(a);
		else
			unknown = unknown || mask & PCR_MASK_DRTM;
	}
	t->banks = banks;
	t->unknown_banks = unknown;
	return TSS2_RC_SUCCESS;
}

static TSS2_RC property_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct capability *c = args;
	TSS2_RC rc = capability_op(sys, c);

	if (rc == TSS2_RC_SUCCESS && (c->data.data.tpmProperties.count > 1 ||
				      !tpm_parameters_are(sys, 9 + 8 * (size_t)c->data.data.tpmProperties.count)))
		return TSS2_SYS_RC_MALFORMED_RESPONSE;
	return rc;
}

GL_MUST static TSS2_RC read_nv_buffer_max(struct tpm *t)
{
	struct capability c = { .what = TPM2_CAP_TPM_PROPERTIES, .property = TPM2_PT_NV_BUFFER_MAX, .count = 1 };
	const TPML_TAGGED_TPM_PROPERTY *l = &c.data.data.tpmProperties;
	UINT32 v = NV_PIECE_DEFAULT;
	TSS2_RC rc = tpm_run(t, property_op, &c);

	if (rc != TSS2_RC_SUCCESS)
		return rc;
	if (l->count == 1 && l->tpmProperty[0].property == TPM2_PT_NV_BUFFER_MAX && l->tpmProperty[0].value > 0)
		v = l->tpmProperty[0].value;
	t->nv_buffer_max = (uint16_t)(v < TPM2_MAX_NV_BUFFER_SIZE ? v : TPM2_MAX_NV_BUFFER_SIZE);
	return TSS2_RC_SUCCESS;
}

TSS2_RC tpm_init(struct tpm *t, TSS2_TCTI_CONTEXT *tcti)
{
	TSS2_RC rc;

	t->sys = NULL;
	t->banks = 0;
	t->unknown_banks = false;
	t->nv_buffer_max = 0;
	memset(t->room, 0, sizeof(t->room));
	if (Tss2_Sys_GetContextSize(0) > sizeof(t->room))
		return TSS2_SYS_RC_INSUFFICIENT_CONTEXT;
	rc = sys_start(t, tcti);
	if (rc != TSS2_RC_SUCCESS)
		return rc;
	t->sys = (TSS2_SYS_CONTEXT *)t->room;
	rc = read_banks(t);
	if (rc == TSS2_RC_SUCCESS)
		rc = read_nv_buffer_max(t);
	if (rc != TSS2_RC_SUCCESS)
		tpm_done(t);
	return rc;
}

void tpm_done(struct tpm *t)
{
	if (!t->sys)
		return;
	Tss2_Sys_Finalize(t->sys);
	tpm_wipe(t->room, sizeof(t->room));
	t->sys = NULL;
}

/* ---- PCRs ---- */

struct extend {
	unsigned pcr;
	TPML_DIGEST_VALUES values;
};

static TSS2_RC extend_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct extend *e = args;
	TSS2L_SYS_AUTH_COMMAND auth;
	TSS2L_SYS_AUTH_RESPONSE answer = { .count = 0 };
	TSS2_RC rc;

	tpm_password(&auth, (struct span){ NULL, 0 });
	rc = Tss2_Sys_PCR_Extend(sys, e->pcr, &auth, &e->values, &answer);
	if (rc == TSS2_RC_SUCCESS && (!tpm_password_answered(&answer) || !tpm_parameters_are(sys, 0)))
		return TSS2_SYS_RC_MALFORMED_RESPONSE;
	return rc;
}

TSS2_RC tpm_extend(struct tpm *t, unsigned pcr, const struct digests *d)
{
	struct extend e = { .pcr = pcr };

	/* The TPM takes digests for inactive banks, or none at all, with success and measures nothing. */
	if (pcr >= PCR_COUNT || t->banks == 0 || t->banks & ~d->banks)
		return TSS2_SYS_RC_BAD_VALUE;
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		if (!(t->banks & ALG_BIT(a)))
			continue;

		TPMT_HA *v = &e.values.digests[e.values.count++];

		v->hashAlg = alg_table[a].tpm_id;
		memcpy(&v->digest, d->d[a], alg_table[a].size);
	}
	return tpm_run(t, extend_op, &e);
}

struct pcr_read {
	TPML_PCR_SELECTION want, got;
	UINT32 counter;
	TPML_DIGEST digests;
};

static TSS2_RC pcr_read_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct pcr_read *p = args;
	size_t n;
	TSS2_RC rc;

	memset(&p->got, 0, sizeof(p->got));
	memset(&p->digests, 0, sizeof(p->digests));
	rc = Tss2_Sys_PCR_Read(sys, NULL, &p->want, &p->counter, &p->got, &p->digests, NULL);
	if (rc != TSS2_RC_SUCCESS)
		return rc;
	n = 8 + selections_size(&p->got);
	for (unsigned i = 0; i < p->digests.count && i < GL_COUNT(p->digests.digests); i++)
		n += 2u + p->digests.digests[i].size;
	return tpm_parameters_are(sys, n) ? rc : TSS2_SYS_RC_MALFORMED_RESPONSE;
}

static void select_pcrs(const uint32_t left[ALG_COUNT], TPML_PCR_SELECTION *out)
{
	memset(out, 0, sizeof(*out));
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		if (left[a] == 0)
			continue;

		TPMS_PCR_SELECTION *s = &out->pcrSelections[out->count++];

		s->hash = alg_table[a].tpm_id;
		s->sizeofSelect = PCR_COUNT / 8;
		for (unsigned i = 0; i < PCR_COUNT / 8; i++)
			s->pcrSelect[i] = (BYTE)(left[a] >> 8 * i);
	}
}

/*
 * Stores what came and takes it off `left`. False if the answer is not one to the question: a bank or PCR that was not asked for or
 * comes twice, more or fewer digests than selected, a wrong size, nothing at all.
 */
GL_MUST static bool take_pcrs(const struct pcr_read *p, uint32_t left[ALG_COUNT], struct pcrs *out)
{
	unsigned next = 0;

	if (p->got.count > GL_COUNT(p->got.pcrSelections) || p->digests.count > GL_COUNT(p->digests.digests))
		return false;
	for (unsigned i = 0; i < p->got.count; i++) {
		uint32_t mask;
		enum alg a;

		if (!selection_mask(&p->got.pcrSelections[i], &mask))
			return false;
		if (mask == 0)
			continue;
		if (!alg_by_id(p->got.pcrSelections[i].hash, &a) || mask & ~left[a])
			return false;
		left[a] &= ~mask;
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
			if (!(mask >> pcr & 1))
				continue;
			if (next >= p->digests.count || p->digests.digests[next].size != alg_table[a].size)
				return false;
			memcpy(out->v[a][pcr], p->digests.digests[next++].buffer, alg_table[a].size);
			out->known[a] |= UINT32_C(1) << pcr;
		}
	}
	return next > 0 && next == p->digests.count;
}

/* All pieces. `*changed`: PCRs changed on the way. */
GL_MUST static TSS2_RC read_pieces(struct tpm *t, uint32_t pcr_mask, struct pcrs *out, bool *changed)
{
	uint32_t left[ALG_COUNT] = { 0 };
	struct pcr_read p;
	UINT32 counter = 0;

	*changed = false;
	memset(out, 0, sizeof(*out));
	for (enum alg a = 0; a < ALG_COUNT; a++)
		left[a] = t->banks & ALG_BIT(a) ? pcr_mask : 0;
	for (bool first = true;; first = false) {
		TSS2_RC rc;

		select_pcrs(left, &p.want);
		if (p.want.count == 0)
			break;
		rc = tpm_run(t, pcr_read_op, &p);
		if (rc != TSS2_RC_SUCCESS)
			return rc;
		if (!take_pcrs(&p, left, out))
			return TSS2_SYS_RC_MALFORMED_RESPONSE;
		*changed = *changed || (!first && p.counter != counter);
		counter = p.counter;
	}
	out->banks = t->banks;
	return TSS2_RC_SUCCESS;
}

TSS2_RC tpm_read_pcrs(struct tpm *t, unsigned first, unsigned last, struct pcrs *out)
{
	uint32_t mask;
	TSS2_RC rc = TSS2_SYS_RC_BAD_VALUE;
	bool changed = true;

	if (first > last || last >= PCR_COUNT || t->banks == 0)
		return rc;
	mask = ((UINT32_C(1) << (last + 1)) - 1) & ~((UINT32_C(1) << first) - 1);
	/* The counter moves for any PCR, those that the running system extends included: after some tries, what we have is taken. */
	for (unsigned i = 0; i < PCR_RESTARTS_MAX && changed; i++) {
		rc = read_pieces(t, mask, out, &changed);
		if (rc != TSS2_RC_SUCCESS) {
			memset(out, 0, sizeof(*out));
			return rc;
		}
	}
	return rc;
}

/* ---- NV ---- */

struct nv_public {
	uint32_t index;
	TPM2B_NV_PUBLIC public;
	TPM2B_NAME name;
};

static TSS2_RC nv_public_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct nv_public *p = args;
	size_t n;
	TSS2_RC rc;

	memset(&p->public, 0, sizeof(p->public));
	memset(&p->name, 0, sizeof(p->name));
	rc = Tss2_Sys_NV_ReadPublic(sys, p->index, NULL, &p->public, &p->name, NULL);
	if (rc != TSS2_RC_SUCCESS)
		return rc;
	/* index 4, name algorithm 2, attributes 4, policy, size 2; each TPM2B has 2 more */
	n = 14u + p->public.nvPublic.authPolicy.size;
	if (p->public.size != n || !tpm_parameters_are(sys, 2 + n + 2 + p->name.size))
		return TSS2_SYS_RC_MALFORMED_RESPONSE;
	return rc;
}

TSS2_RC tpm_nv_public(struct tpm *t, uint32_t index, struct tpm_nv_public *out)
{
	struct nv_public p = { .index = index };
	const TPMS_NV_PUBLIC *v = &p.public.nvPublic;
	TSS2_RC rc = tpm_run(t, nv_public_op, &p);

	if (rc != TSS2_RC_SUCCESS)
		return rc;
	if (v->nvIndex != index || v->authPolicy.size > sizeof(out->policy))
		return TSS2_SYS_RC_MALFORMED_RESPONSE;
	memset(out, 0, sizeof(*out));
	out->attributes = v->attributes;
	out->size = v->dataSize;
	out->name_alg = v->nameAlg;
	out->policy_size = v->authPolicy.size;
	memcpy(out->policy, v->authPolicy.buffer, v->authPolicy.size);
	return TSS2_RC_SUCCESS;
}

struct nv_read {
	TPMI_RH_NV_AUTH auth;
	uint32_t index;
	struct span password;
	UINT16 size, offset;
	TPM2B_MAX_NV_BUFFER data;
};

static TSS2_RC nv_read_op(TSS2_SYS_CONTEXT *sys, void *args)
{
	struct nv_read *p = args;
	TSS2L_SYS_AUTH_COMMAND auth;
	TSS2L_SYS_AUTH_RESPONSE answer = { .count = 0 };
	TSS2_RC rc;

	p->data.size = 0;
	tpm_password(&auth, p->password);
	rc = Tss2_Sys_NV_Read(sys, p->auth, p->index, &auth, p->size, p->offset, &p->data, &answer);
	tpm_wipe(&auth, sizeof(auth));
	if (rc == TSS2_RC_SUCCESS &&
	    (!tpm_password_answered(&answer) || p->data.size != p->size || !tpm_parameters_are(sys, 2u + p->size)))
		return TSS2_SYS_RC_MALFORMED_RESPONSE;
	return rc;
}

TSS2_RC tpm_nv_read_as(struct tpm *t, TPMI_RH_NV_AUTH auth, struct span password, uint32_t index, struct mspan out)
{
	struct nv_read p = { .auth = auth, .index = index, .password = password };
	size_t done = 0;

	if (out.n > UINT16_MAX || t->nv_buffer_max == 0)
		return TSS2_SYS_RC_BAD_VALUE;
	/* Also an empty content is read once: whether it may be read is an answer too. */
	do {
		TSS2_RC rc;

		p.offset = (UINT16)done;
		p.size = (UINT16)(out.n - done < t->nv_buffer_max ? out.n - done : t->nv_buffer_max);
		rc = tpm_run(t, nv_read_op, &p);
		if (rc != TSS2_RC_SUCCESS) {
			if (out.n > 0)
				memset(out.p, 0, out.n);
			return rc;
		}
		if (p.size > 0)
			memcpy(out.p + done, p.data.buffer, p.size);
		done += p.size;
	} while (done < out.n);
	return TSS2_RC_SUCCESS;
}

TSS2_RC tpm_nv_read(struct tpm *t, uint32_t index, uint8_t *buf, size_t size)
{
	return tpm_nv_read_as(t, index, (struct span){ NULL, 0 }, index, (struct mspan){ buf, size });
}

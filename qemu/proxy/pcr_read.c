/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/proxy/pcr_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cursor.h"
#include "qemu/proxy/tpm_message.h"

#define CC_GET_CAPABILITY 0x17A
#define CC_PCR_READ 0x17E
#define CAP_PCRS 5 /* TPM_CAP_PCRS, TPM 2.0 Library part 2, 6.12 */
#define ORD_PCR_READ_12 0x15
#define BANKS_MAX 16 /* selections that we take in one list; tpm2-tss has the same limit (TPM2_NUM_PCR_BANKS) */
#define SELECT_BYTES (PCR_COUNT / 8)
#define ALL_PCRS ((1u << PCR_COUNT) - 1)

static_assert(PCR_COUNT == 24, "a selection of three bytes holds all PCRs");

struct reader {
	pcr_exchange *exchange;
	void *context;
	char *why;
	size_t why_size;
	uint8_t command[64];
	uint8_t room[TPM_MESSAGE_MAX];
};

static bool fail(struct reader *q, const char *text)
{
	snprintf(q->why, q->why_size, "%s", text);
	return false;
}

/* Completes the header of the command in `w`, sends it and leaves `r` behind the response's header. */
static bool ask(struct reader *q, struct wr *w, struct rd *r, struct tpm_header *header)
{
	struct wr size = wr_init((struct mspan){ q->command + 2, 4 });
	struct span response;

	if (w->bad)
		return fail(q, "command does not fit");
	wr_be32(&size, (uint32_t)w->off);
	if (!q->exchange(q->context, wr_span(w), (struct mspan){ q->room, sizeof(q->room) }, &response))
		return fail(q, "the TPM does not answer");
	if (!tpm_header(response, header) || header->size != response.n)
		return fail(q, "the TPM's answer is malformed");
	*r = rd_init(response);
	(void)rd_bytes(r, TPM_HEADER_SIZE);
	return true;
}

static struct wr begin(struct reader *q, uint16_t tag, uint32_t code)
{
	struct wr w = wr_init((struct mspan){ q->command, sizeof(q->command) });

	wr_be16(&w, tag);
	wr_be32(&w, 0);
	wr_be32(&w, code);
	return w;
}

bool pcr_selection_take(struct rd *r, uint32_t mask[ALG_COUNT])
{
	uint32_t count = rd_be32(r);
	uint32_t found[ALG_COUNT] = { 0 };

	if (count > BANKS_MAX)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		uint16_t id = rd_be16(r);
		struct span select = rd_bytes(r, rd_u8(r));
		enum alg a;

		if (!alg_by_id(id, &a))
			continue;
		for (size_t b = 0; b < select.n && b < SELECT_BYTES; b++)
			found[a] |= (uint32_t)select.p[b] << 8 * b;
	}
	if (r->bad)
		return false;
	memcpy(mask, found, sizeof(found));
	return true;
}

/* One PCR_Read: the TPM answers with as many of the wanted PCRs as fit; these bits go out of `left`. */
static bool read_some(struct reader *q, enum alg a, uint32_t *left, struct pcrs *out)
{
	struct wr w = begin(q, TPM_TAG_NO_SESSIONS, CC_PCR_READ);
	uint32_t mask[ALG_COUNT], count, index = 0;
	struct tpm_header h;
	struct rd r;

	wr_be32(&w, 1);
	wr_be16(&w, alg_table[a].tpm_id);
	wr_u8(&w, SELECT_BYTES);
	for (size_t b = 0; b < SELECT_BYTES; b++)
		wr_u8(&w, (uint8_t)(*left >> 8 * b));
	if (!ask(q, &w, &r, &h))
		return false;
	if (h.code != 0) {
		snprintf(q->why, q->why_size, "PCR_Read answers 0x%08" PRIx32, h.code);
		return false;
	}
	(void)rd_be32(&r); /* pcrUpdateCounter */
	if (!pcr_selection_take(&r, mask) || !mask[a] || mask[a] & ~*left)
		return fail(q, "PCR_Read answers other PCRs than asked for");
	count = rd_be32(&r);
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
		struct span digest;

		if (!(mask[a] >> pcr & 1))
			continue;
		digest = rd_bytes(&r, rd_be16(&r));
		if (!digest.p || digest.n != alg_table[a].size || ++index > count)
			return fail(q, "PCR_Read answers digests of a wrong size or number");
		memcpy(out->v[a][pcr], digest.p, digest.n);
		out->known[a] |= 1u << pcr;
	}
	if (index != count || !rd_done(&r))
		return fail(q, "PCR_Read's answer has bytes left over");
	*left &= ~mask[a];
	return true;
}

static bool read_20(struct reader *q, struct rd *capability, struct pcrs *out)
{
	uint32_t mask[ALG_COUNT];

	(void)rd_u8(capability); /* moreData */
	if (rd_be32(capability) != CAP_PCRS || !pcr_selection_take(capability, mask) || !rd_done(capability))
		return fail(q, "GetCapability answers something else than the PCR banks");
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		uint32_t left = mask[a] & ALL_PCRS;

		if (left)
			out->banks |= ALG_BIT(a);
		while (left)
			if (!read_some(q, a, &left, out))
				return false;
	}
	return true;
}

static bool read_12(struct reader *q, struct pcrs *out)
{
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
		struct wr w = begin(q, TPM_TAG_COMMAND_12, ORD_PCR_READ_12);
		struct tpm_header h;
		struct span digest;
		struct rd r;

		wr_be32(&w, pcr);
		if (!ask(q, &w, &r, &h))
			return false;
		if (h.code != 0) {
			snprintf(q->why, q->why_size, "TPM_PCRRead answers 0x%08" PRIx32, h.code);
			return false;
		}
		digest = rd_bytes(&r, alg_table[ALG_SHA1].size);
		if (!digest.p || !rd_done(&r))
			return fail(q, "TPM_PCRRead's answer is malformed");
		memcpy(out->v[ALG_SHA1][pcr], digest.p, digest.n);
		out->known[ALG_SHA1] |= 1u << pcr;
	}
	out->banks = ALG_BIT(ALG_SHA1);
	return true;
}

bool pcr_read_all(pcr_exchange *exchange, void *context, struct pcrs *out, char *why, size_t why_size)
{
	struct reader q = { .exchange = exchange, .context = context, .why = why, .why_size = why_size };
	struct wr w = begin(&q, TPM_TAG_NO_SESSIONS, CC_GET_CAPABILITY);
	struct pcrs found = { 0 };
	struct tpm_header h;
	struct rd r;
	bool ok;

	wr_be32(&w, CAP_PCRS);
	wr_be32(&w, 0); /* first property */
	wr_be32(&w, 1); /* count */
	if (!ask(&q, &w, &r, &h))
		return false;
	if (h.tag == TPM_TAG_RESPONSE_12) {
		ok = read_12(&q, &found);
	} else if (h.code != 0) {
		snprintf(why, why_size, "GetCapability answers 0x%08" PRIx32, h.code);
		ok = false;
	} else {
		ok = read_20(&q, &r, &found);
	}
	if (ok)
		*out = found;
	return ok;
}

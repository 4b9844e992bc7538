/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/smx_acm.h"

#include <stdlib.h>
#include <string.h>

#include "common/hash.h"

#define SDM "Intel SDM 2D 7.3 GETSEC[SENTER]"
#define ACM_ALIGNMENT 4096u
#define ACM_STEP 64u
#define FOUR_GIB 0x100000000ull
/* CodeControl: bits 0 and 1 how to react to snoop hits, bit 2 newer; the others are reserved. */
#define CONTROL_MASK 0x7u
#define GDT_LIMIT_MAX 0xffffu

/* The registers alone. */
static enum smx_rule check_place(const struct smx_config *f, uint32_t base, uint32_t size)
{
	if (base % ACM_ALIGNMENT)
		return SMX_RULE_ACM_ALIGNMENT;
	if (size % ACM_STEP)
		return SMX_RULE_ACM_SIZE;
	if (size < ACM_MIN_SIZE)
		return SMX_RULE_ACM_SMALL;
	if (size > f->acm_max_size)
		return SMX_RULE_ACM_LARGE;
	if ((uint64_t)base + size > FOUR_GIB - 1)
		return SMX_RULE_ACM_4G;
	return SMX_OK;
}

/* What the processor reads of the header, and only that: fields as in lcp/acm.h, sizes in bytes. */
struct header {
	uint16_t type;
	uint32_t length, version, size, control, gdt_limit, gdt_base, seg_sel, entry, key, scratch;
};

static struct header take_header(struct span acm)
{
	struct header h;
	struct rd r = rd_init(acm);

	h.type = rd_le16(&r);
	(void)rd_le16(&r);
	h.length = rd_le32(&r);
	h.version = rd_le32(&r);
	(void)rd_bytes(&r, 12); /* chipset, flags, vendor, date */
	h.size = rd_le32(&r);
	(void)rd_bytes(&r, 4); /* SVNs */
	h.control = rd_le32(&r);
	(void)rd_le32(&r); /* error entry point */
	h.gdt_limit = rd_le32(&r);
	h.gdt_base = rd_le32(&r);
	h.seg_sel = rd_le32(&r);
	h.entry = rd_le32(&r);
	(void)rd_bytes(&r, 64);
	h.key = rd_le32(&r);
	h.scratch = rd_le32(&r);
	return h;
}

static_assert(ACM_COMMON_SIZE == 4 + 4 + 4 + 12 + 4 + 4 + 4 + 5 * 4 + 64 + 8, "common part of the header, SDG A.1.1");

static enum smx_rule check_format(const struct smx_config *f, const struct header *h, uint32_t size)
{
	/* 64 bits: hostile sizes in dwords must not wrap. */
	uint64_t user = 4 * ((uint64_t)h->length + h->scratch);

	if ((h->version & f->acm_version_mask) != (f->acm_version & f->acm_version_mask))
		return SMX_RULE_ACM_VERSION;
	if (h->type != ACM_TYPE_CHIPSET)
		return SMX_RULE_ACM_MODULE_TYPE;
	if (4 * (uint64_t)h->size != size)
		return SMX_RULE_ACM_CLAIMED_SIZE;
	if (user >= size || 4 * (uint64_t)h->length < ACM_COMMON_SIZE + 4 * (uint64_t)h->key)
		return SMX_RULE_ACM_HEADER;
	if (h->control & ~CONTROL_MASK)
		return SMX_RULE_ACM_CONTROL;
	return SMX_OK;
}

static enum smx_rule check_entry(const struct header *h, uint32_t size)
{
	uint64_t user = 4 * ((uint64_t)h->length + h->scratch);

	if (h->gdt_limit > GDT_LIMIT_MAX || h->gdt_base < user || (uint64_t)h->gdt_base + h->gdt_limit >= size)
		return SMX_RULE_ACM_GDT;
	if (h->entry < user || h->entry >= size)
		return SMX_RULE_ACM_ENTRY;
	if (h->seg_sel < 8 || h->seg_sel & 7 || (uint64_t)h->seg_sel + 15 > h->gdt_limit)
		return SMX_RULE_ACM_SEGMENT;
	return SMX_OK;
}

/* The digest of the public key against TXT.PUBLIC.KEY. The signature itself is nobody's here and is not verified. */
static enum smx_rule check_key(const struct smx_machine *m, const struct header *h)
{
	struct digests d;

	hash_span(ALG_BIT(ALG_SHA256), (struct span){ m->acm + ACM_COMMON_SIZE, 4 * (size_t)h->key }, &d);
	return memcmp(d.d[ALG_SHA256], m->chipset->config.public_key, 32) == 0 ? SMX_OK : SMX_RULE_ACM_KEY;
}

enum smx_rule smx_load_acm(struct smx_machine *m, const struct smx_cpu *c)
{
	enum smx_rule rule = check_place(m->config, c->ebx, c->ecx);

	if (rule)
		return rule;

	uint8_t *bytes = malloc(c->ecx);

	free(m->acm);
	m->acm = bytes;
	m->acm_size = bytes ? c->ecx : 0;
	if (!bytes || !m->memory->read(m->memory->ctx, c->ebx, (struct mspan){ bytes, c->ecx }))
		return SMX_RULE_ACM_MEMORY;

	struct header h = take_header((struct span){ bytes, c->ecx });

	rule = check_format(m->config, &h, c->ecx);
	if (!rule)
		rule = check_key(m, &h);
	if (!rule)
		rule = check_entry(&h, c->ecx);
	if (!rule)
		txt_trace_add(m->trace, TXT_CPU, TXT_PASS, "smx-acm", SDM, false,
			"module of 0x%x bytes at 0x%08x is loaded; its key is the chipset's, its signature is not verified here",
			(unsigned)c->ecx, (unsigned)c->ebx);
	return rule;
}

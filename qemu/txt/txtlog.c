/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/txtlog.h"

#include <stdlib.h>
#include <string.h>

#define FOUR_GIB 0x100000000ull
#define DESCRIPTOR_REVISION 1
#define SHA1_SIZE 20
/* uintnSize in the Spec ID event: TCG_PCR_EVENT's header, signature, platform class, version. SINIT has 32-bit words, others' logs 64. */
#define UINTN_AT (32 + 16 + 4 + 3)
#define UINTN_32 1

static_assert(sizeof(TXTLOG_DESCRIPTOR_SIGNATURE) == 16, "TCG_LOG_DESCRIPTOR.Signature");

/* DigestAlgID of TCG_LOG_DESCRIPTOR, which is no TPM_ALG_ID. */
static const uint32_t descriptor_ids[ALG_COUNT] = {
	[ALG_SHA1] = 1,
	[ALG_SHA256] = 2,
	[ALG_SHA384] = 3,
	[ALG_SHA512] = 4,
};

static bool usable(const struct heap_log *l)
{
	return l->base && l->base + l->size >= l->base && l->base + l->size <= FOUR_GIB && l->first < l->size;
}

/* A TCG_PCR_EVENT with a zero SHA-1 digest that says what the log is. */
static void put_descriptor(struct wr *w, enum alg a)
{
	static const uint8_t zero[SHA1_SIZE];

	wr_le32(w, 0);
	wr_le32(w, EV_NO_ACTION);
	wr_bytes(w, SPAN_OF(zero));
	wr_le32(w, sizeof(TXTLOG_DESCRIPTOR_SIGNATURE) + 12);
	wr_bytes(w, SPAN_OF(TXTLOG_DESCRIPTOR_SIGNATURE));
	wr_le32(w, DESCRIPTOR_REVISION);
	wr_le32(w, descriptor_ids[a]);
	wr_le32(w, alg_table[a].size);
}

static void put_event(struct wr *w, enum alg a, uint32_t pcr, uint32_t type, const struct digests *d, struct span data)
{
	wr_le32(w, pcr);
	wr_le32(w, type);
	wr_bytes(w, digest_span(d, a));
	wr_le32(w, (uint32_t)data.n);
	wr_bytes(w, data);
}

static size_t room_of(const struct heap_log *l)
{
	size_t room = l->size - l->first;

	return room < TXTLOG_MAX ? room : TXTLOG_MAX;
}

/* Chooses the elements' logs that will be written, without memory yet. */
static enum txt_rule choose(struct txtlog *l, const struct heap_os_sinit *o)
{
	if (l->tcg) {
		if (!o->has_tcg_log || !usable(&o->tcg_log))
			return TXT_RULE_HEAP_LOG;
		l->logs[0].where = &o->tcg_log;
		l->count = 1;
		return TXT_OK;
	}
	if (o->log_count == 0)
		return TXT_RULE_HEAP_LOG;

	alg_set left = l->banks;

	for (unsigned i = 0; i < o->log_count; i++) {
		enum alg a;

		if (!alg_by_id(o->logs[i].alg, &a) || !(left & ALG_BIT(a)))
			continue;
		if (!usable(&o->logs[i]))
			return TXT_RULE_HEAP_LOG;
		left &= ~ALG_BIT(a);
		l->logs[l->count].alg = a;
		l->logs[l->count++].where = &o->logs[i];
	}
	return left ? TXT_RULE_HEAP_LOG_BANKS : TXT_OK;
}

static enum txt_rule begin(struct txtlog *l, struct txtlog_one *one)
{
	struct wr w = wr_init(one->bytes);

	if (l->tcg) {
		if (!eventlog_begin(&one->tcg, one->bytes, l->banks))
			return TXT_RULE_HEAP_LOG;
		one->bytes.p[UINTN_AT] = UINTN_32;
		return TXT_OK;
	}
	if (one->alg != ALG_SHA1)
		put_descriptor(&w, one->alg);
	one->n = w.off;
	return w.bad ? TXT_RULE_HEAP_LOG : TXT_OK;
}

enum txt_rule txtlog_open(struct txtlog *l, const struct heap_os_sinit *o, bool tcg, alg_set banks)
{
	size_t total = 0;
	enum txt_rule rule;

	*l = (struct txtlog){ .tcg = tcg, .banks = banks };
	rule = choose(l, o);
	for (unsigned i = 0; i < l->count; i++)
		total += room_of(l->logs[i].where);
	if (rule)
		return rule;
	l->memory = (struct mspan){ calloc(1, total), total };
	if (!l->memory.p)
		return TXT_RULE_HEAP_LOG;
	total = 0;
	for (unsigned i = 0; i < l->count && !rule; i++) {
		struct txtlog_one *one = &l->logs[i];

		one->bytes = (struct mspan){ l->memory.p + total, room_of(one->where) };
		total += one->bytes.n;
		rule = begin(l, one);
	}
	return rule;
}

enum txt_rule txtlog_append(struct txtlog *l, uint32_t pcr, uint32_t type, const struct digests *d, struct span data)
{
	for (unsigned i = 0; i < l->count; i++) {
		struct txtlog_one *one = &l->logs[i];
		struct wr w = wr_init((struct mspan){ one->bytes.p + one->n, one->bytes.n - one->n });

		if (l->tcg)
			return eventlog_append(&one->tcg, pcr, type, d, data) ? TXT_OK : TXT_RULE_LOG_SIZE;
		put_event(&w, one->alg, pcr, type, d, data);
		if (w.bad) {
			memset(one->bytes.p + one->n, 0, one->bytes.n - one->n);
			return TXT_RULE_LOG_SIZE;
		}
		one->n += w.off;
	}
	return TXT_OK;
}

void txtlog_fill(struct txtlog *l, size_t room)
{
	static const uint8_t zeros[TXTLOG_MAX];
	struct digests none = { .banks = l->banks };
	struct eventlog *log = &l->logs[0].tcg;
	size_t used, left;

	if (!l->tcg)
		return;
	/* The record without data tells how much of it are data. */
	used = log->n;
	if (!eventlog_append(log, 0, EV_NO_ACTION, &none, (struct span){ NULL, 0 }))
		return;
	left = log->buf.n - log->n;
	log->n = used;
	if (left > room)
		(void)!eventlog_append(log, 0, EV_NO_ACTION, &none, (struct span){ zeros, left - room });
}

enum txt_rule txtlog_store(const struct txtlog *l, const struct txt_memory *m, uint64_t table)
{
	for (unsigned i = 0; i < l->count; i++) {
		const struct txtlog_one *one = &l->logs[i];
		struct span bytes = l->tcg ? eventlog_bytes(&one->tcg) : (struct span){ one->bytes.p, one->n };
		uint8_t next[4];
		struct wr w = wr_init((struct mspan){ next, sizeof(next) });

		wr_le32(&w, (uint32_t)(one->where->first + bytes.n));
		if (!m->write(m->ctx, one->where->base + one->where->first, bytes) ||
			!m->write(m->ctx, table + one->where->next_at, SPAN_OF(next)))
			return TXT_RULE_MACHINE;
	}
	return TXT_OK;
}

struct txt_range txtlog_range(const struct txtlog *l, unsigned i)
{
	return (struct txt_range){ l->logs[i].where->base, l->logs[i].where->size };
}

void txtlog_free(struct txtlog *l)
{
	free(l->memory.p);
	*l = (struct txtlog){ .count = 0 };
}

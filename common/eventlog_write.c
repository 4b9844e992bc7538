/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/cursor.h"
#include "common/eventlog_wire.h"

/* Where a log says what it is: a TCG_PCR_EVENT of this type on PCR 0 with a zero digest. */
static void put_spec_id(struct wr *w, alg_set banks)
{
	static const uint8_t zero_digest[20];
	uint32_t count = 0;

	for (enum alg a = 0; a < ALG_COUNT; a++)
		count += (banks & ALG_BIT(a)) != 0;

	wr_le32(w, 0);
	wr_le32(w, EV_NO_ACTION);
	wr_bytes(w, SPAN_OF(zero_digest));
	wr_le32(w, (uint32_t)(WIRE_SPEC_ID_FIXED + count * WIRE_SPEC_ID_ALG + 1));

	wr_bytes(w, SPAN_OF(WIRE_SPEC_ID_SIGNATURE));
	wr_le32(w, 0); /* platform class: client */
	wr_u8(w, 0);   /* specification version, minor */
	wr_u8(w, 2);   /* major */
	wr_u8(w, 0);   /* errata */
	wr_u8(w, 2);   /* UINTN has 64 bits */
	wr_le32(w, count);
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		if (!(banks & ALG_BIT(a)))
			continue;
		wr_le16(w, alg_table[a].tpm_id);
		wr_le16(w, alg_table[a].size);
	}
	wr_u8(w, 0); /* no vendor information */
}

static void put_event(struct wr *w, alg_set banks, uint32_t pcr, uint32_t type, const struct digests *d, struct span data)
{
	uint32_t count = 0;

	for (enum alg a = 0; a < ALG_COUNT; a++)
		count += (banks & ALG_BIT(a)) != 0;

	wr_le32(w, pcr);
	wr_le32(w, type);
	wr_le32(w, count);
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		if (!(banks & ALG_BIT(a)))
			continue;
		wr_le16(w, alg_table[a].tpm_id);
		wr_bytes(w, digest_span(d, a));
	}
	wr_le32(w, (uint32_t)data.n);
	wr_bytes(w, data);
}

bool eventlog_begin(struct eventlog *l, struct mspan buf, alg_set banks)
{
	struct wr w = wr_init(buf);

	banks &= ALG_SET_ALL;
	if (banks == 0 || !buf.p)
		return false;
	put_spec_id(&w, banks);
	if (w.bad)
		return false;
	*l = (struct eventlog){ .buf = buf, .n = w.off, .banks = banks };
	return true;
}

bool eventlog_append(struct eventlog *l, uint32_t pcr, uint32_t type, const struct digests *d, struct span data)
{
	struct wr size = wr_measure();
	struct wr w = wr_init((struct mspan){ l->buf.p + l->n, l->buf.n - l->n });

	if ((l->banks & ~d->banks) != 0 || data.n > UINT32_MAX)
		return false;
	/* The size first: what lies behind the log is padding for its readers and must stay as it is if the event does not fit. */
	put_event(&size, l->banks, pcr, type, d, data);
	if (size.bad || size.off > w.s.n)
		return false;
	put_event(&w, l->banks, pcr, type, d, data);
	if (w.bad)
		return false;
	l->n += w.off;
	return true;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "common/cursor.h"
#include "efi/core/handoff.h"
#include "txt/range.h"

static_assert(HANDOFF_GDT >= HANDOFF_CODE_MAX && HANDOFF_GDTR == HANDOFF_GDT + 3 * 8 && HANDOFF_ENTRY >= HANDOFF_GDTR + 2 + 8, "block");
static_assert(HANDOFF_COUNT == HANDOFF_ENTRY + 12 && HANDOFF_COPIES >= HANDOFF_COUNT + 4, "block");
static_assert(HANDOFF_COPIES + HANDOFF_COPIES_MAX * HANDOFF_COPY_SIZE + 1024 <= HANDOFF_STACK && HANDOFF_STACK <= HANDOFF_SIZE, "block");
static_assert(sizeof(struct handoff_copy) == HANDOFF_COPY_SIZE, "read by handoff.S");

#define FOUR_GIB (UINT64_C(1) << 32)

/* Flat segments of 4 GiB, accessed: SDM volume 3A, 3.4.5. */
#define DESCRIPTOR_CODE UINT64_C(0x00cf9b000000ffff)
#define DESCRIPTOR_DATA UINT64_C(0x00cf93000000ffff)

static struct txt_range source(const struct handoff_copy *c)
{
	return (struct txt_range){ c->from, c->bytes };
}

static struct txt_range result(const struct handoff_copy *c)
{
	return (struct txt_range){ c->to, (uint64_t)c->bytes + c->zeros };
}

static bool copies_are_good(const struct handoff *h, struct txt_range block)
{
	const struct txt_range low = { 0, FOUR_GIB };

	for (size_t i = 0; i < h->count; i++) {
		struct txt_range to = result(&h->copies[i]);

		if (!txt_range_contains(low, to) || !txt_range_contains(low, source(&h->copies[i])) || txt_range_overlaps(to, block))
			return false;
		for (size_t k = 0; k < h->count; k++)
			if (txt_range_overlaps(to, source(&h->copies[k])) || (k != i && txt_range_overlaps(to, result(&h->copies[k]))))
				return false;
	}
	return true;
}

bool handoff_write(const struct handoff *h, struct span code, uint32_t address, struct mspan block)
{
	struct wr w;

	if (code.n > HANDOFF_CODE_MAX || h->count > HANDOFF_COPIES_MAX || block.n != HANDOFF_SIZE || address > FOUR_GIB - HANDOFF_SIZE)
		return false;
	if (!copies_are_good(h, (struct txt_range){ address, HANDOFF_SIZE }))
		return false;
	memset(block.p, 0, block.n);
	memcpy(block.p, code.p, code.n);
	w = wr_init((struct mspan){ block.p + HANDOFF_GDT + 8, HANDOFF_STACK - HANDOFF_GDT - 8 });
	wr_le64(&w, DESCRIPTOR_CODE);
	wr_le64(&w, DESCRIPTOR_DATA);
	wr_le16(&w, 3 * 8 - 1);
	wr_le64(&w, (uint64_t)address + HANDOFF_GDT);
	w.off = HANDOFF_ENTRY - HANDOFF_GDT - 8;
	wr_le32(&w, h->entry);
	wr_le32(&w, h->magic);
	wr_le32(&w, h->info);
	wr_le32(&w, (uint32_t)h->count);
	w.off = HANDOFF_COPIES - HANDOFF_GDT - 8;
	for (size_t i = 0; i < h->count; i++) {
		wr_le32(&w, h->copies[i].to);
		wr_le32(&w, h->copies[i].from);
		wr_le32(&w, h->copies[i].bytes);
		wr_le32(&w, h->copies[i].zeros);
	}
	return !w.bad;
}

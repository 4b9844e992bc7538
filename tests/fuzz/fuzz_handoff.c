/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The block that hands over to tboot. Input: u32 entry, magic, info and address of the block, u16 bytes of code, then copies of four u32 each.
 * It is written exactly if no copy can spoil another, the block or the code that runs in it, and then says what it was given.
 */
#include "efi/core/handoff.h"
#include "tests/fuzz/exact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

struct place {
	uint64_t from, to;
};

/* Nothing is in both; what is empty is nowhere. */
static bool apart(struct place a, struct place b)
{
	return a.from == a.to || b.from == b.to || a.to <= b.from || b.to <= a.from;
}

static struct place read_by(const struct handoff_copy *c)
{
	return (struct place){ c->from, (uint64_t)c->from + c->bytes };
}

static struct place written_by(const struct handoff_copy *c)
{
	return (struct place){ c->to, (uint64_t)c->to + c->bytes + c->zeros };
}

static bool sound(const struct handoff *h, uint32_t address, size_t code)
{
	const struct place block = { address, (uint64_t)address + HANDOFF_SIZE };

	if (code > HANDOFF_CODE_MAX || block.to > UINT64_C(1) << 32)
		return false;
	for (size_t i = 0; i < h->count; i++) {
		const struct handoff_copy *c = &h->copies[i];

		if (written_by(c).to > UINT64_C(1) << 32 || read_by(c).to > UINT64_C(1) << 32 || !apart(written_by(c), block))
			return false;
		for (size_t k = 0; k < h->count; k++)
			if (!apart(written_by(c), read_by(&h->copies[k])) || (k != i && !apart(written_by(c), written_by(&h->copies[k]))))
				return false;
	}
	return true;
}

static uint64_t field(const uint8_t *block, size_t at, size_t width)
{
	struct rd r = rd_init((struct span){ block + at, width });

	return rd_le(&r, width);
}

/* As efi/handoff.S reads it. */
static void check_block(const struct handoff *h, uint32_t address, struct span code, const uint8_t *block)
{
	check(code.n == 0 || memcmp(block, code.p, code.n) == 0);
	check(field(block, HANDOFF_GDTR, 2) == 23 && field(block, HANDOFF_GDTR + 2, 8) == (uint64_t)address + HANDOFF_GDT);
	check(field(block, HANDOFF_GDT, 8) == 0 && field(block, HANDOFF_GDT + HANDOFF_CS + 5, 1) == 0x9b &&
		field(block, HANDOFF_GDT + HANDOFF_DS + 5, 1) == 0x93);
	check(field(block, HANDOFF_ENTRY, 4) == h->entry && field(block, HANDOFF_MAGIC, 4) == h->magic &&
		field(block, HANDOFF_INFO, 4) == h->info && field(block, HANDOFF_COUNT, 4) == h->count);
	for (size_t i = 0; i < h->count; i++) {
		size_t at = HANDOFF_COPIES + i * HANDOFF_COPY_SIZE;

		check(field(block, at, 4) == h->copies[i].to && field(block, at + 4, 4) == h->copies[i].from);
		check(field(block, at + 8, 4) == h->copies[i].bytes && field(block, at + 12, 4) == h->copies[i].zeros);
	}
	for (size_t i = HANDOFF_COPIES + h->count * HANDOFF_COPY_SIZE; i < HANDOFF_SIZE; i++)
		check(block[i] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	__attribute__((cleanup(exact_free))) struct exact x = { .count = 0 };
	struct rd r = rd_init((struct span){ data, size });
	struct mspan block = exact_span(&x, HANDOFF_SIZE), code;
	struct handoff h = { .entry = rd_le32(&r), .magic = rd_le32(&r), .info = rd_le32(&r) };
	uint32_t address = rd_le32(&r);
	bool written;

	code = exact_span(&x, rd_le16(&r) % (HANDOFF_CODE_MAX + 8));
	while (h.count < HANDOFF_COPIES_MAX && rd_left(&r) >= HANDOFF_COPY_SIZE)
		h.copies[h.count++] = (struct handoff_copy){ rd_le32(&r), rd_le32(&r), rd_le32(&r), rd_le32(&r) };
	written = handoff_write(&h, (struct span){ code.p, code.n }, address, block);
	check(written == sound(&h, address, code.n));
	if (written)
		check_block(&h, address, (struct span){ code.p, code.n }, block.p);
	else
		check(block.p[0] == 0xaa && block.p[HANDOFF_SIZE - 1] == 0xaa);
	h.count = HANDOFF_COPIES_MAX + 1;
	check(!handoff_write(&h, (struct span){ code.p, code.n }, address, block));
	return 0;
}

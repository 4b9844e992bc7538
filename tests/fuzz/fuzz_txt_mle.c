/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page tables and header of an MLE. Input: u32 page table, u32 size, u32 linear address of the header, then pieces of guest memory: u32 address,
 * u16 size, bytes; the rest is 0. What passes the checks must keep the rules and hash to what a plain walk reads.
 */
#include <stdlib.h>
#include <string.h>

#include "qemu/txt/mle.h"

#define RAM (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t ram[RAM];

static bool read_ram(void *ctx, uint64_t at, struct mspan out)
{
	(void)ctx;
	if (at > RAM || out.n > RAM - at)
		return false;
	memcpy(out.p, ram + at, out.n);
	return true;
}

static bool write_ram(void *ctx, uint64_t at, struct span in)
{
	(void)ctx;
	(void)at;
	(void)in;
	abort(); /* nothing here writes */
}

static uint64_t entry(uint64_t table, uint64_t i)
{
	struct rd r = rd_init((struct span){ ram + table + 8 * i, 8 });

	return rd_le64(&r) & 0x000ffffffffff000ull;
}

static void check_launch(const struct txt_memory *m, const struct mle *mle)
{
	uint64_t last = 0;
	struct digests have, want;
	struct hash h;

	if (mle->header.start >= mle->header.end || mle->header.end > mle->size || mle->entry_physical >= RAM)
		abort();
	hash_init(&h, ALG_BIT(ALG_SHA256));
	for (uint64_t at = 0; at < mle->size; at += MLE_PAGE) {
		uint64_t page = entry(entry(entry(mle->ptab, 0), at >> 21), at >> 12 & 511);
		uint64_t from = at < mle->header.start ? mle->header.start - at : 0;
		uint64_t to = at + MLE_PAGE > mle->header.end ? (mle->header.end > at ? mle->header.end - at : 0) : MLE_PAGE;

		if (page <= last || page + MLE_PAGE > RAM)
			abort();
		last = page;
		if (from < to)
			hash_update(&h, (struct span){ ram + page + from, (size_t)(to - from) });
	}
	hash_final(&h, &want);
	if (!mle_hash(m, mle, ALG_BIT(ALG_SHA256), &have) || !digests_equal(&have, &want))
		abort();
}

/* Puts the pieces of the input into memory, or takes them out again: clearing all of it would take longer than the checks. */
static void put_pieces(struct rd *r, bool in)
{
	while (rd_left(r) > 0) {
		uint32_t at = rd_le32(r);
		struct span bytes = rd_bytes(r, rd_le16(r));

		if (bytes.n == 0 || at > RAM || bytes.n > RAM - at)
			continue;
		if (in)
			memcpy(ram + at, bytes.p, bytes.n);
		else
			memset(ram + at, 0, bytes.n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct txt_memory m = { read_ram, write_ram, NULL };
	struct rd r = rd_init((struct span){ data, size });
	struct mle_request q = {
		.min_version = 0x20000,
		.capabilities = 3,
		.heap = { 0xc0000, 0x1000 },
		.sinit = { 0xd0000, 0x1000 },
		.protect = { { 0, 0xd8000 } },
		.protect_count = 1,
		.ram = { { 0, 0xe0000 } },
		.ram_count = 1,
		.logs = { { 0x9e000, 0x1000 }, { 0xa0000, 0x1000 } },
		.log_count = 2,
	};
	struct mle mle;
	struct mle_where where;
	struct rd pieces;

	q.ptab = rd_le32(&r);
	q.size = rd_le32(&r);
	q.header = rd_le32(&r);
	if (r.bad)
		return 0;
	pieces = r;
	put_pieces(&pieces, true);
	if (mle_check(&m, &q, &mle, &where) == TXT_OK)
		check_launch(&m, &mle);
	put_pieces(&r, false);
	return 0;
}

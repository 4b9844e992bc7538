/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Page tables and header of an MLE. Input: u32 page table, u32 size, u32 linear address of the header, then guest memory from 0 on. What passes the
 * checks must keep the rules and hash to what a plain walk reads.
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct txt_memory m = { read_ram, write_ram, NULL };
	struct rd r = rd_init((struct span){ data, size });
	struct mle_request q = {
		.min_version = 0x20000,
		.capabilities = 3,
		.heap = { 0xc0000, 0x1000 },
		.sinit = { 0xd0000, 0x1000 },
		.protect = { { 0, RAM } },
		.protect_count = 1,
		.ram = { { 0, 0xe0000 } },
		.ram_count = 1,
	};
	struct mle mle;
	struct mle_where where;
	struct span memory;

	q.ptab = rd_le32(&r);
	q.size = rd_le32(&r);
	q.header = rd_le32(&r);
	memory = rd_bytes(&r, rd_left(&r) < RAM ? rd_left(&r) : RAM);
	if (r.bad)
		return 0;
	memset(ram, 0, sizeof(ram));
	if (memory.n)
		memcpy(ram, memory.p, memory.n);
	if (mle_check(&m, &q, &mle, &where) == TXT_OK)
		check_launch(&m, &mle);
	return 0;
}

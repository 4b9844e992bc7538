/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ELF images without their runs of zeros. Input: u8 number of runs, for each u16 where and u16 how many 64 bytes of zeros; then the file into
 * which they are put, each at its place of what is there by then. What is packed is smaller, is the same in memory, has its multiboot2 header at the
 * same place, and is measured the same if it is an MLE.
 */
#include "boot/elf.h"
#include "boot/multiboot2_header.h"
#include "cli/elf_pack.h"
#include "lcp/mle_image.h"
#include "tests/fuzz/exact.h"

#define RUNS_MAX 8
#define RUN_UNIT ((size_t)64)
#define FILE_MAX ((size_t)1 << 20)
#define MEMORY_MAX ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void insert(uint8_t *file, size_t *n, size_t at, size_t zeros)
{
	if (at > *n || zeros > FILE_MAX - *n)
		return;
	memmove(file + at + zeros, file + at, *n - at);
	memset(file + at, 0, zeros);
	*n += zeros;
}

static void same_in_memory(struct span file, const struct elf_plan *p, struct span packed, const struct elf_plan *q)
{
	size_t n = (size_t)(p->high - p->low);
	uint8_t *a, *b;

	check(p->low == q->low && p->high == q->high && p->entry == q->entry && p->is64 == q->is64 && p->count <= q->count);
	if (p->high - p->low > MEMORY_MAX)
		return;
	a = malloc(n);
	b = malloc(n);
	check(a && b && elf_load(file, p, (struct mspan){ a, n }) && elf_load(packed, q, (struct mspan){ b, n }));
	check(memcmp(a, b, n) == 0);
	free(a);
	free(b);
}

static void same_measured(struct span file, struct span packed)
{
	struct lcp_mle m, k;
	struct digests a, b;
	enum lcp_error e, f;

	if (lcp_mle_find(file, &m) != LCP_OK || m.size > MEMORY_MAX)
		return;
	check(lcp_mle_find(packed, &k) == LCP_OK);
	e = lcp_mle_digest(&m, NULL, ALG_BIT(ALG_SHA256), &a);
	f = lcp_mle_digest(&k, NULL, ALG_BIT(ALG_SHA256), &b);
	check(e == f && (e || digests_equal(&a, &b)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	__attribute__((cleanup(exact_free))) struct exact x = { .count = 0 };
	static uint8_t room[FILE_MAX];
	struct rd r = rd_init((struct span){ data, size });
	size_t runs = rd_u8(&r) % (RUNS_MAX + 1), n, packed_size = 0;
	struct rd places = rd_init(rd_bytes(&r, 4 * runs));
	struct span rest = rd_bytes(&r, rd_left(&r)), file, packed;
	uint8_t *bytes = NULL;
	struct elf_plan p, q;
	struct mb2_header h, k;

	if (r.bad || rest.n > FILE_MAX)
		return 0;
	n = rest.n;
	if (n)
		memcpy(room, rest.p, n);
	for (size_t i = 0; i < runs; i++) {
		size_t at = rd_le16(&places);

		insert(room, &n, at, RUN_UNIT * rd_le16(&places));
	}
	file = exact_copy(&x, (struct span){ room, n });
	if (!elf_pack(file, &bytes, &packed_size)) {
		check(!bytes && packed_size == 0);
		return 0;
	}
	packed = (struct span){ bytes, packed_size };
	check(packed.n + ELF_PACK_RUN <= file.n);
	check(elf_plan(file, &p) == ELF_OK && elf_plan(packed, &q) == ELF_OK);
	same_in_memory(file, &p, packed, &q);
	if (mb2_header_parse(file, &h) == MB2_HEADER_OK)
		check(mb2_header_parse(packed, &k) == MB2_HEADER_OK && h.offset == k.offset && h.tags == k.tags && h.entry == k.entry);
	same_measured(file, packed);
	free(bytes);
	return 0;
}

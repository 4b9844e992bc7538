/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Multiboot2 information. Input: the information. What opens is walked and every getter tried on every tag; a copy of all tags must read
 * the same, and what the typed writer makes of the values that were read must read the same too.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/multiboot2_info.h"
#include "tests/fuzz/exact.h"

#define MAX_COPY ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static bool inside(struct span s, struct span whole)
{
	return s.n == 0 || (s.p >= whole.p && s.p + s.n <= whole.p + whole.n);
}

/* Writes a tag anew from the values in it. False if it has none. */
static bool rewrite(struct mb2_writer *w, const struct mb2_tag *t, struct span whole)
{
	struct mb2_module m;
	struct mb2_efi_mmap em;
	struct mb2_framebuffer f;
	struct span text;
	uint32_t a, b;
	uint64_t v;

	if (mb2_get_text(t, &text)) {
		check(inside(text, whole));
		t->type == MB2_CMDLINE ? mb2_put_cmdline(w, text) : mb2_put_loader_name(w, text);
	} else if (mb2_get_module(t, &m)) {
		check(inside(m.string, whole) && m.start <= m.end);
		mb2_put_module(w, &m);
	} else if (mb2_get_basic_meminfo(t, &a, &b)) {
		mb2_put_basic_meminfo(w, a, b);
	} else if (mb2_get_number(t, &v)) {
		mb2_put_number(w, t->type, v);
	} else if (mb2_get_efi_mmap(t, &em)) {
		check(inside(em.map, whole) && em.map.n % em.descriptor_size == 0);
		mb2_put_efi_mmap(w, em.descriptor_size, em.descriptor_version, em.map);
	} else if (mb2_get_framebuffer(t, &f) && f.type != MB2_FRAMEBUFFER_INDEXED) {
		mb2_put_framebuffer(w, &f);
	} else {
		return false;
	}
	return true;
}

static void try_mmap(const struct mb2_tag *t, struct span whole)
{
	static struct mb2_memory entries[1024];
	struct mb2_writer w;
	struct mb2_info info;
	struct mb2_tag again;
	struct mb2_mmap m;
	__attribute__((cleanup(exact_free))) struct exact x = { 0 };
	struct mspan copy, less;
	size_t n = 0, size = 0;

	if (!mb2_get_mmap(t, &m))
		return;
	check(inside(m.entries, whole) && m.count * m.entry_size == m.entries.n);
	for (size_t i = 0; i < m.count; i++)
		if (i < GL_COUNT(entries))
			entries[n++] = mb2_mmap_entry(&m, i);
	mb2_begin_measure(&w);
	mb2_put_mmap(&w, entries, n);
	check(mb2_end(&w, &size) && size <= MAX_COPY);
	less = exact_span(&x, size - 1);
	mb2_begin(&w, less);
	mb2_put_mmap(&w, entries, n);
	check(!mb2_end(&w, &size));
	copy = exact_span(&x, less.n + 1);
	mb2_begin(&w, copy);
	mb2_put_mmap(&w, entries, n);
	check(mb2_end(&w, &size) && mb2_info_open((struct span){ copy.p, size }, &info) == MB2_INFO_OK);
	check(mb2_find(&info, MB2_MMAP, &again) && mb2_get_mmap(&again, &m) && m.count == n);
}

/* Tag by tag from its values: the second time nothing changes any more. */
static void typed(const struct mb2_tag *t, struct span whole)
{
	struct mb2_writer w;
	struct mb2_info info;
	struct mb2_tag again;
	__attribute__((cleanup(exact_free))) struct exact x = { 0 };
	struct mspan copy, second;
	size_t n = 0, k = 0;

	mb2_begin_measure(&w);
	if (!rewrite(&w, t, whole))
		return;
	check(mb2_end(&w, &n));
	copy = exact_span(&x, n);
	mb2_begin(&w, copy);
	check(rewrite(&w, t, whole) && mb2_end(&w, &k) && k == n);
	check(mb2_info_open((struct span){ copy.p, n }, &info) == MB2_INFO_OK && mb2_find(&info, t->type, &again));
	check(again.content.n <= t->content.n && again.type == t->type);
	second = exact_span(&x, n);
	mb2_begin(&w, second);
	check(rewrite(&w, &again, (struct span){ copy.p, n }) && mb2_end(&w, &k));
	check(k == n && memcmp(copy.p, second.p, n) == 0);
	/* A byte less than that is refused. */
	mb2_begin(&w, exact_span(&x, n - 1));
	check(rewrite(&w, &again, (struct span){ copy.p, n }) && !mb2_end(&w, &k));
}

static void copied(const struct mb2_info *info)
{
	struct mb2_writer w;
	struct mb2_info other;
	struct mb2_tags a = { .info = info }, b = { .info = &other };
	struct mb2_tag x, y;
	__attribute__((cleanup(exact_free))) struct exact room = { 0 };
	struct mspan copy;
	size_t n = 0;

	mb2_begin_measure(&w);
	mb2_copy_without(&w, info, 0);
	check(mb2_end(&w, &n));
	mb2_begin(&w, exact_span(&room, n - 1));
	mb2_copy_without(&w, info, 0);
	check(!mb2_end(&w, &n));
	copy = exact_span(&room, n);
	mb2_begin(&w, copy);
	mb2_copy_without(&w, info, 0);
	check(mb2_end(&w, &n) && mb2_info_open((struct span){ copy.p, n }, &other) == MB2_INFO_OK);
	while (mb2_next(&a, &x))
		check(mb2_next(&b, &y) && x.type == y.type && span_equal(x.content, y.content));
	check(!mb2_next(&b, &y));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span whole = { data, size };
	struct mb2_info info;
	struct mb2_tags it = { .info = &info };
	struct mb2_tag t;
	size_t sum = 0;

	enum mb2_info_error error = mb2_info_open(whole, &info);

	check(mb2_info_strerror(error)[0] != 0);
	if (size > MAX_COPY / 2 || error)
		return 0;
	check(inside(info.tags, whole));
	while (mb2_next(&it, &t)) {
		check(inside(t.content, whole) && t.type != MB2_END);
		sum += MB2_TAG_FIXED + t.content.n;
		try_mmap(&t, whole);
		typed(&t, whole);
	}
	check(sum <= size);
	copied(&info);
	return 0;
}

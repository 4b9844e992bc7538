/* SPDX-License-Identifier: BSD-3-Clause */
#include "boot/pecoff.h"
#include "boot/pecoff_impl.h"
#include "common/hash.h"

/*
 * The end of the sections. The format takes them by their place in the file, and then what lies behind the sum of their sizes: only if they
 * follow one another from the headers on is that every byte once, and what all tools take.
 */
static enum pecoff_error find_end(struct span file, const struct pecoff *pe, uint64_t *out)
{
	uint64_t end, next = pe->headers_size;
	unsigned all, begun, taken = 0;

	do {
		end = next;
		all = begun = 0;
		for (unsigned i = 0; i < pe->section_count; i++) {
			struct pecoff_section s;

			if (!pecoff_section(file, pe, i, &s))
				return PECOFF_E_SIZE;
			/* One that has nothing in the file is nowhere. */
			all += s.raw_size != 0;
			begun += s.raw_size != 0 && s.raw_offset < end;
			if (s.raw_size != 0 && s.raw_offset == end)
				next = end + s.raw_size;
		}
		/* No other begins in what was taken, headers or sections. */
		if (begun != taken || next > file.n)
			return PECOFF_E_SECTION;
		taken += next != end;
	} while (next != end);
	*out = end;
	return all == taken ? PECOFF_OK : PECOFF_E_LAYOUT;
}

enum pecoff_error pecoff_authenticode(struct span file, alg_set algs, struct digests *out)
{
	uint64_t end = 0, content = file.n;
	size_t checksum, from;
	struct pecoff pe;
	struct hash h;
	enum pecoff_error e = pecoff_parse(file, &pe);

	if (e == PECOFF_OK)
		e = find_end(file, &pe, &end);
	if (e != PECOFF_OK)
		return e;
	if (pe.signature_offset || pe.signature_size) {
		content = pe.signature_offset;
		if (content < end || content + pe.signature_size != file.n)
			return PECOFF_E_CERTIFICATES;
	}
	/* Both lie in the headers, as pecoff_parse() has seen. */
	checksum = (size_t)pe.optional + PECOFF_CHECKSUM;
	from = checksum + 4;
	hash_init(&h, algs);
	hash_update(&h, (struct span){ file.p, checksum });
	if (pe.certificates) {
		hash_update(&h, (struct span){ file.p + from, pe.certificates - from });
		from = (size_t)pe.certificates + 8;
	}
	hash_update(&h, (struct span){ file.p + from, (size_t)content - from });
	hash_final(&h, out);
	return PECOFF_OK;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PE images with launch description and policy inside. Input: the image, once as a file, once as it would lie in memory. What is found must
 * lie in it. What takes further sections must give them back, and all that it had before. A digest does not depend on what it leaves out.
 * What is inside, compared with what lies beside it, is the same exactly if every byte is.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/embedded.h"
#include "boot/pecoff_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void look(struct span image, enum pecoff_view view)
{
	struct embedded e;

	enum pecoff_error error = embedded_find(image, view, &e);

	check(pecoff_strerror(error) != NULL);
	if (error != PECOFF_OK)
		return;
	check((e.description.n == 0) == (e.policy.n == 0));
	if (e.description.n == 0)
		return;
	check(e.description.p >= image.p && e.description.n <= (size_t)(image.p + image.n - e.description.p));
	check(e.policy.p >= image.p && e.policy.n <= (size_t)(image.p + image.n - e.policy.p));
	check(e.description.p + e.description.n <= e.policy.p || e.policy.p + e.policy.n <= e.description.p);
}

static struct span cut(struct span s)
{
	return (struct span){ s.p, s.n - 1 };
}

/* What is found is the same as itself; with one byte less, with something else and with nothing it is not. */
static void compare(struct span file, const struct embedded *other)
{
	struct embedded in, beside;
	struct pecoff pe;
	bool readable = pecoff_parse(file, &pe) == PECOFF_OK;
	enum embedded_match m = embedded_compare(file, other);

	if (!readable || embedded_find(file, PECOFF_FILE, &in) != PECOFF_OK) {
		check(m == (readable ? EMBEDDED_DAMAGED : EMBEDDED_NONE));
		return;
	}
	if (!in.description.n) {
		check(m == EMBEDDED_NONE);
		return;
	}
	check(embedded_compare(file, &in) == EMBEDDED_SAME);
	check((m == EMBEDDED_SAME) == (span_equal(in.description, other->description) && span_equal(in.policy, other->policy)));
	beside = (struct embedded){ in.description, cut(in.policy) };
	check(embedded_compare(file, &beside) == EMBEDDED_OTHER_POLICY);
	beside = (struct embedded){ cut(in.description), in.policy };
	check(embedded_compare(file, &beside) == EMBEDDED_OTHER_DESCRIPTION);
	beside = (struct embedded){ { NULL, 0 }, { NULL, 0 } };
	check(embedded_compare(file, &beside) == EMBEDDED_OTHER_DESCRIPTION);
}

/* Another checksum, other certificates and none: the same digest. Another byte of the headers: another, or none. */
static void digest(struct span file)
{
	struct digests first, again;
	struct pecoff pe;
	uint8_t *copy;

	if (file.n > (size_t)1 << 20 || pecoff_authenticode(file, ALG_BIT(ALG_SHA256), &first) != PECOFF_OK)
		return;
	check(pecoff_parse(file, &pe) == PECOFF_OK);
	copy = malloc(file.n);
	check(copy != NULL);
	memcpy(copy, file.p, file.n);
	copy[pe.optional + PECOFF_CHECKSUM] ^= 1;
	if (pe.signature_size) {
		copy[pe.signature_offset] ^= 1;
		copy[file.n - 1] ^= 2;
	}
	check(pecoff_authenticode((struct span){ copy, file.n }, ALG_BIT(ALG_SHA256), &again) == PECOFF_OK &&
		digests_equal(&first, &again));
	if (pe.signature_size) {
		memset(copy + pe.certificates, 0, 8);
		check(pecoff_authenticode((struct span){ copy, pe.signature_offset }, ALG_BIT(ALG_SHA256), &again) == PECOFF_OK &&
			digests_equal(&first, &again));
	}
	copy[2] ^= 1;
	check(pecoff_authenticode((struct span){ copy, file.n }, ALG_BIT(ALG_SHA256), &again) != PECOFF_OK ||
		!digests_equal(&first, &again));
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct embedded more = { { (const uint8_t *)"description", 11 }, { (const uint8_t *)"policy", 6 } };
	struct span file = { data, size };
	struct embedded found;
	size_t n = 0, again = 0;
	uint8_t *out;

	look(file, PECOFF_FILE);
	look(file, PECOFF_LOADED);
	compare(file, &more);
	digest(file);
	if (embedded_put(file, &more, (struct mspan){ NULL, 0 }, &n) != PECOFF_OK || n > (size_t)1 << 20)
		return 0;
	out = malloc(n);
	check(out != NULL);
	if (embedded_put(file, &more, (struct mspan){ out, n }, &again) == PECOFF_OK) {
		check(again == n && n > size);
		check(embedded_find((struct span){ out, n }, PECOFF_FILE, &found) == PECOFF_OK);
		check(span_equal(found.description, more.description) && span_equal(found.policy, more.policy));
		compare((struct span){ out, n }, &more);
		check(embedded_put((struct span){ out, n }, &more, (struct mspan){ NULL, 0 }, &again) != PECOFF_OK);
	}
	free(out);
	return 0;
}

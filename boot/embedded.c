/* SPDX-License-Identifier: BSD-3-Clause */
#include "boot/embedded.h"

enum pecoff_error embedded_find(struct span image, enum pecoff_view view, struct embedded *out)
{
	struct embedded found = { { NULL, 0 }, { NULL, 0 } };
	struct pecoff pe;
	enum pecoff_error e = pecoff_parse(image, &pe);

	if (e == PECOFF_OK)
		e = pecoff_find(image, &pe, view, EMBEDDED_DESCRIPTION, &found.description);
	if (e == PECOFF_OK)
		e = pecoff_find(image, &pe, view, EMBEDDED_POLICY, &found.policy);
	if (e == PECOFF_OK && (found.description.n != 0) != (found.policy.n != 0))
		e = PECOFF_E_SECTION;
	if (e == PECOFF_OK)
		*out = found;
	return e;
}

enum embedded_match embedded_compare(struct span file, const struct embedded *beside)
{
	struct embedded found = { { NULL, 0 }, { NULL, 0 } };
	struct pecoff pe;

	if (pecoff_parse(file, &pe) != PECOFF_OK)
		return EMBEDDED_NONE;
	if (embedded_find(file, PECOFF_FILE, &found) != PECOFF_OK)
		return EMBEDDED_DAMAGED;
	if (!found.description.n)
		return EMBEDDED_NONE;
	if (!span_equal(found.description, beside->description))
		return EMBEDDED_OTHER_DESCRIPTION;
	return span_equal(found.policy, beside->policy) ? EMBEDDED_SAME : EMBEDDED_OTHER_POLICY;
}

enum pecoff_error embedded_put(struct span file, const struct embedded *e, struct mspan out, size_t *n)
{
	const struct pecoff_new_section sections[] = { { EMBEDDED_DESCRIPTION, e->description }, { EMBEDDED_POLICY, e->policy } };

	return pecoff_append(file, sections, GL_COUNT(sections), out, n);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/element_layout.h"

#define SINIT_MIN LCP_FIELD_SINIT_MIN
#define RESERVED LCP_FIELD_RESERVED
#define ALG_LEGACY LCP_FIELD_ALG_LEGACY
#define ALG LCP_FIELD_ALG
#define FALLBACK LCP_FIELD_FALLBACK
#define COUNT LCP_FIELD_COUNT
#define HASHES LCP_FIELD_HASHES
#define PCR_INFOS LCP_FIELD_PCR_INFOS
#define UUID LCP_FIELD_UUID
#define DATA LCP_FIELD_DATA

/* SDG D.4.4-D.4.9; SBIOS and STM: tboot 1.10.5 include/lcp3.h. */
static const struct lcp_element_layout layouts[] = {
	{ LCP_ELEMENT_MLE, "mle", { SINIT_MIN, ALG_LEGACY, COUNT, HASHES } },
	{ LCP_ELEMENT_PCONF, "pconf", { COUNT, PCR_INFOS } },
	{ LCP_ELEMENT_SBIOS, "sbios", { ALG_LEGACY, RESERVED, RESERVED, RESERVED, FALLBACK, RESERVED, RESERVED, COUNT, HASHES } },
	{ LCP_ELEMENT_CUSTOM, "custom", { UUID, DATA } },
	{ LCP_ELEMENT_STM, "stm", { ALG_LEGACY, RESERVED, COUNT, HASHES } },
	{ LCP_ELEMENT_MLE2, "mle2", { SINIT_MIN, RESERVED, ALG, COUNT, HASHES } },
	{ LCP_ELEMENT_PCONF2, "pconf2", { ALG, COUNT, PCR_INFOS } },
	{ LCP_ELEMENT_SBIOS2, "sbios2", { ALG, RESERVED, RESERVED, FALLBACK, RESERVED, RESERVED, COUNT, HASHES } },
	{ LCP_ELEMENT_CUSTOM2, "custom2", { UUID, DATA } },
	{ LCP_ELEMENT_STM2, "stm2", { ALG, COUNT, HASHES } },
};

const struct lcp_element_layout lcp_element_unknown = { 0, NULL, { DATA } };

const struct lcp_element_layout *lcp_element_layout(uint32_t type)
{
	for (size_t i = 0; i < GL_COUNT(layouts); i++)
		if (layouts[i].type == type)
			return &layouts[i];
	return NULL;
}

bool lcp_element_has(const struct lcp_element_layout *layout, enum lcp_element_field field)
{
	for (size_t i = 0; layout->fields[i] != LCP_FIELD_END; i++)
		if (layout->fields[i] == (uint8_t)field)
			return true;
	return false;
}

const char *lcp_element_type_name(uint32_t type)
{
	const struct lcp_element_layout *layout = lcp_element_layout(type);

	return layout ? layout->name : NULL;
}

bool lcp_element_type_by_name(struct span name, uint32_t *out)
{
	for (size_t i = 0; i < GL_COUNT(layouts); i++) {
		if (span_is_str(name, layouts[i].name)) {
			*out = layouts[i].type;
			return true;
		}
	}
	return false;
}

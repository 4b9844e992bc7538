/* SPDX-License-Identifier: BSD-3-Clause */
/* Geo tags: encode(decode(b)) = b. The first 12 bytes also serve as attributes and size of an NV index. */
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "geo/geo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_index(struct rd *r)
{
	char buf[GEO_ATTRIBUTES_MAX];
	struct text t = TEXT_OF(buf);
	uint32_t attributes = rd_le32(r);
	size_t size = (size_t)rd_le64(r);

	if (geo_index_possible(attributes) != (attributes >> 24 == 1))
		abort();

	geo_attributes_text(attributes, &t);
	if (t.cut || !t.n)
		abort();
	if (!geo_readable_text(geo_readable(attributes, size))[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init((struct span){ data, size });
	uint8_t back[GEO_TAG_SIZE];
	struct geo_tag tag;
	enum geo_error error = geo_decode((struct span){ data, size }, &tag);

	check_index(&r);
	if (!geo_strerror(error)[0])
		abort();
	if (error)
		return 0;
	if (size != GEO_TAG_SIZE || geo_encode(&tag, back) || memcmp(back, data, GEO_TAG_SIZE) != 0)
		abort();
	return 0;
}

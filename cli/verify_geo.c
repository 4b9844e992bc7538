/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/verify_geo.h"

#include <string.h>

#include "cli/host_tpm.h"
#include "cli/predict.h"

void verify_geo_load(const char *expected_json, struct geo_content *out)
{
	const char *slash = strrchr(expected_json, '/');
	CLEANUP_FREE uint8_t *bytes = NULL;
	CLEANUP_FREE char *path = NULL;
	struct cli_fault fault;
	size_t n;

	if (asprintf(&path, "%.*s" GEO_CONTENT_FILE, slash ? (int)(slash + 1 - expected_json) : 0, expected_json) < 0) {
		path = NULL;
		return;
	}
	if (!read_file(path, sizeof(out->bytes), &bytes, &n, &fault))
		return;
	memcpy(out->bytes, bytes, n);
	out->n = n;
}

/* The digests in all banks of the event. */
GL_MUST static bool is_measured(const struct expected_event *e, bool raw, struct span content)
{
	struct digests d;

	measure_nv(ALG_SET_ALL, raw, content, &d);
	return e->digests.banks != 0 && digests_agree(&e->digests, &d);
}

bool verify_geo_index(const struct expected *e, struct span content, uint32_t *index)
{
	for (size_t i = 0; i < e->event_count; i++) {
		const struct expected_event *v = &e->events[i];
		const char *number = strrchr(v->name, ' ');
		uint64_t n;

		if (v->type != MEASURE_NV || !number || !cli_number(number + 1, UINT32_MAX, &n))
			continue;
		for (unsigned raw = 0; raw < 2; raw++) {
			char buf[64];
			struct text name = TEXT_OF(buf);

			name_nv(&name, raw, (uint32_t)n);
			if (!strcmp(v->name, buf) && is_measured(v, raw, content)) {
				*index = (uint32_t)n;
				return true;
			}
		}
	}
	return false;
}

/* Both contents in words; false if there is nothing to say. */
GL_MUST static bool differ(struct span found, struct span wanted, struct text *t)
{
	struct geo_tag now, tag;

	if (span_equal(found, wanted)) {
		text_str(t,
			"now holds what was expected: it was written after the launch, could not be read then, or the PCR was changed since");
		return true;
	}
	if (geo_decode(wanted, &tag) != GEO_OK)
		return false;
	if (geo_decode(found, &now) != GEO_OK) {
		text_str(t, "now holds no geo tag of ours");
		return true;
	}
	text_str(t, "now differs from the expected tag: ");
	geo_difference_text(&now, &tag, t);
	return true;
}

bool verify_geo_explain(const struct expected *e, const struct geo_content *wanted, const char *tcti, struct verify_result *r)
{
	CLEANUP(host_tpm_close) struct host_tpm h = { .tcti = NULL };
	const struct span content = { wanted->bytes, wanted->n };
	struct tpm_nv_public public;
	uint8_t now[GEO_NV_MAX];
	struct cli_fault fault;
	uint32_t index;
	char buf[512];
	struct text t = TEXT_OF(buf);

	if (!wanted->n || !verify_geo_index(e, content, &index) || !host_tpm_open(&h, tcti, &fault))
		return true;
	if (tpm_nv_public(&h.tpm, index, &public) != TSS2_RC_SUCCESS)
		return true;
	/* A read that cannot work may count against the dictionary-attack limit. */
	switch (geo_readable(public.attributes, public.size)) {
	case GEO_READABLE:
	case GEO_READABLE_DA:
		break;
	default:
		return true;
	}
	if (tpm_nv_read(&h.tpm, index, now, public.size) != TSS2_RC_SUCCESS)
		return true;
	text_str(&t, "NV index ");
	text_hex(&t, index, 8);
	text_char(&t, ' ');
	if (!differ((struct span){ now, public.size }, content, &t))
		return true;
	text_char(&t, '.');
	return verify_result_explain(r, buf);
}

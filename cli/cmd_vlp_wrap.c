/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cli/cmd_vlp.h"
#include "cli/file_kind.h"
#include "cli/output.h"
#include "lcp/custom.h"

/* lcp2_crtpolelt's default. */
#define CONTROL_DEFAULT LCP_ELEMENT_OVERRIDE_PS

#define ELEMENT_ROOM (VLP_FILE_MAX + LCP_ELEMENT_HEADER_SIZE + LCP_UUID_SIZE)
/* Far above the 64 KiB that tboot keeps for policy data (tboot include/txt/heap.h, os_mle_data_t.lcp_po_data). */
#define DATA_MAX (1u << 20)

static bool need_output(const struct vlp_args *a, const char *verb, struct cli_fault *fault)
{
	if (!a->output)
		return vlp_misused(fault, "%s: name the file to write with -o", verb);
	return output_check(a->output, a->force, fault);
}

bool vlp_wrap(const struct vlp_args *a, int *code, struct cli_fault *fault)
{
	CLEANUP_VLP struct vlp_file f = { .bytes = NULL };
	CLEANUP_FREE uint8_t *buf = malloc(ELEMENT_ROOM);
	uint64_t control = CONTROL_DEFAULT;
	struct lcp_element element;
	enum lcp_error error;
	size_t n = 0;

	(void)code;
	if (!need_output(a, "wrap", fault))
		return false;
	if (a->ctrl && !cli_number(a->ctrl, UINT32_MAX, &control))
		return vlp_misused(fault, "--ctrl %s: not a number of 32 bits", a->ctrl);
	if (!buf)
		return cli_fail(fault, CLI_IO, "out of memory: element");
	if (!vlp_file_load(a->files[0], &f, fault))
		return false;
	lcp_custom_wrap(lcp_uuid_tboot, (uint32_t)control, (struct span){ f.bytes, f.n }, &element);
	error = lcp_element_validate(&element);
	if (!error)
		error = lcp_element_encode(&element, (struct mspan){ buf, ELEMENT_ROOM }, &n);
	if (error)
		return cli_fail(fault, CLI_INPUT, "cannot wrap: %s: %s", a->files[0], lcp_strerror(error));
	if (vlp_validate(&f.policy, NULL))
		cli_error(VLP_COMMAND, "warning: %s: %s: see 'geolaunch vlp check'", a->files[0],
			vlp_strerror(vlp_validate(&f.policy, NULL)));
	return output_write(a->output, (struct span){ buf, n }, fault);
}

/* ---- unwrap ---- */

static bool is_data(struct span bytes)
{
	struct span signature = SPAN_LITERAL(LCP_DATA_SIGNATURE);

	return bytes.n >= signature.n && span_equal((struct span){ bytes.p, signature.n }, signature);
}

static enum lcp_error find_in_element(struct span bytes, struct span *payload)
{
	struct lcp_element element;
	enum lcp_error error = lcp_element_decode(bytes, &element);

	return error ? error : lcp_custom_unwrap(&element, lcp_uuid_tboot, payload);
}

static enum lcp_error find_in_data(struct span bytes, struct span *payload)
{
	struct lcp_data data;
	enum lcp_error error = lcp_data_decode(bytes, &data, NULL);

	return error ? error : lcp_custom_find_data(&data, lcp_uuid_tboot, payload, NULL);
}

/* Policy data has a signature; an element begins with its own size, a list with its version. */
static enum lcp_error find_payload(struct span bytes, struct span *payload)
{
	struct lcp_list list;

	if (is_data(bytes))
		return find_in_data(bytes, payload);
	return lcp_list_decode(bytes, &list) ? find_in_element(bytes, payload) : lcp_custom_find(&list, lcp_uuid_tboot, payload, NULL);
}

bool vlp_unwrap(const struct vlp_args *a, int *code, struct cli_fault *fault)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	static struct vlp policy;
	struct span payload = { NULL, 0 };
	enum lcp_error error;
	enum vlp_error wrong;
	size_t n = 0;

	(void)code;
	if (!need_output(a, "unwrap", fault) || !read_file(a->files[0], DATA_MAX, &bytes, &n, fault))
		return false;
	error = find_payload((struct span){ bytes, n }, &payload);
	if (error) {
		const char *kind = file_kind_name(file_kind((struct span){ bytes, n }));

		return cli_fail(fault, CLI_INPUT, "no policy of tboot's in: %s: %s%s%s", a->files[0], lcp_strerror(error),
			kind ? ": this is " : "", kind ? kind : "");
	}
	wrong = vlp_decode(payload, &policy);
	if (wrong)
		return cli_fail(fault, CLI_INPUT, "what is in tboot's element is no policy: %s: %s", a->files[0], vlp_strerror(wrong));
	return output_write(a->output, payload, fault);
}

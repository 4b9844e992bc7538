/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cli/cmd_vlp.h"
#include "cli/file_kind.h"
#include "cli/files.h"
#include "cli/output.h"
#include "common/text.h"

bool vlp_refuse(const char *path, struct span bytes, enum vlp_error error, struct cli_fault *fault)
{
	const char *kind = file_kind_name(file_kind(bytes));

	return cli_fail(
		fault, CLI_INPUT, "not a policy: %s: %s%s%s", path, vlp_strerror(error), kind ? ": this is " : "", kind ? kind : "");
}

bool vlp_file_load(const char *path, struct vlp_file *out, struct cli_fault *fault)
{
	enum vlp_error error;

	if (!read_file(path, VLP_FILE_MAX, &out->bytes, &out->n, fault))
		return false;
	error = vlp_decode((struct span){ out->bytes, out->n }, &out->policy);
	return !error || vlp_refuse(path, (struct span){ out->bytes, out->n }, error, fault);
}

void vlp_file_free(struct vlp_file *f)
{
	free(f->bytes);
}

bool vlp_file_write(const char *path, bool change, const struct vlp *p, struct cli_fault *fault)
{
	CLEANUP_FREE uint8_t *buf = malloc(VLP_FILE_MAX);
	enum vlp_error error;
	size_t n = 0;

	if (!buf)
		return cli_fail(fault, CLI_IO, "out of memory: %s", path);
	error = vlp_encode(p, (struct mspan){ buf, VLP_FILE_MAX }, &n);
	if (error)
		return cli_fail(fault, CLI_INPUT, "cannot write: %s: %s", path, vlp_strerror(error));
	return change ? change_file_atomic(path, (struct span){ buf, n }, fault) : output_write(path, (struct span){ buf, n }, fault);
}

void vlp_name_entry(const struct vlp_entry *e, struct text *t)
{
	if (e->module == VLP_MODULE_ANY) {
		text_str(t, "any module");
	} else if (e->module == VLP_MODULE_NV || e->module == VLP_MODULE_NV_RAW) {
		text_str(t, e->module == VLP_MODULE_NV ? "nv " : "nv_raw ");
		text_hex(t, e->nv_index, 8);
	} else {
		text_str(t, "module ");
		text_u64(t, e->module);
	}
}

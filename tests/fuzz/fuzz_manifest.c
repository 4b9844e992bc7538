/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "cli/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Refused with a text, or understood with everything that the rest of the program relies on. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct manifest m;
	struct cli_fault fault = { .text = "" };

	if (!manifest_parse("x.yaml", (struct span){ data, size }, &m, &fault)) {
		if (!fault.text[0] || fault.code == CLI_OK)
			abort();
		return 0;
	}
	if (!m.banks || m.module_count < 1 || m.module_count > MANIFEST_MAX_MODULES || m.modules[0].role != ROLE_HYPERVISOR)
		abort();
	for (size_t i = 0; i < m.module_count; i++) {
		const struct manifest_module *mod = &m.modules[i];

		if (!mod->file.s || !mod->file.line || mod->pcr < 17 || mod->pcr > 22 || !mod->path.s == role_table[mod->role].member)
			abort();
	}
	if (m.geo.given && m.geo.has_tag == (m.geo.file.s != NULL))
		abort();
	manifest_free(&m);
	return 0;
}

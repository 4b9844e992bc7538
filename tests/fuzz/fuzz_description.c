/* SPDX-License-Identifier: BSD-3-Clause */
/* Launch descriptions: write(parse(b)) = b, and an error names a line that exists. */
#include <stdlib.h>
#include <string.h>

#include "common/description.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct description description;
static uint8_t buf[DESCRIPTION_MAX_SIZE];

/* Takes one rule of a good description away: there must be an error then. */
static void check_broken(const struct description *good)
{
	static struct description d;
	const struct span nothing = { NULL, 0 };
	struct description_module *last = &d.modules[good->module_count - 1];

	for (unsigned i = 0; i <= 11; i++) {
		size_t where = 0;

		d = *good;
		switch (i) {
		case 0:
			d.mode = DESCRIPTION_MODE_COUNT;
			break;
		case 1:
			d.policy = nothing;
			break;
		case 2:
			d.on_halt = DESCRIPTION_ON_HALT_COUNT;
			break;
		case 3:
			d.halt_delay = DESCRIPTION_MAX_HALT_DELAY + 1;
			break;
		case 4:
			d.hypervisor = HYPERVISOR_COUNT;
			break;
		case 5:
			d.module_count = 0;
			break;
		case 6:
			d.module_count = DESCRIPTION_MAX_MODULES + 1;
			break;
		case 7:
			last->file = SPAN_LITERAL(".x");
			break;
		case 8:
			last->role = ROLE_COUNT;
			break;
		case 9:
			last->mode = DESCRIPTION_MAX_FILE_MODE + 1;
			break;
		case 10:
			role_table[last->role].member ? (last->path = nothing) : (last->path = SPAN_LITERAL("/x"));
			break;
		default:
			d.mode = good->mode == DESCRIPTION_TXT ? DESCRIPTION_DIRECT : DESCRIPTION_TXT;
			break;
		}
		if (!description_validate(&d, &where) || where > DESCRIPTION_MAX_MODULES)
			abort();
	}
	d = *good;
	d.txt.stage.cmdline = nothing;
	if (good->mode == DESCRIPTION_TXT && description_validate(&d, NULL) != DESCRIPTION_E_RULES)
		abort();
	d.txt.stage = good->txt.stage;
	d.halt_delay = !d.halt_delay;
	if (good->mode == DESCRIPTION_TXT && description_validate(&d, NULL) != DESCRIPTION_E_RULES_DIFFER)
		abort();
	d.halt_delay = good->halt_delay;
	if (role_table[last->role].member)
		last->mode ^= 1;
	if (role_table[last->role].member && good->mode == DESCRIPTION_TXT && description_validate(&d, NULL) != DESCRIPTION_E_RULES_DIFFER)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t line = 0, lines = 1, n = 0;

	enum description_error error = description_parse((struct span){ data, size }, &description, &line);

	if (error) {
		for (size_t i = 0; i < size; i++)
			lines += data[i] == '\n';
		if (line < 1 || line > lines || !description_strerror(error)[0])
			abort();
		return 0;
	}
	if (description_validate(&description, NULL))
		abort();
	for (size_t i = 0; i < description.module_count; i++)
		if (description_module_cmdline(&description.modules[i]).n > DESCRIPTION_MAX_CMDLINE)
			abort();
	check_broken(&description);
	if (description_write(&description, (struct mspan){ buf, sizeof(buf) }, &n) || n != size || memcmp(buf, data, n) != 0)
		abort();
	return 0;
}

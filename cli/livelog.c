/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/livelog.h"

#include <sys/stat.h>

#include "cli/livelog_txt.h"

/* efivarfs puts the variable's attributes in front of its value (Linux, Documentation/filesystems/efivarfs.rst). */
#define EFIVAR_ATTRIBUTES 4

static const struct {
	const char *path;
	enum livelog_kind kind;
	size_t skip;
	bool memory; /* physical memory, with TXT's registers and heap in it */
} places[] = {
	{ "/sys/firmware/efi/efivars/GeolaunchEventLog-7a1b6f3e-52c4-4d0e-9b57-3c1fd2a08e64", LIVELOG_OURS, EFIVAR_ATTRIBUTES, false },
	/* Linux Secure Launch, and kernels that give out TXT's log under its own name. */
	{ "/sys/kernel/security/slaunch/eventlog", LIVELOG_TXT, 0, false },
	{ "/sys/kernel/security/txt", LIVELOG_TXT, 0, false },
	{ "/dev/mem", LIVELOG_TXT, 0, true },
	{ "/sys/kernel/security/tpm0/binary_bios_measurements", LIVELOG_FIRMWARE, 0, false },
};

void livelog_free(struct livelog *l)
{
	free(l->path);
	free(l->bytes);
	*l = (struct livelog){ .kind = LIVELOG_NONE };
}

static bool livelog_read(struct livelog *l, size_t skip, struct cli_fault *fault)
{
	size_t n;

	if (!read_file(l->path, LIVELOG_MAX, &l->bytes, &n, fault))
		return false;
	if (n < skip)
		return cli_fail(fault, CLI_INPUT, "%s: too short for an EFI variable (%zu bytes)", l->path, n);
	l->log = (struct span){ l->bytes + skip, n - skip };
	return true;
}

GL_MUST static bool find(const char *root, enum livelog_kind last, struct livelog *out, struct cli_fault *fault)
{
	struct stat st;

	*out = (struct livelog){ .kind = LIVELOG_NONE };
	for (size_t i = 0; i < GL_COUNT(places) && places[i].kind <= last; i++) {
		if (asprintf(&out->path, "%s%s", root, places[i].path) < 0) {
			out->path = NULL;
			return cli_fail(fault, CLI_IO, "out of memory");
		}
		if (!places[i].memory && stat(out->path, &st) == 0 && S_ISREG(st.st_mode)) {
			out->kind = places[i].kind;
			return livelog_read(out, places[i].skip, fault);
		}
		if (places[i].memory && !livelog_txt(out->path, &out->bytes, &out->log.n, &out->unseen, fault))
			return false;
		if (out->bytes) {
			out->kind = places[i].kind;
			out->log.p = out->bytes;
			return true;
		}
		free(out->path);
		out->path = NULL;
	}
	return true;
}

bool livelog_find(const char *root, struct livelog *out, struct cli_fault *fault)
{
	return find(root, LIVELOG_FIRMWARE, out, fault);
}

bool livelog_find_launch(const char *root, struct livelog *out, struct cli_fault *fault)
{
	return find(root, LIVELOG_TXT, out, fault);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "cli/install_impl.h"

/*
 * The boot loader that was BOOTX64.EFI before `install --removable --force`: it is copied, and only then replaced; --uninstall copies it
 * back, and only then removes the copy. A rename would be less work, but cut off in one FAT may hold neither name.
 */

#define LOADER_MAX ((size_t)64 << 20)

struct loader {
	uint8_t *p; /* NULL: there is none */
	size_t n;
};

static void free_loader(struct loader *l)
{
	free(l->p);
}

#define CLEANUP_LOADER CLEANUP(free_loader)

static struct span span_of(const struct loader *l)
{
	return (struct span){ l->p, l->n };
}

GL_MUST static bool read_loader(struct install *in, const char *name, struct loader *out)
{
	return in->boot.fd < 0 || esp_read(&in->boot, name, LOADER_MAX, &out->p, &out->n, in->fault);
}

/* A geolaunch.efi of any build: one that was started from here and whose slot is gone. */
static bool is_geolaunch(const struct loader *l)
{
	return l->p && memmem(l->p, l->n, SLOTS_APPLICATION, sizeof(SLOTS_APPLICATION) - 1);
}

bool install_plan_keep(struct install *in)
{
	CLEANUP_LOADER struct loader now = { NULL, 0 }, kept = { NULL, 0 };

	if (!read_loader(in, DEFAULT_FILE, &now) || !read_loader(in, KEPT_FILE, &kept))
		return false;
	if (!now.p || is_geolaunch(&now) || (kept.p && span_equal(span_of(&now), span_of(&kept))))
		return true;
	if (kept.p)
		return cli_fail(in->fault, CLI_USAGE,
			"another boot loader is there, and an older one is kept beside it: %s/" KEPT_FILE ": move one of them away",
			in->boot.path);
	in->keep = true;
	in->keep_size = now.n;
	return true;
}

bool install_keep(struct install *in)
{
	CLEANUP_LOADER struct loader now = { NULL, 0 };

	if (!in->keep)
		return true;
	if (!read_loader(in, DEFAULT_FILE, &now))
		return false;
	if (!now.p)
		return true;
	in->kept_made = true;
	in->out->changed = true;
	return esp_write(&in->boot, KEPT_FILE, span_of(&now), in->fault);
}

void install_unkeep(struct install *in)
{
	struct cli_fault ignored;

	if (in->kept_made)
		(void)(esp_remove(&in->boot, KEPT_FILE, NULL, &ignored) && esp_sync(&in->boot, &ignored));
}

bool install_find_kept(struct install *in)
{
	CLEANUP(source_close) struct source s = SOURCE_NONE;

	if (in->boot.fd >= 0 && !esp_source(&in->boot, KEPT_FILE, &s, in->fault))
		return false;
	in->out->kept = s.fd >= 0;
	return true;
}

bool install_put_back(struct install *in, bool ours, bool *done)
{
	CLEANUP_LOADER struct loader now = { NULL, 0 }, kept = { NULL, 0 };
	bool same;

	*done = false;
	if (!read_loader(in, KEPT_FILE, &kept) || !read_loader(in, DEFAULT_FILE, &now))
		return false;
	if (!kept.p)
		return true;
	same = now.p && span_equal(span_of(&now), span_of(&kept));
	if (now.p && !ours && !same && !is_geolaunch(&now))
		return install_warn(in,
			"the boot loader that --force replaced stays as %s/" KEPT_FILE ", as " DEFAULT_FILE
			" is another one by now: remove it, or put it back yourself",
			in->boot.path);
	/* The same: an earlier run was cut off between the two. */
	if (!same && !esp_write(&in->boot, DEFAULT_FILE, span_of(&kept), in->fault))
		return false;
	*done = in->out->restored = in->out->changed = true;
	return esp_remove(&in->boot, KEPT_FILE, NULL, in->fault) && esp_sync(&in->boot, in->fault);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cli/install_impl.h"

/* What is on an ESP and in the firmware's variables. Nothing here writes. */

bool install_warn(struct install *in, const char *format, ...)
{
	json_t *text, *said;
	va_list args;
	size_t i;

	va_start(args, format);
	text = cli_json_vtext(format, args);
	va_end(args);
	json_array_foreach(in->out->warnings, i, said)
		if (text && json_equal(said, text)) {
			json_decref(text);
			return true;
		}
	return json_array_append_new(in->out->warnings, text) == 0 || cli_fail(in->fault, CLI_IO, "out of memory: warnings");
}

GL_MUST static bool read_record(struct install *in)
{
	CLEANUP_FREE uint8_t *text = NULL;
	size_t n = 0;

	if (in->home.fd < 0)
		return true;
	if (!esp_read(&in->home, SLOTS_FILE, SLOTS_MAX_SIZE, &text, &n, in->fault))
		return false;
	in->has_record = text != NULL;
	return !text || slots_parse((struct span){ text, n }, &in->record) ||
	       cli_fail(in->fault, CLI_INPUT, "this is not of our making, or damaged: %s/" SLOTS_FILE ": remove it, then install again",
		       in->home.path);
}

/* Where boot entries are not in use, or there is nothing to do for them, the variables are only looked at, if they are there. */
GL_MUST static bool read_variables(struct install *in)
{
	enum install_action action = in->options->action;
	bool needed = action == INSTALL_BUILD || action == INSTALL_ROLLBACK || (action == INSTALL_UNINSTALL && in->has_record);
	struct cli_fault ignored;

	if (in->start != SLOTS_ENTRY || !needed) {
		in->variables = boot_available() && in->fat && in->top && boot_read(in->options->esp, &in->entries, &ignored);
		if (!in->variables)
			boot_free(&in->entries);
		return true;
	}
	if (!boot_available())
		return cli_fail(in->fault, CLI_IO,
			"this system shows no UEFI variables (/sys/firmware/efi/efivars), so it can have no boot entry: "
			"use --removable or --no-boot-entry");
	if (!in->fat || !in->top)
		return cli_fail(in->fault, CLI_USAGE,
			"%s: %s: mount the EFI system partition and name that directory, or use --removable or "
			"--no-boot-entry",
			in->fat ? "nothing is mounted just there" : "this is no FAT file system", in->options->esp);
	in->variables = true;
	return boot_read(in->options->esp, &in->entries, in->fault);
}

bool install_has_slot(struct install *in, const char *slot, bool *out)
{
	enum slot_state state = SLOT_ABSENT;

	if (*slot && in->home.fd >= 0 && !slot_look(&in->home, slot, &state, NULL, NULL, in->fault))
		return false;
	*out = state == SLOT_OURS;
	return true;
}

/* Appends a slot to `now` if it is there, is not in it yet, and there is room. */
GL_MUST static bool add_slot(struct install *in, const char *slot)
{
	bool there = false;

	if (in->now.previous[0] || !strcmp(slot, in->now.current))
		return true;
	if (!install_has_slot(in, slot, &there))
		return false;
	if (there)
		memcpy(in->now.current[0] ? in->now.previous : in->now.current, slot, SLOT_NAME_SIZE + 1);
	return true;
}

/* What the firmware would start comes first, whatever slots.conf says: somebody may have changed BootOrder, or a run of ours was cut off. */
GL_MUST static bool find_now(struct install *in)
{
	const struct boot_entry *e;

	if (in->start == SLOTS_ENTRY)
		for (size_t at = 0; (e = boot_next(&in->entries, &at));)
			if (!add_slot(in, e->slot))
				return false;
	return !in->has_record || (add_slot(in, in->record.current) && add_slot(in, in->record.previous));
}

bool install_no_previous(struct install *in)
{
	return cli_fail(in->fault, CLI_INPUT, "there is no previous build: %s: install one", in->options->esp);
}

/* Where there are no two slots there is nothing to roll back to, whatever the firmware's variables say, or if there are none. */
GL_MUST static bool check_rollback(struct install *in)
{
	CLEANUP(esp_free_names) char **names = NULL;
	size_t slots = 0;

	if (in->home.fd >= 0 && !esp_names(&in->home, &names, in->fault))
		return false;
	for (size_t i = 0; names && names[i]; i++)
		slots += slot_name_valid(span_str(names[i]));
	return slots >= 2 || install_no_previous(in);
}

bool install_look(struct install *in)
{
	const struct install_options *o = in->options;

	if (!esp_open(o->esp, &in->esp, &in->fat, &in->top, in->fault) || !esp_enter(&in->esp, "EFI", false, &in->efi, in->fault) ||
		(in->efi.fd >= 0 && (!esp_enter(&in->efi, "geolaunch", false, &in->home, in->fault) ||
					    !esp_enter(&in->efi, "BOOT", false, &in->boot, in->fault))) ||
		!read_record(in) || (o->action == INSTALL_ROLLBACK && !check_rollback(in)))
		return false;
	in->start = o->start_given ? o->start : in->has_record ? in->record.start : SLOTS_ENTRY;
	return read_variables(in) && find_now(in);
}

/* The slot's list of files, allocated, which is worth something for a slot of ours only. */
GL_MUST static bool look_at(struct install *in, const char *slot, enum slot_state *state, struct slot_list **list)
{
	*list = malloc(sizeof(**list));
	if (!*list)
		return cli_fail(in->fault, CLI_IO, "out of memory: %s", slot);
	return slot_look(&in->home, slot, state, *list, NULL, in->fault);
}

bool install_label(struct install *in, const char *slot, char out[SLOT_LABEL_MAX + 1])
{
	CLEANUP_FREE struct slot_list *list = NULL;
	enum slot_state state;

	if (!look_at(in, slot, &state, &list))
		return false;
	slot_list_label(list, state == SLOT_OURS ? list->label : "");
	memcpy(out, list->label, sizeof(list->label));
	return true;
}

/* ---- boot entries that are not in use ---- */

bool install_warn_started(struct install *in, const struct boot_entry *e)
{
	return install_warn(in,
		"Boot%04X still starts another build, which is kept: %s/%s: remove that boot entry (efibootmgr), or use boot entries again "
		"(--boot-entry)",
		(unsigned)e->number, in->home.path, e->slot);
}

/*
 * BOOTX64.EFI is what firmware falls back to when no entry of BootOrder starts. A boot manager is an entry of its own: what comes behind
 * the first one is its affair. Entries of others lead where somebody else decided; they are not judged.
 */
bool install_find_other(struct install *in)
{
	const struct boot_entry *e;
	size_t at = 0;

	if (!in->variables || in->start == SLOTS_ENTRY || !in->now.current[0])
		return true;
	e = boot_next(&in->entries, &at);
	if (!e || (in->start == SLOTS_NOTHING && at != 1) || !strcmp(e->slot, in->now.current))
		return true;
	in->out->other_entry = e->number;
	memcpy(in->out->other, e->slot, sizeof(in->out->other));
	return install_warn_started(in, e);
}

/* ---- BOOTX64.EFI ---- */

GL_MUST static bool digest_of(struct install *in, const struct esp_folder *f, const char *name, bool *there, struct digests *out)
{
	CLEANUP(source_close) struct source s = SOURCE_NONE;

	*there = false;
	if (f->fd < 0)
		return true;
	if (!esp_source(f, name, &s, in->fault))
		return false;
	*there = s.fd >= 0;
	return !*there || source_copy(&s, NULL, 0, ALG_BIT(ALG_SHA256), out, &in->stop, in->fault);
}

GL_MUST static bool is_application_of(struct install *in, const char *slot, const struct digests *d, bool *out)
{
	CLEANUP_FREE struct slot_list *list = NULL;
	enum slot_state state;

	if (!look_at(in, slot, &state, &list))
		return false;
	for (size_t i = 0; state == SLOT_OURS && i < list->count; i++)
		if (!strcmp(list->files[i].name, SLOT_APPLICATION) &&
			span_equal(digest_span(d, ALG_SHA256), SPAN_OF(list->files[i].digest)))
			*out = true;
	return true;
}

bool install_owns_default(struct install *in, bool *there, bool *ours)
{
	CLEANUP(esp_free_names) char **names = NULL;
	struct digests d, by_hand;
	bool has_flat = false;

	*ours = false;
	if (!digest_of(in, &in->boot, DEFAULT_FILE, there, &d))
		return false;
	if (!*there || in->home.fd < 0)
		return true;
	if (!digest_of(in, &in->home, SLOT_APPLICATION, &has_flat, &by_hand) || !esp_names(&in->home, &names, in->fault))
		return false;
	*ours = has_flat && span_equal(digest_span(&d, ALG_SHA256), digest_span(&by_hand, ALG_SHA256));
	for (size_t i = 0; names[i] && !*ours; i++)
		if (slot_name_valid(span_str(names[i])) && !is_application_of(in, names[i], &d, ours))
			return false;
	return true;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cli/install_impl.h"

/* `install --uninstall` and `install --status`. */

/* ---- removing everything ---- */

/*
 * First what starts us, then what is started. Boot entries of ours are removed even if the host is not started by them, as what they
 * lead to goes away; but not if we were told to leave the firmware's variables alone.
 */
GL_MUST static bool remove_entries(struct install *in)
{
	bool told = in->options->start_given && in->options->start != SLOTS_ENTRY;

	if (!in->variables)
		return true;
	if (told && in->entries.count > 0)
		return install_warn(
			in, "boot entries of ours stay, as you asked for, though they now lead nowhere: remove them with efibootmgr");
	return boot_order(&in->entries, NULL, 0, &in->out->changed, in->fault) &&
	       boot_forget(&in->entries, NULL, 0, &in->out->changed, in->fault);
}

GL_MUST static bool remove_default(struct install *in)
{
	bool there = false, ours = false, done = false;

	if (!install_owns_default(in, &there, &ours))
		return false;
	if (in->boot.fd >= 0 && !esp_remove(&in->boot, SLOT_TEMPORARY, &in->out->changed, in->fault))
		return false;
	if (!install_put_back(in, ours, &done))
		return false;
	if (done)
		return true;
	/* Without it, the folder may be what is left of a run that was cut off here. */
	if (!ours && (there || in->boot.fd < 0 || in->start != SLOTS_REMOVABLE))
		return true;
	if (ours && (!esp_remove(&in->boot, DEFAULT_FILE, &in->out->changed, in->fault) || !esp_sync(&in->boot, in->fault)))
		return false;
	return esp_remove_folder(&in->efi, "BOOT", &in->out->changed, in->fault);
}

GL_MUST static bool remove_slots(struct install *in)
{
	CLEANUP(esp_free_names) char **names = NULL;

	if (!esp_names(&in->home, &names, in->fault))
		return false;
	for (size_t i = 0; names[i]; i++) {
		bool removed = false, left = false;

		if (!slot_name_valid(span_str(names[i])))
			continue;
		if (!slot_remove(&in->home, names[i], &removed, &left, in->fault))
			return false;
		if (removed && json_array_append_new(in->out->removed, json_string(names[i])) != 0)
			return cli_fail(in->fault, CLI_IO, "out of memory: report");
		if (left && !install_warn(in, "something in it is not ours, so it stays: %s/%s: look at it and remove it yourself",
				    in->home.path, names[i]))
			return false;
		in->out->changed = in->out->changed || removed;
	}
	return true;
}

bool install_uninstall(struct install *in)
{
	bool gone = false;

	memset(&in->now, 0, sizeof(in->now));
	if (!remove_entries(in))
		return false;
	if (in->home.fd < 0)
		return install_put_back(in, false, &gone);
	/* BOOTX64.EFI is known as ours by the slots, so it goes before them. slots.conf goes last: it says how the host is started. */
	if (!remove_default(in) || !remove_slots(in) || !esp_remove(&in->home, SLOT_TEMPORARY, &in->out->changed, in->fault) ||
		!esp_remove(&in->home, SLOTS_FILE, &in->out->changed, in->fault) || !esp_sync(&in->home, in->fault) ||
		!esp_remove_folder(&in->efi, "geolaunch", &gone, in->fault))
		return false;
	in->out->changed = in->out->changed || gone;
	return gone || install_warn(in, "something in it is not ours, so it stays: %s", in->home.path);
}

/* ---- looking ---- */

static bool is_ordered(const struct install *in, const char *slot)
{
	const struct boot_entry *e;

	for (size_t at = 0; in->variables && (e = boot_next(&in->entries, &at));)
		if (!strcmp(e->slot, slot))
			return true;
	return false;
}

GL_MUST static bool look_at_slot(struct install *in, const char *name)
{
	CLEANUP_FREE struct slot_list *list = malloc(sizeof(*list));
	CLEANUP(esp_leave) struct esp_folder f = ESP_NO_FOLDER;
	struct install_slot *more = reallocarray(in->out->slots, in->out->slot_count + 1, sizeof(*more));
	const struct boot_entry *e = in->variables ? boot_find(&in->entries, name) : NULL;
	enum slot_state state;

	if (more)
		in->out->slots = more;
	if (!more || !list)
		return cli_fail(in->fault, CLI_IO, "out of memory: report");
	if (!slot_look(&in->home, name, &state, list, &f, in->fault))
		return false;
	if (state == SLOT_FOREIGN || state == SLOT_ABSENT)
		return true;
	more += in->out->slot_count++;
	*more = (struct install_slot){ .entry = e ? e->number : -1, .ordered = is_ordered(in, name) };
	memcpy(more->slot, name, SLOT_NAME_SIZE);
	if (state == SLOT_BEGUN) {
		(void)snprintf(more->bad, sizeof(more->bad), "%s", SLOT_LIST_FILE);
		return true;
	}
	memcpy(more->label, list->label, sizeof(more->label));
	more->files = list->count;
	return slot_verify(&f, list, &in->stop, &more->good, more->bad, in->fault);
}

/* The current build is complete, and the way that the host is started leads to it. */
static bool is_healthy(const struct install *in)
{
	const struct install_report *r = in->out;
	const struct install_slot *current = NULL;
	const struct boot_entry *first;
	size_t at = 0;

	for (size_t i = 0; i < r->slot_count; i++)
		if (!strcmp(r->slots[i].slot, in->now.current))
			current = &r->slots[i];
	if (!current || !current->good || !in->has_record || strcmp(in->record.current, current->slot) != 0 || r->other_entry >= 0)
		return false;
	if (in->start == SLOTS_REMOVABLE)
		return r->removable;
	first = in->start == SLOTS_ENTRY ? boot_next(&in->entries, &at) : NULL;
	return in->start == SLOTS_NOTHING || (first && !strcmp(first->slot, current->slot));
}

static enum install_rollback find_rollback(const struct install *in)
{
	const struct install_report *r = in->out;

	if (!in->now.previous[0])
		return in->has_record && in->record.previous[0] ? INSTALL_ROLLBACK_GONE : INSTALL_ROLLBACK_NONE;
	for (size_t i = 0; i < r->slot_count; i++)
		if (!strcmp(r->slots[i].slot, in->now.previous))
			return r->slots[i].good ? INSTALL_ROLLBACK_POSSIBLE : INSTALL_ROLLBACK_DAMAGED;
	return INSTALL_ROLLBACK_GONE;
}

bool install_status(struct install *in)
{
	CLEANUP(esp_free_names) char **names = NULL;
	bool there = false;

	if (in->home.fd < 0)
		return true;
	if (!install_owns_default(in, &there, &in->out->removable) || !esp_names(&in->home, &names, in->fault))
		return false;
	for (size_t i = 0; names[i]; i++)
		if (slot_name_valid(span_str(names[i])) && !look_at_slot(in, names[i]))
			return false;
	if (!install_find_other(in))
		return false;
	in->out->healthy = is_healthy(in);
	in->out->rollback = find_rollback(in);
	return true;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/install.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/install_impl.h"
#include "common/text.h"

#define APPLICATION_MAX ((size_t)64 << 20)

static void install_end(struct install **in)
{
	if (!*in)
		return;
	esp_leave(&(*in)->boot);
	esp_leave(&(*in)->home);
	esp_leave(&(*in)->efi);
	esp_leave(&(*in)->esp);
	boot_free(&(*in)->entries);
	if ((*in)->build)
		build_tree_close((*in)->build);
	free((*in)->build);
	interrupt_release(&(*in)->stop);
	free(*in);
}

void install_free(struct install_report *r)
{
	free(r->slots);
	json_decref(r->removed);
	json_decref(r->warnings);
	*r = (struct install_report){ .entry = -1, .other_entry = -1 };
}

/* ---- choosing what starts ---- */

static size_t slot_names(const struct slots *s, const char *out[2])
{
	size_t n = 0;

	if (s->current[0])
		out[n++] = s->current;
	if (s->previous[0])
		out[n++] = s->previous;
	return n;
}

GL_MUST static bool make_entries(struct install *in, const struct slots *want)
{
	const char *names[2];
	size_t n = slot_names(want, names);

	for (size_t i = 0; i < n; i++) {
		char label[SLOT_LABEL_MAX + 1];

		if (!install_label(in, names[i], label) || !boot_make(&in->entries, names[i], label, &in->out->changed, in->fault))
			return false;
	}
	return true;
}

GL_MUST static bool write_record(struct install *in, const struct slots *want)
{
	uint8_t text[SLOTS_MAX_SIZE], now[SLOTS_MAX_SIZE];
	size_t n = slots_write(want, (struct mspan){ text, sizeof(text) });
	size_t have = in->has_record ? slots_write(&in->record, (struct mspan){ now, sizeof(now) }) : 0;

	if (n == 0)
		return cli_fail(in->fault, CLI_IO, "the choice of slots cannot be written: this is a fault of geolaunch: please report it");
	if (span_equal((struct span){ text, n }, (struct span){ now, have }))
		return true;
	in->out->changed = true;
	if (!esp_write(&in->home, SLOTS_FILE, (struct span){ text, n }, in->fault))
		return false;
	in->record = *want;
	in->has_record = true;
	return true;
}

/* A folder that is not there. */
GL_MUST static bool make_folder(struct install *in, const struct esp_folder *parent, const char *name, struct esp_folder *out, bool *made)
{
	*made = true;
	return esp_enter(parent, name, true, out, in->fault);
}

GL_MUST static bool write_default(struct install *in, const char *slot)
{
	CLEANUP(esp_leave) struct esp_folder f = ESP_NO_FOLDER;
	CLEANUP_FREE uint8_t *bytes = NULL, *now = NULL;
	size_t n = 0, have = 0;

	if (in->boot.fd < 0 && !make_folder(in, &in->efi, "BOOT", &in->boot, &in->made_boot))
		return false;
	if (!esp_enter(&in->home, slot, false, &f, in->fault) ||
		(f.fd >= 0 && !esp_read(&f, SLOT_APPLICATION, APPLICATION_MAX, &bytes, &n, in->fault)))
		return false;
	if (!bytes)
		return cli_fail(in->fault, CLI_IO, "no such file: %s/%s/" SLOT_APPLICATION ": install again", in->home.path, slot);
	if (!esp_read(&in->boot, DEFAULT_FILE, APPLICATION_MAX, &now, &have, in->fault))
		return false;
	in->out->removable = true;
	if (now && span_equal((struct span){ bytes, n }, (struct span){ now, have }))
		return esp_remove(&in->boot, SLOT_TEMPORARY, NULL, in->fault);
	in->out->changed = true;
	return esp_write(&in->boot, DEFAULT_FILE, (struct span){ bytes, n }, in->fault);
}

bool install_select(struct install *in, const struct slots *want, bool with_default)
{
	const char *names[2];
	size_t n = slot_names(want, names);

	if (in->start == SLOTS_ENTRY && want->start == SLOTS_ENTRY &&
		(!make_entries(in, want) || !boot_order(&in->entries, names, n, &in->out->changed, in->fault)))
		return false;
	if (!write_record(in, want) || (with_default && !write_default(in, want->current)))
		return false;
	in->now = *want;
	return true;
}

/* ---- removing what is no longer selected ---- */

static bool is_kept(const struct slots *keep, const char *also, const char *slot)
{
	return !strcmp(slot, keep->current) || !strcmp(slot, keep->previous) || (also && !strcmp(slot, also));
}

/* Boot entries that we were told to leave alone still start their slots. */
GL_MUST static bool is_started(struct install *in, const char *slot, bool *out)
{
	const struct boot_entry *e = in->variables && in->start != SLOTS_ENTRY ? boot_find(&in->entries, slot) : NULL;

	*out = e != NULL;
	return !e || install_warn_started(in, e);
}

GL_MUST static bool remove_slot(struct install *in, const char *slot)
{
	bool removed = false, left = false;

	if (!slot_remove(&in->home, slot, &removed, &left, in->fault))
		return false;
	in->out->changed = in->out->changed || removed;
	if (left && !install_warn(
			    in, "something in it is not ours, so it stays: %s/%s: look at it and remove it yourself", in->home.path, slot))
		return false;
	return !removed || json_array_append_new(in->out->removed, json_string(slot)) == 0 ||
	       cli_fail(in->fault, CLI_IO, "out of memory: report");
}

bool install_prune(struct install *in, const struct slots *keep, const char *also)
{
	CLEANUP(esp_free_names) char **names = NULL;
	const char *kept[3];
	size_t n = slot_names(keep, kept);

	kept[n] = also;
	if (in->start == SLOTS_ENTRY && (!boot_order(&in->entries, kept, n, &in->out->changed, in->fault) ||
						!boot_forget(&in->entries, kept, n + (also != NULL), &in->out->changed, in->fault)))
		return false;
	if (in->home.fd < 0)
		return true;
	if (!esp_remove(&in->home, SLOT_TEMPORARY, &in->out->changed, in->fault) || !esp_names(&in->home, &names, in->fault))
		return false;
	for (size_t i = 0; names[i]; i++) {
		bool started = false;

		if (!slot_name_valid(span_str(names[i])) || is_kept(keep, also, names[i]))
			continue;
		if (!is_started(in, names[i], &started) || (!started && !remove_slot(in, names[i])))
			return false;
	}
	return true;
}

/* ---- installing ---- */

/* Before anything is written: may BOOTX64.EFI be ours? */
GL_MUST static bool check_default(struct install *in, bool *ours)
{
	bool there = false;

	if (!install_owns_default(in, &there, ours))
		return false;
	if (in->start != SLOTS_REMOVABLE || *ours)
		return true;
	*ours = true;
	if (!there || in->options->force)
		return install_plan_keep(in);
	return cli_fail(in->fault, CLI_USAGE,
		"another boot loader is there: %s/" DEFAULT_FILE ": --force replaces it, and keeps it as " KEPT_FILE, in->boot.path);
}

/* A slot that would be the previous one is no use if it is not there; the new one keeps no previous self. */
static struct slots choose(const struct install *in)
{
	struct slots want = { .start = in->start };

	memcpy(want.current, in->build->slot, sizeof(want.current));
	memcpy(want.previous, strcmp(in->now.current, want.current) ? in->now.current : in->now.previous, sizeof(want.previous));
	return want;
}

/* Lets go of the previous build. The current one stays, starts as it did until now, and is the previous one afterwards. */
GL_MUST static bool drop_previous(struct install *in)
{
	const struct slots was = in->now;
	struct slots keep = was;

	keep.previous[0] = 0;
	keep.start = in->has_record ? in->record.start : in->start;
	return install_select(in, &keep, false) &&
	       install_warn(in, "the previous build was removed before the new one was copied, as there was no room for three: %s/%s",
		       in->home.path, was.previous) &&
	       install_prune(in, &keep, in->build->slot);
}

/* Whether it can make room: nothing starts it but what we were told to choose. */
static bool can_drop_previous(const struct install *in)
{
	const char *previous = in->now.previous;

	return *previous && strcmp(previous, in->build->slot) != 0 &&
	       (in->start == SLOTS_ENTRY || !in->variables || !boot_find(&in->entries, previous));
}

GL_MUST static bool make_room(struct install *in)
{
	uint64_t left = 0, piece = 0, need = 0, more = 0;
	char buf[2][32];
	struct text texts[2] = { TEXT_OF(buf[0]), TEXT_OF(buf[1]) };

	if (!esp_space(&in->esp, &left, &piece, in->fault) || !slot_need(&in->home, in->build, piece, &need, in->fault))
		return false;
	need += in->keep ? (in->keep_size + piece - 1) / piece * piece : 0;
	if (need <= left)
		return true;
	if (can_drop_previous(in) && !slot_size(&in->home, in->now.previous, piece, &more, in->fault))
		return false;
	if (need - left <= more)
		return drop_previous(in);
	text_size(&texts[0], need);
	text_size(&texts[1], left);
	return cli_fail(in->fault, CLI_IO, "no room: %s: the build needs %s, %s are free: remove what is not needed there",
		in->options->esp, buf[0], buf[1]);
}

/* What was begun by us and nothing refers to. Whether this works changes nothing about the fault that led here. */
static void undo(struct install *in)
{
	struct cli_fault ignored;
	const char *kept[2];
	size_t n = slot_names(&in->now, kept);
	bool removed, left;

	if (in->start == SLOTS_ENTRY)
		(void)!boot_forget(&in->entries, kept, n, &removed, &ignored);
	(void)!slot_remove(&in->home, in->build->slot, &removed, &left, &ignored);
	install_unkeep(in);
}

/* Folders of this run in which nothing is. */
static void undo_folders(struct install *in)
{
	struct cli_fault ignored;
	bool removed;

	if (in->made_boot)
		(void)!esp_remove_folder(&in->efi, "BOOT", &removed, &ignored);
	if (in->made_home)
		(void)!esp_remove_folder(&in->efi, "geolaunch", &removed, &ignored);
	if (in->made_efi)
		(void)!esp_remove_folder(&in->esp, "EFI", &removed, &ignored);
}

/* After a write that failed: did it take effect all the same, as far as can be told? */
static bool is_selected(const struct install *in, const char *slot)
{
	CLEANUP(boot_free) struct boot_entries entries = { .partition = NULL };
	CLEANUP_FREE uint8_t *text = NULL;
	const struct boot_entry *e;
	struct cli_fault ignored;
	struct slots record;
	size_t n = 0;

	if (!esp_read(&in->home, SLOTS_FILE, SLOTS_MAX_SIZE, &text, &n, &ignored) ||
		(text && (!slots_parse((struct span){ text, n }, &record) || !strcmp(record.current, slot) ||
				 !strcmp(record.previous, slot))))
		return true;
	if (in->start != SLOTS_ENTRY)
		return false;
	if (!boot_read(in->options->esp, &entries, &ignored))
		return true;
	for (size_t at = 0; (e = boot_next(&entries, &at));)
		if (!strcmp(e->slot, slot))
			return true;
	return false;
}

/* Everything that the selection needs, then the selection. If it does not come to that, what was begun is taken back. */
GL_MUST static bool put_slot(struct install *in, const struct slots *want, bool with_default)
{
	bool in_use = !strcmp(in->now.current, want->current);
	bool fresh = !in_use && strcmp(in->now.previous, want->current) != 0 && !(in->variables && boot_find(&in->entries, want->current));

	if (slot_fill(&in->home, in->build, in_use, &in->stop, &in->out->written, in->fault) &&
		(in->start != SLOTS_ENTRY || make_entries(in, want)) &&
		(!interrupted(&in->stop) ||
			cli_fail(in->fault, CLI_IO, "interrupted: %s: the build was not installed", in->options->esp)) &&
		install_keep(in) && install_select(in, want, with_default)) {
		in->out->changed = in->out->changed || in->out->written > 0;
		return true;
	}
	if (fresh && !is_selected(in, want->current))
		undo(in);
	return false;
}

GL_MUST static bool put_build(struct install *in)
{
	struct slots want;
	bool ours = false;

	if (!check_default(in, &ours))
		return false;
	in->build = calloc(1, sizeof(*in->build));
	if (!in->build)
		return cli_fail(in->fault, CLI_IO, "out of memory: %s", in->options->build);
	if (!build_tree_open(in->options->build, &in->stop, in->build, in->fault))
		return false;
	in->out->files = in->build->list.count;

	/* What an earlier run left. A slot of this build may be complete already. */
	if (!install_prune(in, &in->now, in->build->slot))
		return false;
	if ((in->efi.fd < 0 && !make_folder(in, &in->esp, "EFI", &in->efi, &in->made_efi)) ||
		(in->home.fd < 0 && !make_folder(in, &in->efi, "geolaunch", &in->home, &in->made_home)))
		return false;
	if (!make_room(in))
		return false;
	want = choose(in);
	return put_slot(in, &want, ours) && install_prune(in, &want, NULL) && install_find_other(in);
}

/* ---- the other actions ---- */

GL_MUST static bool roll_back(struct install *in)
{
	CLEANUP_FREE struct slot_list *list = malloc(sizeof(*list));
	CLEANUP(esp_leave) struct esp_folder f = ESP_NO_FOLDER;
	struct slots want = { .start = in->start };
	bool there = false, ours = false, good = false;
	char bad[DESCRIPTION_MAX_FILE + 1] = "";
	enum slot_state state;

	if (!list)
		return cli_fail(in->fault, CLI_IO, "out of memory: %s", in->options->esp);
	if (!in->now.previous[0])
		return install_no_previous(in);
	memcpy(want.current, in->now.previous, sizeof(want.current));
	memcpy(want.previous, in->now.current, sizeof(want.previous));
	if (!slot_look(&in->home, want.current, &state, list, &f, in->fault))
		return false;
	if (state != SLOT_OURS)
		return cli_fail(
			in->fault, CLI_INPUT, "the previous build is not there any more: %s/%s: install one", in->home.path, want.current);
	if (!slot_verify(&f, list, &in->stop, &good, bad, in->fault))
		return false;
	if (!good)
		return cli_fail(in->fault, CLI_INPUT, "the previous build is damaged: %s/%s/%s: install it again", in->home.path,
			want.current, bad);
	in->out->files = list->count;
	if (!install_owns_default(in, &there, &ours))
		return false;
	if (there && !ours && in->start == SLOTS_REMOVABLE)
		return cli_fail(in->fault, CLI_USAGE, "another boot loader is there: %s/" DEFAULT_FILE ": install a build with --force",
			in->boot.path);
	return install_select(in, &want, ours || in->start == SLOTS_REMOVABLE) && install_find_other(in);
}

GL_MUST static bool act(struct install *in)
{
	switch (in->options->action) {
	case INSTALL_BUILD:
		if (put_build(in))
			return true;
		undo_folders(in);
		return false;
	case INSTALL_ROLLBACK:
		return roll_back(in);
	case INSTALL_UNINSTALL:
		return install_uninstall(in);
	case INSTALL_STATUS:
		break;
	}
	return install_status(in);
}

/* An installation in the files that it comes from, or in those of another build, would ruin them. */
GL_MUST static bool check_apart(const struct install_options *o, struct cli_fault *fault)
{
	static const char *const what[] = { [BUILD_TREE_TOP] = "this is a build", [BUILD_TREE_INSIDE] = "this is a folder of a build" };
	enum build_tree_place place = build_tree_place(o->esp, o->build);

	return place == BUILD_TREE_APART ||
	       cli_fail(
		       fault, CLI_USAGE, "%s, and no EFI system partition: %s: name with --esp where that is mounted", what[place], o->esp);
}

bool install_run(const struct install_options *options, struct install_report *out, struct cli_fault *fault)
{
	CLEANUP(install_end) struct install *in = calloc(1, sizeof(*in));
	const struct boot_entry *e;

	out->entry = out->other_entry = -1;
	out->removed = json_array();
	out->warnings = json_array();
	if (!in || !out->removed || !out->warnings) {
		free(in);
		in = NULL;
		return cli_fail(fault, CLI_IO, "out of memory: installation");
	}
	*in = (struct install){
		.options = options,
		.out = out,
		.fault = fault,
		.esp = ESP_NO_FOLDER,
		.efi = ESP_NO_FOLDER,
		.home = ESP_NO_FOLDER,
		.boot = ESP_NO_FOLDER,
	};
	interrupt_hold(&in->stop);
	if (!check_apart(options, fault) || !install_look(in) || !act(in) || !install_find_kept(in))
		return false;
	out->start = in->start;
	out->now = in->now;
	e = in->variables && in->now.current[0] ? boot_find(&in->entries, in->now.current) : NULL;
	out->entry = e ? e->number : -1;
	return true;
}

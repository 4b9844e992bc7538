/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for the folder, the list and what FAT needs beside the files. */
#define SLACK ((uint64_t)256 * 1024)

/* ---- looking ---- */

/* Whether there is nothing in it that a list does not account for: it was begun and never got its list. */
GL_MUST static bool is_empty(const struct esp_folder *f, bool *out, struct cli_fault *fault)
{
	CLEANUP(esp_free_names) char **names = NULL;

	if (!esp_names(f, &names, fault))
		return false;
	*out = true;
	for (size_t i = 0; names[i]; i++)
		*out = *out && !strcmp(names[i], SLOT_TEMPORARY);
	return true;
}

GL_MUST static bool read_list(const struct esp_folder *f, const char *slot, bool *ours, struct slot_list *list, struct cli_fault *fault)
{
	CLEANUP_FREE uint8_t *text = NULL;
	char name[SLOT_NAME_SIZE + 1];
	size_t n = 0;

	if (!esp_read(f, SLOT_LIST_FILE, SLOT_LIST_MAX_SIZE, &text, &n, fault))
		return fault->code == CLI_INPUT; /* no regular file, or too large: not ours */
	if (!text)
		return true;
	slot_list_slot((struct span){ text, n }, name);
	*ours = !strcmp(name, slot) && slot_list_parse((struct span){ text, n }, list);
	return true;
}

bool slot_look(const struct esp_folder *home, const char *slot, enum slot_state *state, struct slot_list *list, struct esp_folder *folder,
	struct cli_fault *fault)
{
	CLEANUP(esp_leave) struct esp_folder f = ESP_NO_FOLDER;
	CLEANUP_FREE struct slot_list *own = list ? NULL : malloc(sizeof(*own));
	bool ours = false, empty = false;
	struct stat st;

	if (!list && !own)
		return cli_fail(fault, CLI_IO, "out of memory: %s", slot);
	*state = SLOT_ABSENT;
	if (fstatat(home->fd, slot, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode)) {
		*state = SLOT_FOREIGN;
		return true;
	}
	if (!esp_enter(home, slot, false, &f, fault))
		return false;
	if (f.fd < 0)
		return true;
	if (!read_list(&f, slot, &ours, list ? list : own, fault) || !is_empty(&f, &empty, fault))
		return false;
	*state = ours ? SLOT_OURS : empty ? SLOT_BEGUN : SLOT_FOREIGN;
	if (ours && folder) {
		*folder = f;
		f = ESP_NO_FOLDER;
	}
	return true;
}

/* Whether a file has the content that the list says. A file that is not there has not. */
GL_MUST static bool is_right(
	const struct esp_folder *f, const struct slot_file *file, const struct interrupt *stop, bool *out, struct cli_fault *fault)
{
	CLEANUP(source_close) struct source s = SOURCE_NONE;
	struct digests d;

	*out = false;
	if (!esp_source(f, file->name, &s, fault))
		return false;
	if (s.fd < 0 || s.size == 0)
		return true;
	if (!source_copy(&s, NULL, 0, ALG_BIT(ALG_SHA256), &d, stop, fault))
		return false;
	*out = span_equal(digest_span(&d, ALG_SHA256), SPAN_OF(file->digest));
	return true;
}

bool slot_verify(const struct esp_folder *folder, const struct slot_list *list, const struct interrupt *stop, bool *good,
	char bad[DESCRIPTION_MAX_FILE + 1], struct cli_fault *fault)
{
	*good = true;
	for (size_t i = 0; *good && i < list->count; i++) {
		if (!is_right(folder, &list->files[i], stop, good, fault))
			return false;
		if (!*good)
			memcpy(bad, list->files[i].name, sizeof(list->files[i].name));
	}
	return true;
}

bool slot_need(const struct esp_folder *home, const struct build_tree *build, uint64_t piece, uint64_t *need, struct cli_fault *fault)
{
	CLEANUP(esp_leave) struct esp_folder f = ESP_NO_FOLDER;

	*need = 0;
	if (home->fd >= 0 && !esp_enter(home, build->slot, false, &f, fault))
		return false;
	for (size_t i = 0; i < build->list.count; i++) {
		CLEANUP(source_close) struct source s = SOURCE_NONE;

		/* A file of the right size is taken for the right one here; if it is not, one more fits into the slack or writing fails. */
		if (f.fd >= 0 && !esp_source(&f, build->list.files[i].name, &s, fault))
			return false;
		if (s.fd < 0 || s.size != build_tree_size(build, i))
			*need += (build_tree_size(build, i) + piece - 1) / piece * piece;
	}
	*need += *need ? SLACK : 0;
	return true;
}

bool slot_size(const struct esp_folder *home, const char *slot, uint64_t piece, uint64_t *size, struct cli_fault *fault)
{
	CLEANUP_FREE struct slot_list *list = malloc(sizeof(*list));
	CLEANUP(esp_leave) struct esp_folder f = ESP_NO_FOLDER;
	enum slot_state state;

	*size = 0;
	if (!list)
		return cli_fail(fault, CLI_IO, "out of memory: %s", slot);
	if (!slot_look(home, slot, &state, list, &f, fault))
		return false;
	for (size_t i = 0; state == SLOT_OURS && i < list->count; i++) {
		CLEANUP(source_close) struct source s = SOURCE_NONE;

		if (!esp_source(&f, list->files[i].name, &s, fault))
			return false;
		*size += (s.size + piece - 1) / piece * piece;
	}
	return true;
}

/* ---- writing ---- */

GL_MUST static bool write_file(
	const struct esp_folder *f, struct build_tree *build, size_t i, const struct interrupt *stop, struct cli_fault *fault)
{
	const struct slot_file *file = &build->list.files[i];
	struct source *s = &build->sources[i];
	CLEANUP_FD int fd = -1;
	struct digests d;

	fd = esp_begin(f, fault);
	if (fd < 0)
		return false;
	if (lseek(s->fd, 0, SEEK_SET) != 0)
		return cli_fail(fault, CLI_IO, "cannot read: %s: %s", s->path, strerror(errno));
	if (!source_copy(s, &fd, 1, ALG_BIT(ALG_SHA256), &d, stop, fault))
		return false;
	if (!span_equal(digest_span(&d, ALG_SHA256), SPAN_OF(file->digest)))
		return cli_fail(fault, CLI_IO, "the file changed while it was read: %s: try again when it is finished", s->path);
	return esp_finish(f, &fd, file->name, fault);
}

GL_MUST static bool fill_files(const struct esp_folder *f, struct build_tree *build, bool application, const struct interrupt *stop,
	uint64_t *written, struct cli_fault *fault)
{
	for (size_t i = 0; i < build->list.count; i++) {
		bool right = false;

		if (!strcmp(build->list.files[i].name, SLOT_APPLICATION) != application)
			continue;
		if (!is_right(f, &build->list.files[i], stop, &right, fault))
			return false;
		if (right)
			continue;
		if (!write_file(f, build, i, stop, fault))
			return false;
		*written += build_tree_size(build, i);
	}
	return true;
}

/* ---- removing ---- */

GL_MUST static bool remove_files(const struct esp_folder *f, const struct slot_list *list, struct cli_fault *fault)
{
	if (!esp_remove(f, SLOT_APPLICATION, NULL, fault) || !esp_remove(f, SLOT_TEMPORARY, NULL, fault))
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (!esp_remove(f, list->files[i].name, NULL, fault))
			return false;
	return esp_sync(f, fault);
}

bool slot_remove(const struct esp_folder *home, const char *slot, bool *removed, bool *left, struct cli_fault *fault)
{
	CLEANUP_FREE struct slot_list *list = malloc(sizeof(*list));
	CLEANUP(esp_leave) struct esp_folder f = ESP_NO_FOLDER;
	enum slot_state state;
	bool gone = false;

	*removed = *left = false;
	if (!list)
		return cli_fail(fault, CLI_IO, "out of memory: %s", slot);
	if (!slot_look(home, slot, &state, list, &f, fault))
		return false;
	if (state == SLOT_ABSENT || state == SLOT_FOREIGN)
		return true;
	if (state == SLOT_BEGUN) {
		list->count = 0;
		if (!esp_enter(home, slot, false, &f, fault))
			return false;
	}
	if (!remove_files(&f, list, fault) || !esp_remove(&f, SLOT_LIST_FILE, NULL, fault) || !esp_sync(&f, fault) ||
		!esp_remove_folder(home, slot, &gone, fault))
		return false;
	*removed = true;
	*left = !gone;
	return true;
}

/* ---- making a slot ---- */

/* Whether there is nothing left to do. */
GL_MUST static bool is_complete(
	const struct esp_folder *f, const struct build_tree *build, const struct interrupt *stop, bool *out, struct cli_fault *fault)
{
	CLEANUP(source_close) struct source temporary = SOURCE_NONE;
	char bad[DESCRIPTION_MAX_FILE + 1];

	if (!slot_verify(f, &build->list, stop, out, bad, fault) || !esp_source(f, SLOT_TEMPORARY, &temporary, fault))
		return false;
	*out = *out && temporary.fd < 0;
	return true;
}

/*
 * A copy that was cut off is not continued: FAT has no journal, and after a power cut in a rename two names may stand for the same
 * clusters, so that removing the temporary file would take the content from under a file that looks right.
 */
GL_MUST static bool begin_anew(const struct esp_folder *home, const char *slot, struct cli_fault *fault)
{
	bool removed, left;

	if (!slot_remove(home, slot, &removed, &left, fault))
		return false;
	return !left || cli_fail(fault, CLI_INPUT, "the folder holds files that are not ours: %s/%s: remove them, then install again",
				home->path, slot);
}

bool slot_fill(const struct esp_folder *home, struct build_tree *build, bool in_use, const struct interrupt *stop, uint64_t *written,
	struct cli_fault *fault)
{
	CLEANUP(esp_leave) struct esp_folder f = ESP_NO_FOLDER;
	enum slot_state state;
	bool complete = false;

	*written = 0;
	if (!slot_look(home, build->slot, &state, NULL, &f, fault))
		return false;
	if (state == SLOT_FOREIGN)
		return cli_fail(fault, CLI_INPUT, "the folder is not what its name says: %s/%s: remove it yourself, then install again",
			home->path, build->slot);
	if (state == SLOT_OURS && !is_complete(&f, build, stop, &complete, fault))
		return false;
	if (complete)
		return true;
	if (!in_use && state != SLOT_ABSENT) {
		esp_leave(&f);
		if (!begin_anew(home, build->slot, fault))
			return false;
	}
	if (f.fd < 0 && !esp_enter(home, build->slot, true, &f, fault))
		return false;
	if ((!in_use || state != SLOT_OURS) && !esp_write(&f, SLOT_LIST_FILE, (struct span){ build->text, build->text_size }, fault))
		return false;
	/* The application last: without it nothing can be started here. */
	return fill_files(&f, build, false, stop, written, fault) && fill_files(&f, build, true, stop, written, fault) &&
	       esp_remove(&f, SLOT_TEMPORARY, NULL, fault) && esp_sync(&f, fault);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* A volume in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_efi.h"

#include <cmocka.h>

/* Something that is open: a file, or a folder by its path. */
struct opened {
	EFI_FILE protocol;    /* must come first */
	struct fw_file *file; /* NULL: a folder */
	char path[256];       /* of a folder; "" is the root */
	size_t at;
	struct opened *next;
};

static const EFI_FILE template;
/* All that are open; a machine that ends leaves them. */
static struct opened *all;

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* As FAT does: case does not count. */
static bool begins(const char *path, const char *with)
{
	for (; *with; path++, with++)
		if (lower(*path) != lower(*with))
			return false;
	return true;
}

struct fw_file *fw_find_file(const char *path)
{
	for (size_t i = 0; i < fw.file_count; i++)
		if (begins(fw.files[i].path, path) && strlen(path) == strlen(fw.files[i].path))
			return &fw.files[i];
	return NULL;
}

static bool is_folder(const char *path)
{
	if (!path[0])
		return true;
	for (size_t i = 0; i < fw.file_count; i++)
		if (begins(fw.files[i].path, path) && fw.files[i].path[strlen(path)] == '\\')
			return true;
	return false;
}

static struct opened *new_handle(struct fw_file *file, const char *path)
{
	struct opened *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	o->protocol = template;
	o->file = file;
	memcpy(o->path, path, strlen(path) + 1);
	fw.open_files++;
	o->next = all;
	all = o;
	return o;
}

static EFI_STATUS EFIAPI file_open(EFI_FILE_HANDLE self, EFI_FILE_HANDLE *out, CHAR16 *name, UINT64 mode, UINT64 attributes)
{
	struct opened *o = (struct opened *)self;
	struct fw_file *f;
	char path[256];
	size_t n;

	assert_false(fw.notified);
	assert_null(o->file);
	assert_int_equal(mode, EFI_FILE_MODE_READ);
	assert_int_equal(attributes, 0);
	n = name[0] == '\\' ? 0 : strlen(o->path);
	memcpy(path, o->path, n);
	if (name[0] != '\\')
		path[n++] = '\\';
	for (; *name; name++) {
		assert_true(n + 1 < sizeof(path));
		path[n++] = (char)*name;
	}
	/* The root folder is its separator alone. */
	if (n == 1)
		n = 0;
	path[n] = 0;
	f = fw_find_file(path);
	if (!f && !is_folder(path))
		return EFI_NOT_FOUND;
	if (f && f->stalls && f->error_at == SIZE_MAX)
		fw_stall();
	if (f && EFI_ERROR(f->open_status))
		return f->open_status;
	if (f && f->opened++ > 0 && fw.no_second_open)
		fail_msg("%s is opened a second time", path);
	*out = &new_handle(f, f ? "" : path)->protocol;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_close(EFI_FILE_HANDLE self)
{
	assert_false(fw.notified);
	assert_int_not_equal(fw.open_files, 0);
	fw.open_files--;
	for (struct opened **at = &all; *at; at = &(*at)->next)
		if (&(*at)->protocol == self) {
			struct opened *o = *at;

			*at = o->next;
			free(o);
			return EFI_SUCCESS;
		}
	fail_msg("something is closed that is not open");
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_read(EFI_FILE_HANDLE self, UINTN *size, void *buffer)
{
	struct opened *o = (struct opened *)self;
	struct fw_file *f = o->file;
	uint8_t *to = buffer;
	size_t end, n;

	assert_false(fw.notified);
	assert_non_null(f);
	fw.clock_us += fw.read_us;
	end = f->end_at < f->bytes.n ? f->end_at : f->bytes.n;
	n = o->at < end ? end - o->at : 0;
	if (n > *size)
		n = *size;
	if (f->piece && n > f->piece)
		n = f->piece;
	if (f->error_at >= o->at && f->error_at - o->at < *size && f->stalls)
		fw_stall();
	if (f->error_at >= o->at && f->error_at - o->at < *size)
		return EFI_DEVICE_ERROR;
	for (size_t i = 0; i < n; i++, o->at++)
		to[i] = o->at < f->served ? (uint8_t)~f->bytes.p[o->at] : f->bytes.p[o->at];
	if (o->at > f->served)
		f->served = o->at;
	*size = n;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_get_info(EFI_FILE_HANDLE self, EFI_GUID *type, UINTN *size, void *buffer)
{
	EFI_GUID info_guid = EFI_FILE_INFO_ID;
	struct opened *o = (struct opened *)self;
	const char *name = o->file ? strrchr(o->file->path, '\\') + 1 : o->path;
	UINTN needed = SIZE_OF_EFI_FILE_INFO + (strlen(name) + 1) * sizeof(CHAR16);
	EFI_FILE_INFO *info = buffer;

	if (!fw_guid_equal(type, &info_guid))
		return EFI_UNSUPPORTED;
	if (o->file && EFI_ERROR(o->file->info_status))
		return o->file->info_status;
	if (*size < needed) {
		*size = needed;
		return EFI_BUFFER_TOO_SMALL;
	}
	memset(info, 0, needed);
	info->Size = needed;
	info->Attribute = o->file ? EFI_FILE_ARCHIVE : EFI_FILE_DIRECTORY;
	/* Folders have a size too, in some file systems. */
	info->FileSize = 512;
	if (o->file)
		info->FileSize = o->file->claimed_size ? o->file->claimed_size : o->file->bytes.n;
	info->PhysicalSize = info->FileSize;
	for (size_t i = 0; name[i]; i++)
		info->FileName[i] = (CHAR16)name[i];
	*size = needed;
	return EFI_SUCCESS;
}

static const EFI_FILE template = {
	.Revision = EFI_FILE_HANDLE_REVISION,
	.Open = file_open,
	.Close = file_close,
	.Delete = FW_UNSUPPORTED(template.Delete),
	.Read = file_read,
	.Write = FW_UNSUPPORTED(template.Write),
	.GetPosition = FW_UNSUPPORTED(template.GetPosition),
	.SetPosition = FW_UNSUPPORTED(template.SetPosition),
	.GetInfo = file_get_info,
	.SetInfo = FW_UNSUPPORTED(template.SetInfo),
	.Flush = FW_UNSUPPORTED(template.Flush),
};

static EFI_STATUS EFIAPI open_volume(EFI_FILE_IO_INTERFACE *self, EFI_FILE_HANDLE *root)
{
	assert_ptr_equal(self, &fw.volume);
	if (fw.volume_stalls)
		fw_stall();
	if (EFI_ERROR(fw.volume_status))
		return fw.volume_status;
	*root = &new_handle(NULL, "")->protocol;
	return EFI_SUCCESS;
}

struct fw_file *fw_add_file(const char *path, struct span bytes)
{
	struct fw_file *f;

	assert_true(fw.file_count < FW_FILES);
	f = &fw.files[fw.file_count++];
	*f = (struct fw_file){ .path = path, .bytes = bytes, .error_at = SIZE_MAX, .end_at = SIZE_MAX };
	return f;
}

void fw_init_files(void)
{
	while (all) {
		struct opened *next = all->next;

		free(all);
		all = next;
	}
	fw.volume = (EFI_FILE_IO_INTERFACE){ .Revision = EFI_FILE_IO_INTERFACE_REVISION, .OpenVolume = open_volume };
}

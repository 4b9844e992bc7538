/* SPDX-License-Identifier: BSD-3-Clause */
#include "volume.h"

/* UEFI sets no limit; FAT has one of 260 or so. */
#define MAX_PATH_CHARS 256
/* A device path has no size of its own: whoever wrote a wrong one shall not lead us on for ever. */
#define MAX_PATH_NODES 32

/* The path of a file on its volume. */
struct path {
	CHAR16 text[MAX_PATH_CHARS]; /* ends in 0 */
	size_t n;
};

/* Adds the text of one node, with one separator before it. */
GL_MUST static bool add_node(struct path *p, const uint8_t *bytes, size_t n)
{
	bool begin = true;

	for (size_t i = 0; i + 1 < n; i += 2) {
		CHAR16 c = (CHAR16)(bytes[i] | bytes[i + 1] << 8);

		if (c == 0)
			break;
		if (begin && c == u'\\')
			continue;
		if (p->n + 2 >= GL_COUNT(p->text))
			return false;
		if (begin)
			p->text[p->n++] = u'\\';
		p->text[p->n++] = c;
		begin = false;
	}
	return true;
}

/* UEFI 2.10, 9.1 and 10.3.5.4: the file path of a loaded image, which may come in several nodes. */
GL_MUST static bool file_path(const EFI_DEVICE_PATH *node, struct path *out)
{
	out->n = 0;
	for (unsigned i = 0; node && i < MAX_PATH_NODES; i++) {
		size_t size = (size_t)node->Length[0] | (size_t)node->Length[1] << 8;

		if (size < sizeof(*node))
			return false;
		if (node->Type == END_DEVICE_PATH_TYPE) {
			out->text[out->n] = 0;
			return out->n > 0 && node->SubType == END_ENTIRE_DEVICE_PATH_SUBTYPE;
		}
		if (node->Type != MEDIA_DEVICE_PATH || node->SubType != MEDIA_FILEPATH_DP ||
			!add_node(out, (const uint8_t *)(node + 1), size - sizeof(*node)))
			return false;
		node = (const EFI_DEVICE_PATH *)(const void *)((const uint8_t *)node + size);
	}
	return false;
}

static CHAR16 upper(CHAR16 c)
{
	return c >= 'a' && c <= 'z' ? (CHAR16)(c - 'a' + 'A') : c;
}

/* FAT does not tell cases apart. */
static bool same_path(const CHAR16 *a, const CHAR16 *b)
{
	while (*a && upper(*a) == upper(*b)) {
		a++;
		b++;
	}
	return *a == 0 && *b == 0;
}

/* The folder of the application itself. False if it is not known, or is the one for whatever starts by default. */
GL_MUST static bool own_folder(const EFI_LOADED_IMAGE *image, struct path *p)
{
	static const CHAR16 by_default[] = u"\\EFI\\BOOT";

	if (!file_path(image->FilePath, p))
		return false;
	while (p->text[p->n - 1] != u'\\')
		p->n--;
	/* The root folder is its separator. */
	if (p->n > 1)
		p->n--;
	p->text[p->n] = 0;
	return !same_path(p->text, by_default);
}

EFI_STATUS volume_open(struct efi_env *env, struct volume *out)
{
	EFI_GUID image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID, fs_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	static CHAR16 shared[] = u"\\EFI\\geolaunch";
	EFI_LOADED_IMAGE *image = NULL;
	EFI_FILE_IO_INTERFACE *fs = NULL;
	EFI_FILE_HANDLE root = NULL, folder = NULL;
	struct path own;
	EFI_STATUS s;

	out->shared = true;
	s = env->bs->HandleProtocol(env->image, &image_guid, (void **)&image);
	if (EFI_ERROR(s))
		return s;
	if (!image->DeviceHandle)
		return EFI_NOT_FOUND;
	s = env->bs->HandleProtocol(image->DeviceHandle, &fs_guid, (void **)&fs);
	if (EFI_ERROR(s))
		return s;
	s = fs->OpenVolume(fs, &root);
	if (EFI_ERROR(s))
		return s;
	out->shared = !own_folder(image, &own);
	s = root->Open(root, &folder, out->shared ? shared : own.text, EFI_FILE_MODE_READ, 0);
	root->Close(root);
	if (EFI_ERROR(s))
		return s;
	out->device = image->DeviceHandle;
	out->folder = folder;
	return EFI_SUCCESS;
}

void volume_close(struct volume *v)
{
	if (v->folder)
		v->folder->Close(v->folder);
	v->folder = NULL;
}

EFI_STATUS volume_open_file(struct volume *v, struct span name, EFI_FILE_HANDLE *file, uint64_t *size)
{
	EFI_GUID info_guid = EFI_FILE_INFO_ID;
	/* EFI_FILE_INFO ends in the file's name. */
	union {
		EFI_FILE_INFO info;
		uint8_t room[sizeof(EFI_FILE_INFO) + 256 * sizeof(CHAR16)];
	} u;
	UINTN n = sizeof(u);
	CHAR16 wide[65];
	EFI_FILE_HANDLE f = NULL;
	EFI_STATUS s;

	if (name.n == 0 || name.n >= GL_COUNT(wide))
		return EFI_INVALID_PARAMETER;
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] <= 0x20 || name.p[i] >= 0x7f || name.p[i] == '\\' || name.p[i] == '/')
			return EFI_INVALID_PARAMETER;
		wide[i] = name.p[i];
	}
	wide[name.n] = 0;
	s = v->folder->Open(v->folder, &f, wide, EFI_FILE_MODE_READ, 0);
	if (EFI_ERROR(s))
		return s;
	s = f->GetInfo(f, &info_guid, &n, &u);
	if (!EFI_ERROR(s) && u.info.Attribute & EFI_FILE_DIRECTORY)
		s = EFI_NOT_FOUND;
	if (EFI_ERROR(s)) {
		f->Close(f);
		return s;
	}
	*file = f;
	*size = u.info.FileSize;
	return EFI_SUCCESS;
}

EFI_STATUS volume_read(EFI_FILE_HANDLE file, uint8_t *buf, size_t n)
{
	while (n > 0) {
		UINTN got = n;
		EFI_STATUS s = file->Read(file, &got, buf);

		if (EFI_ERROR(s))
			return s;
		if (got == 0 || got > n)
			return EFI_END_OF_FILE;
		buf += got;
		n -= got;
	}
	return EFI_SUCCESS;
}

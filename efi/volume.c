/* SPDX-License-Identifier: BSD-3-Clause */
#include "volume.h"

EFI_STATUS volume_open(struct efi_env *env, struct volume *out)
{
	EFI_GUID image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID, fs_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	static CHAR16 path[] = u"\\EFI\\geolaunch";
	EFI_LOADED_IMAGE *image = NULL;
	EFI_FILE_IO_INTERFACE *fs = NULL;
	EFI_FILE_HANDLE root = NULL;
	EFI_STATUS s;

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
	s = root->Open(root, &out->folder, path, EFI_FILE_MODE_READ, 0);
	root->Close(root);
	return s;
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

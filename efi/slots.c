/* SPDX-License-Identifier: BSD-3-Clause */
#include "slots.h"

#include <string.h>

#include "common/slots.h"
#include "console.h"

#define LINE 240
/* Of the device that the volume lies on; a device path has no size of its own. */
#define MAX_DEVICE_PATH 2048

#define APPLICATION_SLOT 15

/* Behind the device's nodes: the file's, and the end. */
struct file_node {
	EFI_DEVICE_PATH header;
	CHAR16 path[sizeof(SLOTS_APPLICATION)];
	EFI_DEVICE_PATH end;
} __attribute__((packed));

static void say(struct efi_env *env, const char *before, const char *slot, const char *after, EFI_STATUS s)
{
	char buf[LINE];
	struct text t = TEXT_OF(buf);

	text_str(&t, "geolaunch: ");
	text_str(&t, before);
	text_str(&t, slot);
	text_str(&t, after);
	if (EFI_ERROR(s)) {
		text_str(&t, " (");
		console_status(s, &t);
		text_char(&t, ')');
	}
	console_line(env, buf);
}

GL_MUST static EFI_STATUS read_slots(struct volume *v, struct slots *out)
{
	uint8_t text[SLOTS_MAX_SIZE];
	EFI_FILE_HANDLE file = NULL;
	uint64_t size = 0;
	EFI_STATUS s = volume_open_file(v, SPAN_LITERAL(SLOTS_FILE), &file, &size);

	if (EFI_ERROR(s))
		return s;
	s = size <= sizeof(text) ? volume_read(file, text, (size_t)size) : EFI_BAD_BUFFER_SIZE;
	file->Close(file);
	if (EFI_ERROR(s))
		return s;
	return slots_parse((struct span){ text, (size_t)size }, out) ? EFI_SUCCESS : EFI_COMPROMISED_DATA;
}

/* Bytes of the nodes before the end; false if there is none within MAX_DEVICE_PATH. */
GL_MUST static bool nodes_size(const EFI_DEVICE_PATH *path, size_t *out)
{
	size_t n = 0;

	while (n < MAX_DEVICE_PATH) {
		const EFI_DEVICE_PATH *node = (const EFI_DEVICE_PATH *)(const void *)((const uint8_t *)path + n);
		size_t size = (size_t)node->Length[0] | (size_t)node->Length[1] << 8;

		if (node->Type == END_DEVICE_PATH_TYPE && node->SubType == END_ENTIRE_DEVICE_PATH_SUBTYPE) {
			*out = n;
			return true;
		}
		if (size < sizeof(*node))
			return false;
		n += size;
	}
	return false;
}

/* From the pool. */
GL_MUST static EFI_STATUS make_path(struct efi_env *env, EFI_HANDLE device, const char *slot, uint8_t **out)
{
	EFI_GUID guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
	static const char application[] = SLOTS_APPLICATION;
	struct file_node file = {
		.header = { MEDIA_DEVICE_PATH, MEDIA_FILEPATH_DP, { sizeof(file.header) + sizeof(file.path), 0 } },
		.end = { END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, { sizeof(file.end), 0 } },
	};
	EFI_DEVICE_PATH *of_device = NULL;
	size_t n = 0;
	EFI_STATUS s = env->bs->HandleProtocol(device, &guid, (void **)&of_device);

	static_assert(sizeof(file.header) + sizeof(file.path) < 256, "the node's size in its first byte");
	if (EFI_ERROR(s))
		return s;
	if (!nodes_size(of_device, &n))
		return EFI_BAD_BUFFER_SIZE;
	for (size_t i = 0; i < sizeof(application); i++)
		file.path[i] = (uint8_t)application[i];
	for (size_t i = 0; i < SLOT_NAME_SIZE; i++)
		file.path[APPLICATION_SLOT + i] = (uint8_t)slot[i];
	s = env->bs->AllocatePool(EfiLoaderData, n + sizeof(file), (void **)out);
	if (EFI_ERROR(s))
		return s;
	memcpy(*out, of_device, n);
	memcpy(*out + n, &file, sizeof(file));
	return EFI_SUCCESS;
}

GL_MUST static EFI_STATUS load(struct efi_env *env, struct guard *g, EFI_HANDLE device, const char *slot, EFI_HANDLE *out)
{
	uint8_t *path = NULL;
	EFI_STATUS s = make_path(env, device, slot, &path);

	if (EFI_ERROR(s))
		return s;
	guard_begin(g, GUARD_IMAGE, SPAN_LITERAL("geolaunch.efi of the build"));
	s = env->bs->LoadImage(FALSE, env->image, (EFI_DEVICE_PATH *)(void *)path, NULL, 0, out);
	guard_end(g);
	(void)env->bs->FreePool(path);
	/* UEFI 2.9, 7.4: with EFI_SECURITY_VIOLATION a handle exists all the same. */
	if (EFI_ERROR(s) && *out)
		(void)env->bs->UnloadImage(*out);
	return s;
}

enum slots_result slots_start(struct efi_env *env, struct volume *v, struct guard *g, EFI_STATUS *status)
{
	struct slots slots;
	EFI_HANDLE image = NULL;
	const char *slot = slots.current;
	EFI_STATUS s;

	guard_begin(g, GUARD_DISK, SPAN_LITERAL(SLOTS_FILE));
	s = read_slots(v, &slots);
	guard_end(g);
	if (s == EFI_NOT_FOUND)
		return SLOTS_NONE;
	*status = s;
	if (EFI_ERROR(s)) {
		say(env, "\\EFI\\geolaunch\\" SLOTS_FILE, "", ": cannot be read, or says nothing that makes sense: install a build again",
			s);
		return SLOTS_UNUSABLE;
	}
	s = load(env, g, v->device, slot, &image);
	if (EFI_ERROR(s)) {
		say(env, "\\EFI\\geolaunch\\", slot, "\\geolaunch.efi: the current build cannot be loaded", s);
		slot = slots.previous;
		image = NULL;
		if (*slot)
			s = load(env, g, v->device, slot, &image);
		if (*slot && EFI_ERROR(s))
			say(env, "\\EFI\\geolaunch\\", slot, "\\geolaunch.efi: the previous build cannot be loaded", s);
		*status = s;
		if (EFI_ERROR(s))
			return SLOTS_UNUSABLE;
	}
	say(env, "build ", slot, slot == slots.current ? "" : ", the previous one", EFI_SUCCESS);
	volume_close(v);
	s = env->bs->StartImage(image, NULL, NULL);
	*status = EFI_ERROR(s) ? s : EFI_ABORTED;
	return SLOTS_CAME_BACK;
}

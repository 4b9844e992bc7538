/* SPDX-License-Identifier: BSD-3-Clause */
/* Handles and protocols. */
#include <stdarg.h>
#include <string.h>

#include "tests/unit/fake_efi.h"

#include <cmocka.h>

struct fw_handle *fw_handle(EFI_HANDLE h)
{
	for (size_t i = 0; i < FW_HANDLES; i++)
		if (h == &fw.handles[i] && fw.handles[i].used)
			return &fw.handles[i];
	return NULL;
}

EFI_HANDLE fw_new_handle(void)
{
	for (size_t i = 0; i < FW_HANDLES; i++)
		if (!fw.handles[i].used) {
			fw.handles[i] = (struct fw_handle){ .used = true };
			return &fw.handles[i];
		}
	fail_msg("more handles than the fake has");
	return NULL;
}

void **fw_protocol(EFI_HANDLE h, const EFI_GUID *guid)
{
	struct fw_handle *handle = fw_handle(h);

	for (size_t i = 0; handle && i < FW_INTERFACES; i++)
		if (handle->protocols[i].interface && fw_guid_equal(&handle->protocols[i].guid, guid))
			return &handle->protocols[i].interface;
	return NULL;
}

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE h, EFI_GUID *guid, void **interface)
{
	EFI_GUID image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	void **p = fw_protocol(h, guid);

	if (!fw_handle(h) || !interface)
		return EFI_INVALID_PARAMETER;
	if (!p)
		return EFI_UNSUPPORTED;
	if (fw_guid_equal(guid, &image_guid) && h != fw.application && EFI_ERROR(fw.loaded_image_status))
		return fw.loaded_image_status;
	*interface = *p;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI locate_protocol(EFI_GUID *guid, void *registration, void **interface)
{
	assert_null(registration);
	*interface = NULL;
	for (size_t i = 0; i < FW_HANDLES; i++) {
		void **p = fw_protocol(&fw.handles[i], guid);

		if (p) {
			*interface = *p;
			return EFI_SUCCESS;
		}
	}
	return EFI_NOT_FOUND;
}

/* ---------------------------------------------------------------- device paths */

static size_t node_size(const EFI_DEVICE_PATH *p)
{
	size_t n = (size_t)p->Length[0] | (size_t)p->Length[1] << 8;

	assert_true(n >= sizeof(*p));
	return n;
}

static bool is_end(const EFI_DEVICE_PATH *p)
{
	return p->Type == END_DEVICE_PATH_TYPE && p->SubType == END_ENTIRE_DEVICE_PATH_SUBTYPE;
}

static const EFI_DEVICE_PATH *next(const EFI_DEVICE_PATH *p)
{
	return (const EFI_DEVICE_PATH *)(const void *)((const char *)p + node_size(p));
}

/* If `prefix` begins `path`: what is left of it, else NULL. */
static const EFI_DEVICE_PATH *rest(const EFI_DEVICE_PATH *path, const EFI_DEVICE_PATH *prefix)
{
	for (; !is_end(prefix); path = next(path), prefix = next(prefix))
		if (node_size(path) != node_size(prefix) || memcmp(path, prefix, node_size(path)) != 0)
			return NULL;
	return path;
}

static const EFI_DEVICE_PATH *path_of(EFI_HANDLE h)
{
	EFI_GUID guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
	void **p = fw_protocol(h, &guid);

	return p ? *p : NULL;
}

static EFI_STATUS EFIAPI locate_device_path(EFI_GUID *guid, EFI_DEVICE_PATH **path, EFI_HANDLE *device)
{
	const EFI_DEVICE_PATH *best = NULL;

	for (size_t i = 0; i < FW_HANDLES; i++) {
		const EFI_DEVICE_PATH *own = path_of(&fw.handles[i]);
		const EFI_DEVICE_PATH *left = own && fw_protocol(&fw.handles[i], guid) ? rest(*path, own) : NULL;

		if (left && (!best || left > best)) {
			best = left;
			*device = &fw.handles[i];
		}
	}
	if (!best)
		return EFI_NOT_FOUND;
	*path = (EFI_DEVICE_PATH *)(uintptr_t)best;
	return EFI_SUCCESS;
}

/* ---------------------------------------------------------------- installation */

static bool path_is_taken(const EFI_DEVICE_PATH *path)
{
	for (size_t i = 0; i < FW_HANDLES; i++) {
		const EFI_DEVICE_PATH *own = path_of(&fw.handles[i]);
		const EFI_DEVICE_PATH *left = own ? rest(path, own) : NULL;

		if (left && is_end(left))
			return true;
	}
	return false;
}

static EFI_STATUS add(struct fw_handle *h, const EFI_GUID *guid, void *interface)
{
	EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;

	if (fw_protocol(h, guid))
		return EFI_INVALID_PARAMETER;
	if (fw_guid_equal(guid, &path_guid) && path_is_taken(interface))
		return EFI_ALREADY_STARTED;
	for (size_t i = 0; i < FW_INTERFACES; i++)
		if (!h->protocols[i].interface) {
			h->protocols[i].guid = *guid;
			h->protocols[i].interface = interface;
			return EFI_SUCCESS;
		}
	return EFI_OUT_OF_RESOURCES;
}

static EFI_STATUS drop(struct fw_handle *h, const EFI_GUID *guid, const void *interface)
{
	bool empty = true;
	void **p = fw_protocol(h, guid);

	if (!p || *p != interface)
		return EFI_INVALID_PARAMETER;
	*p = NULL;
	for (size_t i = 0; i < FW_INTERFACES; i++)
		empty = empty && !h->protocols[i].interface;
	if (empty)
		h->used = false;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI install_multiple(EFI_HANDLE *handle, ...)
{
	EFI_HANDLE h = *handle ? *handle : fw_new_handle();
	EFI_STATUS s = fw_handle(h) ? EFI_SUCCESS : EFI_INVALID_PARAMETER;
	const EFI_GUID *guid;
	__builtin_ms_va_list list;

	__builtin_ms_va_start(list, handle);
	while (!EFI_ERROR(s) && (guid = __builtin_va_arg(list, EFI_GUID *)) != NULL)
		s = add(h, guid, __builtin_va_arg(list, void *));
	__builtin_ms_va_end(list);
	if (EFI_ERROR(s)) {
		/* All or nothing; no test of ours adds to a handle that exists. */
		assert_null(*handle);
		fw_handle(h)->used = false;
		return s;
	}
	*handle = h;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI uninstall_multiple(EFI_HANDLE handle, ...)
{
	struct fw_handle *h = fw_handle(handle);
	EFI_STATUS s = h ? EFI_SUCCESS : EFI_INVALID_PARAMETER;
	const EFI_GUID *guid;
	__builtin_ms_va_list list;

	__builtin_ms_va_start(list, handle);
	while (!EFI_ERROR(s) && (guid = __builtin_va_arg(list, EFI_GUID *)) != NULL)
		s = drop(h, guid, __builtin_va_arg(list, void *));
	__builtin_ms_va_end(list);
	/* The one that installed them must know them. */
	assert_false(EFI_ERROR(s));
	return s;
}

void fw_install(EFI_HANDLE *handle, const EFI_GUID *guid, void *interface)
{
	if (!*handle)
		*handle = fw_new_handle();
	assert_int_equal(add(fw_handle(*handle), guid, interface), EFI_SUCCESS);
}

void fw_init_protocols(void)
{
	EFI_GUID image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID, fs_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;

	fw.bs.HandleProtocol = handle_protocol;
	fw.bs.LocateProtocol = locate_protocol;
	fw.bs.LocateDevicePath = locate_device_path;
	fw.bs.InstallMultipleProtocolInterfaces = install_multiple;
	fw.bs.UninstallMultipleProtocolInterfaces = uninstall_multiple;
	fw_install(&fw.application, &image_guid, &fw.application_image);
	fw_install(&fw.disk, &fs_guid, &fw.volume);
	sample_pe_application(
		(struct span){ NULL, 0 }, (struct span){ NULL, 0 }, (struct mspan){ fw.application_memory, SAMPLE_PE_MEMORY });
	fw.application_image = (EFI_LOADED_IMAGE){ .Revision = 0x1000,
		.SystemTable = &fw.st,
		.DeviceHandle = fw.disk,
		.ImageBase = fw.application_memory,
		.ImageSize = SAMPLE_PE_MEMORY };
}

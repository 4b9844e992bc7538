/* SPDX-License-Identifier: BSD-3-Clause */
/* Images: the one that is loaded is a Linux kernel with an EFI stub. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_efi.h"

#include <cmocka.h>

/* As Linux has it, drivers/firmware/efi/libstub/efi-stub-helper.c. */
static const struct {
	uint8_t node[20];
	uint8_t end[4];
} initrd_path = {
	{ 4, 3, 20, 0, 0x27, 0xe4, 0x68, 0x55, 0xfc, 0x68, 0x3d, 0x4f, 0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68 },
	{ 0x7f, 0xff, 4, 0 },
};
static const EFI_GUID load_file2_guid = { 0x4006c0c1, 0xfcb3, 0x403e, { 0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d } };

struct load_file2 {
	EFI_STATUS(EFIAPI *load)(struct load_file2 *self, EFI_DEVICE_PATH *path, BOOLEAN boot_policy, UINTN *size, void *buffer);
};

static uint8_t *copy(const void *p, size_t n)
{
	uint8_t *c = malloc(n ? n : 1);

	assert_non_null(c);
	memcpy(c, p, n);
	return c;
}

/* Platform Initialization 1.7, volume 2, 12.9.2. */
struct security2 {
	EFI_STATUS(EFIAPI *authenticate)
	(const struct security2 *self, const EFI_DEVICE_PATH *path, void *file, UINTN size, BOOLEAN boot_policy);
};

static EFI_STATUS EFIAPI authenticate(
	const struct security2 *self, const EFI_DEVICE_PATH *path, void *file, UINTN size, BOOLEAN boot_policy)
{
	assert_non_null(self);
	assert_non_null(path);
	assert_non_null(file);
	assert_true(size > 0);
	assert_false(boot_policy);
	fw.authentications++;
	return fw.authentication;
}

static struct security2 security2;

/* As edk2, MdeModulePkg/Core/Dxe/Image/Image.c: after a violation there is an image that cannot be started, after all else none. */
static EFI_STATUS ask_security(const EFI_DEVICE_PATH *path, void *file, UINTN size)
{
	return fw.has_security ? security2.authenticate(&security2, path, file, size, FALSE) : EFI_SUCCESS;
}

void fw_add_security(EFI_STATUS authentication)
{
	static const EFI_GUID guid = { 0x94ab2f58, 0x1438, 0x4ef1, { 0x91, 0x52, 0x18, 0x94, 0x1a, 0x3a, 0x0e, 0x68 } };
	EFI_HANDLE h = NULL;

	security2 = (struct security2){ authenticate };
	fw_install(&h, &guid, &security2);
	fw.has_security = true;
	fw.authentication = authentication;
}

bool fw_security_is_own(void)
{
	return security2.authenticate == authenticate;
}

/* Firmware measures what it loads, with the TPM at locality 0. */
static void firmware_measures(void)
{
	if (fw.firmware_ready)
		assert_true(fw.firmware_ready());
}

static EFI_HANDLE new_image(EFI_HANDLE parent)
{
	EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_HANDLE h = NULL;
	EFI_LOADED_IMAGE *image = calloc(1, sizeof(*image));

	assert_non_null(image);
	*image = (EFI_LOADED_IMAGE){ .Revision = 0x1000, .ParentHandle = parent, .SystemTable = &fw.st };
	fw_install(&h, &guid, image);
	fw_handle(h)->image = image;
	return h;
}

static EFI_STATUS EFIAPI load_image(
	BOOLEAN boot_policy, EFI_HANDLE parent, EFI_DEVICE_PATH *path, void *source, UINTN size, EFI_HANDLE *out)
{
	assert_false(fw.notified);
	assert_false(boot_policy);
	assert_ptr_equal(parent, fw.application);
	assert_non_null(path);
	assert_non_null(source);
	firmware_measures();
	fw.loads++;
	if (fw.has_security)
		fw.load_status = ask_security(path, source, size);
	if (EFI_ERROR(fw.load_status) && fw.load_status != EFI_SECURITY_VIOLATION)
		return fw.load_status;
	free(fw.kernel);
	fw.kernel = copy(source, size);
	fw.kernel_n = size;
	*out = new_image(parent);
	return fw.load_status;
}

static EFI_STATUS EFIAPI unload_image(EFI_HANDLE h)
{
	struct fw_handle *handle = fw_handle(h);

	assert_non_null(handle);
	assert_non_null(handle->image);
	free(handle->image);
	memset(handle, 0, sizeof(*handle));
	return EFI_SUCCESS;
}

/* The stub: the command line as ASCII. */
static void read_options(const EFI_LOADED_IMAGE *image)
{
	const CHAR16 *options = image->LoadOptions;
	size_t n = image->LoadOptionsSize / sizeof(*options);

	assert_non_null(options);
	assert_int_equal(image->LoadOptionsSize % sizeof(*options), 0);
	assert_true(n > 0 && n < sizeof(fw.options));
	assert_int_equal(options[n - 1], 0);
	for (size_t i = 0; i < n; i++) {
		assert_true(options[i] < 0x80);
		fw.options[i] = (char)options[i];
	}
}

/* The stub: efi_load_initrd_dev_path(). */
static EFI_STATUS ask_for_initrd(void)
{
	EFI_DEVICE_PATH *path = (EFI_DEVICE_PATH *)(uintptr_t)&initrd_path;
	EFI_GUID guid = load_file2_guid;
	struct load_file2 *loader = NULL;
	EFI_HANDLE h = NULL;
	UINTN size = 0;
	EFI_STATUS s = fw.bs.LocateDevicePath(&guid, &path, &h);

	if (EFI_ERROR(s))
		return s;
	s = fw.bs.HandleProtocol(h, &guid, (void **)&loader);
	if (EFI_ERROR(s))
		return s;
	s = loader->load(loader, path, FALSE, &size, NULL);
	if (s != EFI_BUFFER_TOO_SMALL)
		return EFI_LOAD_ERROR;
	free(fw.initrd);
	fw.initrd = malloc(size);
	assert_non_null(fw.initrd);
	s = loader->load(loader, path, FALSE, &size, fw.initrd);
	fw.initrd_n = size;
	return s;
}

static EFI_STATUS EFIAPI start_image(EFI_HANDLE h, UINTN *exit_size, CHAR16 **exit_data)
{
	struct fw_handle *handle = fw_handle(h);

	assert_non_null(handle);
	assert_non_null(handle->image);
	assert_null(exit_size);
	assert_null(exit_data);
	fw.starts++;
	read_options(handle->image);
	fw.initrd_status = ask_for_initrd();
	firmware_measures();
	if (!fw.kernel_returns)
		fw_leave(FW_STARTED);
	/* An application that comes back is unloaded. */
	(void)unload_image(h);
	return fw.kernel_status;
}

void fw_init_images(void)
{
	fw.bs.LoadImage = load_image;
	fw.bs.StartImage = start_image;
	fw.bs.UnloadImage = unload_image;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "vouch.h"

#define SECURITY2_GUID \
	{ \
		0x94ab2f58, 0x1438, 0x4ef1, \
		{ \
			0x91, 0x52, 0x18, 0x94, 0x1a, 0x3a, 0x0e, 0x68 \
		} \
	}

struct security2;
typedef EFI_STATUS(EFIAPI *authenticate_fn)(
	const struct security2 *self, const EFI_DEVICE_PATH *path, void *file, UINTN size, BOOLEAN boot_policy);

struct security2 {
	authenticate_fn authenticate;
};

static struct {
	struct security2 *protocol; /* NULL: nothing is in place */
	authenticate_fn firmware;
	struct span image;
} vouch;

static EFI_STATUS EFIAPI authenticate(
	const struct security2 *self, const EFI_DEVICE_PATH *path, void *file, UINTN size, BOOLEAN boot_policy)
{
	EFI_STATUS s = vouch.firmware(self, path, file, size, boot_policy);

	return EFI_ERROR(s) && file == vouch.image.p && size == vouch.image.n ? EFI_SUCCESS : s;
}

void vouch_begin(struct efi_env *env, struct span image)
{
	EFI_GUID guid = SECURITY2_GUID;
	struct security2 *found = NULL;

	if (EFI_ERROR(env->bs->LocateProtocol(&guid, NULL, (void **)&found)) || !found)
		return;
	vouch.protocol = found;
	vouch.firmware = found->authenticate;
	vouch.image = image;
	found->authenticate = authenticate;
}

void vouch_end(void)
{
	if (!vouch.protocol)
		return;
	vouch.protocol->authenticate = vouch.firmware;
	vouch.protocol = NULL;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "publish.h"

#include <string.h>

struct table_header {
	uint32_t version;
	uint32_t reserved;
	uint64_t size;
};
static_assert(sizeof(struct table_header) == 16, "readers rely on it");

static EFI_STATUS publish_table(struct efi_env *env, struct span log, void **table)
{
	EFI_GUID guid = GEOLAUNCH_GUID;
	struct table_header h = { .version = 1, .size = log.n };
	uint8_t *t = NULL;
	EFI_STATUS s;

	s = env->bs->AllocatePool(EfiACPIReclaimMemory, sizeof(h) + log.n, (void **)&t);
	if (EFI_ERROR(s))
		return s;
	memcpy(t, &h, sizeof(h));
	memcpy(t + sizeof(h), log.p, log.n);
	s = env->bs->InstallConfigurationTable(&guid, t);
	if (EFI_ERROR(s)) {
		(void)env->bs->FreePool(t);
		return s;
	}
	if (*table)
		(void)env->bs->FreePool(*table);
	*table = t;
	return EFI_SUCCESS;
}

EFI_STATUS publish_log(struct efi_env *env, struct span log, void **table)
{
	static CHAR16 name[] = u"GeolaunchEventLog";
	EFI_GUID guid = GEOLAUNCH_GUID;
	EFI_STATUS installed = publish_table(env, log, table);
	/* Volatile: a log of an earlier boot must never be mistaken for this one's. */
	EFI_STATUS variable = env->st->RuntimeServices->SetVariable(name, &guid, EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS,
		log.n, (void *)(uintptr_t)log.p);

	return EFI_ERROR(installed) ? variable : EFI_SUCCESS;
}

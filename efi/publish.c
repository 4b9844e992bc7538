/* SPDX-License-Identifier: BSD-3-Clause */
#include "publish.h"

#include <string.h>

struct table_header {
	uint32_t version;
	uint32_t reserved;
	uint64_t size;
};
static_assert(sizeof(struct table_header) == 16, "readers rely on it");

/* Readers of the table do not need the variable and the other way round, so a failure of one is none of both. */
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
	EFI_RUNTIME_SERVICES *rs = env->st->RuntimeServices;

	(void)publish_table(env, log, table);
	/*
	 * Volatile: a log of an earlier boot must never be mistaken for this one's. One that somebody stored for good under this name would
	 * keep ours out, as attributes cannot be changed (UEFI 2.9, 8.2); without attributes it is deleted.
	 */
	(void)rs->SetVariable(name, &guid, 0, 0, NULL);
	return rs->SetVariable(name, &guid, EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS, log.n, (void *)(uintptr_t)log.p);
}

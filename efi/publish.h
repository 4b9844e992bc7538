/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_PUBLISH_H
#define GL_EFI_PUBLISH_H

#include "env.h"

/*
 * Makes the event log readable for the host: a configuration table (GEOLAUNCH_GUID; u32 version = 1, u32 reserved, u64 size, then the
 * log; in ACPI reclaim memory, which a host keeps) and a volatile variable GeolaunchEventLog that holds the log alone.
 * `*table` is NULL at first and remembers the table, which a later call replaces. Fails if the variable could not be set, since a
 * running Linux shows nothing else.
 */
GL_MUST EFI_STATUS publish_log(struct efi_env *env, struct span log, void **table);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_BESIDE_H
#define GL_CLI_BESIDE_H

/*
 * Files that come with this program, where nobody named another one: that of the environment variable, else the first of `places`,
 * relative to this program, that is there; if none is, the last one, which then cannot be opened. Allocated; NULL if memory runs out. `places` ends in NULL.
 */
char *beside_find(const char *variable, const char *const *places);

/* $GEOLAUNCH_EFI, PREFIX/lib/geolaunch/geolaunch.efi, build/efi/geolaunch.efi. */
char *beside_efi(void);

/* $GEOLAUNCH_STAGE, and geolaunch-stage.elf likewise. */
char *beside_stage(void);

#endif

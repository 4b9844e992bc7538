/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_CONSOLE_H
#define GL_EFI_CONSOLE_H

#include "common/text.h"
#include "env.h"

/* One line on the firmware's console (screen and serial). Anything but printable ASCII is shown as '?'. */
void console_line(struct efi_env *env, const char *text);

/* Repaints the current line (for progress); the next console_line() takes its place. */
void console_progress(struct efi_env *env, const char *text);

/* "EFI_NOT_FOUND", or the number of a status that has no name here. */
void console_status(EFI_STATUS status, struct text *t);

#endif

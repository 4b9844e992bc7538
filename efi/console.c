/* SPDX-License-Identifier: BSD-3-Clause */
#include "console.h"

#define LINE_MAX 256

/*
 * One character a call. edk2's terminal driver gives a serial line a time limit of about two characters and drops the rest of the string
 * when the line is slower for once; the character at hand is still in its queue then, so after a short wait the next one goes out as usual.
 */
static void put(struct efi_env *env, const char *s)
{
	if (!env->st->ConOut)
		return;
	for (; *s; s++) {
		bool plain = (*s >= 0x20 && *s < 0x7f) || *s == '\r' || *s == '\n';
		CHAR16 wide[2] = { plain ? (CHAR16)*s : u'?', 0 };

		/* A console that fails for good cannot be reported anywhere. */
		if (EFI_ERROR(env->st->ConOut->OutputString(env->st->ConOut, wide)))
			env->bs->Stall(500);
	}
}

/* Blanks out what a progress line has left, without terminal escapes that not every console knows. */
static size_t progress_width;

static void wipe(struct efi_env *env)
{
	char blanks[LINE_MAX];
	struct text t = TEXT_OF(blanks);

	if (!progress_width)
		return;
	text_char(&t, '\r');
	for (size_t i = 0; i < progress_width; i++)
		text_char(&t, ' ');
	text_char(&t, '\r');
	put(env, blanks);
	progress_width = 0;
}

void console_line(struct efi_env *env, const char *text)
{
	wipe(env);
	put(env, text);
	put(env, "\r\n");
}

void console_progress(struct efi_env *env, const char *text)
{
	size_t n = span_str(text).n;

	put(env, "\r");
	put(env, text);
	if (n > progress_width)
		progress_width = n < LINE_MAX - 3 ? n : LINE_MAX - 3;
}

/* UEFI 2.9, appendix D. */
static const struct {
	EFI_STATUS status;
	const char *name;
} names[] = {
	{ EFI_LOAD_ERROR, "EFI_LOAD_ERROR" },
	{ EFI_INVALID_PARAMETER, "EFI_INVALID_PARAMETER" },
	{ EFI_UNSUPPORTED, "EFI_UNSUPPORTED" },
	{ EFI_BAD_BUFFER_SIZE, "EFI_BAD_BUFFER_SIZE" },
	{ EFI_BUFFER_TOO_SMALL, "EFI_BUFFER_TOO_SMALL" },
	{ EFI_NOT_READY, "EFI_NOT_READY" },
	{ EFI_DEVICE_ERROR, "EFI_DEVICE_ERROR" },
	{ EFI_WRITE_PROTECTED, "EFI_WRITE_PROTECTED" },
	{ EFI_OUT_OF_RESOURCES, "EFI_OUT_OF_RESOURCES" },
	{ EFI_VOLUME_CORRUPTED, "EFI_VOLUME_CORRUPTED" },
	{ EFI_NO_MEDIA, "EFI_NO_MEDIA" },
	{ EFI_MEDIA_CHANGED, "EFI_MEDIA_CHANGED" },
	{ EFI_NOT_FOUND, "EFI_NOT_FOUND" },
	{ EFI_ACCESS_DENIED, "EFI_ACCESS_DENIED" },
	{ EFI_TIMEOUT, "EFI_TIMEOUT" },
	{ EFI_ALREADY_STARTED, "EFI_ALREADY_STARTED" },
	{ EFI_ABORTED, "EFI_ABORTED" },
	{ EFI_SECURITY_VIOLATION, "EFI_SECURITY_VIOLATION" },
	{ EFI_END_OF_FILE, "EFI_END_OF_FILE" },
};

void console_status(EFI_STATUS status, struct text *t)
{
	for (size_t i = 0; i < GL_COUNT(names); i++)
		if (names[i].status == status) {
			text_str(t, names[i].name);
			return;
		}
	text_str(t, "EFI status ");
	text_hex(t, status, 1);
}

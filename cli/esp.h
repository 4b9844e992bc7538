/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_ESP_H
#define GL_CLI_ESP_H

#include "cli/cli.h"
#include "cli/source.h"

/*
 * Files on a mounted EFI system partition. FAT knows no links, takes names of either case for the same, and replaces a file by rename()
 * at once; everything here brings to disk what it did before it returns.
 * A tree that is to become an ESP later may be on any file system: names are found there in either case, too; links are refused.
 */
struct esp_folder {
	int fd;     /* -1: not there */
	char *path; /* for messages */
};

#define ESP_NO_FOLDER ((struct esp_folder){ .fd = -1 })

/* Opens the top and locks it against a second one of us. `*fat`: it is on a FAT file system; `*top`: something is mounted just there. */
GL_MUST bool esp_open(const char *path, struct esp_folder *out, bool *fat, bool *top, struct cli_fault *fault);

/* A folder in a folder. If it is not there `out->fd` is -1, or with `make` it is made. */
GL_MUST bool esp_enter(const struct esp_folder *in, const char *name, bool make, struct esp_folder *out, struct cli_fault *fault);

void esp_leave(struct esp_folder *f);

/* Names in the folder but for . and .., sorted. NULL-terminated and allocated in one piece each; esp_free_names(). */
GL_MUST bool esp_names(const struct esp_folder *f, char ***out, struct cli_fault *fault);
void esp_free_names(char ***names);

/* Opens a regular file; `out->fd` is -1 if there is none. An empty file is one. */
GL_MUST bool esp_source(const struct esp_folder *f, const char *name, struct source *out, struct cli_fault *fault);

/* Reads a file of at most `max` bytes. `*out` is NULL if there is none, else allocated. */
GL_MUST bool esp_read(const struct esp_folder *f, const char *name, size_t max, uint8_t **out, size_t *n, struct cli_fault *fault);

/* Makes the folder's temporary file (SLOT_TEMPORARY) to write to; -1 after a fault. */
GL_MUST int esp_begin(const struct esp_folder *f, struct cli_fault *fault);

/* Brings it to disk, gives it its name, in the place of what has that name, and closes it; `*fd` becomes -1. */
GL_MUST bool esp_finish(const struct esp_folder *f, int *fd, const char *name, struct cli_fault *fault);

/* Makes or replaces a file: temporary file, rename. */
GL_MUST bool esp_write(const struct esp_folder *f, const char *name, struct span bytes, struct cli_fault *fault);

/* Removes a file, if it is there. `removed`, if not NULL, is set if it was. */
GL_MUST bool esp_remove(const struct esp_folder *f, const char *name, bool *removed, struct cli_fault *fault);

/* Removes a folder if nothing is left in it. */
GL_MUST bool esp_remove_folder(const struct esp_folder *in, const char *name, bool *removed, struct cli_fault *fault);

GL_MUST bool esp_sync(const struct esp_folder *f, struct cli_fault *fault);

/* Bytes that ordinary files may still take, and the size of the piece that files take space in. */
GL_MUST bool esp_space(const struct esp_folder *f, uint64_t *left, uint64_t *piece, struct cli_fault *fault);

#endif

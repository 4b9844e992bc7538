/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_FILES_H
#define GL_CLI_FILES_H

#include "cli/cli.h"

/* Writes all bytes; false with errno set if it cannot. */
GL_MUST bool write_all(int fd, struct span bytes);

/*
 * A directory that was named is there. What is not there is a fault of CLI_IO, as for files; one that lacks what it should hold is a wrong
 * input, CLI_INPUT, as is a file in its place. `advice` says what to name.
 */
GL_MUST bool check_folder(const char *path, const char *advice, struct cli_fault *fault);

/* The part of a path behind the last slash. */
const char *name_in_folder(const char *path);

/* Opens the directory that holds `path`; -1 with errno set. */
GL_MUST int open_folder_of(const char *path);

/* What is there may be replaced: it is a regular file, or nothing. Fault CLI_USAGE: a device, a pipe, a directory. */
GL_MUST bool check_replaceable(const char *path, struct cli_fault *fault);

/* write_file_atomic() of a file that was read and is changed: where links lead, with the owner (if root does it) and the modes that it has. */
GL_MUST bool change_file_atomic(const char *path, struct span bytes, struct cli_fault *fault);

/* Brings a directory to disk; false with errno set. A file system that cannot sync directories is none of our business. */
GL_MUST bool sync_folder(int fd);

/* What became of it: with PLACED_UNSURE the new one is in place now, and after a power cut the old one may be. errno is set but for PLACED. */
enum placed { PLACED_NOT, PLACED_UNSURE, PLACED };

/*
 * Gives the file or directory `fd`, which lies in `folder` as `tmp`, the name `name` there, in the place of what has it. When this returns
 * it is on disk; after a power cut before that the old one or the new one is there, and whole. `flags` are those of renameat2(2); what is
 * in a directory must be on disk already, and with RENAME_EXCHANGE `tmp` is then the old one.
 */
GL_MUST enum placed put_in_place(int fd, int folder, const char *tmp, const char *name, unsigned flags);

#endif

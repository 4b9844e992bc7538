/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_FILES_H
#define GL_CLI_FILES_H

#include "common/span.h"

/* Writes all bytes; false with errno set if it cannot. */
GL_MUST bool write_all(int fd, struct span bytes);

/* Brings the directory that holds `path` to disk; false with errno set. */
GL_MUST bool sync_folder_of(const char *path);

#endif

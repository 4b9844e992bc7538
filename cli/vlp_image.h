/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_VLP_IMAGE_H
#define GL_CLI_VLP_IMAGE_H

#include "cli/cli.h"

/*
 * Hashes a file as the loader of tboot will have it in memory: GRUB unpacks modules that are gzip files (unless told not to), so with
 * `decompress` a file that begins with gzip's magic 1f 8b (RFC 1952, 2.3.1) is hashed unpacked: all of its members, whatever bytes that are
 * no member come behind them left out. Damaged or cut off data is CLI_INPUT.
 */
GL_MUST bool vlp_image_hash(const char *path, bool decompress, alg_set algs, struct digests *out, struct cli_fault *fault);

#endif

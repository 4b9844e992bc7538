/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_CMD_TXT_HEAP_H
#define GL_CLI_CMD_TXT_HEAP_H

#include "cli/cli.h"

/* `geolaunch txt heap`. `log_out`: where the event log goes, or NULL. */
GL_MUST bool cmd_txt_heap(const char *file, uint64_t base, const char *log_out, bool json, struct cli_fault *fault);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_EXPECTED_IMPL_H
#define GL_CLI_EXPECTED_IMPL_H

#include "cli/expected.h"

/* Shared by the two halves of expected.h, reading and writing; nobody else includes this. */

extern const char *const expected_provenance_names[PROVENANCE_COUNT];

/* That of the event type, "unknown" if it has none. */
const char *expected_type_name(uint32_t type);

#endif

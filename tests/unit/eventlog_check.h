/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_EVENTLOG_CHECK_H
#define GL_TESTS_EVENTLOG_CHECK_H

#include "common/eventlog.h"

/* Little-endian, `width` bytes at `at`. */
void eventlog_put(uint8_t *log, size_t at, uint32_t v, size_t width);

/* Reads to the end; the status that ends it, and the number of events read. Checks what every log must keep. */
enum eventlog_status eventlog_read_all(struct span log, struct eventlog_reader *r, size_t *count);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_EVENTLOG_CHECK_H
#define GL_TESTS_EVENTLOG_CHECK_H

#include "common/eventlog.h"

/* The event log of a real machine with Intel TXT and TPM 2.0 (tests/data/real-txt): SHA-1 and SHA-256. */
#define REAL_LOG_SIZE 8192
#define REAL_LOG_BANKS (ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256))
void eventlog_load_real(uint8_t out[REAL_LOG_SIZE]);

/* Little-endian, `width` bytes at `at`. */
void eventlog_put(uint8_t *log, size_t at, uint32_t v, size_t width);

/* Reads to the end; the status that ends it, and the number of events read. Checks what every log must keep. */
enum eventlog_status eventlog_read_all(struct span log, struct eventlog_reader *r, size_t *count);

#endif

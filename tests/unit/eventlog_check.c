/* SPDX-License-Identifier: BSD-3-Clause */
#include "eventlog_check.h"

#include <stdio.h>

#include "evp.h"

void eventlog_load_real(uint8_t out[REAL_LOG_SIZE])
{
	FILE *f = fopen("tests/data/real-txt/txt-logs.bin", "rb");

	assert_non_null(f);
	assert_int_equal(fread(out, 1, REAL_LOG_SIZE, f), REAL_LOG_SIZE);
	fclose(f);
}

void eventlog_put(uint8_t *log, size_t at, uint32_t v, size_t width)
{
	for (size_t i = 0; i < width; i++)
		log[at + i] = (uint8_t)(v >> 8 * i);
}

enum eventlog_status eventlog_read_all(struct span log, struct eventlog_reader *r, size_t *count)
{
	struct event e;
	enum eventlog_status status = eventlog_open(r, log);
	size_t last = 0;

	*count = 0;
	while (status == EVENTLOG_EVENT) {
		memset(&e, 0xa5, sizeof(e));
		status = eventlog_next(r, &e);
		if (status != EVENTLOG_EVENT)
			break;
		assert_true(*count == 0 || e.offset > last);
		assert_true(e.data.n == 0 ||
			    (e.data.p >= log.p && e.data.p <= log.p + log.n && e.data.n <= (size_t)(log.p + log.n - e.data.p)));
		assert_true(e.type == EV_NO_ACTION || e.pcr < PCR_COUNT);
		last = e.offset;
		++*count;
		assert_true(*count <= log.n / 16 + 1);
	}
	if (status == EVENTLOG_MALFORMED) {
		assert_non_null(r->error);
		assert_true(r->error_offset <= log.n);
		/* For good. */
		assert_int_equal(eventlog_next(r, &e), EVENTLOG_MALFORMED);
	}
	return status;
}

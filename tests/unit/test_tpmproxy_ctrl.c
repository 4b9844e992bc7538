/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "qemu/proxy/ctrl.h"

#define UNTOUCHED ((size_t)-7)

/* Sizes that QEMU 7.2 sends and expects, per command: backends/tpm/tpm_emulator.c with tpm_ioctl.h. */
/* clang-format off */
static const struct {
	uint8_t number;
	size_t request, response;
} sizes[] = {
	{ 0x01, 4, 8 }, { 0x02, 8, 4 }, { 0x03, 4, 4 }, { 0x04, 4, 8 }, { 0x05, 8, 4 }, { 0x06, 4, 4 }, { 0x08, 4, 4 },
	{ 0x09, 4, 4 }, { 0x0A, 4, 4 }, { 0x0B, 8, 4 }, { 0x0E, 4, 4 }, { 0x0F, 4, 8 }, { 0x10, 4, 4 }, { 0x11, 8, 16 },
	{ 0x13, 8, 4 },
};
/* clang-format on */

static void test_fixed_sizes(void **state)
{
	(void)state;
	for (size_t i = 0; i < GL_COUNT(sizes); i++) {
		/* Followed by another command, as when several arrive at once. */
		uint8_t in[32] = { 0, 0, 0, sizes[i].number };
		enum ctrl_command command;
		size_t size = UNTOUCHED;

		for (size_t n = 0; n < sizes[i].request; n++) {
			assert_int_equal(ctrl_request_frame((struct span){ in, n }, &size), FRAME_MORE);
			assert_int_equal(size, UNTOUCHED);
		}
		assert_int_equal(ctrl_request_frame((struct span){ in, sizes[i].request }, &size), FRAME_WHOLE);
		assert_int_equal(size, sizes[i].request);
		assert_int_equal(ctrl_request_frame((struct span){ in, sizeof(in) }, &size), FRAME_WHOLE);
		assert_int_equal(size, sizes[i].request);
		assert_true(ctrl_request_command((struct span){ in, sizeof(in) }, &command));
		assert_int_equal(command, sizes[i].number);
		assert_string_not_equal(ctrl_name(command), "");

		memset(in, 0, sizeof(in));
		for (size_t n = 0; n < sizes[i].response; n++)
			assert_int_equal(ctrl_response_frame(command, (struct span){ in, n }, &size), FRAME_MORE);
		assert_int_equal(ctrl_response_frame(command, (struct span){ in, sizes[i].response }, &size), FRAME_WHOLE);
		assert_int_equal(size, sizes[i].response);
	}
}

static void test_length_fields(void **state)
{
	/* HASH_DATA with 3 bytes; SET_STATEBLOB {flags, type, length 2}. */
	const uint8_t hash[] = { 0, 0, 0, 7, 0, 0, 0, 3, 'a', 'b', 'c', 0xEE };
	const uint8_t blob[] = { 0, 0, 0, 13, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 'x', 'y', 0xEE };
	/* Responses: GET_STATEBLOB {result, flags, total, length 1}; GET_INFO {result, total, length 2}. */
	const uint8_t state_answer[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 'x' };
	const uint8_t info_answer[] = { 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2, '{', '}' };
	size_t size;

	(void)state;
	assert_int_equal(ctrl_request_frame((struct span){ hash, 10 }, &size), FRAME_MORE);
	assert_int_equal(ctrl_request_frame((struct span){ hash, sizeof(hash) }, &size), FRAME_WHOLE);
	assert_int_equal(size, 11);
	assert_int_equal(ctrl_request_frame((struct span){ blob, 17 }, &size), FRAME_MORE);
	assert_int_equal(ctrl_request_frame((struct span){ blob, sizeof(blob) }, &size), FRAME_WHOLE);
	assert_int_equal(size, 18);
	assert_int_equal(ctrl_response_frame(CTRL_GET_STATEBLOB, (struct span){ state_answer, 16 }, &size), FRAME_MORE);
	assert_int_equal(ctrl_response_frame(CTRL_GET_STATEBLOB, (struct span){ state_answer, 17 }, &size), FRAME_WHOLE);
	assert_int_equal(size, 17);
	assert_int_equal(ctrl_response_frame(CTRL_GET_INFO, (struct span){ info_answer, 14 }, &size), FRAME_WHOLE);
	assert_int_equal(size, 14);
}

static void test_hostile_lengths(void **state)
{
	static const uint8_t lengths[][4] = { { 0xFF, 0xFF, 0xFF, 0xFF }, { 0x7F, 0xFF, 0xFF, 0xFF }, { 0x00, 0x10, 0x00, 0x00 } };
	size_t size = UNTOUCHED;

	(void)state;
	for (size_t i = 0; i < GL_COUNT(lengths); i++) {
		uint8_t in[16] = { 0, 0, 0, 7 };

		memcpy(in + 4, lengths[i], 4);
		assert_int_equal(ctrl_request_frame((struct span){ in, sizeof(in) }, &size), FRAME_BAD);
		memset(in, 0, sizeof(in));
		memcpy(in + 12, lengths[i], 4);
		assert_int_equal(ctrl_response_frame(CTRL_GET_STATEBLOB, (struct span){ in, sizeof(in) }, &size), FRAME_BAD);
		assert_int_equal(size, UNTOUCHED);
	}
}

static void test_unknown_commands(void **state)
{
	static const uint8_t unknown[][4] = { { 0, 0, 0, 0 }, { 0, 0, 0, 0x14 }, { 1, 0, 0, 1 }, { 0xFF, 0xFF, 0xFF, 0xFF } };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(unknown); i++) {
		enum ctrl_command command = CTRL_STOP;
		size_t size;

		assert_int_equal(ctrl_request_frame((struct span){ unknown[i], 3 }, &size), FRAME_MORE);
		assert_int_equal(ctrl_request_frame((struct span){ unknown[i], 4 }, &size), FRAME_BAD);
		assert_false(ctrl_request_command((struct span){ unknown[i], 4 }, &command));
		assert_int_equal(command, CTRL_STOP);
	}
}

/* An error may come without the rest of the response, or with it. */
static void test_errors_may_be_short(void **state)
{
	const uint8_t error[16] = { 0, 0, 0, 9 };
	size_t size;

	(void)state;
	assert_int_equal(ctrl_response_frame(CTRL_SET_BUFFERSIZE, (struct span){ error, 4 }, &size), FRAME_WHOLE);
	assert_int_equal(size, 4);
	assert_int_equal(ctrl_result(CTRL_SET_BUFFERSIZE, (struct span){ error, 4 }), 9);
	assert_int_equal(ctrl_response_frame(CTRL_SET_BUFFERSIZE, (struct span){ error, 16 }, &size), FRAME_WHOLE);
	assert_int_equal(size, 16);
	/* GET_CAPABILITY has no result: its first word is the upper half of the capabilities. */
	assert_int_equal(ctrl_response_frame(CTRL_GET_CAPABILITY, (struct span){ error, 4 }, &size), FRAME_MORE);
	assert_int_equal(ctrl_result(CTRL_GET_CAPABILITY, (struct span){ error, 8 }), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed_sizes),
		cmocka_unit_test(test_length_fields),
		cmocka_unit_test(test_hostile_lengths),
		cmocka_unit_test(test_unknown_commands),
		cmocka_unit_test(test_errors_may_be_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_CSV_H
#define GL_CLI_CSV_H

#include "common/span.h"
#include "common/text.h"

/*
 * Tables as spreadsheets write them: RFC 4180 with fields of printable ASCII, lines that end in LF or CR LF, and no line inside of a field.
 * So a record is a line, and a fault has a line number.
 *
 * Own code, because libcsv, the one C library for it in the distribution (3.0.3, 2013), does not say on which line it is, skips empty lines
 * and trims blanks: a strict reader with line numbers in front of it would be this file again.
 */

#define CSV_MAX_FIELDS 64

enum csv_error {
	CSV_OK,
	CSV_E_BYTE,   /* not printable ASCII */
	CSV_E_QUOTE,  /* a quote inside of a field that does not begin with one */
	CSV_E_OPEN,   /* a quoted field that does not end on its line */
	CSV_E_BEHIND, /* something else than a comma behind the closing quote */
	CSV_E_FIELDS, /* more than CSV_MAX_FIELDS */
	CSV_ERROR_COUNT
};

/* What is wrong, for people. */
const char *csv_strerror(enum csv_error e);

/* Takes the next line off `rest`, without its end; false at the end of the text. */
GL_MUST bool csv_line(struct span *rest, struct span *line);

/*
 * Splits a line, in place: doubled quotes become one. Fields are NUL-terminated texts in `line`, which must have room for one byte behind
 * its end. An empty line is one empty field.
 */
GL_MUST enum csv_error csv_split(char *line, size_t n, char *fields[CSV_MAX_FIELDS], size_t *count);

/* What CSV_E_BYTE is about, for people: "field 3, character 14: a tab". */
void csv_bad_byte(struct span line, struct text *out);

#endif

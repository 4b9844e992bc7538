/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_CLI_H
#define GL_CLI_CLI_H

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/alg.h"
#include "common/pcr.h"
#include "common/span.h"

/* What main.c and files.c give to the subcommands. */

/* Exit codes; documented in geolaunch(1). `verify` uses 10-16: the highest verdict that holds. */
enum cli_exit {
	CLI_OK = 0,
	CLI_IO = 1, /* a file, the system, or ourselves failed */
	CLI_USAGE = 2,
	CLI_INPUT = 3, /* what was read is wrong: manifest, expected.json, log, tag */
	CLI_TPM = 4,
	CLI_DIFFERENT = 5, /* a comparison found differences */
	CLI_DENIED = 6,    /* lcp evaluate: the policies deny the launch */
	CLI_NO_DRTM = 10,
	CLI_GEO_MISSING = 11,
	CLI_GEO_MISMATCH = 12,
	CLI_MODULE_MISMATCH = 13,
	CLI_POLICY_MISMATCH = 14,
	CLI_LOG_MISMATCH = 15,
	CLI_CAPPED = 16,
	CLI_LINT = 20, /* lint: there are errors */
};

/* A subcommand: argv[0] is its name, options are parsed with getopt_long(). Returns an enum cli_exit. */
struct cli_command {
	const char *name;
	const char *summary; /* one line for `geolaunch --help` */
	int (*run)(int argc, char **argv);
};

extern const struct cli_command cmd_build;
extern const struct cli_command cmd_install;
extern const struct cli_command cmd_fleet;
extern const struct cli_command cmd_geo;
extern const struct cli_command cmd_verify;
extern const struct cli_command cmd_log;
extern const struct cli_command cmd_lint;
extern const struct cli_command cmd_lcp;
extern const struct cli_command cmd_acm;
extern const struct cli_command cmd_txt;
extern const struct cli_command cmd_provision;
extern const struct cli_command cmd_vlp;

/* ---- errors ---- */

/* Prints one line "geolaunch COMMAND: ..." on stderr: what, where, what to do. Control characters are shown as '?'. */
void cli_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For getopt_long()'s '?' and ':' with opterr = 0: says which option is wrong and where help is. Is CLI_USAGE (a macro as
 * cli_fail() is). */
void cli_say_usage(const char *command, int argc, char **argv, int option, const char *help);
#define cli_usage_error(...) (cli_say_usage(__VA_ARGS__), (int)CLI_USAGE)

/* Where a function says why it failed, so that only the subcommand prints. */
struct cli_fault {
	enum cli_exit code;
	char text[1024];
};

/* Fills `fault`. */
void cli_set_fault(struct cli_fault *fault, enum cli_exit code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Fills `fault` and is false, so that failing is one statement; a macro, so that who looks at the caller sees that it is false. */
#define cli_fail(...) (cli_set_fault(__VA_ARGS__), false)

/* Appends to the text: what a reader must know besides, such as what was done all the same. */
void cli_add_fault(struct cli_fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What a subcommand that failed ends with: prints the fault as cli_error() does and gives its exit code. */
int cli_report(const char *command, const struct cli_fault *fault);

/* ---- cleanup attributes ---- */

#define CLEANUP(f) __attribute__((cleanup(f)))

static inline void cli_freep(void *p)
{
	free(*(void **)p);
}

static inline void cli_json_decrefp(json_t **p)
{
	json_decref(*p);
}

static inline void cli_fclosep(FILE **p)
{
	if (*p)
		(void)fclose(*p);
}

void cli_closep(int *fd);

#define CLEANUP_FREE CLEANUP(cli_freep)
#define CLEANUP_JSON CLEANUP(cli_json_decrefp)
#define CLEANUP_FILE CLEANUP(cli_fclosep)
#define CLEANUP_FD CLEANUP(cli_closep)

/* ---- numbers and bytes from text ---- */

/* A whole decimal or 0x number, at most `max`; no sign, no blanks. */
GL_MUST bool cli_number(const char *s, uint64_t max, uint64_t *out);

/* Exactly 2 * n hexadecimal digits of either case. */
GL_MUST bool cli_unhex(const char *s, uint8_t *out, size_t n);

/* Degrees with at most 7 decimals ("-8.6821") as 1e-7 degrees, from -limit to limit degrees; nothing is rounded. */
GL_MUST bool cli_degrees(const char *s, int limit, int32_t *out);

/* What is behind a UTF-8 byte order mark at its beginning (Unicode 15.0, 23.8), as editors of other systems put it into text. */
struct span cli_skip_bom(struct span text);

/* ---- files ---- */

/*
 * Reads a whole file of at most `max` bytes; `*out` is allocated (never NULL on success, one NUL behind the bytes), the caller frees.
 * Works for files without a size (/sys, pipes). Fault: CLI_IO if it cannot be read, CLI_INPUT if it is larger.
 */
GL_MUST bool read_file(const char *path, size_t max, uint8_t **out, size_t *n, struct cli_fault *fault);

/*
 * Replaces or makes the file at once: temporary file beside it, put_in_place(). Nothing is left behind on failure. What is no regular file
 * is not replaced (CLI_USAGE).
 */
GL_MUST bool write_file_atomic(const char *path, struct span bytes, struct cli_fault *fault);

/* ---- JSON output ---- */

/*
 * New JSON values; NULL if memory runs out (jansson's _new setters pass that on).
 * A string that others chose: a path, or a text with one in it. JSON is UTF-8, and paths are bytes: what is no UTF-8 becomes \xHH, in
 * letters. NULL is JSON's null. json_string() and %s of json_pack() are for texts of ours.
 */
json_t *cli_json_text(const char *s);
json_t *cli_json_vtext(const char *format, va_list args) __attribute__((format(printf, 1, 0)));
json_t *cli_json_hex(struct span bytes);
/* {"sha256": "<hex>", ...} for the banks of `d`, in the order of alg_table. */
json_t *cli_json_digests(const struct digests *d);
/* {"sha256": {"17": "<hex>", ...}, ...} for the known values of PCR `first`..`last`. */
json_t *cli_json_pcrs(const struct pcrs *p, unsigned first, unsigned last);
/* ["sha1", "sha256"] */
json_t *cli_json_banks(alg_set banks);

/* Prints the value (indented by 2, keys in the order of insertion) and a line feed on stdout, and flushes. False if `v` is NULL or it failed. */
GL_MUST bool cli_json_print(const json_t *v, struct cli_fault *fault);

/* Flushes stdout; to be called by every subcommand at its end, so that a full disk is no success. */
GL_MUST bool cli_flush(struct cli_fault *fault);

/* Prints a subcommand's help and flushes it. */
GL_MUST bool cli_help(void (*print)(void), struct cli_fault *fault);

#endif

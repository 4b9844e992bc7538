/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/cli.h"

#include <ctype.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

void cli_closep(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

/* Names from files and the command line may hold anything: control characters (C0, DEL, C1 in UTF-8) never reach a terminal. */
static void make_printable(char *s)
{
	for (size_t i = 0; s[i]; i++) {
		unsigned char c = (unsigned char)s[i], next = (unsigned char)s[i + 1];

		if (c < 0x20 || c == 0x7f)
			s[i] = '?';
		else if (c == 0xc2 && next >= 0x80 && next < 0xa0)
			s[i] = s[i + 1] = '?';
	}
}

void cli_error(const char *command, const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	make_printable(text);
	(void)fflush(stdout);
	(void)fprintf(stderr, "geolaunch%s%s: %s\n", *command ? " " : "", command, text);
}

void cli_set_fault(struct cli_fault *fault, enum cli_exit code, const char *format, ...)
{
	va_list args;

	fault->code = code;
	va_start(args, format);
	(void)vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
}

void cli_add_fault(struct cli_fault *fault, const char *format, ...)
{
	size_t n = strnlen(fault->text, sizeof(fault->text) - 1);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(fault->text + n, sizeof(fault->text) - n, format, args);
	va_end(args);
}

int cli_report(const char *command, const struct cli_fault *fault)
{
	cli_error(command, "%s", fault->text);
	return fault->code;
}

bool cli_help(void (*print)(void), struct cli_fault *fault)
{
	print();
	return cli_flush(fault);
}

void cli_say_usage(const char *command, int argc, char **argv, int option, const char *help)
{
	/* getopt_long(): optopt is the letter, or 0 for an unknown long option, which is then the word before optind. */
	const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "";
	const char *what = option == ':' ? "option needs a value" : "unknown or wrong option";

	if (optopt && isgraph(optopt) && strncmp(word, "--", 2) != 0)
		cli_error(command, "%s: -%c: see %s", what, optopt, help);
	else
		cli_error(command, "%s: %s: see %s", what, word, help);
}

bool cli_number(const char *s, uint64_t max, uint64_t *out)
{
	bool hex = s[0] == '0' && s[1] == 'x';
	unsigned base = hex ? 16 : 10;
	uint64_t v = 0;

	if (hex)
		s += 2;
	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		unsigned digit;

		if (isdigit(c))
			digit = c - '0';
		else if (hex && isxdigit(c))
			digit = (unsigned)tolower(c) - 'a' + 10;
		else
			return false;
		if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v) || v > max)
			return false;
	}
	*out = v;
	return true;
}

bool cli_unhex(const char *s, uint8_t *out, size_t n)
{
	if (strlen(s) / 2 != n || strlen(s) % 2 != 0)
		return false;
	for (size_t i = 0; i < 2 * n; i++)
		if (!isxdigit((unsigned char)s[i]))
			return false;
	for (size_t i = 0; i < n; i++) {
		char pair[3] = { s[2 * i], s[2 * i + 1], 0 };

		out[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

struct span cli_skip_bom(struct span text)
{
	static const uint8_t bom[] = { 0xef, 0xbb, 0xbf };

	if (text.n < sizeof(bom) || memcmp(text.p, bom, sizeof(bom)) != 0)
		return text;
	return (struct span){ text.p + sizeof(bom), text.n - sizeof(bom) };
}

bool cli_degrees(const char *s, int limit, int32_t *out)
{
	bool negative = *s == '-';
	int64_t v = 0;
	int whole = 0, decimals = 0;

	if (*s == '-' || *s == '+')
		s++;
	for (; isdigit((unsigned char)*s); s++) {
		v = v * 10 + (*s - '0');
		if (++whole > 3)
			return false;
	}
	if (*s == '.')
		for (s++; isdigit((unsigned char)*s); s++) {
			v = v * 10 + (*s - '0');
			if (++decimals > 7)
				return false;
		}
	if (*s || whole + decimals == 0)
		return false;
	for (; decimals < 7; decimals++)
		v *= 10;
	if (v > (int64_t)limit * 10000000)
		return false;
	*out = (int32_t)(negative ? -v : v);
	return true;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/proxy/report.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qemu/proxy/tpm_message.h"

static void free_json(json_t **j)
{
	json_decref(*j);
}

static void free_text(char **s)
{
	free(*s);
}

/* Lower-case hexadecimal with its NUL; NULL if memory runs out. */
static char *hex(struct span s)
{
	static const char digits[] = "0123456789abcdef";
	char *out = malloc(2 * s.n + 1);

	if (!out)
		return NULL;
	for (size_t i = 0; i < s.n; i++) {
		out[2 * i] = digits[s.p[i] >> 4];
		out[2 * i + 1] = digits[s.p[i] & 15];
	}
	out[2 * s.n] = '\0';
	return out;
}

bool trace_write(FILE *f, const struct trace_entry *e)
{
	__attribute__((cleanup(free_text))) char *command = hex(e->command);
	__attribute__((cleanup(free_text))) char *response = hex(e->response);
	__attribute__((cleanup(free_json))) json_t *line = NULL;
	struct tpm_header h = { 0 }, answer;
	char cc[16], rc[16];
	const char *rc_text = NULL;

	if (!command || !response || !tpm_header(e->command, &h)) {
		errno = ENOMEM;
		return false;
	}
	snprintf(cc, sizeof(cc), "0x%08" PRIx32, h.code);
	if (tpm_header(e->response, &answer)) {
		snprintf(rc, sizeof(rc), "0x%08" PRIx32, answer.code);
		rc_text = rc;
	}
	line = json_pack("{s:I, s:I, s:I, s:i, s:s, s:s, s:I, s:I, s:s?, s:s, s:s}", "seq", (json_int_t)e->seq, "at_us",
		(json_int_t)e->at_us, "us", (json_int_t)e->us, "locality", (int)e->locality, "cc", cc, "name", tpm_command_name(h.code),
		"command_size", (json_int_t)e->command.n, "response_size", (json_int_t)e->response.n, "rc", rc_text, "command", command,
		"response", response);
	if (!line || (e->fault && json_object_set_new(line, "fault", json_string(e->fault)) != 0)) {
		errno = ENOMEM;
		return false;
	}
	return json_dumpf(line, f, JSON_COMPACT) == 0 && fputc('\n', f) != EOF && fflush(f) == 0;
}

static json_t *bank_json(const struct pcrs *p, enum alg a)
{
	json_t *bank = json_object();

	for (unsigned pcr = 0; bank && pcr < PCR_COUNT; pcr++) {
		__attribute__((cleanup(free_text))) char *value = NULL;
		char key[4];

		if (!pcr_known(p, a, pcr))
			continue;
		value = hex(pcr_value(p, a, pcr));
		snprintf(key, sizeof(key), "%u", pcr);
		if (!value || json_object_set_new(bank, key, json_string(value)) != 0) {
			json_decref(bank);
			return NULL;
		}
	}
	return bank;
}

char *pcrs_json(const struct pcrs *p, const char *when, uint64_t commands, const char *error)
{
	__attribute__((cleanup(free_json))) json_t *top = NULL;
	json_t *banks = json_object();

	for (enum alg a = 0; !error && a < ALG_COUNT; a++)
		if (p->banks & ALG_BIT(a) && json_object_set_new(banks, alg_table[a].name, bank_json(p, a)) != 0) {
			json_decref(banks);
			return NULL;
		}
	top = json_pack("{s:o, s:s, s:I}", "pcrs", banks, "when", when, "commands", (json_int_t)commands);
	if (!top || (error && json_object_set_new(top, "error", json_string(error)) != 0))
		return NULL;
	return json_dumps(top, JSON_COMPACT);
}

bool file_replace_bytes(const char *path, struct span bytes)
{
	__attribute__((cleanup(free_text))) char *temp = NULL;
	FILE *f;
	bool ok;

	if (asprintf(&temp, "%s.%ld.tmp", path, (long)getpid()) < 0) {
		temp = NULL;
		errno = ENOMEM;
		return false;
	}
	f = fopen(temp, "we");
	if (!f)
		return false;
	ok = fwrite(bytes.p, 1, bytes.n, f) == bytes.n;
	ok = fclose(f) == 0 && ok;
	if (!ok || rename(temp, path) != 0) {
		int saved = errno;

		(void)unlink(temp);
		errno = saved;
		return false;
	}
	return true;
}

bool file_replace(const char *path, const char *line)
{
	__attribute__((cleanup(free_text))) char *text = NULL;

	if (asprintf(&text, "%s\n", line) < 0) {
		text = NULL;
		errno = ENOMEM;
		return false;
	}
	return file_replace_bytes(path, span_str(text));
}

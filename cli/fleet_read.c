/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/files.h"
#include "cli/fleet.h"
#include "common/hash.h"

#define HOSTS "hosts.jsonl"
#define EXPECTED FLEET_COMMON "/expected.json"
#define GEO FLEET_COMMON "/geo.bin"
#define STAGE FLEET_COMMON "/esp/EFI/geolaunch/stage"
#define STAGE_MAX ((size_t)16 << 20)
#define ANEW "make it anew with 'geolaunch build --fleet'"

/* Bytes of hosts.jsonl around a place; holds a whole line wherever it begins in the first half. */
struct window {
	uint8_t bytes[2 * FLEET_RECORD_MAX];
};

static char *path_in(const char *dir, const char *name, struct cli_fault *fault)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", dir, name) >= 0)
		return path;
	(void)cli_fail(fault, CLI_IO, "out of memory: %s", dir);
	return NULL;
}

GL_MUST static bool read_at(const struct fleet *f, uint64_t at, struct window *w, struct span *out, struct cli_fault *fault)
{
	ssize_t n;

	do
		n = pread(f->fd, w->bytes, sizeof(w->bytes), (off_t)at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return cli_fail(fault, CLI_IO, "cannot read: %s: %s", f->hosts, strerror(errno));
	*out = (struct span){ w->bytes, (size_t)n };
	return true;
}

/* The line at the beginning of `bytes`, without its end; empty if it has none there. */
static struct span first_line(struct span bytes)
{
	const uint8_t *end = bytes.n ? memchr(bytes.p, '\n', bytes.n) : NULL;

	return (struct span){ bytes.p, end ? (size_t)(end - bytes.p) : 0 };
}

/* ---- opening ---- */

bool fleet_is(const char *dir)
{
	CLEANUP_FREE char *path = NULL;

	if (asprintf(&path, "%s/" HOSTS, dir) < 0)
		path = NULL;
	return path && access(path, F_OK) == 0;
}

bool fleet_is_common(const char *dir)
{
	/* However it is spelled: ".", "fleet/common/", a link. */
	CLEANUP_FREE char *real = realpath(dir, NULL);
	CLEANUP_FREE char *above = real ? strndup(real, (size_t)(name_in_folder(real) - real)) : NULL;

	return above && !strcmp(name_in_folder(real), FLEET_COMMON) && fleet_is(above);
}

bool fleet_refuse(const char *dir, struct cli_fault *fault)
{
	if (fleet_is(dir))
		return cli_fail(fault, CLI_INPUT, "this is a fleet: %s: take a host out of it with 'geolaunch fleet extract'", dir);
	return !fleet_is_common(dir) ||
	       cli_fail(fault, CLI_INPUT,
		       "this is what the hosts of a fleet have in common, and no host's build: %s: take one out with 'geolaunch fleet extract'",
		       dir);
}

GL_MUST static bool open_hosts(struct fleet *f, struct cli_fault *fault)
{
	CLEANUP_FREE struct window *w = malloc(sizeof(*w));
	struct span bytes, line;
	struct stat st;

	if (!w)
		return cli_fail(fault, CLI_IO, "out of memory: %s", f->hosts);
	f->fd = open(f->hosts, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd < 0 && errno == ENOENT)
		return cli_fail(fault, CLI_INPUT, "this is no output of 'geolaunch build --fleet': %s: there is no " HOSTS, f->dir);
	if (f->fd < 0 || fstat(f->fd, &st) != 0)
		return cli_fail(fault, CLI_IO, "cannot open: %s: %s", f->hosts, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return cli_fail(fault, CLI_INPUT, "no regular file: %s: " ANEW, f->hosts);
	f->size = (uint64_t)st.st_size;
	if (!read_at(f, 0, w, &bytes, fault))
		return false;
	line = first_line(bytes);
	f->first = line.n + 1;
	return fleet_header_parse(line, &f->count) ||
	       cli_fail(fault, CLI_INPUT, "this does not begin as a " FLEET_FORMAT ": %s: " ANEW, f->hosts);
}

/* A file of the common part; one that is not there is empty if `optional`. */
GL_MUST static bool read_common(
	const struct fleet *f, const char *name, size_t max, bool optional, uint8_t **out, size_t *n, struct cli_fault *fault)
{
	CLEANUP_FREE char *path = path_in(f->dir, name, fault);

	*n = 0;
	if (!path)
		return false;
	if (optional && access(path, F_OK) != 0 && errno == ENOENT)
		return true;
	return read_file(path, max, out, n, fault);
}

GL_MUST static bool open_common(struct fleet *f, struct cli_fault *fault)
{
	CLEANUP_FREE char *path = path_in(f->dir, EXPECTED, fault);
	CLEANUP_FREE uint8_t *policy = NULL;
	CLEANUP_FREE uint8_t *geo = NULL;
	CLEANUP_FREE uint8_t *description = NULL;
	CLEANUP_FREE uint8_t *stage = NULL;
	size_t policy_size, geo_size, description_size, stage_size;
	struct fleet_txt txt = { .stage.banks = 0 };
	char error[512];
	bool is_txt;

	if (!path || !read_common(f, FLEET_COMMON "/" FLEET_FILE_POLICY, VLP_MAX_SIZE, false, &policy, &policy_size, fault) ||
		!read_common(f, GEO, GEO_NV_MAX, true, &geo, &geo_size, fault))
		return false;
	if (!expected_load(path, &f->expected, error, sizeof(error)))
		return cli_fail(fault, CLI_INPUT, "%s", error);
	is_txt = !strcmp(f->expected.mode, description_mode_name(DESCRIPTION_TXT));
	if (is_txt) {
		if (!read_common(f, FLEET_COMMON "/" FLEET_FILE_DESCRIPTION, DESCRIPTION_MAX_SIZE, false, &description, &description_size,
			    fault) ||
			!read_common(f, STAGE, STAGE_MAX, false, &stage, &stage_size, fault))
			return false;
		txt.description = (struct span){ description, description_size };
		hash_span(f->expected.banks | ALG_BIT(f->expected.policy_hash), (struct span){ stage, stage_size }, &txt.stage);
	}
	return fleet_common_make(&f->expected, (struct span){ policy, policy_size }, (struct span){ geo, geo_size }, is_txt ? &txt : NULL,
		f->dir, &f->common, fault);
}

bool fleet_open(const char *dir, struct fleet *out, struct cli_fault *fault)
{
	out->dir = strdup(dir);
	out->hosts = path_in(dir, HOSTS, fault);
	if (!out->dir)
		return cli_fail(fault, CLI_IO, "out of memory: %s", dir);
	return out->hosts && check_folder(dir, "name a directory that 'geolaunch build --fleet' made", fault) && open_hosts(out, fault) &&
	       open_common(out, fault);
}

void fleet_close(struct fleet *f)
{
	free(f->dir);
	free(f->hosts);
	cli_closep(&f->fd);
	expected_free(&f->expected);
	*f = FLEET_NONE;
}

/* ---- finding a host ---- */

static bool damaged(const struct fleet *f, uint64_t at, const char *what, struct cli_fault *fault)
{
	return cli_fail(fault, CLI_INPUT, "%s: %s, byte %llu: " ANEW, what, f->hosts, (unsigned long long)at);
}

/* As strcmp(): of a line's name and `name`. */
static int compare(struct span a, struct span name)
{
	size_t n = a.n < name.n ? a.n : name.n;
	int order = n ? memcmp(a.p, name.p, n) : 0;

	return order ? order : (a.n > name.n) - (a.n < name.n);
}

/*
 * The first line that begins in [from, to) of the file: its place and bytes. `*at` = `to` if none does. `from` is the beginning of a line, or
 * somewhere behind one.
 */
GL_MUST static bool line_from(const struct fleet *f, uint64_t from, uint64_t to, bool is_start, struct window *w, uint64_t *at,
	struct span *line, struct cli_fault *fault)
{
	struct span bytes;
	size_t skip = 0;

	if (!read_at(f, from, w, &bytes, fault))
		return false;
	if (!is_start) {
		skip = first_line(bytes).n + 1;
		if (skip == 1 && (bytes.n == 0 || bytes.p[0] != '\n'))
			return damaged(f, from, "a line is too long or has no end", fault);
	}
	*at = from + skip;
	if (*at >= to) {
		*at = to;
		return true;
	}
	*line = first_line((struct span){ bytes.p + skip, bytes.n - skip });
	if (line->n == 0 || line->n >= FLEET_RECORD_MAX)
		return damaged(f, *at, "a line is empty, too long or has no end", fault);
	return fleet_record_name(*line).n > 0 || damaged(f, *at, "this is no record of a host", fault);
}

/* The line of a host; w holds it. `*found` is false if there is none of just this name. */
GL_MUST static bool search(
	const struct fleet *f, const char *name, struct window *w, uint64_t *place, struct span *line, bool *found, struct cli_fault *fault)
{
	const struct span wanted = span_str(name);
	uint64_t low = f->first, high = f->size; /* lines that begin in here may be it; `low` begins one */

	while (low < high) {
		uint64_t middle = low + (high - low) / 2, at = high;
		int order;

		/* From the byte before: a line that begins in the middle itself is then the first one. */
		if (!line_from(f, middle > low ? middle - 1 : low, high, middle == low, w, &at, line, fault))
			return false;
		/* Nothing begins in the upper half. */
		if (at == high) {
			high = middle;
			continue;
		}
		order = compare(fleet_record_name(*line), wanted);
		if (order == 0) {
			*place = at;
			*found = true;
			return true;
		}
		if (order < 0)
			low = at + line->n + 1;
		else
			high = middle == low ? low : middle;
	}
	*found = false;
	return true;
}

struct spelling {
	const char *wanted;
	char name[FLEET_NAME_MAX + 1];
};

static bool compare_spelling(void *ctx, struct span line, struct cli_fault *fault)
{
	struct spelling *s = ctx;
	struct span name = fleet_record_name(line);

	(void)fault;
	if (name.n == strlen(s->wanted) && name.n <= FLEET_NAME_MAX && !strncasecmp((const char *)name.p, s->wanted, name.n)) {
		memcpy(s->name, name.p, name.n);
		s->name[name.n] = 0;
	}
	return true;
}

/* Names that differ in case only are the same, and lines are sorted by bytes: the name as it is spelled here needs all of them. */
GL_MUST static bool find_line(const struct fleet *f, const char *name, struct spelling *s, struct window *w, uint64_t *place,
	struct span *line, struct cli_fault *fault)
{
	struct cli_fault ignored;
	bool found = false;

	*s = (struct spelling){ .wanted = name };
	if (!search(f, name, w, place, line, &found, fault))
		return false;
	if (found && strlen(name) <= FLEET_NAME_MAX) {
		memcpy(s->name, name, strlen(name) + 1);
		return true;
	}
	/* A line that cannot be read is another host's. */
	(void)!fleet_each(f, compare_spelling, s, &ignored);
	if (s->name[0] && !search(f, s->name, w, place, line, &found, fault))
		return false;
	return found || cli_fail(fault, CLI_INPUT, "no such host: \"%s\": %s: 'geolaunch fleet list' shows them", name, f->hosts);
}

bool fleet_find(const struct fleet *f, const char *name, struct fleet_record *record, struct expected *expected, struct cli_fault *fault)
{
	CLEANUP_FREE struct window *w = malloc(sizeof(*w));
	CLEANUP_FREE struct fleet_result *r = malloc(sizeof(*r));
	struct span line, content;
	struct spelling spelled;
	const char *wrong;
	uint64_t at = 0;

	if (!w || !r)
		return cli_fail(fault, CLI_IO, "out of memory: %s", f->hosts);
	if (!find_line(f, name, &spelled, w, &at, &line, fault))
		return false;
	wrong = fleet_record_parse(line, f->common.banks, record);
	if (wrong)
		return damaged(f, at, wrong, fault);
	content = (struct span){ record->content, record->content_size };
	wrong = fleet_content_wrong(&f->common, content.n);
	if (wrong)
		return damaged(f, at, wrong, fault);
	if (!fleet_predict(&f->common, content, r))
		return damaged(f, at, "the host cannot be computed", fault);
	if (record->policy_size != f->common.policy_size || memcmp(record->policy, r->policy, record->policy_size) != 0)
		return damaged(f, at, "\"policy\" is not that of \"geo\"", fault);
	for (unsigned a = 0; a < ALG_COUNT; a++)
		for (unsigned pcr = PCR_DRTM_FIRST; f->common.banks & ALG_BIT(a) && pcr <= PCR_DRTM_LAST; pcr++)
			if (!span_equal(pcr_value(&record->pcrs, a, pcr), pcr_value(&r->pcrs, a, pcr)))
				return damaged(f, at, "\"pcrs\" are not those of \"policy\" and \"geo\"", fault);
	return fleet_expected(&f->common, r, spelled.name, content, expected, fault);
}

bool fleet_each(
	const struct fleet *f, bool (*each)(void *ctx, struct span line, struct cli_fault *fault), void *ctx, struct cli_fault *fault)
{
	CLEANUP_FREE struct window *w = malloc(sizeof(*w));
	uint64_t at = f->first, count = 0;

	if (!w)
		return cli_fail(fault, CLI_IO, "out of memory: %s", f->hosts);
	while (at < f->size) {
		struct span bytes, line;

		if (!read_at(f, at, w, &bytes, fault))
			return false;
		/* Every line that is there as a whole. */
		for (size_t done = 0;;) {
			line = first_line((struct span){ bytes.p + done, bytes.n - done });
			if (line.n == 0 && done > 0)
				break;
			if (line.n == 0 || line.n >= FLEET_RECORD_MAX || fleet_record_name(line).n == 0)
				return damaged(f, at, "this is no record of a host", fault);
			if (!each(ctx, line, fault))
				return false;
			count++;
			done += line.n + 1;
			at += line.n + 1;
		}
	}
	return count == f->count || cli_fail(fault, CLI_INPUT, "%llu hosts, but the first line says %llu: %s: " ANEW,
					    (unsigned long long)count, (unsigned long long)f->count, f->hosts);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/fleet_table.h"

#include <string.h>
#include <strings.h>

#include "cli/csv.h"
#include "geo/geo.h"

/* A line may hold the largest content in hexadecimal, and the other columns. */
#define LINE_MAX_LENGTH (2 * GEO_NV_MAX + 1024)

enum column { NAME, COUNTRY, SUBDIVISION, SITE, LATITUDE, LONGITUDE, CONTENT, COLUMN_COUNT };

static const char *const column_names[COLUMN_COUNT] = { "name", "country", "subdivision", "site", "latitude", "longitude", "content" };

#define BIT(column) (1u << (column))
#define TAG_COLUMNS (BIT(COUNTRY) | BIT(SUBDIVISION) | BIT(SITE) | BIT(LATITUDE) | BIT(LONGITUDE))

struct reader {
	const char *file;
	struct cli_fault *fault;
	unsigned line;
	enum column columns[COLUMN_COUNT]; /* of the table, from left to right */
	size_t column_count;
	unsigned given; /* BIT()s of them */
	struct fleet_table *t;
	size_t host_room, content_room, content_used;
	char text[LINE_MAX_LENGTH + 1];
};

static void set_fault(struct reader *r, const char *advice, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void set_fault(struct reader *r, const char *advice, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	cli_set_fault(r->fault, CLI_INPUT, "%s: %s:%u: %s", what, r->file, r->line, advice);
}

/* As cli_fail(). */
#define fail(...) (set_fault(__VA_ARGS__), false)

static bool out_of_memory(struct reader *r)
{
	return cli_fail(r->fault, CLI_IO, "out of memory: %s", r->file);
}

bool fleet_name_valid(const char *name)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t n = strlen(name);

	return n >= 1 && n <= FLEET_NAME_MAX && strchr(first, name[0]) &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

/* ---- lines ---- */

/* Splits a line into fields of r->text. */
GL_MUST static bool split(struct reader *r, struct span line, char *fields[CSV_MAX_FIELDS], size_t *count)
{
	enum csv_error e;

	if (line.n == 0)
		return fail(r, "remove it", "empty line");
	if (line.n > LINE_MAX_LENGTH)
		return fail(r, "is this the right file?", "line of %zu characters", line.n);
	memcpy(r->text, line.p, line.n);
	e = csv_split(r->text, line.n, fields, count);
	if (e == CSV_E_BYTE) {
		char buf[96];
		struct text what = TEXT_OF(buf);

		csv_bad_byte(line, &what);
		return fail(r, "fields are printable ASCII, with commas between them", "%s", buf);
	}
	return !e || fail(r, "see geolaunch-fleet(1)", "%s", csv_strerror(e));
}

GL_MUST static bool take_column(struct reader *r, const char *name)
{
	enum column c = NAME;

	while (c < COLUMN_COUNT && strcmp(name, column_names[c]) != 0)
		c++;
	if (c == COLUMN_COUNT)
		return fail(r, "the first line names the columns: name, and country, subdivision, site, latitude, longitude or content",
			"unknown column \"%.40s\"", name);
	if (r->given & BIT(c))
		return fail(r, "remove one of them", "column \"%s\" is there twice", name);
	r->given |= BIT(c);
	r->columns[r->column_count++] = c;
	return true;
}

GL_MUST static bool take_header(struct reader *r, struct span line)
{
	char *fields[CSV_MAX_FIELDS];
	size_t count;

	if (!split(r, line, fields, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!take_column(r, fields[i]))
			return false;
	if (!(r->given & BIT(NAME)))
		return fail(r, "the first line names the columns", "no column \"name\"");
	if (r->given & BIT(CONTENT) && r->given & TAG_COLUMNS)
		return fail(r, "give the tag or the content of the index, not both", "both \"content\" and columns of a geo tag");
	if (r->given & TAG_COLUMNS && !(r->given & BIT(COUNTRY)))
		return fail(r, "a geo tag has a country at least", "no column \"country\"");
	if (!(r->given & BIT(LATITUDE)) != !(r->given & BIT(LONGITUDE)))
		return fail(r, "give both or none", "only one of the columns \"latitude\" and \"longitude\"");
	r->t->has_content = r->given != BIT(NAME);
	return true;
}

/* ---- values ---- */

GL_MUST static bool copy_text(struct reader *r, enum column c, const char *s, char *out, size_t cap)
{
	if (strlen(s) >= cap)
		return fail(
			r, "make it shorter", "\"%s\" has %zu characters, at most %zu are possible", column_names[c], strlen(s), cap - 1);
	memcpy(out, s, strlen(s) + 1);
	return true;
}

GL_MUST static bool take_degrees(struct reader *r, enum column c, const char *s, int limit, int32_t *out)
{
	char advice[80];

	(void)snprintf(advice, sizeof(advice), "give degrees from -%d to %d with at most 7 decimals", limit, limit);
	return cli_degrees(s, limit, out) || fail(r, advice, "\"%s\" cannot be \"%.40s\"", column_names[c], s);
}

GL_MUST static bool take_tag(struct reader *r, const char *const values[COLUMN_COUNT], uint8_t out[GEO_TAG_SIZE])
{
	struct geo_tag tag = { .has_coordinates = *values[LATITUDE] != 0 };
	char buf[80];
	struct text room = TEXT_OF(buf);
	const char *advice;
	enum geo_error e;

	if (!*values[LATITUDE] != !*values[LONGITUDE])
		return fail(r, "give both or none", "only one of latitude and longitude");
	advice = geo_country_advice(values[COUNTRY]);
	if (advice)
		return fail(r, advice, "\"country\" cannot be \"%.40s\"", values[COUNTRY]);
	advice = geo_subdivision_advice(values[SUBDIVISION], &room);
	if (advice)
		return fail(r, advice, "\"subdivision\" cannot be \"%.40s\"", values[SUBDIVISION]);
	if (!copy_text(r, COUNTRY, values[COUNTRY], tag.country, sizeof(tag.country)) ||
		!copy_text(r, SUBDIVISION, values[SUBDIVISION], tag.subdivision, sizeof(tag.subdivision)) ||
		!copy_text(r, SITE, values[SITE], tag.site, sizeof(tag.site)))
		return false;
	if (tag.has_coordinates && (!take_degrees(r, LATITUDE, values[LATITUDE], 90, &tag.latitude) ||
					   !take_degrees(r, LONGITUDE, values[LONGITUDE], 180, &tag.longitude)))
		return false;
	e = geo_encode(&tag, out);
	return e == GEO_OK || fail(r, "see geolaunch-manifest(5)", "tag is wrong: %s", geo_strerror(e));
}

/* Content of the host's index, at the end of t->contents. */
GL_MUST static bool take_content(struct reader *r, const char *const values[COLUMN_COUNT], struct fleet_host *h)
{
	const char *hex = values[CONTENT];
	size_t n = r->given & BIT(CONTENT) ? strlen(hex) / 2 : GEO_TAG_SIZE;

	if (n == 0 || n > GEO_NV_MAX)
		return fail(r, "give 1 to 4096 bytes in hexadecimal", "\"content\" has %zu bytes", n);
	if (r->content_room - r->content_used < n) {
		size_t room = r->content_room * 2 + GEO_NV_MAX;
		uint8_t *more = realloc(r->t->contents, room);

		if (!more)
			return out_of_memory(r);
		r->t->contents = more;
		r->content_room = room;
	}
	h->content = r->content_used;
	h->content_size = (uint16_t)n;
	r->content_used += n;
	if (!(r->given & BIT(CONTENT)))
		return take_tag(r, values, r->t->contents + h->content);
	return (strlen(hex) == 2 * n && cli_unhex(hex, r->t->contents + h->content, n)) ||
	       fail(r, "give two digits of 0-9 a-f for each byte", "\"content\" is not hexadecimal");
}

/* NULL after a fault. */
static struct fleet_host *add_host(struct reader *r)
{
	struct fleet_table *t = r->t;

	if (t->count == FLEET_MAX_HOSTS) {
		(void)fail(r, "split the table", "more than %d hosts", FLEET_MAX_HOSTS);
		return NULL;
	}
	if (t->count == r->host_room) {
		size_t room = r->host_room * 2 + 64;
		struct fleet_host *more = reallocarray(t->hosts, room, sizeof(*more));

		if (!more) {
			(void)out_of_memory(r);
			return NULL;
		}
		t->hosts = more;
		r->host_room = room;
	}
	t->hosts[t->count] = (struct fleet_host){ .line = r->line };
	return &t->hosts[t->count++];
}

GL_MUST static bool take_host(struct reader *r, struct span line)
{
	const char *values[COLUMN_COUNT] = { "", "", "", "", "", "", "" };
	char *fields[CSV_MAX_FIELDS];
	struct fleet_host *h;
	size_t count;

	if (!split(r, line, fields, &count))
		return false;
	if (count != r->column_count)
		return fail(r, "the first line names the columns", "%zu fields, but the table has %zu columns", count, r->column_count);
	for (size_t i = 0; i < count; i++)
		values[r->columns[i]] = fields[i];
	h = add_host(r);
	if (!h)
		return false;
	if (!fleet_name_valid(values[NAME]))
		return fail(
			r, "use 1 to 64 of A-Z a-z 0-9 . _ -, a letter or digit first", "\"%.80s\" cannot be a host's name", values[NAME]);
	memcpy(h->name, values[NAME], strlen(values[NAME]));
	return !r->t->has_content || take_content(r, values, h);
}

/* ---- the table ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct fleet_host *)a)->name, ((const struct fleet_host *)b)->name);
}

static int by_name_and_line(const void *a, const void *b)
{
	const struct fleet_host *const *p = a, *const *q = b;
	int order = strcasecmp((*p)->name, (*q)->name);

	return order ? order : ((*p)->line > (*q)->line) - ((*p)->line < (*q)->line);
}

/* Names are used where case does not count: DNS, FAT. Reported is the first line that repeats an earlier one. */
GL_MUST static bool check_twice(struct reader *r)
{
	const struct fleet_table *t = r->t;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	CLEANUP_FREE const struct fleet_host **order = calloc(t->count + 1, sizeof(*order));
	const struct fleet_host *first = NULL, *twin = NULL;

	if (!order)
		return out_of_memory(r);
	for (size_t i = 0; i < t->count; i++)
		order[i] = &t->hosts[i];
	/* NOLINTNEXTLINE(bugprone-sizeof-expression) */
	qsort(order, t->count, sizeof(*order), by_name_and_line);
	for (size_t i = 1; i < t->count; i++)
		if (!strcasecmp(order[i - 1]->name, order[i]->name) && (!twin || order[i]->line < twin->line)) {
			first = order[i - 1];
			twin = order[i];
		}
	if (!twin)
		return true;
	r->line = twin->line;
	return fail(r, "give each host its own name", "host \"%s\" is there twice, also on line %u", twin->name, first->line);
}

GL_MUST static bool read_all(struct reader *r, struct span text)
{
	struct span line;

	text = cli_skip_bom(text);
	while (csv_line(&text, &line)) {
		r->line++;
		if (!(r->line == 1 ? take_header(r, line) : take_host(r, line)))
			return false;
	}
	if (r->t->count == 0) {
		r->line += r->line == 0;
		return fail(r, "a line names the columns, then there is one for each host", "no hosts in the table");
	}
	if (!check_twice(r))
		return false;
	qsort(r->t->hosts, r->t->count, sizeof(*r->t->hosts), by_name);
	return true;
}

bool fleet_table_parse(const char *file, struct span text, struct fleet_table *out, struct cli_fault *fault)
{
	CLEANUP(fleet_table_free) struct fleet_table t = { .count = 0 };
	CLEANUP_FREE struct reader *r = calloc(1, sizeof(*r));

	if (!r)
		return cli_fail(fault, CLI_IO, "out of memory: %s", file);
	r->file = file;
	r->fault = fault;
	r->t = &t;
	if (!read_all(r, text))
		return false;
	*out = t;
	t = (struct fleet_table){ .count = 0 };
	return true;
}

bool fleet_table_load(const char *file, struct fleet_table *out, struct cli_fault *fault)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t n;

	return read_file(file, FLEET_TABLE_MAX_SIZE, &bytes, &n, fault) && fleet_table_parse(file, (struct span){ bytes, n }, out, fault);
}

void fleet_table_free(struct fleet_table *t)
{
	free(t->hosts);
	free(t->contents);
	*t = (struct fleet_table){ .count = 0 };
}

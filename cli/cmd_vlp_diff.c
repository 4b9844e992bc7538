/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "cli/cmd_vlp.h"
#include "cli/vlp_edit.h"
#include "common/text.h"

struct diff {
	const char *names[2];
	const struct vlp_file *files; /* two */
	json_t *lines;                /* of text */
	bool failed;                  /* no memory */
};

static void say(struct diff *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct diff *d, const char *format, ...)
{
	va_list args;
	json_t *line;

	va_start(args, format);
	line = cli_json_vtext(format, args);
	va_end(args);
	if (json_array_append_new(d->lines, line) != 0)
		d->failed = true;
}

/* A field that has a word for each value. */
static void differ(struct diff *d, const char *what, const char *a, const char *b)
{
	if (strcmp(a, b) != 0)
		say(d, "%s: %s in %s, %s in %s", what, a, d->names[0], b, d->names[1]);
}

static void differ_number(struct diff *d, const char *what, uint32_t a, uint32_t b)
{
	char text[2][16];

	(void)snprintf(text[0], sizeof(text[0]), "%u", a);
	(void)snprintf(text[1], sizeof(text[1]), "%u", b);
	differ(d, what, text[0], text[1]);
}

static const char *type_text(const struct vlp *p)
{
	const char *name = vlp_type_name(p->type);

	return name ? name : "unknown";
}

static enum alg alg_of(const struct vlp *p)
{
	enum alg alg = ALG_SHA256;

	return alg_by_id(p->hash_alg, &alg) ? alg : ALG_SHA256;
}

static void diff_header(struct diff *d)
{
	const struct vlp *a = &d->files[0].policy, *b = &d->files[1].policy;

	differ_number(d, "version", a->version, b->version);
	if (a->type != b->type && !vlp_type_name(a->type) && !vlp_type_name(b->type))
		differ_number(d, "policy_type", a->type, b->type);
	else
		differ(d, "policy_type", type_text(a), type_text(b));
	differ(d, "hash_alg", alg_table[alg_of(a)].name, alg_table[alg_of(b)].name);
	differ_number(d, "policy_control", a->control, b->control);
	differ_number(d, "reserved", a->reserved, b->reserved);
}

/* ---- entries ---- */

static bool has_hash(const struct vlp_entry *e, struct span hash)
{
	for (size_t at = 0; hash.n <= e->hashes.n - at; at += hash.n)
		if (span_equal((struct span){ e->hashes.p + at, hash.n }, hash))
			return true;
	return false;
}

/* Hashes of `a` that `b` has not. */
static unsigned diff_hashes(
	struct diff *d, const char *subject, const char *name, size_t size, const struct vlp_entry *a, const struct vlp_entry *b)
{
	unsigned n = 0;

	for (size_t at = 0; size <= a->hashes.n - at; at += size) {
		char buf[2 * DIGEST_MAX + 1] = "";
		struct text hex = TEXT_OF(buf);
		struct span hash = { a->hashes.p + at, size };

		if (has_hash(b, hash))
			continue;
		text_bytes(&hex, hash);
		say(d, "%s: hash %s only in %s", subject, buf, name);
		n++;
	}
	return n;
}

static const char *pcr_text(const struct vlp_entry *e, char room[16])
{
	if (e->pcr == VLP_PCR_NONE)
		return "none";
	(void)snprintf(room, 16, "%u", e->pcr);
	return room;
}

static const char *hash_type_text(const struct vlp_entry *e)
{
	return e->hash_type == VLP_HASH_ANY ? "any" : e->hash_type == VLP_HASH_IMAGE ? "image" : "unknown";
}

static void diff_entry(struct diff *d, const struct vlp_entry *a, const struct vlp_entry *b)
{
	enum alg alg = alg_of(&d->files[0].policy);
	char subject[64], what[96], room[2][16];
	struct text t = TEXT_OF(subject);
	size_t size = alg_table[alg].size;

	vlp_name_entry(a, &t);
	(void)snprintf(what, sizeof(what), "%s: kind", subject);
	if (a->module != b->module)
		differ(d, what, a->module == VLP_MODULE_NV ? "nv" : "nv_raw", b->module == VLP_MODULE_NV ? "nv" : "nv_raw");
	(void)snprintf(what, sizeof(what), "%s: pcr", subject);
	differ(d, what, pcr_text(a, room[0]), pcr_text(b, room[1]));
	(void)snprintf(what, sizeof(what), "%s: hash_type", subject);
	differ(d, what, hash_type_text(a), hash_type_text(b));
	/* Digests of two algorithms have nothing to compare. */
	if (alg != alg_of(&d->files[1].policy) || span_equal(a->hashes, b->hashes))
		return;
	if (diff_hashes(d, subject, d->names[0], size, a, b) + diff_hashes(d, subject, d->names[1], size, b, a) == 0)
		say(d, "%s: the same hashes in another order or number", subject);
}

/* Entries of the one file that the other has not. */
static void only_in(struct diff *d, unsigned file)
{
	const struct vlp *p = &d->files[file].policy, *other = &d->files[1 - file].policy;

	for (unsigned i = 0; i < p->entry_count; i++) {
		const struct vlp_entry *e = &p->entries[i];
		char buf[64];
		struct text subject = TEXT_OF(buf);

		if (vlp_edit_find(other, e->module, e->nv_index) >= 0)
			continue;
		vlp_name_entry(e, &subject);
		say(d, "%s: only in %s", buf, d->names[file]);
	}
}

/* Entries that both have stand in another order. */
static bool order_differs(const struct vlp *a, const struct vlp *b)
{
	int last = -1;

	for (unsigned i = 0; i < a->entry_count; i++) {
		int at = vlp_edit_find(b, a->entries[i].module, a->entries[i].nv_index);

		if (at >= 0 && at < last)
			return true;
		if (at >= 0)
			last = at;
	}
	return false;
}

static void diff_entries(struct diff *d)
{
	const struct vlp *a = &d->files[0].policy, *b = &d->files[1].policy;

	for (unsigned i = 0; i < a->entry_count; i++) {
		int at = vlp_edit_find(b, a->entries[i].module, a->entries[i].nv_index);

		if (at >= 0)
			diff_entry(d, &a->entries[i], &b->entries[at]);
	}
	only_in(d, 0);
	only_in(d, 1);
	if (order_differs(a, b))
		say(d, "order: the entries stand in another order");
}

static bool report(const struct vlp_args *a, const struct diff *d, struct cli_fault *fault)
{
	CLEANUP_JSON json_t *v = NULL;
	json_t *line;
	size_t i;

	if (d->failed)
		return cli_fail(fault, CLI_IO, "out of memory: differences");
	if (!a->json) {
		json_array_foreach(d->lines, i, line)
			printf("%s\n", json_string_value(line));
		return cli_flush(fault);
	}
	v = json_pack("{s:b, s:O}", "equal", json_array_size(d->lines) == 0, "differences", d->lines);
	return cli_json_print(v, fault);
}

static bool compare(const struct vlp_args *a, const struct vlp_file *files, int *code, struct cli_fault *fault)
{
	CLEANUP_JSON json_t *lines = json_array();
	struct diff d = { .names = { a->files[0], a->files[1] }, .files = files, .lines = lines, .failed = !lines };

	diff_header(&d);
	diff_entries(&d);
	/* Nothing to tell, and yet not the same: only entries that occur more than once can do that. */
	if (!json_array_size(lines) &&
		!span_equal((struct span){ files[0].bytes, files[0].n }, (struct span){ files[1].bytes, files[1].n }))
		say(&d, "entries: some occur more than once: see 'geolaunch vlp check'");
	*code = json_array_size(lines) ? CLI_DIFFERENT : CLI_OK;
	return report(a, &d, fault);
}

bool vlp_diff(const struct vlp_args *a, int *code, struct cli_fault *fault)
{
	struct vlp_file *files = calloc(2, sizeof(*files));
	bool ok = files && vlp_file_load(a->files[0], &files[0], fault) && vlp_file_load(a->files[1], &files[1], fault) &&
	          compare(a, files, code, fault);

	if (!files)
		return cli_fail(fault, CLI_IO, "out of memory: policies");
	vlp_file_free(&files[0]);
	vlp_file_free(&files[1]);
	free(files);
	return ok;
}

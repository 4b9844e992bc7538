/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/cmd_txt_heap.h"

#include <string.h>

#include "cli/txt_heap.h"

/* A real heap has 1 MiB; TXT.HEAP.SIZE has 32 bits. */
#define HEAP_MAX_SIZE ((size_t)64 << 20)
#define COLUMN 18

/* clang-format off */
static const struct {
	const char *key;
	enum heap_table table;
} parts[] = {
	{ "bios", HEAP_BIOS }, { "os_mle", HEAP_OS_MLE }, { "os_sinit", HEAP_OS_SINIT }, { "sinit_mle", HEAP_SINIT_MLE },
};
/* clang-format on */

/* ---- text: the same values as in the JSON, so that nothing is in one of them alone ---- */

static void print_scalar(const json_t *v)
{
	if (json_is_string(v))
		printf("%s", json_string_value(v));
	else if (json_is_integer(v))
		printf("%lld", (long long)json_integer_value(v));
	else
		printf("%s", json_is_null(v) ? "none" : json_is_true(v) ? "yes" : "no");
}

/* On one line: "base 0x0, size 0xa0000", lists in brackets. */
/* NOLINTNEXTLINE(misc-no-recursion): our own document, four levels deep */
static void print_line(json_t *v)
{
	const char *key, *comma = "";
	json_t *item;
	size_t i;

	if (json_is_object(v)) {
		json_object_foreach(v, key, item) {
			printf("%s%s ", comma, key);
			print_line(item);
			comma = ", ";
		}
	} else if (json_is_array(v)) {
		printf("[");
		json_array_foreach(v, i, item) {
			printf("%s", i ? "; " : "");
			print_line(item);
		}
		printf("]");
	} else {
		print_scalar(v);
	}
}

static void print_entry(const char *key, json_t *v)
{
	json_t *item;
	size_t i;

	if (!json_is_array(v) || json_array_size(v) == 0) {
		printf("  %-*s  ", COLUMN, key);
		if (json_is_array(v))
			printf("none");
		else
			print_line(v);
		printf("\n");
		return;
	}
	json_array_foreach(v, i, item) {
		printf("  %-*s  ", COLUMN, i ? "" : key);
		print_line(item);
		printf("\n");
	}
}

static void print_text(json_t *root)
{
	printf("TXT heap, %lld bytes, %s\n", (long long)json_integer_value(json_object_get(root, "size")),
		json_is_true(json_object_get(root, "launched")) ? "as SINIT left it" : "before SENTER");
	for (size_t i = 0; i < GL_COUNT(parts); i++) {
		json_t *part = json_object_get(root, parts[i].key), *v;
		const char *key;

		if (json_is_null(part))
			continue;
		printf("\n%s\n", heap_table_name(parts[i].table));
		json_object_foreach(part, key, v)
			print_entry(key, v);
	}
}

/* ---- the event log ---- */

GL_MUST static bool write_log(const struct txt_heap *h, const char *file, const char *path, struct cli_fault *fault)
{
	const struct heap_log *l = txt_heap_nth_log(h, 0);
	struct span log = { NULL, 0 };

	if (!l)
		return cli_fail(fault, CLI_INPUT, "the heap names no event log: %s", file);
	log = txt_heap_log(h, l);
	if (log.n == 0)
		return cli_fail(fault, CLI_INPUT,
			"the event log at 0x%llx is not in the dump: %s: say with --base where the dump was taken",
			(unsigned long long)l->base, file);
	/* From the first record to behind the last, as far as that is sound; else all of its memory. */
	if (l->first <= l->next && l->next <= log.n)
		log = (struct span){ log.p + l->first, l->next - l->first };
	return write_file_atomic(path, log, fault);
}

bool cmd_txt_heap(const char *file, uint64_t base, const char *log_out, bool json, struct cli_fault *fault)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	CLEANUP_FREE struct txt_heap *h = malloc(sizeof(*h));
	CLEANUP_JSON json_t *root = NULL;
	size_t n;

	if (!h)
		return cli_fail(fault, CLI_IO, "out of memory: %s", file);
	if (!read_file(file, HEAP_MAX_SIZE, &bytes, &n, fault))
		return false;
	if (n == 0)
		return cli_fail(fault, CLI_INPUT, "the file is empty: %s: give the heap from TXT.HEAP.BASE on", file);
	if (!txt_heap_decode(file, (struct span){ bytes, n }, base, h, fault))
		return false;
	if (log_out && !write_log(h, file, log_out, fault))
		return false;
	root = txt_heap_json(h);
	if (!root || json)
		return cli_json_print(root, fault);
	print_text(root);
	return cli_flush(fault);
}

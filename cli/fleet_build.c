/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <unistd.h>

#include "cli/files.h"
#include "cli/fleet.h"
#include "cli/tree.h"

#define HOSTS "hosts.jsonl"

struct job {
	const struct build_options *options;
	struct fleet_summary *out;
	struct cli_fault *fault;
	struct fleet_table table;
	struct tree tree;
	struct interrupt stop;
	struct fleet_common common;
};

static void job_end(struct job **j)
{
	if (!*j)
		return;
	tree_end(&(*j)->tree);
	fleet_table_free(&(*j)->table);
	interrupt_release(&(*j)->stop);
	free(*j);
}

static void free_manifest(struct manifest **m)
{
	if (*m)
		manifest_free(*m);
	free(*m);
}

/* Does the table say what the manifest leaves open, before large files are read? */
GL_MUST static bool check_table(struct job *j, const char *table)
{
	CLEANUP(free_manifest) struct manifest *m = calloc(1, sizeof(*m));

	if (!m)
		return cli_fail(j->fault, CLI_IO, "out of memory: %s", table);
	if (!manifest_load(j->options->manifest, m, j->fault))
		return false;
	if (m->geo.given && !j->table.has_content)
		return manifest_fail(m, m->geo.line, "give the table a column \"country\" or \"content\", or remove geo", j->fault,
			"geo is measured, but no host has a tag: %s", table);
	if (!m->geo.given && j->table.has_content)
		return cli_fail(j->fault, CLI_INPUT, "the hosts have tags, but nobody measures them: %s: add \"geo\" to %s", table,
			j->options->manifest);
	for (size_t i = 0; m->geo.raw && i < j->table.count; i++) {
		const struct fleet_host *h = &j->table.hosts[i];

		if (h->content_size != 32 && h->content_size != 48 && h->content_size != 64)
			return cli_fail(j->fault, CLI_INPUT,
				"\"content\" has %u bytes, but nv_raw content is extended as a digest: %s:%u: give 32, 48 or 64",
				h->content_size, table, h->line);
	}
	return true;
}

/* An ordinary build, in the folder that is not yet in place. */
GL_MUST static bool build_common(struct job *j)
{
	CLEANUP_FREE char *output = NULL;
	CLEANUP_FREE char *policy = NULL;
	CLEANUP_FREE char *description = NULL;
	CLEANUP_FREE uint8_t *bytes = NULL;
	CLEANUP_FREE uint8_t *text = NULL;
	struct build_result *common = &j->out->common;
	struct build_options options = *j->options;
	struct fleet_txt txt;
	size_t n, text_size;

	if (asprintf(&output, "%s/" FLEET_COMMON, j->tree.tmp) < 0 ||
		asprintf(&policy, "%s/" FLEET_COMMON "/" FLEET_FILE_POLICY, j->tree.tmp) < 0 ||
		asprintf(&description, "%s/" FLEET_COMMON "/" FLEET_FILE_DESCRIPTION, j->tree.tmp) < 0)
		return cli_fail(j->fault, CLI_IO, "out of memory: %s", options.output);
	options.output = output;
	options.force = false;
	if (!build_run(&options, common, j->fault) || !read_file(policy, VLP_MAX_SIZE, &bytes, &n, j->fault) ||
		!read_file(description, DESCRIPTION_MAX_SIZE, &text, &text_size, j->fault))
		return false;
	txt = (struct fleet_txt){ { text, text_size }, common->modules[0].image };
	return fleet_common_make(&common->expected, (struct span){ bytes, n }, (struct span){ common->geo, common->geo_size },
		common->manifest.mode == DESCRIPTION_TXT ? &txt : NULL, options.manifest, &j->common, j->fault);
}

GL_MUST static bool write_hosts(struct job *j)
{
	CLEANUP_FD int fd = tree_create(&j->tree, HOSTS, j->fault);
	char buf[128];
	struct text header = TEXT_OF(buf);
	off_t size;

	fleet_header_write(j->table.count, &header);
	if (fd < 0)
		return false;
	if (!write_all(fd, (struct span){ (const uint8_t *)buf, header.n }))
		return cli_fail(j->fault, CLI_IO, "cannot write: %s/" HOSTS, j->tree.tmp);
	if (!fleet_write(&j->common, &j->table, fd, &j->stop, &j->out->threads, j->fault))
		return false;
	size = lseek(fd, 0, SEEK_CUR);
	j->out->size = size > 0 ? (uint64_t)size : 0;
	j->out->hosts = j->table.count;
	return tree_close(&j->tree, HOSTS, &fd, j->fault);
}

static void note_country(struct fleet_summary *s, const char *code, uint32_t line)
{
	for (size_t i = 0; i < s->odd_count; i++)
		if (!strcmp(s->odd[i].code, code)) {
			s->odd[i].line = line < s->odd[i].line ? line : s->odd[i].line;
			return;
		}
	if (s->odd_count == GL_COUNT(s->odd))
		return;
	s->odd[s->odd_count] = (struct fleet_country){ .line = line };
	memcpy(s->odd[s->odd_count++].code, code, sizeof(s->odd[0].code));
}

static void note_countries(struct job *j)
{
	for (size_t i = 0; i < j->table.count; i++) {
		const struct fleet_host *h = &j->table.hosts[i];
		struct geo_tag tag;

		if (geo_decode(fleet_content(&j->table, h), &tag) == GEO_OK && geo_country(tag.country) != GEO_COUNTRY_ASSIGNED)
			note_country(j->out, tag.country, h->line);
	}
}

bool fleet_build(const struct build_options *options, const char *table, struct fleet_summary *out, struct cli_fault *fault)
{
	CLEANUP(job_end) struct job *j = malloc(sizeof(*j));

	if (!j)
		return cli_fail(fault, CLI_IO, "out of memory: %s", table);
	*j = (struct job){ .options = options, .out = out, .fault = fault, .tree = TREE_NONE };
	interrupt_hold(&j->stop);
	if (!tree_check(&j->tree, options->output, options->force, TREE_FLEET, fault) || !fleet_table_load(table, &j->table, fault) ||
		!check_table(j, table) || !tree_begin(&j->tree, fault) || !build_common(j) || !write_hosts(j))
		return false;
	if (interrupted(&j->stop))
		return cli_fail(fault, CLI_IO, "interrupted: %s: nothing was written", options->output);
	note_countries(j);
	return tree_commit(&j->tree, &out->leftover, fault);
}

void fleet_summary_free(struct fleet_summary *s)
{
	build_free(&s->common);
	free(s->leftover);
}

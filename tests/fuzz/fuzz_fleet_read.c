/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fleet whose files are anybody's: refused, or a host that is found is the one that was asked for and has the values of its record; one that
 * its sorted lines name is not said to be missing. Input: six pieces (u16 size, bytes), the name of a host, then files of the common part in
 * the order of `files`; the rest is hosts.jsonl. A file without bytes is not there.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fleet.h"
#include "exact.h"

#define MAX_NAMES 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const folders[] = { "common", "common/esp", "common/esp/EFI", "common/esp/EFI/geolaunch" };
static const char *const files[] = { "common/expected.json", "common/esp/EFI/geolaunch/policy.vlp", "common/geo.bin",
	"common/esp/EFI/geolaunch/launch.conf", "common/esp/EFI/geolaunch/stage" };
static const char hosts[] = "hosts.jsonl";

static char dir[64];
static int dir_fd = -1;

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void remove_dir(void)
{
	for (size_t i = 0; i < GL_COUNT(files); i++)
		(void)unlinkat(dir_fd, files[i], 0);
	(void)unlinkat(dir_fd, hosts, 0);
	for (size_t i = GL_COUNT(folders); i-- > 0;)
		(void)unlinkat(dir_fd, folders[i], AT_REMOVEDIR);
	(void)rmdir(dir);
}

/* One for all inputs; what crashes leaves it. */
static void make_dir(void)
{
	const char *above = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	if (dir_fd >= 0)
		return;
	check(snprintf(dir, sizeof(dir), "%s/fuzz-fleet-XXXXXX", above) < (int)sizeof(dir) && mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	check(dir_fd >= 0);
	for (size_t i = 0; i < GL_COUNT(folders); i++)
		check(mkdirat(dir_fd, folders[i], 0700) == 0);
	check(atexit(remove_dir) == 0);
}

static void put_file(const char *name, struct span bytes)
{
	int fd;

	if (bytes.n == 0) {
		(void)unlinkat(dir_fd, name, 0);
		return;
	}
	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	check(fd >= 0 && write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n && close(fd) == 0);
}

/* A single host's build is neither of the two folders. */
static void check_refused(bool is_fleet)
{
	char common[sizeof(dir) + 8];
	struct cli_fault fault;

	(void)snprintf(common, sizeof(common), "%s/" FLEET_COMMON, dir);
	check(fleet_is(dir) == is_fleet && fleet_refuse(dir, &fault) != is_fleet && fleet_refuse(common, &fault) != is_fleet);
}

static void check_fault(const struct cli_fault *fault)
{
	check((fault->code == CLI_INPUT || fault->code == CLI_IO) && fault->text[0]);
}

/* Names in the order of their lines. */
struct names {
	size_t count;
	char name[MAX_NAMES][FLEET_NAME_MAX + 1];
	bool whole, sorted; /* all of them; and each is behind the one before */
};

static bool take_name(void *ctx, struct span line, struct cli_fault *fault)
{
	struct names *names = ctx;
	struct span name = fleet_record_name(line);

	(void)fault;
	check(name.n > 0 && line.n < FLEET_RECORD_MAX && !memchr(line.p, '\n', line.n));
	if (names->count == MAX_NAMES || name.n > FLEET_NAME_MAX || memchr(name.p, 0, name.n)) {
		names->whole = names->sorted = false;
		return true;
	}
	memcpy(names->name[names->count], name.p, name.n);
	names->name[names->count][name.n] = 0;
	if (names->count && strcmp(names->name[names->count - 1], names->name[names->count]) >= 0)
		names->sorted = false;
	names->count++;
	return true;
}

/* What is found is a prediction for this host, and nothing else than its record says. */
static void check_found(const struct fleet *f, const char *name, const struct fleet_record *r, const struct expected *x)
{
	check(!strcasecmp(r->name, name) && !strcmp(x->name, r->name) && !strcmp(x->mode, f->expected.mode));
	check(x->banks == f->expected.banks && x->event_count == f->expected.event_count && x->drtm == f->expected.drtm);
	for (unsigned a = 0; a < ALG_COUNT; a++)
		for (unsigned pcr = PCR_DRTM_FIRST; x->banks & ALG_BIT(a) && pcr <= PCR_DRTM_LAST; pcr++)
			check(span_equal(pcr_value(&r->pcrs, a, pcr), pcr_value(&x->pcrs, a, pcr)));
}

/* True if the host was found; false in *none if the fleet is damaged, so that nobody can say. */
static bool find(const struct fleet *f, const char *name, bool *none)
{
	static struct fleet_record record;
	struct expected x = { .name = NULL };
	struct cli_fault fault;
	bool found;

	memset(&record, 0xaa, sizeof(record));
	found = fleet_find(f, name, &record, &x, &fault);
	if (found)
		check_found(f, name, &record, &x);
	else
		check_fault(&fault);
	*none = !found && !strncmp(fault.text, "no such host", strlen("no such host"));
	expected_free(&x);
	return found;
}

static void check_hosts(const struct fleet *f, const char *wanted)
{
	static struct names names;
	struct cli_fault fault;
	bool none, listed = false, all;

	names = (struct names){ .whole = true, .sorted = true };
	all = fleet_each(f, take_name, &names, &fault);
	if (!all)
		check_fault(&fault);
	else if (names.whole)
		check(names.count == f->count);
	for (size_t i = 0; i < names.count; i++) {
		listed = listed || !strcasecmp(names.name[i], wanted);
		(void)find(f, names.name[i], &none);
		/* A search in halves needs an order. */
		check(!(none && all && names.sorted));
	}
	if (find(f, wanted, &none))
		check(!all || !names.whole || listed);
	else
		check(!(none && all && names.sorted && listed));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(exact_free) struct exact x = { .count = 0 };
	struct rd r;
	struct fleet f = FLEET_NONE;
	struct cli_fault fault;
	struct span name, lines;
	char *wanted;

	make_dir();
	r = rd_init((struct span){ data, size });
	name = exact_piece(&x, &r);
	wanted = strndup(name.n ? (const char *)name.p : "", name.n);
	check(wanted);
	for (size_t i = 0; i < GL_COUNT(files); i++)
		put_file(files[i], exact_piece(&x, &r));
	lines = rd_bytes(&r, rd_left(&r));
	put_file(hosts, lines);
	check_refused(lines.n > 0);
	if (fleet_open(dir, &f, &fault))
		check_hosts(&f, wanted);
	else
		check_fault(&fault);
	fleet_close(&f);
	free(wanted);
	return 0;
}

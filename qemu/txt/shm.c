/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define VENDOR 0x1af4
#define DEVICE 0x1110
#define BAR 2
/* PCI Local Bus 3.0, 6.1 and 6.2.5 */
#define CONFIG_COMMAND 0x04
#define CONFIG_COMMAND_MEMORY 0x2u
#define CONFIG_BAR2 0x18
#define PORT_ADDRESS 0xcf8
#define PORT_DATA 0xcfc
#define CONFIG_ENABLE 0x80000000u

bool shm_map(struct shm *s, const char *path, size_t size, char *why, size_t why_size)
{
	__attribute__((cleanup(fd_close))) int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) != 0) {
		snprintf(why, why_size, "cannot open %s: %s", path, strerror(errno));
		return false;
	}
	if (st.st_size != (off_t)size) {
		snprintf(why, why_size, "%s has %jd bytes instead of %zu: it must back the ivshmem device", path, (intmax_t)st.st_size,
			size);
		return false;
	}
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		snprintf(why, why_size, "cannot map %s: %s", path, strerror(errno));
		return false;
	}
	*s = (struct shm){ .bytes = p, .size = size };
	return true;
}

void shm_unmap(struct shm *s)
{
	if (s->bytes)
		(void)munmap(s->bytes, s->size);
	*s = (struct shm){ 0 };
}

static json_int_t integer(json_t *object, const char *key)
{
	json_t *v = json_object_get(object, key);

	return json_is_integer(v) ? json_integer_value(v) : -1;
}

/* Is it a shared memory of this size? */
static bool is_ours(json_t *device, size_t size)
{
	json_t *id = json_object_get(device, "id"), *region;
	size_t i;

	if (integer(id, "vendor") != VENDOR || integer(id, "device") != DEVICE)
		return false;
	json_array_foreach(json_object_get(device, "regions"), i, region)
		if (integer(region, "bar") == BAR)
			return integer(region, "size") == (json_int_t)size;
	return false;
}

/* Calls `see` for every device, behind bridges, too, until it returns true; the result is then true. */
/* NOLINTNEXTLINE(misc-no-recursion): `depth` ends it */
static bool each_device(json_t *devices, unsigned depth, bool (*see)(void *ctx, json_t *device), void *ctx)
{
	json_t *device;
	size_t i;

	json_array_foreach(devices, i, device) {
		if (see(ctx, device))
			return true;
		if (depth && each_device(json_object_get(json_object_get(device, "pci_bridge"), "devices"), depth - 1, see, ctx))
			return true;
	}
	return false;
}

static bool each(json_t *buses, bool (*see)(void *ctx, json_t *device), void *ctx)
{
	json_t *bus;
	size_t i;

	json_array_foreach(buses, i, bus)
		if (each_device(json_object_get(bus, "devices"), 8, see, ctx))
			return true;
	return false;
}

struct search {
	struct shm *s;
	unsigned found;
};

static bool see_ours(void *ctx, json_t *device)
{
	struct search *f = ctx;

	if (!is_ours(device, f->s->size))
		return false;
	f->found++;
	f->s->bus = (unsigned)integer(device, "bus") & 0xff;
	f->s->slot = (unsigned)integer(device, "slot") & 0x1f;
	f->s->function = (unsigned)integer(device, "function") & 7;
	return false;
}

bool shm_find(struct shm *s, struct qmp *q, char *why, size_t why_size)
{
	struct search f = { s, 0 };
	json_t *buses;

	if (!qmp_execute(q, "query-pci", NULL, &buses)) {
		snprintf(why, why_size, "%s", q->why);
		return false;
	}
	(void)each(buses, see_ours, &f);
	json_decref(buses);
	if (f.found == 1)
		return true;
	snprintf(why, why_size, "the machine has %u ivshmem-plain devices of %zu KiB instead of one", f.found, s->size >> 10);
	return false;
}

struct clash {
	const struct shm *s;
	uint64_t base;
	char name[64];
};

static bool see_clash(void *ctx, json_t *device)
{
	struct clash *c = ctx;
	json_t *region;
	size_t i;

	if (integer(device, "bus") == (json_int_t)c->s->bus && integer(device, "slot") == (json_int_t)c->s->slot &&
		integer(device, "function") == (json_int_t)c->s->function)
		return false;
	json_array_foreach(json_object_get(device, "regions"), i, region) {
		const char *type = json_string_value(json_object_get(region, "type"));
		uint64_t at = (uint64_t)integer(region, "address"), size = (uint64_t)integer(region, "size");

		/* -1: not mapped */
		if (!type || strcmp(type, "memory") != 0 || at == UINT64_MAX)
			continue;
		if (at < c->base + c->s->size && c->base < at + size) {
			snprintf(c->name, sizeof(c->name), "PCI device %02x:%02x.%x", (unsigned)integer(device, "bus") & 0xff,
				(unsigned)integer(device, "slot") & 0x1f, (unsigned)integer(device, "function") & 7);
			return true;
		}
	}
	return false;
}

static bool config_write(const struct shm *s, struct qmp *q, unsigned offset, uint32_t value)
{
	char line[48];

	snprintf(line, sizeof(line), "o /w 0x%x 0x%x", PORT_ADDRESS,
		CONFIG_ENABLE | s->bus << 16 | s->slot << 11 | s->function << 8 | offset);
	if (!qmp_monitor(q, line, NULL))
		return false;
	snprintf(line, sizeof(line), "o /w 0x%x 0x%x", PORT_DATA, value);
	return qmp_monitor(q, line, NULL);
}

/* The address register as the monitor tells it: "portl[0x0cf8] = 0x80000000". */
static bool config_address(struct qmp *q, uint32_t *out)
{
	char line[24], *text;
	bool ok;

	snprintf(line, sizeof(line), "i /w 0x%x", PORT_ADDRESS);
	if (!qmp_monitor(q, line, &text))
		return false;
	/* NOLINTNEXTLINE(cert-err34-c): QEMU's own register, 32 bits wide */
	ok = sscanf(text, "port%*[a-z][0x%*x] = 0x%" SCNx32, out) == 1;
	if (!ok)
		snprintf(q->why, sizeof(q->why), "the monitor does not tell the PCI address register: \"%.40s\"", text);
	free(text);
	return ok;
}

/* The guest may stand between its own writes to the two ports. */
static bool config_move(const struct shm *s, struct qmp *q, uint64_t base)
{
	char line[32];
	uint32_t kept;

	if (!config_address(q, &kept) || !config_write(s, q, CONFIG_COMMAND, 0) || !config_write(s, q, CONFIG_BAR2, (uint32_t)base) ||
		!config_write(s, q, CONFIG_BAR2 + 4, 0) || !config_write(s, q, CONFIG_COMMAND, CONFIG_COMMAND_MEMORY))
		return false;
	snprintf(line, sizeof(line), "o /w 0x%x 0x%" PRIx32, PORT_ADDRESS, kept);
	return qmp_monitor(q, line, NULL);
}

bool shm_place(struct shm *s, struct qmp *q, uint64_t base, char *why, size_t why_size)
{
	struct clash c = { .s = s, .base = base };
	json_t *buses;
	bool clash;

	if (base % s->size || base + s->size > (uint64_t)1 << 32) {
		snprintf(why, why_size, "0x%" PRIx64 " is no address for a BAR of %zu KiB", base, s->size >> 10);
		return false;
	}
	if (!qmp_execute(q, "query-pci", NULL, &buses)) {
		snprintf(why, why_size, "%s", q->why);
		return false;
	}
	clash = each(buses, see_clash, &c);
	json_decref(buses);
	if (clash) {
		snprintf(why, why_size, "0x%" PRIx64 " is taken by %s", base, c.name);
		return false;
	}
	if (!config_move(s, q, base)) {
		snprintf(why, why_size, "%s", q->why);
		return false;
	}
	s->base = base;
	return true;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_BOOT_STOP_TELL_H
#define GL_TESTS_BOOT_STOP_TELL_H

#include <stddef.h>
#include <stdint.h>

/* What the stand-ins for a hypervisor tell on the third serial line (qemu/harness/host.py), and how they end. */

#define COM1 0x3f8
#define HOST 0x3e8
#define PM1A_CONTROL 0x604 /* QEMU, q35 with OVMF */
#define POWER_OFF 0x2000
#define BLOB_MAX (256 * 1024)

#ifndef STOP_NAME
#define STOP_NAME "stop"
#endif

static inline void out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void put(uint16_t port, char c)
{
	while (!(in8(port + 5) & 0x20))
		;
	out8(port, (uint8_t)c);
}

static inline void say(uint16_t port, const char *text)
{
	for (; *text; text++)
		put(port, *text);
}

/* A fact. */
static inline void tell(const char *key, const char *value)
{
	say(HOST, "geolaunch-host: ");
	say(HOST, key);
	say(HOST, "=");
	say(HOST, value);
	say(HOST, "\n");
}

static inline char digit(uint32_t v)
{
	v &= 63;
	return (char)(v < 26 ? 'A' + v : v < 52 ? 'a' + v - 26 : v < 62 ? '0' + v - 52 : v == 62 ? '+' : '/');
}

/* Bytes. */
static inline void tell_blob(const char *name, const uint8_t *p, size_t n)
{
	say(HOST, "geolaunch-host: begin ");
	say(HOST, name);
	say(HOST, " base64\n");
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16 | (uint32_t)(i + 1 < n ? p[i + 1] : 0) << 8 | (i + 2 < n ? p[i + 2] : 0);

		put(HOST, digit(v >> 18));
		put(HOST, digit(v >> 12));
		put(HOST, i + 1 < n ? digit(v >> 6) : '=');
		put(HOST, i + 2 < n ? digit(v) : '=');
		if (i % 57 == 54)
			put(HOST, '\n');
	}
	say(HOST, "\ngeolaunch-host: end ");
	say(HOST, name);
	say(HOST, "\n");
}

/* `how`: the entry by which it was started. */
static inline _Noreturn void stop(const char *how)
{
	say(COM1, "stop: " STOP_NAME " started: ");
	say(COM1, how);
	say(COM1, "\r\n");
	tell("program", STOP_NAME);
	tell("started", how);
	tell("done", "yes");
	for (;;)
		__asm__ volatile("outw %0, %1" : : "a"((uint16_t)POWER_OFF), "Nd"((uint16_t)PM1A_CONTROL));
}

#endif

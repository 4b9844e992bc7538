/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "qemu/txt/gdb.h"

static struct span str(const char *s)
{
	return span_str(s);
}

/* ---- packets ---- */

static void test_make(void **state)
{
	uint8_t room[16];
	size_t n;

	(void)state;
	assert_true(gdb_packet_make(str("g"), (struct mspan){ room, sizeof(room) }, &n));
	assert_int_equal(n, 5);
	assert_memory_equal(room, "$g#67", 5);
	assert_true(gdb_packet_make(str(""), (struct mspan){ room, 4 }, &n));
	assert_memory_equal(room, "$#00", 4);
	assert_false(gdb_packet_make(str("g"), (struct mspan){ room, 4 }, &n));
	assert_false(gdb_packet_make(str("a#b"), (struct mspan){ room, sizeof(room) }, &n));
	assert_false(gdb_packet_make(str("a$b"), (struct mspan){ room, sizeof(room) }, &n));
	assert_false(gdb_packet_make(str("a}b"), (struct mspan){ room, sizeof(room) }, &n));
}

static void test_take(void **state)
{
	static const char whole[] = "++$OK#9aREST";
	struct span body = { NULL, 99 };
	size_t used = 0;

	(void)state;
	assert_int_equal(gdb_packet_take(str(whole), &body, &used), FRAME_WHOLE);
	assert_true(span_is_str(body, "OK"));
	assert_int_equal(used, 8);
	/* Cut anywhere: more is wanted, and acknowledgements may be dropped. */
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(gdb_packet_take((struct span){ (const uint8_t *)whole, i }, &body, &used), FRAME_MORE);
		assert_int_equal(used, i < 2 ? i : 2);
	}
	assert_int_equal(gdb_packet_take(str("$#00"), &body, &used), FRAME_WHOLE);
	assert_int_equal(body.n, 0);
	assert_int_equal(gdb_packet_take(str("$OK#9b"), &body, &used), FRAME_BAD);
	assert_int_equal(gdb_packet_take(str("$OK#zz"), &body, &used), FRAME_BAD);
	assert_int_equal(gdb_packet_take(str("-"), &body, &used), FRAME_BAD);
	assert_int_equal(gdb_packet_take(str("HTTP"), &body, &used), FRAME_BAD);
	assert_int_equal(gdb_packet_take(str("$O$K#9a"), &body, &used), FRAME_BAD);
}

static void test_take_too_long(void **state)
{
	uint8_t *big = malloc(GDB_BODY_MAX + 3);
	struct span body;
	size_t used;

	(void)state;
	assert_non_null(big);
	memset(big, 'a', GDB_BODY_MAX + 3);
	big[0] = '$';
	assert_int_equal(gdb_packet_take((struct span){ big, GDB_BODY_MAX + 1 }, &body, &used), FRAME_MORE);
	assert_int_equal(gdb_packet_take((struct span){ big, GDB_BODY_MAX + 3 }, &body, &used), FRAME_BAD);
	free(big);
}

/* Each register's value is its number in all bytes. */
static char *regs_body(void)
{
	static char body[2048];
	size_t n = 0;

	for (enum gdb_reg i = 0; i < GDB_REGS; i++)
		for (size_t b = 0; b < gdb_reg_size(i); b++)
			n += (size_t)snprintf(body + n, sizeof(body) - n, "%02x", i + 1);
	return body;
}

static void test_regs(void **state)
{
	const char *body = regs_body();
	struct gdb_regs r;
	char bad[2048];

	(void)state;
	/* 17 of 8 bytes, 7 of 4, 9 of 8: the layout of QEMU's x86-64. */
	assert_int_equal(strlen(body), 2 * (17 * 8 + 7 * 4 + 9 * 8));
	assert_true(gdb_regs_parse(str(body), &r));
	assert_true(r.r[GDB_RAX] == 0x0101010101010101);
	assert_true(r.r[GDB_RIP] == 0x1111111111111111);
	assert_true(r.r[GDB_EFLAGS] == 0x12121212);
	assert_true(r.r[GDB_CR4] == 0x1f1f1f1f1f1f1f1f);
	assert_false(gdb_regs_parse((struct span){ (const uint8_t *)body, strlen(body) - 1 }, &r));
	strcpy(bad, body);
	bad[100] = 'x'; /* the stub's word for "not available" */
	assert_false(gdb_regs_parse(str(bad), &r));
	strcpy(bad, body);
	strcat(bad, "more");
	assert_true(gdb_regs_parse(str(bad), &r));
	assert_string_equal(gdb_reg_name(GDB_EFER), "efer");
}

static void test_stop(void **state)
{
	static const struct {
		const char *body;
		bool ok;
		enum gdb_stop_kind kind;
		unsigned cpu;
		uint64_t address;
	} rows[] = {
		{ "S05", true, GDB_STOP_TRAP, 0, 0 },
		{ "T05thread:01;", true, GDB_STOP_TRAP, 0, 0 },
		{ "T05thread:p01.0a;", true, GDB_STOP_TRAP, 9, 0 },
		{ "T05thread:02;watch:fed20000;", true, GDB_STOP_WATCH, 1, 0xfed20000 },
		{ "T05watch:c83fffc0;thread:03", true, GDB_STOP_WATCH, 2, 0xc83fffc0 },
		{ "T05thread:01;rwatch:fed30110;", true, GDB_STOP_READ, 0, 0xfed30110 },
		{ "T02thread:01;", true, GDB_STOP_INTERRUPT, 0, 0 },
		{ "T0bthread:01;", true, GDB_STOP_OTHER, 0, 0 },
		{ "W00", true, GDB_STOP_EXIT, 0, 0 },
		{ "X0f", true, GDB_STOP_EXIT, 0, 0 },
		{ "", false, 0, 0, 0 },
		{ "S", false, 0, 0, 0 },
		{ "S5", false, 0, 0, 0 },
		{ "Sxx", false, 0, 0, 0 },
		{ "OK", false, 0, 0, 0 },
		{ "E22", false, 0, 0, 0 },
		{ "T05thread", false, 0, 0, 0 },
		{ "T05thread:;", false, 0, 0, 0 },
		{ "T05thread:0;", false, 0, 0, 0 },
		{ "T05thread:-1;", false, 0, 0, 0 },
		{ "T05thread:ffffffffffffffffff;", false, 0, 0, 0 },
		{ "T05watch:xyz;", false, 0, 0, 0 },
		{ "T05rwatch:;", false, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct gdb_stop stop = { 0 };

		if (gdb_stop_parse(str(rows[i].body), &stop) != rows[i].ok)
			fail_msg("\"%s\"", rows[i].body);
		if (!rows[i].ok)
			continue;
		assert_int_equal(stop.kind, rows[i].kind);
		assert_int_equal(stop.cpu, rows[i].cpu);
		assert_true(stop.address == rows[i].address);
	}
}

/* ---- client ---- */

/* A stub that follows a script: what must come, and what is answered; NULL ends. "!" before an answer: these bytes as they are. */
struct step {
	const char *want, *answer;
};

#define HANDSHAKE \
	{ "qSupported:xmlRegisters=i386", "PacketSize=1000;qXfer:features:read+;multiprocess+" }, \
		{ "qXfer:features:read:target.xml:0,800", "l<target><architecture>i386:x86-64</architecture></target>" }, \
		{ "?", "T05thread:01;" }, { "Qqemu.PhyMemMode:1", "OK" }, { "qfThreadInfo", "m01" }, { "qsThreadInfo", "m02" }, \
	{ \
		"qsThreadInfo", "l" \
	}

static char path[64];
static pid_t child;

/* The client may have left. */
static void put(int fd, struct span bytes)
{
	if (!sock_send(fd, bytes, -1, 5000))
		_exit(0);
}

static void serve(int listener, const struct step *s)
{
	struct buffer in = { .max = 1 << 20 };
	int fd = sock_accept(listener);

	for (; s->want; s++) {
		struct span body;
		size_t used;
		enum frame f;

		while ((f = gdb_packet_take(buffer_span(&in), &body, &used)) == FRAME_MORE) {
			buffer_drop(&in, used);
			if (sock_receive(fd, &in, NULL) != RECV_SOME)
				_exit(2);
		}
		if (f == FRAME_BAD || !span_is_str(body, s->want))
			_exit(1);
		buffer_drop(&in, used);
		put(fd, str("+"));
		if (s->answer && s->answer[0] == '!') {
			put(fd, str(s->answer + 1));
		} else if (s->answer) {
			uint8_t room[4096];

			if (!gdb_packet_make(str(s->answer), (struct mspan){ room, sizeof(room) }, &used))
				_exit(3);
			put(fd, (struct span){ room, used });
		}
	}
	/* Only when the client is done: an early end would be taken for QEMU's. */
	if (s->answer)
		while (sock_receive(fd, &in, NULL) == RECV_SOME)
			in.n = 0;
	_exit(0);
}

/* The last step's answer tells whether the stub stays until the client leaves. */
#define STAYS \
	{ \
		NULL, "" \
	}
#define LEAVES \
	{ \
		NULL, NULL \
	}

static void start_stub(const struct step *script)
{
	int listener;

	snprintf(path, sizeof(path), "/tmp/gl-gdb-%d", (int)getpid());
	listener = sock_listen(path);
	assert_true(listener >= 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		serve(listener, script);
	fd_close(&listener);
}

static void end_stub(struct gdb *g)
{
	int status;

	gdb_close(g);
	assert_true(waitpid(child, &status, 0) == child);
	(void)unlink(path);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_talk(void **state)
{
	static char regs[2048];
	/* clang-format off */
	const struct step script[] = {
		HANDSHAKE,
		{ "Hg2", "OK" }, { "g", regs },
		{ "P0=efbeadde00000000", "OK" }, { "P11=02000000", "OK" },
		{ "m1000,4", "01020304" },
		{ "M2000,3:aabbcc", "OK" },
		{ "Z0,804000,1", "OK" }, { "z0,804000,1", "OK" }, { "Z2,fed20000,10000", "OK" },
		{ "vCont;s:2", "T05thread:02;" },
		{ "Hg2", "OK" }, { "g", regs },
		{ "vCont;c:2", "T05thread:02;" },
		{ "c", "T05thread:01;watch:fed20000;" },
		STAYS,
	};
	/* clang-format on */
	struct gdb_regs was, now;
	struct gdb_stop stop;
	uint8_t bytes[4];
	struct gdb g;

	(void)state;
	strcpy(regs, regs_body());
	start_stub(script);
	assert_true(gdb_open(&g, path, 5000));
	assert_int_equal(g.cpus, 2);
	assert_true(gdb_regs(&g, 1, &was));
	now = was;
	now.r[GDB_RAX] = 0xdeadbeef;
	now.r[GDB_EFLAGS] = 2;
	assert_true(gdb_regs_write(&g, 1, &was, &now));
	assert_true(gdb_read(&g, 0x1000, (struct mspan){ bytes, 4 }));
	assert_memory_equal(bytes, "\1\2\3\4", 4);
	assert_true(gdb_write(&g, 0x2000, str("\xaa\xbb\xcc")));
	assert_true(gdb_break(&g, 0x804000, true));
	assert_true(gdb_break(&g, 0x804000, false));
	assert_true(gdb_watch(&g, 0xfed20000, 0x10000, true));
	assert_true(gdb_step(&g, 1));
	assert_true(gdb_regs(&g, 1, &was));
	assert_true(gdb_continue_some(&g, 2));
	assert_true(gdb_wait(&g, now_us() + 5000000, &stop));
	assert_true(gdb_continue(&g));
	assert_true(gdb_wait(&g, now_us() + 5000000, &stop));
	assert_int_equal(stop.kind, GDB_STOP_WATCH);
	assert_true(stop.address == 0xfed20000);
	assert_false(g.running);
	end_stub(&g);
}

/* Pieces of GDB_CHUNK bytes. */
static void test_pieces(void **state)
{
	static char chunk[2 * GDB_CHUNK + 1];
	const struct step script[] = { HANDSHAKE, { "m0,400", chunk }, { "m400,1", "5a" }, STAYS };
	uint8_t bytes[GDB_CHUNK + 1];
	struct gdb g;

	(void)state;
	memset(chunk, '7', 2 * GDB_CHUNK);
	start_stub(script);
	assert_true(gdb_open(&g, path, 5000));
	assert_true(gdb_read(&g, 0, (struct mspan){ bytes, sizeof(bytes) }));
	assert_int_equal(bytes[0], 0x77);
	assert_int_equal(bytes[GDB_CHUNK], 0x5a);
	end_stub(&g);
}

static void test_refusals(void **state)
{
	static const struct step not_qemu[] = { { "qSupported:xmlRegisters=i386", "PacketSize=1000" }, STAYS };
	static const struct step arm[] = {
		{ "qSupported:xmlRegisters=i386", "qXfer:features:read+" },
		{ "qXfer:features:read:target.xml:0,800", "l<architecture>aarch64</architecture>" },
		STAYS,
	};
	static const struct {
		const struct step *script;
		const char *why;
	} rows[] = { { not_qemu, "describes no registers" }, { arm, "no x86-64" } };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct gdb g;

		start_stub(rows[i].script);
		assert_false(gdb_open(&g, path, 5000));
		assert_non_null(strstr(g.why, rows[i].why));
		end_stub(&g);
	}
}

/* What a stub may do wrong in answer to one packet. */
static void test_hostile(void **state)
{
	/* clang-format off */
	static const struct {
		const char *answer;
		const char *why;
	} rows[] = {
		{ "E22", "cannot read memory" }, { "01", "cannot read memory" }, { "0102030405", "cannot read memory" }, { "", "cannot read memory" },
		{ "!$01020304#00", "no packet" }, { "!HTTP/1.1 400\r\n", "no packet" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		const struct step script[] = { HANDSHAKE, { "m10,4", rows[i].answer }, STAYS };
		uint8_t bytes[4];
		struct gdb g;

		start_stub(script);
		assert_true(gdb_open(&g, path, 5000));
		assert_false(gdb_read(&g, 0x10, (struct mspan){ bytes, 4 }));
		if (!strstr(g.why, rows[i].why))
			fail_msg("%s: %s", rows[i].answer, g.why);
		/* Nothing more is asked on a broken connection. */
		assert_false(gdb_break(&g, 1, true));
		end_stub(&g);
	}
}

static void test_ends(void **state)
{
	static const struct step gone[] = { HANDSHAKE, { "c", NULL }, LEAVES };
	static const struct step exits[] = { HANDSHAKE, { "c", "W00" }, STAYS };
	static const struct step silent[] = { HANDSHAKE, { "c", NULL }, STAYS };
	struct gdb_stop stop;
	struct gdb g;

	(void)state;
	start_stub(gone);
	assert_true(gdb_open(&g, path, 5000));
	assert_true(gdb_continue(&g));
	assert_false(gdb_continue(&g));
	end_stub(&g);

	start_stub(gone);
	assert_true(gdb_open(&g, path, 5000));
	assert_true(gdb_continue(&g));
	assert_false(gdb_wait(&g, now_us() + 5000000, &stop));
	assert_non_null(strstr(g.why, "QEMU is gone"));
	end_stub(&g);

	start_stub(exits);
	assert_true(gdb_open(&g, path, 5000));
	assert_true(gdb_continue(&g));
	assert_true(gdb_wait(&g, now_us() + 5000000, &stop));
	assert_int_equal(stop.kind, GDB_STOP_EXIT);
	end_stub(&g);

	/* No stop yet is no failure. */
	start_stub(silent);
	assert_true(gdb_open(&g, path, 5000));
	assert_true(gdb_continue(&g));
	assert_false(gdb_wait(&g, now_us() + 1000, &stop));
	assert_string_equal(g.why, "");
	assert_true(g.running);
	end_stub(&g);
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make), cmocka_unit_test(test_take), cmocka_unit_test(test_take_too_long), cmocka_unit_test(test_regs),
		cmocka_unit_test(test_stop), cmocka_unit_test(test_talk), cmocka_unit_test(test_pieces), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_hostile), cmocka_unit_test(test_ends),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, NULL, NULL);
}

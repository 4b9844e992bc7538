/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A launch over the whole way to the TPM: SINIT, link.c and tpm2-tss, the line protocol of tpmproxy --command, a software TPM. Every command
 * fails in turn, in every way that the proxy's fault rules know.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "evp.h"
#include "fake_tpm.h"
#include "qemu/proxy/fault.h"
#include "qemu/txt/link.h"
#include "txt_world.h"

#define LINE_MAX_SIZE 20000
#define RESPONSE_MAX 8192

/* clang-format off */
enum way {
	WAY_NONE,
	WAY_FAILURE, WAY_LOCALITY, WAY_RETRY_ONCE, WAY_RETRY_ALWAYS, WAY_SILENT, WAY_SHORT, WAY_GARBAGE, WAY_LONG, WAY_HUGE,
	WAY_LATE,                       /* executed, but the answer is an error */
	WAY_GONE,                       /* the proxy closes the connection */
	WAYS
};
/* clang-format on */

/* What stands for tpmproxy and the TPM behind it. The thread works only while the test waits for an answer. */
struct proxy {
	struct soft_tpm tpm;
	char path[64];
	int listener;
	pthread_t thread;
	enum way way;
	unsigned seen, fail_at; /* commands so far, the D-RTM sequence among them; the one that fails, from 1 */
};

static struct world w;
static struct link l;
static struct proxy p;

static size_t unhex(const char *text, uint8_t *out)
{
	size_t n = strlen(text) / 2;
	unsigned byte;

	for (size_t i = 0; i < n; i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			abort();
		out[i] = (uint8_t)byte;
	}
	return n;
}

static size_t answer_fault(struct span command, uint8_t *out)
{
	/* clang-format off */
	static const enum fault_action actions[WAYS] = {
		[WAY_SHORT] = FAULT_SHORT, [WAY_GARBAGE] = FAULT_GARBAGE, [WAY_LONG] = FAULT_LONG, [WAY_HUGE] = FAULT_HUGE,
	};
	/* clang-format on */
	/* clang-format off */
	static const uint32_t codes[WAYS] = {
		[WAY_FAILURE] = SOFT_RC_FAILURE, [WAY_LOCALITY] = TXT_TPM_RC_LOCALITY, [WAY_RETRY_ONCE] = SOFT_RC_RETRY,
		[WAY_RETRY_ALWAYS] = SOFT_RC_RETRY, [WAY_LATE] = SOFT_RC_FAILURE,
	};
	/* clang-format on */
	struct fault_rule rule = { .action = codes[p.way] ? FAULT_RC : actions[p.way], .rc = codes[p.way] };
	uint8_t lost[RESPONSE_MAX];
	size_t n;

	if (p.way == WAY_LATE)
		(void)soft_tpm_execute(&p.tpm, LINK_LOCALITY, command, (struct mspan){ lost, sizeof(lost) });
	if (!fault_response(&rule, command, (struct mspan){ out, RESPONSE_MAX }, &n))
		abort();
	return n;
}

/* The D-RTM sequence at locality 4. */
static void hash(struct span data)
{
	struct digests d = { .banks = p.tpm.banks };

	pcrs_reset_dynamic(&p.tpm.pcrs, p.tpm.banks, true);
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		/* The others, too, can be read: launch control asks for the firmware's. */
		p.tpm.pcrs.known[a] = 0xffffff;
		evp(a, data, d.d[a]);
	}
	if (!pcrs_extend(&p.tpm.pcrs, 17, &d))
		abort();
}

static bool fails(void)
{
	p.seen++;
	return p.way != WAY_NONE && (p.way == WAY_RETRY_ALWAYS ? p.seen >= p.fail_at && p.seen < p.fail_at + 100 : p.seen == p.fail_at);
}

/* One line; its answer, or false if the connection is to be closed. */
static bool serve(const char *line, char *answer)
{
	uint8_t bytes[LINE_MAX_SIZE / 2], out[RESPONSE_MAX];
	bool faulty = fails();
	size_t n;

	if (faulty && p.way == WAY_GONE)
		return false;
	if (strncmp(line, "hash ", 5) == 0) {
		n = unhex(line + 5, bytes);
		if (!faulty || p.way == WAY_LATE)
			hash((struct span){ bytes, n });
		strcpy(answer, faulty ? "error the TPM does not take the D-RTM sequence (fault rule)\n" : "ok\n");
		return true;
	}
	if (strncmp(line, "tpm 3 ", 6) != 0)
		abort();
	n = unhex(line + 6, bytes);
	if (faulty && p.way == WAY_SILENT) {
		strcpy(answer, "error the TPM does not answer (fault rule)\n");
		return true;
	}
	n = faulty ? answer_fault((struct span){ bytes, n }, out)
	           : soft_tpm_execute(&p.tpm, LINK_LOCALITY, (struct span){ bytes, n }, (struct mspan){ out, sizeof(out) });
	for (size_t i = 0; i < n; i++)
		sprintf(answer + 2 * i, "%02x", out[i]);
	strcpy(answer + 2 * n, "\n");
	return true;
}

static void *run_proxy(void *unused)
{
	static char answer[2 * RESPONSE_MAX + 2];
	struct buffer in = { .max = LINE_MAX_SIZE };
	int fd = sock_accept(p.listener);
	char *end;

	(void)unused;
	while (fd >= 0 && sock_receive(fd, &in, NULL) == RECV_SOME)
		while (fd >= 0 && in.n && (end = memchr(in.p, '\n', in.n))) {
			*end = '\0';
			if (!serve((char *)in.p, answer) || !sock_send(fd, span_str(answer), -1, 5000))
				fd_close(&fd);
			buffer_drop(&in, (size_t)((uint8_t *)end - in.p) + 1);
		}
	buffer_free(&in);
	fd_close(&fd);
	return NULL;
}

/* AUX index, and a supplier's policy that allows all: the launch then has all commands that it can have. */
static void define_indices(void)
{
	static const uint8_t aux[104], ps[70] = { 0x02, 0x03, 0x0b, 0x00, 0x01, [22] = 0, [28] = 0x08, 0x00, 0x08, 0x00, 0x00, 0x00, 0x08 };

	(void)soft_tpm_define(&p.tpm, 0x01c10102, SPAN_OF(aux));
	(void)soft_tpm_define(&p.tpm, 0x01c10103, SPAN_OF(ps));
}

static void launch(enum way way, unsigned fail_at)
{
	world_build(&w);
	txt_trace_free(&w.trace);
	w.cpu.eax = SMX_SENTER;
	w.cpu.senter = false;
	soft_tpm_init(&p.tpm, ALG_SET_ALL);
	define_indices();
	p.way = way;
	p.fail_at = fail_at;
	p.seen = 0;
	p.listener = sock_listen(p.path);
	assert_true(p.listener >= 0);
	assert_int_equal(pthread_create(&p.thread, NULL, run_proxy, NULL), 0);
	assert_true(link_open(&l, p.path, 5000));
	w.tpm = link_ops(&l);
	assert_int_equal(world_senter(&w), SMX_OK);
	link_close(&l);
	assert_int_equal(pthread_join(p.thread, NULL), 0);
	fd_close(&p.listener);
	(void)unlink(p.path);
}

/* The number of commands and the PCRs of a launch in which nothing fails. */
static unsigned good_launch(struct pcrs *out)
{
	launch(WAY_NONE, 0);
	if (!w.result.launched)
		(void)!txt_trace_print(stderr, &w.trace);
	assert_true(w.result.launched);
	*out = p.tpm.pcrs;
	for (unsigned i = 0; i < p.tpm.commands; i++)
		assert_int_equal(p.tpm.trace[i].locality, LINK_LOCALITY);
	return p.seen;
}

static void refused(enum way way, unsigned at, const struct pcrs *good)
{
	/* clang-format off */
	static const struct {
		enum txt_rule rule;
		uint32_t code;
	} want[WAYS] = {
		[WAY_FAILURE] = { TXT_RULE_TPM_ERROR, 0xc0000441 }, [WAY_LOCALITY] = { TXT_RULE_TPM_LOCALITY, 0xc0000841 },
		[WAY_RETRY_ALWAYS] = { TXT_RULE_TPM_ERROR, 0xc0000441 }, [WAY_SILENT] = { TXT_RULE_TPM_SILENT, 0xc0007c41 },
		[WAY_SHORT] = { TXT_RULE_TPM_SILENT, 0xc0007c41 }, [WAY_GARBAGE] = { TXT_RULE_TPM_SILENT, 0xc0007c41 },
		[WAY_LONG] = { TXT_RULE_TPM_SILENT, 0xc0007c41 }, [WAY_HUGE] = { TXT_RULE_TPM_SILENT, 0xc0007c41 },
		[WAY_LATE] = { TXT_RULE_TPM_ERROR, 0xc0000441 }, [WAY_GONE] = { TXT_RULE_TPM_SILENT, 0xc0007c41 },
	};
	/* clang-format on */
	/* The sequence is no command and has no return code: it is done or not. */
	enum txt_rule rule = at == 1 ? TXT_RULE_TPM_SILENT : want[way].rule;
	bool measured = at > 1;

	if (w.result.launched || w.result.rule != rule)
		fail_msg("way %d, command %u: %s", way, at, w.result.launched ? "launched" : txt_rule_info(w.result.rule)->id);
	assert_int_equal(w.result.errorcode, at == 1 ? 0xc0007c41 : want[way].code);
	assert_int_equal(chipset_get(&w.chipset, CHIPSET_ERRORCODE), w.result.errorcode);
	assert_int_equal(w.result.measured, measured);
	assert_int_equal(w.result.capped, measured && way != WAY_GONE);
	assert_false(w.chipset.private_open);
	assert_int_equal(chipset_localities(&w.chipset), 1);
	if (way == WAY_GONE)
		return;
	for (enum alg a = 0; a < ALG_COUNT; a++)
		for (unsigned pcr = 17; pcr <= 18; pcr++)
			assert_memory_not_equal(p.tpm.pcrs.v[a][pcr], good->v[a][pcr], alg_table[a].size);
}

static void test_every_command_fails_every_way(void **state)
{
	static const enum way ways[] = { WAY_FAILURE, WAY_LOCALITY, WAY_SILENT, WAY_SHORT, WAY_GARBAGE, WAY_LONG, WAY_HUGE, WAY_LATE,
		WAY_GONE };
	struct pcrs good;
	unsigned commands = good_launch(&good);

	(void)state;
	/* The sequence, two capabilities, three indices, PS, 24 PCRs of four banks in eights, 14 extends. */
	assert_int_equal(commands, 1 + 2 + 3 + 1 + 12 + 14);
	for (unsigned at = 1; at <= commands; at++)
		for (size_t k = 0; k < GL_COUNT(ways); k++) {
			launch(ways[k], at);
			refused(ways[k], at, &good);
		}
}

/* A TPM that asks for patience gets it: the launch is the same. */
static void test_retry(void **state)
{
	struct pcrs good;
	unsigned commands = good_launch(&good);

	(void)state;
	for (unsigned at = 2; at <= commands; at++) {
		launch(WAY_RETRY_ONCE, at);
		assert_true(w.result.launched);
		assert_int_equal(p.seen, commands + 1);
		for (enum alg a = 0; a < ALG_COUNT; a++)
			assert_memory_equal(p.tpm.pcrs.v[a], good.v[a], sizeof(good.v[a]));
	}
}

/* But not without end. */
static void test_retry_has_an_end(void **state)
{
	struct pcrs good;
	unsigned commands = good_launch(&good);

	(void)state;
	launch(WAY_RETRY_ALWAYS, 2);
	refused(WAY_RETRY_ALWAYS, 2, &good);
	launch(WAY_RETRY_ALWAYS, commands);
	refused(WAY_RETRY_ALWAYS, commands, &good);
}

static int set_up(void **state)
{
	(void)state;
	/* What tpm2-tss says of each fault is expected. */
	(void)setenv("TSS2_LOG", "all+none", 0);
	world_init(&w);
	snprintf(p.path, sizeof(p.path), "/tmp/gl-link-%d", (int)getpid());
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_free(&w);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_command_fails_every_way),
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_retry_has_an_end),
	};

	return cmocka_run_group_tests_name("txt_link", tests, set_up, tear_down);
}

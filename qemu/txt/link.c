/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/hex.h"
#include "tpm/host/nv_admin.h"

#define TCTI_MAGIC UINT64_C(0x474c545854504d50)
#define LINE_MAX_SIZE ((size_t)1 << 16)
/* Handle, session and parameter numbers of a response code: TPM 2.0 Library part 2, 6.6.2. */
#define NV_HANDLE_TYPE 0x01000000u
#define NV_HANDLE_MASK 0xff000000u

static bool fail(struct link *l, const char *what, const char *why)
{
	snprintf(l->why, sizeof(l->why), "%s%s%s", what, why ? ": " : "", why ? why : "");
	return false;
}

/* Sends one line; its answer, a NUL in place of its end, stays at the start of l->in until answer_done(). NULL: no answer. */
static const char *ask(struct link *l, const char *line, size_t n)
{
	uint64_t deadline = now_us() + (uint64_t)LINK_MS * 1000;
	uint8_t *end = NULL;

	if (l->fd < 0 || !sock_send(l->fd, (struct span){ (const uint8_t *)line, n }, -1, LINK_MS)) {
		(void)fail(l, "the TPM proxy takes no commands", l->fd < 0 ? NULL : strerror(errno));
		fd_close(&l->fd);
		return NULL;
	}
	while (!end) {
		if (!sock_wait(l->fd, deadline) || sock_receive(l->fd, &l->in, NULL) != RECV_SOME) {
			(void)fail(l, "the TPM proxy does not answer", NULL);
			fd_close(&l->fd);
			return NULL;
		}
		end = memchr(l->in.p, '\n', l->in.n);
	}
	*end = '\0';
	return (const char *)l->in.p;
}

static void answer_done(struct link *l)
{
	buffer_drop(&l->in, strlen((const char *)l->in.p) + 1);
}

/* For commands that are answered with "ok". */
static bool ask_ok(struct link *l, const char *line, size_t n)
{
	const char *answer = ask(l, line, n);
	bool ok;

	if (!answer)
		return false;
	ok = strcmp(answer, "ok") == 0;
	if (!ok)
		(void)fail(l, "the TPM proxy", answer);
	answer_done(l);
	return ok;
}

/* "PREFIX<hex>\n"; the caller frees it. */
static char *hex_line(const char *prefix, struct span bytes, size_t *n)
{
	static const char digits[] = "0123456789abcdef";
	size_t at = strlen(prefix);
	char *line = bytes.n <= (SIZE_MAX - at) / 4 ? malloc(at + 2 * bytes.n + 2) : NULL;

	if (!line)
		return NULL;
	memcpy(line, prefix, at);
	for (size_t i = 0; i < bytes.n; i++) {
		line[at++] = digits[bytes.p[i] >> 4];
		line[at++] = digits[bytes.p[i] & 15];
	}
	line[at++] = '\n';
	line[at] = '\0';
	*n = at;
	return line;
}

/* Hexadecimal digits of the answer to l->response. */
static bool take_response(struct link *l, const char *text)
{
	size_t n = strlen(text);

	if (n % 2 || n / 2 > sizeof(l->response))
		return false;
	for (size_t i = 0; i < n / 2; i++) {
		int high = hex_digit((uint8_t)text[2 * i]), low = hex_digit((uint8_t)text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		l->response[i] = (uint8_t)(high << 4 | low);
	}
	l->answered = n / 2;
	return true;
}

/* ---- TCTI: TSS 2.0 TPM Command Transmission Interface specification, 3.2 ---- */

static struct link *link_of(TSS2_TCTI_CONTEXT *c)
{
	struct link *l = (struct link *)(void *)c;

	return l && l->tcti.magic == TCTI_MAGIC ? l : NULL;
}

static TSS2_RC tcti_transmit(TSS2_TCTI_CONTEXT *c, size_t size, const uint8_t *command)
{
	struct link *l = link_of(c);
	char prefix[16];
	const char *answer;
	char *line;
	size_t n;
	bool ok;

	if (!l || !command)
		return TSS2_TCTI_RC_BAD_REFERENCE;
	snprintf(prefix, sizeof(prefix), "tpm %d ", LINK_LOCALITY);
	line = hex_line(prefix, (struct span){ command, size }, &n);
	if (!line)
		return TSS2_TCTI_RC_MEMORY;
	l->answered = 0;
	l->commands++;
	answer = ask(l, line, n);
	free(line);
	if (!answer)
		return TSS2_TCTI_RC_IO_ERROR;
	ok = strncmp(answer, "error", 5) != 0 && take_response(l, answer);
	if (!ok)
		(void)fail(l, "the TPM proxy", answer);
	answer_done(l);
	return ok ? TSS2_RC_SUCCESS : TSS2_TCTI_RC_IO_ERROR;
}

static TSS2_RC tcti_receive(TSS2_TCTI_CONTEXT *c, size_t *size, uint8_t *response, int32_t timeout)
{
	struct link *l = link_of(c);
	struct rd r;

	(void)timeout;
	if (!l || !size)
		return TSS2_TCTI_RC_BAD_REFERENCE;
	/* A response that is none (fault rules) must not reach the decoder as one. */
	r = rd_init((struct span){ l->response, l->answered });
	(void)rd_be16(&r);
	if (rd_be32(&r) != l->answered || l->answered < 10)
		return TSS2_TCTI_RC_MALFORMED_RESPONSE;
	if (!response) {
		*size = l->answered;
		return TSS2_RC_SUCCESS;
	}
	if (*size < l->answered)
		return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
	memcpy(response, l->response, l->answered);
	*size = l->answered;
	return TSS2_RC_SUCCESS;
}

static void tcti_finalize(TSS2_TCTI_CONTEXT *c)
{
	(void)c;
}

/* ---- the operations ---- */

static void delay_ms(void *ctx, unsigned ms)
{
	(void)ctx;
	(void)nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 }, NULL);
}

/* A TPM's return code as it is; what tpm2-tss itself says means that there was no sound answer. */
static uint32_t outcome(TSS2_RC rc)
{
	return rc & TSS2_RC_LAYER_MASK ? TXT_TPM_SILENT : rc;
}

static uint32_t prepare(struct link *l)
{
	TSS2_RC rc;

	if (l->ready)
		return 0;
	memset(&l->tpm, 0, sizeof(l->tpm));
	l->tpm.delay_ms = delay_ms;
	rc = tpm_init(&l->tpm, (TSS2_TCTI_CONTEXT *)l);
	if (rc == 0)
		l->ready = true;
	return outcome(rc);
}

static uint32_t op_banks(void *ctx, alg_set *out)
{
	struct link *l = ctx;
	uint32_t rc;

	/* Anew at each SENTER: banks may have been allocated since. */
	if (l->ready)
		tpm_done(&l->tpm);
	l->ready = false;
	rc = prepare(l);
	if (rc == 0)
		*out = l->tpm.banks;
	return rc;
}

static uint32_t op_hash(void *ctx, struct span data)
{
	struct link *l = ctx;
	size_t n;
	char *line = hex_line("hash ", data, &n);
	bool ok = line && ask_ok(l, line, n);

	free(line);
	return ok ? 0 : TXT_TPM_SILENT;
}

static uint32_t op_extend(void *ctx, unsigned pcr, const struct digests *d)
{
	struct link *l = ctx;
	uint32_t rc = prepare(l);
	alg_set active = l->tpm.banks;

	if (rc)
		return rc;
	/* SINIT leaves out banks whose algorithm it does not have; tpm_extend() would not. */
	l->tpm.banks &= d->banks;
	rc = outcome(tpm_extend(&l->tpm, pcr, d));
	l->tpm.banks = active;
	return rc;
}

static uint32_t op_nv_public(void *ctx, uint32_t index, struct txt_nv_public *out, bool *exists)
{
	struct link *l = ctx;
	uint32_t rc = prepare(l);
	struct tpm_nv_public public;

	if (rc)
		return rc;
	rc = tpm_nv_public(&l->tpm, index, &public);
	if (tpm_rc_base(rc) == TPM2_RC_HANDLE) {
		*exists = false;
		return 0;
	}
	if (rc)
		return outcome(rc);
	*out = (struct txt_nv_public){
		.index = index,
		.name_alg = public.name_alg,
		.attributes = public.attributes,
		.size = public.size,
		.policy_size = (uint8_t) public.policy_size,
	};
	memcpy(out->policy, public.policy, sizeof(out->policy));
	*exists = true;
	return 0;
}

static uint32_t op_nv_read(void *ctx, uint32_t index, struct mspan out)
{
	struct link *l = ctx;
	uint32_t rc = prepare(l);

	return rc ? rc : outcome(tpm_nv_read(&l->tpm, index, out.p, out.n));
}

static uint32_t op_pcr_read(void *ctx, struct pcrs *out)
{
	struct link *l = ctx;
	uint32_t rc = prepare(l);
	struct pcrs found = { 0 };

	if (rc)
		return rc;
	found.banks = l->tpm.banks;
	rc = outcome(tpm_read_pcrs(&l->tpm, 0, PCR_COUNT - 1, &found));
	if (rc == 0)
		*out = found;
	return rc;
}

struct txt_tpm link_ops(struct link *l)
{
	return (struct txt_tpm){
		.banks = op_banks,
		.hash_sequence = op_hash,
		.extend = op_extend,
		.nv_public = op_nv_public,
		.nv_read = op_nv_read,
		.pcr_read = op_pcr_read,
		.ctx = l,
	};
}

bool link_localities(struct link *l, unsigned mask)
{
	char line[32] = "localities";
	size_t n = strlen(line);

	for (unsigned i = 0; i < 5; i++)
		if (mask >> i & 1) {
			line[n] = line[n - 1] == 's' ? ' ' : ',';
			line[n + 1] = (char)('0' + i);
			n += 2;
		}
	line[n++] = '\n';
	return ask_ok(l, line, n);
}

bool link_open(struct link *l, const char *path, int ms)
{
	*l = (struct link){ .fd = -1, .in = { .max = LINE_MAX_SIZE } };
	l->tcti.magic = TCTI_MAGIC;
	l->tcti.version = 1;
	l->tcti.transmit = tcti_transmit;
	l->tcti.receive = tcti_receive;
	l->tcti.finalize = tcti_finalize;
	l->fd = sock_connect(path, ms);
	if (l->fd < 0)
		return fail(l, "cannot connect to the TPM proxy's command socket", strerror(errno));
	return true;
}

void link_close(struct link *l)
{
	if (l->ready)
		tpm_done(&l->tpm);
	l->ready = false;
	fd_close(&l->fd);
	buffer_free(&l->in);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "tpm/host/host_tcti.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <tss2/tss2_tctildr.h>

#include "tpm/tpm.h"

/* The resource manager first: others can use the TPM at the same time. */
static const char *const devices[] = { "/dev/tpmrm0", "/dev/tpm0" };

/* The device to use by default; NULL and the reason in `error` if there is none that can be opened. */
static const char *default_device(struct text *error)
{
	for (size_t i = 0; i < GL_COUNT(devices); i++) {
		if (access(devices[i], R_OK | W_OK) == 0)
			return devices[i];
		if (errno != ENOENT) {
			text_str(error, devices[i]);
			text_str(error, ": ");
			text_str(error, strerror(errno));
			text_str(error, "; run as root, or name another TPM with --tcti");
			return NULL;
		}
	}
	text_str(error, "this host has no TPM: neither /dev/tpmrm0 nor /dev/tpm0 is there; name another one with --tcti");
	return NULL;
}

TSS2_RC host_tcti_open(const char *conf, TSS2_TCTI_CONTEXT **out, struct text *error)
{
	char buffer[64];
	struct text by_default = TEXT_OF(buffer);
	TSS2_TCTI_CONTEXT *tcti = NULL;
	TSS2_RC rc;

	(void)setenv("TSS2_LOG", "all+none", 0);
	if (!conf) {
		const char *device = default_device(error);

		if (!device)
			return TSS2_TCTI_RC_NO_CONNECTION;
		text_str(&by_default, "device:");
		text_str(&by_default, device);
		conf = buffer;
	}
	rc = Tss2_TctiLdr_Initialize(conf, &tcti);
	if (rc != TSS2_RC_SUCCESS) {
		text_str(error, "no TPM at \"");
		text_span(error, span_str(conf));
		text_str(error, "\": ");
		tpm_rc_text(rc, error);
		text_str(error, "; --tcti wants a TCTI and its setting, for example device:/dev/tpm0 or swtpm:path=SOCKET");
		if (!strncmp(conf, "swtpm", 5))
			text_str(error, " (with its control socket beside it: SOCKET.ctrl)");
		return rc;
	}
	*out = tcti;
	return TSS2_RC_SUCCESS;
}

void host_tcti_close(TSS2_TCTI_CONTEXT **tcti)
{
	if (*tcti)
		Tss2_TctiLdr_Finalize(tcti);
	*tcti = NULL;
}

void host_delay_ms(void *ctx, unsigned ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)ctx;
	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

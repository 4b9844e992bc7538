/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_VERIFY_WORLD_H
#define GL_TESTS_VERIFY_WORLD_H

#include "cli/verify.h"
#include "common/eventlog.h"

/* Launches made up step by step for the tests of cli/verify.h: the same steps make PCR values and log, or expected values. */

struct step {
	unsigned pcr;
	uint32_t type;
	const char *name;
	const char *content; /* what is hashed; caps and the closing event make their own digests */
	enum cap why;
};

enum { POLICY17, POLICY18, DESCRIPTION, HYPERVISOR, INITRD, VMM, FILE0, FILE1, GEO, CLOSING, STEPS };

/* A launch as expected. */
extern const struct step verify_world_good[STEPS];

struct world {
	struct pcrs tpm;
	struct eventlog log;
	uint8_t buf[64 * 1024];
	struct expected expected;
	struct expected_event events[STEPS];
	struct verify_result r;
	char error[256];
	struct step steps[64];
	size_t n;
};

#define ALL ALG_SET_ALL
#define SHA256_ONLY ALG_BIT(ALG_SHA256)

/* A world whose launch is still to be made: its steps are the expected ones, to be changed by the test. */
struct world *verify_world_new(alg_set expected, alg_set active, bool drtm);
void verify_world_free(struct world *w);

/* Expects all but one of the good steps (STEPS: all). */
void verify_world_expect(struct world *w, alg_set banks, bool drtm, size_t leave_out);

void verify_world_remove_step(struct world *w, size_t i);
void verify_world_insert_step(struct world *w, size_t i, struct step s);

/* The launch stops behind its first `n` steps: PCR 17-22 are capped. */
void verify_world_halt_after(struct world *w, size_t n, enum cap why);

/* Makes the launch: PCR values and log. */
void verify_world_launch(struct world *w);

/* Verifies; fails the test if there is nothing to compare. */
void verify_world_check(struct world *w, bool with_log);

void verify_world_print(const struct world *w);
bool verify_world_says(const struct world *w, const char *part);

#define V(x) (1u << VERIFY_##x)
void verify_world_assert_verdicts(const struct world *w, unsigned verdicts, const char *file, int line);
#define assert_verdicts(w, v) verify_world_assert_verdicts(w, v, __FILE__, __LINE__)
void verify_world_assert_says(const struct world *w, const char *part, const char *file, int line);
#define assert_says(w, part) verify_world_assert_says(w, part, __FILE__, __LINE__)

/* The names of the modules that differ, NULL-terminated. */
void assert_modules(const struct world *w, const char *const *names);
#define MODULES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NO_MODULES ((const char *const[]){ NULL })

#endif

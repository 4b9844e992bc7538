/* SPDX-License-Identifier: BSD-3-Clause */
/* Signed builds: launch description and policy go into geolaunch.efi, then sbsign signs that. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "boot/embedded.h"
#include "cli/build_impl.h"
#include "cli/files.h"
#include "cli/program.h"
#include "common/hash.h"

#define PACKAGE "sbsigntool"
#define UNSIGNED "unsigned.efi"
#define SIGNED "signed.efi"
#define ADVICE "give a key and its certificate, both PEM, and the key's pass phrase if it has one"

GL_MUST static bool cannot_embed(const struct build *b, enum pecoff_error error)
{
	return cli_fail(b->fault, CLI_INPUT,
		"launch description and policy cannot be put into it (%s): %s: name geolaunch.efi as it was built", pecoff_strerror(error),
		b->options->efi);
}

GL_MUST static bool check_readable(const char *path, const char *advice, struct cli_fault *fault)
{
	CLEANUP(source_close) struct source s = SOURCE_NONE;

	return source_open_plain(path, advice, &s, fault);
}

/* The file with both sections, see pecoff_append(). */
GL_MUST static bool embed(const struct build *b, struct mspan out, size_t *n)
{
	const struct embedded e = { { b->description, b->description_size }, { b->policy_bytes, b->out->policy_size } };
	enum pecoff_error error = embedded_put((struct span){ b->plain.p, b->plain.n }, &e, out, n);

	return error == PECOFF_OK || cannot_embed(b, error);
}

/* Room for it, too: the policy has no digests yet, but its size is that of the final one. */
GL_MUST static bool read_plain(struct build *b)
{
	size_t size = (size_t)b->efi.size, n;

	if (b->efi.size > PECOFF_MAX_SIZE)
		return cannot_embed(b, PECOFF_E_SIZE);
	b->plain.p = malloc(size);
	if (!b->plain.p)
		return cli_fail(b->fault, CLI_IO, "out of memory: %s", b->options->efi);
	if (pread(b->efi.fd, b->plain.p, size, 0) != (ssize_t)size)
		return cli_fail(b->fault, CLI_IO, "cannot read: %s: try again", b->options->efi);
	b->plain.n = size;
	return embed(b, (struct mspan){ NULL, 0 }, &n);
}

bool build_check_sign(struct build *b)
{
	static const char *const version[] = { "sbsign", "--version", NULL };
	const struct build_options *o = b->options;
	struct program_end end;

	if (!o->sign)
		return true;
	if (b->out->manifest.policy_hash == ALG_SHA1)
		return manifest_fail(&b->out->manifest, b->out->manifest.policy_line, "use sha256 or longer", b->fault,
			"a signature cannot vouch for what is named by SHA-1");
	return check_readable(o->sign, "name the key with --sign", b->fault) &&
	       check_readable(o->certificate, "name the key's certificate with --cert", b->fault) && build_check_certificate(b) &&
	       read_plain(b) && program_run(version, PACKAGE, &b->stop, &end, b->fault);
}

/* The line that says what is wrong: sbsign also warns, prompts and prints OpenSSL's error stack. */
static void reason(const struct program_end *end, char out[200])
{
	static const char *const noise[] = { "warning:", "Signing", "Enter ", "Signature verification" };
	const char *line = end->output;

	(void)snprintf(out, 200, "exit status %d", end->code);
	while (*line) {
		size_t n = strcspn(line, "\n"), i = 0;

		while (i < GL_COUNT(noise) && strncmp(line, noise[i], strlen(noise[i])) != 0)
			i++;
		if (n > 0 && i == GL_COUNT(noise)) {
			(void)snprintf(out, 200, "%.*s", (int)n, line);
			return;
		}
		line += n + (line[n] == '\n');
	}
}

GL_MUST static bool run_tool(struct build *b, const char *const *argv)
{
	struct program_end end;
	char why[200];

	if (!program_run(argv, PACKAGE, &b->stop, &end, b->fault))
		return false;
	if (end.code == 0)
		return true;
	reason(&end, why);
	return cli_fail(b->fault, CLI_INPUT, "%s failed (%s): %s, %s: " ADVICE, argv[0], why, b->options->sign, b->options->certificate);
}

/* From one file in the tree to another. That key and certificate belong together shows when the signature is verified. */
GL_MUST static bool sign_file(struct build *b, const char *to)
{
	CLEANUP_FREE char *from = NULL;

	if (asprintf(&from, "%s/" UNSIGNED, b->tree.tmp) < 0) {
		from = NULL;
		return cli_fail(b->fault, CLI_IO, "out of memory: signing");
	}
	const char *const sign[] = { "sbsign", "--key", b->options->sign, "--cert", b->options->certificate, "--output", to, "--", from,
		NULL };
	const char *const verify[] = { "sbverify", "--cert", b->options->certificate, "--", to, NULL };

	return run_tool(b, sign) && run_tool(b, verify);
}

bool build_sign(struct build *b, const char *const names[2])
{
	CLEANUP_FREE uint8_t *image = NULL, *bytes = NULL;
	CLEANUP_FREE char *path = NULL;
	size_t size, n = 0;

	if (asprintf(&path, "%s/" SIGNED, b->tree.tmp) < 0) {
		path = NULL;
		return cli_fail(b->fault, CLI_IO, "out of memory: signing");
	}
	if (!embed(b, (struct mspan){ NULL, 0 }, &size))
		return false;
	image = malloc(size);
	if (!image)
		return cli_fail(b->fault, CLI_IO, "out of memory: %s", b->options->efi);
	if (!embed(b, (struct mspan){ image, size }, &size) || !tree_write(&b->tree, UNSIGNED, (struct span){ image, size }, b->fault) ||
		!sign_file(b, path) || !read_file(path, PECOFF_MAX_SIZE, &bytes, &n, b->fault))
		return false;
	if (unlinkat(b->tree.fd, UNSIGNED, 0) != 0 || unlinkat(b->tree.fd, SIGNED, 0) != 0)
		return cli_fail(b->fault, CLI_IO, "cannot remove a temporary file: %s: %s", b->tree.tmp, strerror(errno));
	b->out->efi_size = n;
	hash_span(ALG_BIT(ALG_SHA256), (struct span){ bytes, n }, &b->out->efi_digest);
	return tree_write(&b->tree, names[0], (struct span){ bytes, n }, b->fault) &&
	       tree_write(&b->tree, names[1], (struct span){ bytes, n }, b->fault);
}

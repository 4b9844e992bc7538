/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/output.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/files.h"

static bool is_standard(const char *path)
{
	return !strcmp(path, "-");
}

bool output_check(const char *path, bool force, struct cli_fault *fault)
{
	if (is_standard(path))
		return isatty(STDOUT_FILENO) != 1 ||
		       cli_fail(fault, CLI_USAGE, "standard output is a terminal, and this is binary: name a file, or use a pipe");
	return output_check_file(path, force, fault);
}

bool output_check_file(const char *path, bool force, struct cli_fault *fault)
{
	struct stat st;

	if (!check_replaceable(path, fault))
		return false;
	return force || lstat(path, &st) != 0 ||
	       cli_fail(fault, CLI_USAGE, "file exists: %s: replace it with --force, or name another", path);
}

bool output_write(const char *path, struct span bytes, struct cli_fault *fault)
{
	if (!is_standard(path))
		return write_file_atomic(path, bytes, fault);
	return write_all(STDOUT_FILENO, bytes) ? cli_flush(fault)
	                                       : cli_fail(fault, CLI_IO, "cannot write: standard output: is the disk full?");
}

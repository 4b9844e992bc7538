/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_COMMON_DESCRIPTION_H
#define GL_COMMON_DESCRIPTION_H

#include "modules.h"

/*
 * The launch description, launch.conf on the ESP: what geolaunch.efi loads, in which order, and what it does when it stops.
 * `geolaunch build` writes it, geolaunch.efi reads it; it is measured as module 0.
 *
 * Text, printable ASCII, every line ends in LF. A line is a key, one blank, and a value up to the end of the line:
 *
 *   geolaunch 1                 format
 *   mode direct|txt
 *   policy FILE
 *   on-halt poweroff|return
 *   halt-delay SECONDS          0 to 300, decimal without leading zeros
 *   module tboot                the next four in txt mode only
 *   file FILE
 *   cmdline TEXT                left out if empty; up to 2047 bytes, as all command lines
 *   sha256 HEX                  of tboot's file, 64 digits in lower case; may be left out. Then any tboot is started, and measured
 *   module sinit                may be left out
 *   file FILE
 *   sha256 HEX                  as tboot's
 *   module lcp                  may be left out
 *   file FILE
 *   sha256 HEX                  as tboot's
 *   module stage
 *   file FILE
 *   cmdline RULES               those of stage_rules.h; they agree with the modules below, on-halt and halt-delay
 *   module hypervisor           once, the first of the numbered modules
 *   kind xen                    left out for Linux
 *   file FILE
 *   cmdline TEXT                left out if empty
 *   module kernel               behind Xen only, and always there
 *   file FILE
 *   cmdline TEXT                left out if empty
 *   module initrd               at most once, directly behind the hypervisor and its kernel
 *   file FILE
 *   module vmm                  at most once
 *   file FILE
 *   path PATH
 *   mode 0755                   four octal digits, up to 0777
 *   module file                 any number
 *   file FILE
 *   path PATH
 *   mode 0644
 *   end
 *
 * FILE is a name in \EFI\geolaunch\: 1 to 64 of A-Z a-z 0-9 . _ -, not beginning with a dot.
 * PATH is absolute and normalised, 2 to 255 bytes; no path is that of another module or lies below one.
 * Order, spelling and spacing are fixed, so a description has one text only: write(parse(text)) = text.
 */
#define DESCRIPTION_MAX_SIZE 65536
/* Number 0 is the description itself, in txt mode the stage. */
#define DESCRIPTION_MAX_MODULES MODULES_MAX
#define DESCRIPTION_MAX_CMDLINE 2047
/* Of dom0's kernel: Xen 4.17 cuts off what is longer (create_dom0(); MAX_GUEST_CMDLINE, xen/include/public/xen.h). */
#define DESCRIPTION_MAX_KERNEL_CMDLINE 1023
#define DESCRIPTION_MAX_PATH 255
#define DESCRIPTION_MAX_FILE 64
#define DESCRIPTION_MAX_HALT_DELAY 300
#define DESCRIPTION_MAX_FILE_MODE 0777u

enum description_mode { DESCRIPTION_DIRECT, DESCRIPTION_TXT, DESCRIPTION_MODE_COUNT };

enum description_on_halt {
	DESCRIPTION_POWEROFF,
	DESCRIPTION_RETURN, /* give the status back to the firmware; the stage, behind which there is none, reboots */
	DESCRIPTION_ON_HALT_COUNT
};

struct description_module {
	enum role role;
	struct span file;
	struct span cmdline; /* hypervisor, kernel, tboot, stage only */
	struct span sha256;  /* tboot, sinit, lcp only: hexadecimal; empty: not given */
	struct span path;    /* members of the initrd (role_table[].member) only */
	uint32_t mode;       /* permission bits, members only */
};

/* What stands before the numbered modules in txt mode. */
struct description_txt {
	struct description_module tboot, sinit, lcp, stage; /* file.n is 0 where there is none */
};

/* Spans point into the text given to description_parse() or, for one put together, to the caller's bytes. */
struct description {
	enum description_mode mode;
	enum description_on_halt on_halt;
	unsigned halt_delay; /* seconds */
	struct span policy;  /* file name */
	enum hypervisor hypervisor;
	struct description_txt txt; /* all zero in direct mode */
	size_t module_count;
	struct description_module modules[DESCRIPTION_MAX_MODULES]; /* modules[i] has the number i + 1 */
};

/* One value per violated rule. */
enum description_error {
	DESCRIPTION_OK,
	DESCRIPTION_E_SIZE,      /* over DESCRIPTION_MAX_SIZE */
	DESCRIPTION_E_FORMAT,    /* first line */
	DESCRIPTION_E_CHARACTER, /* not printable ASCII */
	DESCRIPTION_E_LINE_END,  /* last line without LF */
	DESCRIPTION_E_KEY,       /* not the key that belongs here */
	DESCRIPTION_E_VALUE,     /* key without a value */
	DESCRIPTION_E_MODE,
	DESCRIPTION_E_ON_HALT,
	DESCRIPTION_E_HALT_DELAY,
	DESCRIPTION_E_ROLE,         /* unknown, or not one for modules */
	DESCRIPTION_E_FIRST,        /* the first module is not the hypervisor, or there is none */
	DESCRIPTION_E_TWICE,        /* second hypervisor, kernel, initrd or vmm */
	DESCRIPTION_E_ORDER,        /* initrd not directly behind the hypervisor and its kernel */
	DESCRIPTION_E_KIND,         /* of the hypervisor */
	DESCRIPTION_E_KERNEL,       /* Xen without its kernel, or a kernel elsewhere */
	DESCRIPTION_E_TXT,          /* txt mode without tboot or stage, or one of the four modules out of order or in direct mode */
	DESCRIPTION_E_RULES,        /* the stage's command line is no rules */
	DESCRIPTION_E_RULES_DIFFER, /* or not those for these modules */
	DESCRIPTION_E_TOO_MANY,     /* modules */
	DESCRIPTION_E_FILE,         /* file name */
	DESCRIPTION_E_CMDLINE,      /* too long for its module or not printable */
	DESCRIPTION_E_DIGEST,       /* not 64 hexadecimal digits */
	DESCRIPTION_E_PATH,
	DESCRIPTION_E_PATH_TAKEN, /* the path of another module, above or below it */
	DESCRIPTION_E_FILE_MODE,
	DESCRIPTION_E_FIELD,    /* write: the module has a field that its role has not */
	DESCRIPTION_E_END,      /* no "end" */
	DESCRIPTION_E_TRAILING, /* something behind "end" */
	DESCRIPTION_E_BUFFER,   /* write: does not fit the caller's buffer */
	DESCRIPTION_ERROR_COUNT
};

/* What is wrong and what is expected, for people. */
const char *description_strerror(enum description_error e);

/* Reads and checks a description. `line`, if not NULL, gets on failure the number of the offending line, from 1. `out` on success only. */
GL_MUST enum description_error description_parse(struct span text, struct description *out, size_t *line);

/* Checks every rule. `module`, if not NULL, gets on failure the number of the offending module, 0 for what stands before them. */
GL_MUST enum description_error description_validate(const struct description *d, size_t *module);

/*
 * Writes the text into `buf`; `*n` is its size (with buf.p NULL only the size is computed). Refuses what description_validate()
 * refuses, so parse(write(d)) = d. On failure `*n` is untouched, but the buffer may have been.
 */
GL_MUST enum description_error description_write(const struct description *d, struct mspan buf, size_t *n);

/* The bytes that are measured as the module's command line: that of a hypervisor, kernel, tboot or stage, the path of a member, else empty. */
struct span description_module_cmdline(const struct description_module *m);

/* The rules for single values, also for those who collect them. */
GL_MUST bool description_file_valid(struct span name);
GL_MUST bool description_cmdline_valid(enum role role, struct span cmdline);
GL_MUST bool description_path_valid(struct span path);
/* True if the paths are the same, or one would have to be a directory for the other. */
GL_MUST bool description_paths_conflict(struct span a, struct span b);

GL_MUST bool description_mode_by_name(struct span name, enum description_mode *out);
GL_MUST bool description_on_halt_by_name(struct span name, enum description_on_halt *out);
const char *description_mode_name(enum description_mode mode);          /* "direct", "txt" */
const char *description_on_halt_name(enum description_on_halt on_halt); /* "poweroff" */

#endif

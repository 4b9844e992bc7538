/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/description.h"
#include "tests/unit/description_texts.h"

static const char xen[] =
	"geolaunch 1\nmode direct\npolicy policy.vlp\non-halt poweroff\nhalt-delay 5\n"
	"module hypervisor\n" /* 6 */
	"kind xen\n"
	"file xen\n"
	"cmdline dom0_mem=512M\n"
	"module kernel\n" /* 10 */
	"file kernel\n"
	"cmdline console=hvc0\n"
	"module initrd\n"
	"file initrd\n"
	"end\n"; /* 15 */

static struct description d;

static void assert_writes(const struct description *x, const char *text)
{
	static uint8_t buf[DESCRIPTION_MAX_SIZE];
	size_t n = 0, measured = 0;

	assert_int_equal(description_write(x, (struct mspan){ NULL, 0 }, &measured), DESCRIPTION_OK);
	assert_int_equal(measured, strlen(text));
	assert_int_equal(description_write(x, (struct mspan){ buf, sizeof(buf) }, &n), DESCRIPTION_OK);
	assert_int_equal(n, measured);
	assert_memory_equal(buf, text, n);
}

static void assert_span(struct span s, const char *expected)
{
	if (!span_is_str(s, expected))
		fail_msg("\"%.*s\", expected \"%s\"", (int)s.n, (const char *)s.p, expected);
}

static void test_good(void **state)
{
	(void)state;
	size_t line = 4711;

	assert_int_equal(description_parse(SPAN_LITERAL(good), &d, &line), DESCRIPTION_OK);
	assert_int_equal(line, 4711);
	assert_int_equal(d.mode, DESCRIPTION_DIRECT);
	assert_span(d.policy, "policy.vlp");
	assert_int_equal(d.on_halt, DESCRIPTION_POWEROFF);
	assert_int_equal(d.halt_delay, 5);
	assert_int_equal(d.module_count, 5);
	assert_int_equal(d.modules[0].role, ROLE_HYPERVISOR);
	assert_span(d.modules[0].file, "linux");
	assert_span(description_module_cmdline(&d.modules[0]), "console=ttyS0 root=/dev/sda1  quiet ");
	assert_int_equal(d.modules[1].role, ROLE_INITRD);
	assert_span(d.modules[1].file, "initrd");
	assert_span(description_module_cmdline(&d.modules[1]), "");
	assert_int_equal(d.modules[2].role, ROLE_VMM);
	assert_span(d.modules[2].path, "/usr/bin/qemu-system-x86_64");
	assert_span(description_module_cmdline(&d.modules[2]), "/usr/bin/qemu-system-x86_64");
	assert_int_equal(d.modules[2].mode, 0755);
	assert_int_equal(d.modules[3].role, ROLE_FILE);
	assert_span(description_module_cmdline(&d.modules[3]), "/etc/vm/vm.json");
	assert_int_equal(d.modules[3].mode, 0644);
	assert_span(d.modules[4].path, "/etc/vm/a b");
	assert_int_equal(d.modules[4].mode, 0);
	/* spans point into the text */
	assert_ptr_equal(d.modules[4].file.p, strstr(good, "file-1"));
	assert_int_equal(description_validate(&d, NULL), DESCRIPTION_OK);
	assert_writes(&d, good);
}

static void test_small(void **state)
{
	(void)state;
	static const char text[] = "geolaunch 1\nmode direct\npolicy p\non-halt return\nhalt-delay 0\nmodule hypervisor\nfile x\nend\n";

	assert_int_equal(description_parse(SPAN_LITERAL(text), &d, NULL), DESCRIPTION_OK);
	assert_int_equal(d.module_count, 1);
	assert_int_equal(d.on_halt, DESCRIPTION_RETURN);
	assert_int_equal(d.halt_delay, 0);
	assert_int_equal(description_module_cmdline(&d.modules[0]).n, 0);
	assert_writes(&d, text);
}

static size_t replace(const char *text, const char *from, const char *to, char *out, size_t size)
{
	const char *at = strstr(text, from);

	assert_non_null(at);
	return (size_t)snprintf(out, size, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

struct change {
	const char *from, *to;
	enum description_error error;
	size_t line;
};

#define LONG_64 "0123456789012345678901234567890123456789012345678901234567890123"
#define LONG_256 LONG_64 LONG_64 LONG_64 LONG_64
#define LONG_1024 LONG_256 LONG_256 LONG_256 LONG_256
#define LONG_2048 LONG_1024 LONG_1024

/* One change each to the good text; with DESCRIPTION_OK it must come out again as it went in. */
/* clang-format off */
static const struct change changes[] = {
	{ "geolaunch 1", "geolaunch 2", DESCRIPTION_E_FORMAT, 1 },
	{ "geolaunch 1", "geolaunch 1 ", DESCRIPTION_E_FORMAT, 1 },
	{ "geolaunch 1\n", "", DESCRIPTION_E_FORMAT, 1 },
	{ "geolaunch 1\n", "\ngeolaunch 1\n", DESCRIPTION_E_FORMAT, 1 },
	{ "geolaunch 1\n", "geolaunch 1\r\n", DESCRIPTION_E_CHARACTER, 1 },
	{ "mode direct", "mode txt", DESCRIPTION_E_TXT, 6 },
	{ "mode direct", "mode tx", DESCRIPTION_E_MODE, 2 },
	{ "mode direct", "mode Direct", DESCRIPTION_E_MODE, 2 },
	{ "mode direct", "mode  direct", DESCRIPTION_E_MODE, 2 },
	{ "mode direct", "mode direct ", DESCRIPTION_E_MODE, 2 },
	{ "mode direct", "mode", DESCRIPTION_E_VALUE, 2 },
	{ "mode direct", "mode ", DESCRIPTION_E_VALUE, 2 },
	{ "mode direct", "modedirect", DESCRIPTION_E_KEY, 2 },
	{ "mode direct", "mode\tdirect", DESCRIPTION_E_CHARACTER, 2 },
	{ "mode direct", "mode dir\xc3\xa9" "ct", DESCRIPTION_E_CHARACTER, 2 },
	{ "mode direct", "mode direct\x7f", DESCRIPTION_E_CHARACTER, 2 },
	{ "mode direct\n", "", DESCRIPTION_E_KEY, 2 },
	{ "mode direct\npolicy policy.vlp\n", "policy policy.vlp\nmode direct\n", DESCRIPTION_E_KEY, 2 },
	{ "mode direct\n", "mode direct\nmode direct\n", DESCRIPTION_E_KEY, 3 },
	{ "mode direct\n", "mode direct\n\n", DESCRIPTION_E_KEY, 3 },
	{ "mode direct\n", "# a comment\nmode direct\n", DESCRIPTION_E_KEY, 2 },
	{ "policy policy.vlp", "policy A-z_0.9", DESCRIPTION_OK, 0 },
	{ "policy policy.vlp", "policy Za", DESCRIPTION_OK, 0 },
	{ "policy policy.vlp", "policy -", DESCRIPTION_OK, 0 },
	{ "policy policy.vlp", "policy @", DESCRIPTION_E_FILE, 3 },
	{ "policy policy.vlp", "policy [", DESCRIPTION_E_FILE, 3 },
	{ "policy policy.vlp", "policy `", DESCRIPTION_E_FILE, 3 },
	{ "policy policy.vlp", "policy {", DESCRIPTION_E_FILE, 3 },
	{ "policy policy.vlp", "policy :", DESCRIPTION_E_FILE, 3 },
	{ "policy policy.vlp", "policy " LONG_64, DESCRIPTION_OK, 0 },
	{ "policy policy.vlp", "policy " LONG_64 "x", DESCRIPTION_E_FILE, 3 },
	{ "policy policy.vlp", "policy a/b", DESCRIPTION_E_FILE, 3 },
	{ "policy policy.vlp", "policy a\\b", DESCRIPTION_E_FILE, 3 },
	{ "policy policy.vlp", "policy ..", DESCRIPTION_E_FILE, 3 },
	{ "policy policy.vlp", "policy .hidden", DESCRIPTION_E_FILE, 3 },
	{ "policy policy.vlp", "policy a b", DESCRIPTION_E_FILE, 3 },
	{ "policy policy.vlp", "policy", DESCRIPTION_E_VALUE, 3 },
	{ "on-halt poweroff", "on-halt return", DESCRIPTION_OK, 0 },
	{ "on-halt poweroff", "on-halt reboot", DESCRIPTION_E_ON_HALT, 4 },
	{ "on-halt poweroff\n", "", DESCRIPTION_E_KEY, 4 },
	{ "halt-delay 5", "halt-delay 0", DESCRIPTION_OK, 0 },
	{ "halt-delay 5", "halt-delay 300", DESCRIPTION_OK, 0 },
	{ "halt-delay 5", "halt-delay 299", DESCRIPTION_OK, 0 },
	{ "halt-delay 5", "halt-delay 5:", DESCRIPTION_E_HALT_DELAY, 5 },
	{ "halt-delay 5", "halt-delay 301", DESCRIPTION_E_HALT_DELAY, 5 },
	{ "halt-delay 5", "halt-delay 05", DESCRIPTION_E_HALT_DELAY, 5 },
	{ "halt-delay 5", "halt-delay 00", DESCRIPTION_E_HALT_DELAY, 5 },
	{ "halt-delay 5", "halt-delay -1", DESCRIPTION_E_HALT_DELAY, 5 },
	{ "halt-delay 5", "halt-delay 5s", DESCRIPTION_E_HALT_DELAY, 5 },
	{ "halt-delay 5", "halt-delay  5", DESCRIPTION_E_HALT_DELAY, 5 },
	{ "halt-delay 5", "halt-delay 4294967297", DESCRIPTION_E_HALT_DELAY, 5 },
	{ "module hypervisor", "module xen", DESCRIPTION_E_ROLE, 6 },
	{ "module hypervisor", "module description", DESCRIPTION_E_ROLE, 6 },
	{ "module hypervisor", "module kernel", DESCRIPTION_E_FIRST, 6 },
	{ "module hypervisor", "module stage", DESCRIPTION_E_TXT, 6 },
	{ "module hypervisor\n", "module hypervisor\nkind linux\n", DESCRIPTION_E_KIND, 7 },
	{ "module hypervisor\n", "module hypervisor\nkind kvm\n", DESCRIPTION_E_KIND, 7 },
	{ "module hypervisor\n", "module hypervisor\nkind\n", DESCRIPTION_E_VALUE, 7 },
	{ "module hypervisor\n", "module hypervisor\nkind xen\n", DESCRIPTION_E_KERNEL, 10 },
	{ "module initrd", "module kernel", DESCRIPTION_E_KERNEL, 9 },
	{ "file initrd\n", "file initrd\nkind xen\n", DESCRIPTION_E_KEY, 11 },
	{ "module hypervisor", "module initrd", DESCRIPTION_E_FIRST, 6 },
	{ "module hypervisor", "module", DESCRIPTION_E_VALUE, 6 },
	{ "module initrd", "module hypervisor", DESCRIPTION_E_TWICE, 9 },
	{ "module vmm", "module initrd", DESCRIPTION_E_TWICE, 11 },
	{ "module file", "module vmm", DESCRIPTION_E_TWICE, 15 },
	{ "module initrd\nfile initrd\n", "", DESCRIPTION_OK, 0 },
	{ "module initrd\nfile initrd\nmodule vmm\nfile vmm\npath /usr/bin/qemu-system-x86_64\nmode 0755\n",
	  "module vmm\nfile vmm\npath /usr/bin/qemu-system-x86_64\nmode 0755\nmodule initrd\nfile initrd\n", DESCRIPTION_E_ORDER, 13 },
	{ "module hypervisor\nfile linux\ncmdline console=ttyS0 root=/dev/sda1  quiet \n", "", DESCRIPTION_E_FIRST, 6 },
	{ "file linux\n", "", DESCRIPTION_E_KEY, 7 },
	{ "file linux", "file", DESCRIPTION_E_VALUE, 7 },
	{ "file linux", "file ../linux", DESCRIPTION_E_FILE, 7 },
	{ "file linux", "file linux ", DESCRIPTION_E_FILE, 7 },
	{ "cmdline console=ttyS0 root=/dev/sda1  quiet \n", "", DESCRIPTION_OK, 0 },
	{ "cmdline console=ttyS0 root=/dev/sda1  quiet ", "cmdline  ", DESCRIPTION_OK, 0 },
	{ "cmdline console=ttyS0 root=/dev/sda1  quiet ", "cmdline ~", DESCRIPTION_OK, 0 },
	{ "cmdline console=ttyS0 root=/dev/sda1  quiet ", "cmdline path /etc/vm/vm.json", DESCRIPTION_OK, 0 },
	{ "cmdline console=ttyS0 root=/dev/sda1  quiet ", "cmdline", DESCRIPTION_E_VALUE, 8 },
	{ "cmdline console=ttyS0 root=/dev/sda1  quiet ", "cmdline ", DESCRIPTION_E_VALUE, 8 },
	{ "cmdline console=ttyS0 root=/dev/sda1  quiet ", "cmdlines x", DESCRIPTION_E_KEY, 8 },
	{ "console=ttyS0 root=/dev/sda1  quiet ", LONG_2048, DESCRIPTION_E_CMDLINE, 8 },
	{ "file initrd\n", "file initrd\ncmdline x\n", DESCRIPTION_E_KEY, 11 },
	{ "file initrd\n", "file initrd\npath /x\n", DESCRIPTION_E_KEY, 11 },
	{ "file vmm\n", "file vmm\ncmdline x\n", DESCRIPTION_E_KEY, 13 },
	{ "path /usr/bin/qemu-system-x86_64\n", "", DESCRIPTION_E_KEY, 13 },
	{ "/usr/bin/qemu-system-x86_64", "/v", DESCRIPTION_OK, 0 },
	{ "/usr/bin/qemu-system-x86_64", "/.../..a/b..", DESCRIPTION_OK, 0 },
	{ "/usr/bin/qemu-system-x86_64", "/usr/TRAILER!!!", DESCRIPTION_OK, 0 },
	{ "/usr/bin/qemu-system-x86_64", "/TRAILER!!!", DESCRIPTION_E_PATH, 13 },
	{ "/usr/bin/qemu-system-x86_64", "/TRAILER!!!/qemu", DESCRIPTION_E_PATH, 13 },
	{ "/usr/bin/qemu-system-x86_64", "usr/bin/qemu", DESCRIPTION_E_PATH, 13 },
	{ "/usr/bin/qemu-system-x86_64", "/", DESCRIPTION_E_PATH, 13 },
	{ "/usr/bin/qemu-system-x86_64", "//usr", DESCRIPTION_E_PATH, 13 },
	{ "/usr/bin/qemu-system-x86_64", "/usr//bin", DESCRIPTION_E_PATH, 13 },
	{ "/usr/bin/qemu-system-x86_64", "/usr/bin/", DESCRIPTION_E_PATH, 13 },
	{ "/usr/bin/qemu-system-x86_64", "/usr/./bin", DESCRIPTION_E_PATH, 13 },
	{ "/usr/bin/qemu-system-x86_64", "/usr/../bin", DESCRIPTION_E_PATH, 13 },
	{ "/usr/bin/qemu-system-x86_64", "/usr/..", DESCRIPTION_E_PATH, 13 },
	{ "/usr/bin/qemu-system-x86_64", "/.", DESCRIPTION_E_PATH, 13 },
	{ "/usr/bin/qemu-system-x86_64", "/" LONG_256, DESCRIPTION_E_PATH, 13 },
	{ "/etc/vm/a b", "/etc/vm/vm.json", DESCRIPTION_E_PATH_TAKEN, 21 },
	{ "/etc/vm/a b", "/etc/vm/vm.json/x", DESCRIPTION_E_PATH_TAKEN, 21 },
	{ "/etc/vm/a b", "/etc/vm", DESCRIPTION_E_PATH_TAKEN, 21 },
	{ "/etc/vm/a b", "/usr", DESCRIPTION_E_PATH_TAKEN, 21 },
	{ "/etc/vm/a b", "/etc/vm/vm.jso", DESCRIPTION_OK, 0 },
	{ "/etc/vm/a b", "/etc/vm/vm.json2", DESCRIPTION_OK, 0 },
	{ "/etc/vm/a b", "/etc/v", DESCRIPTION_OK, 0 },
	{ "mode 0755", "mode 755", DESCRIPTION_E_FILE_MODE, 14 },
	{ "mode 0755", "mode 00755", DESCRIPTION_E_FILE_MODE, 14 },
	{ "mode 0755", "mode 0758", DESCRIPTION_E_FILE_MODE, 14 },
	{ "mode 0755", "mode 4755", DESCRIPTION_E_FILE_MODE, 14 },
	{ "mode 0755", "mode 0777", DESCRIPTION_OK, 0 },
	{ "mode 0755", "mode", DESCRIPTION_E_VALUE, 14 },
	{ "mode 0755\n", "", DESCRIPTION_E_KEY, 14 },
	{ "mode 0755\n", "mode 0755\nmode 0755\n", DESCRIPTION_E_KEY, 15 },
	{ "end\n", "", DESCRIPTION_E_END, 23 },
	{ "end\n", "end", DESCRIPTION_E_LINE_END, 23 },
	{ "end\n", "End\n", DESCRIPTION_E_KEY, 23 },
	{ "end\n", "end \n", DESCRIPTION_E_KEY, 23 },
	{ "end\n", "end x\n", DESCRIPTION_E_KEY, 23 },
	{ "end\n", "end\n\n", DESCRIPTION_E_TRAILING, 24 },
	{ "end\n", "end\nend\n", DESCRIPTION_E_TRAILING, 24 },
	{ "end\n", "end\nx", DESCRIPTION_E_TRAILING, 24 },
	{ "mode 0000\nend\n", "mode 0000", DESCRIPTION_E_LINE_END, 22 },
};
/* clang-format on */

static const struct change xen_changes[] = {
	{ "module kernel\nfile kernel\ncmdline console=hvc0\n", "", DESCRIPTION_E_KERNEL, 10 },
	{ "module kernel\nfile kernel\ncmdline console=hvc0\nmodule initrd\nfile initrd\n", "", DESCRIPTION_E_KERNEL, 10 },
	{ "module initrd\nfile initrd\n", "", DESCRIPTION_OK, 0 },
	{ "module initrd\nfile initrd\n", "module kernel\nfile initrd\n", DESCRIPTION_E_TWICE, 13 },
	{ "module initrd\n", "module vmm\nfile v\npath /v\nmode 0755\nmodule initrd\n", DESCRIPTION_E_ORDER, 17 },
	{ "cmdline console=hvc0\n", "", DESCRIPTION_OK, 0 },
	{ "cmdline console=hvc0\n", "cmdline \n", DESCRIPTION_E_VALUE, 12 },
	{ "kind xen\n", "", DESCRIPTION_E_KERNEL, 9 },
	{ "kind xen\nfile xen\n", "file xen\nkind xen\n", DESCRIPTION_E_KEY, 8 },
};

static const struct change txt_changes[] = {
	{ "mode txt", "mode direct", DESCRIPTION_E_TXT, 6 },
	{ "module tboot\nfile tboot\ncmdline logging=serial extpol=sha256\n", "", DESCRIPTION_E_TXT, 6 },
	{ "cmdline logging=serial extpol=sha256\n", "", DESCRIPTION_OK, 0 },
	{ "file tboot\n", "", DESCRIPTION_E_KEY, 7 },
	{ "extpol=sha256\n", "extpol=sha256\nsha256 " HEX_64 "\n", DESCRIPTION_OK, 0 },
	{ "cmdline logging=serial extpol=sha256\n", "sha256 " HEX_64 "\n", DESCRIPTION_OK, 0 },
	{ "file tboot\n", "file tboot\nsha256 " HEX_64 "\n", DESCRIPTION_E_TXT, 9 },
	{ "extpol=sha256\n", "extpol=sha256\nsha256\n", DESCRIPTION_E_VALUE, 9 },
	{ "extpol=sha256\n", "extpol=sha256\nsha256 " HEX_64 "0\n", DESCRIPTION_E_DIGEST, 9 },
	{ "extpol=sha256\n", "extpol=sha256\nsha256 0\n", DESCRIPTION_E_DIGEST, 9 },
	{ "extpol=sha256\n", "extpol=sha256\nsha256 " HEX_63 "A\n", DESCRIPTION_E_DIGEST, 9 },
	{ "extpol=sha256\n", "extpol=sha256\nsha256 " HEX_63 "g\n", DESCRIPTION_E_DIGEST, 9 },
	{ "extpol=sha256\n", "extpol=sha256\nsha256 " HEX_63 "/\n", DESCRIPTION_E_DIGEST, 9 },
	{ "extpol=sha256\n", "extpol=sha256\nsha256 " HEX_63 ":\n", DESCRIPTION_E_DIGEST, 9 },
	{ "extpol=sha256\n", "extpol=sha256\nsha256 " HEX_63 "`\n", DESCRIPTION_E_DIGEST, 9 },
	{ "extpol=sha256\n", "extpol=sha256\nsha256 " HEX_64 "\nsha256 " HEX_64 "\n", DESCRIPTION_E_TXT, 10 },
	{ "file sinit\n", "file sinit\nsha256 " HEX_64 "\n", DESCRIPTION_OK, 0 },
	{ "file sinit\n", "file sinit\nsha256 " HEX_63 "\n", DESCRIPTION_E_DIGEST, 11 },
	{ "file lcp\n", "file lcp\nsha256 " HEX_64 "\n", DESCRIPTION_OK, 0 },
	{ "file lcp\n", "file lcp\nsha256 " HEX_64 "\nsha256 " HEX_64 "\n", DESCRIPTION_E_TXT, 14 },
	{ RULES "\n", RULES "\nsha256 " HEX_64 "\n", DESCRIPTION_E_KEY, 16 },
	{ "file tboot\n", "file tb/oot\n", DESCRIPTION_E_FILE, 7 },
	{ "module sinit\nfile sinit\n", "", DESCRIPTION_OK, 0 },
	{ "module lcp\nfile lcp\n", "", DESCRIPTION_OK, 0 },
	{ "module sinit\nfile sinit\nmodule lcp\nfile lcp\n", "", DESCRIPTION_OK, 0 },
	{ "module sinit\nfile sinit\nmodule lcp\nfile lcp\n", "module lcp\nfile lcp\nmodule sinit\nfile sinit\n", DESCRIPTION_E_TXT, 11 },
	{ "module lcp\nfile lcp\n", "module lcp\nfile lcp\nmodule lcp\nfile lcp\n", DESCRIPTION_E_TXT, 13 },
	{ "file lcp\n", "file lcp\ncmdline x\n", DESCRIPTION_E_TXT, 13 },
	{ "file sinit\n", "file sinit\ncmdline x\n", DESCRIPTION_E_TXT, 11 },
	{ "module lcp", "module lcp\t", DESCRIPTION_E_CHARACTER, 11 },
	{ "module stage\nfile stage\ncmdline " RULES "\n", "", DESCRIPTION_E_TXT, 13 },
	{ "cmdline " RULES "\n", "", DESCRIPTION_E_RULES, 14 },
	{ "policy=halt", "policy=never", DESCRIPTION_E_RULES, 15 },
	{ "halt=reboot,7", "halt=reboot,7 tboot=0x8c8000", DESCRIPTION_E_RULES, 15 },
	{ "halt=reboot,7", "halt=poweroff,7", DESCRIPTION_E_RULES_DIFFER, 15 },
	{ "halt=reboot,7", "halt=reboot,8", DESCRIPTION_E_RULES_DIFFER, 15 },
	{ "on-halt return", "on-halt poweroff", DESCRIPTION_E_RULES_DIFFER, 15 },
	{ "vmm:0755", "vmm:0750", DESCRIPTION_E_RULES_DIFFER, 15 },
	{ "vmm:0755", "file:0755", DESCRIPTION_E_RULES_DIFFER, 15 },
	{ "vmm:0755", "vmm:0755,file:0644", DESCRIPTION_E_RULES_DIFFER, 15 },
	{ "initrd,vmm:0755", "initrd", DESCRIPTION_E_RULES_DIFFER, 15 },
	{ "hypervisor=xen modules=hypervisor,kernel,", "hypervisor=linux modules=hypervisor,", DESCRIPTION_E_RULES_DIFFER, 15 },
	{ "policy=halt", "policy=nonfatal", DESCRIPTION_OK, 0 },
	{ "22,any", "21,any", DESCRIPTION_OK, 0 },
	{ " nv=0x01c10110,nv,22,any", "", DESCRIPTION_OK, 0 },
	{ "module vmm\n", "module stage\n", DESCRIPTION_E_TXT, 23 },
	{ "module vmm\nfile vmm\npath /usr/bin/qemu\nmode 0755\n", "", DESCRIPTION_E_RULES_DIFFER, 15 },
};

static void assert_changes(const char *from, const struct change *list, size_t count, bool seen[DESCRIPTION_ERROR_COUNT])
{
	static struct description out, untouched;

	for (size_t i = 0; i < count; i++) {
		static char text[8192];
		size_t n = replace(from, list[i].from, list[i].to, text, sizeof(text)), line = 0;

		assert_true(n < sizeof(text));
		memset(&out, 0x5a, sizeof(out));
		memset(&untouched, 0x5a, sizeof(untouched));

		enum description_error e = description_parse((struct span){ (const uint8_t *)text, n }, &out, &line);

		if (e != list[i].error || line != list[i].line)
			fail_msg("\"%s\" -> \"%.80s\": error %d in line %zu (%s), expected %d in line %zu", list[i].from, list[i].to, e,
				line, description_strerror(e), list[i].error, list[i].line);
		seen[e] = true;
		if (e)
			assert_memory_equal(&out, &untouched, sizeof(out));
		else
			assert_writes(&out, text);
	}
}

static void test_changes(void **state)
{
	(void)state;
	bool seen[DESCRIPTION_ERROR_COUNT] = { false };

	assert_changes(good, changes, GL_COUNT(changes), seen);
	assert_changes(xen, xen_changes, GL_COUNT(xen_changes), seen);
	assert_changes(txt, txt_changes, GL_COUNT(txt_changes), seen);
	/* the others have tests of their own below */
	for (unsigned e = 0; e < DESCRIPTION_ERROR_COUNT; e++)
		assert_true(seen[e] || e == DESCRIPTION_E_SIZE || e == DESCRIPTION_E_TOO_MANY || e == DESCRIPTION_E_FIELD ||
			    e == DESCRIPTION_E_BUFFER);
}

static void test_xen(void **state)
{
	(void)state;
	assert_int_equal(description_parse(SPAN_LITERAL(xen), &d, NULL), DESCRIPTION_OK);
	assert_int_equal(d.hypervisor, HYPERVISOR_XEN);
	assert_int_equal(d.module_count, 3);
	assert_int_equal(d.modules[1].role, ROLE_KERNEL);
	assert_span(d.modules[1].file, "kernel");
	assert_span(description_module_cmdline(&d.modules[1]), "console=hvc0");
	assert_int_equal(d.txt.tboot.file.n, 0);
	assert_writes(&d, xen);
}

static void test_txt(void **state)
{
	(void)state;
	assert_int_equal(description_parse(SPAN_LITERAL(txt), &d, NULL), DESCRIPTION_OK);
	assert_int_equal(d.mode, DESCRIPTION_TXT);
	assert_int_equal(d.txt.tboot.role, ROLE_TBOOT);
	assert_span(d.txt.tboot.file, "tboot");
	assert_span(description_module_cmdline(&d.txt.tboot), "logging=serial extpol=sha256");
	assert_int_equal(d.txt.sinit.role, ROLE_SINIT);
	assert_span(d.txt.sinit.file, "sinit");
	assert_int_equal(d.txt.lcp.role, ROLE_LCP);
	assert_span(d.txt.lcp.file, "lcp");
	assert_int_equal(d.txt.stage.role, ROLE_STAGE);
	assert_span(d.txt.stage.file, "stage");
	assert_span(description_module_cmdline(&d.txt.stage), RULES);
	assert_int_equal(d.module_count, 4);
	assert_span(d.modules[0].file, "xen");
	assert_writes(&d, txt);
}

static void test_cut_anywhere(void **state)
{
	(void)state;
	static struct description out;

	for (size_t n = 0; n < sizeof(good) - 1; n++)
		assert_int_not_equal(description_parse((struct span){ (const uint8_t *)good, n }, &out, NULL), DESCRIPTION_OK);
	for (size_t n = 0; n < sizeof(txt) - 1; n++)
		assert_int_not_equal(description_parse((struct span){ (const uint8_t *)txt, n }, &out, NULL), DESCRIPTION_OK);
	assert_int_equal(description_parse((struct span){ NULL, 0 }, &out, NULL), DESCRIPTION_E_END);
}

/* A byte changed anywhere, to anything: refused, or another description that is written as it was read. */
static void assert_every_byte(const char *good_text, size_t size)
{
	static struct description out;
	static char text[4096];
	unsigned accepted = 0;

	for (size_t at = 0; at < size; at++) {
		for (unsigned v = 0; v < 256; v++) {
			memcpy(text, good_text, size + 1);
			text[at] = (char)v;
			if (description_parse((struct span){ (const uint8_t *)text, size }, &out, NULL))
				continue;
			accepted++;
			assert_writes(&out, text);
		}
	}
	assert_true(accepted > size);
}

static void test_every_byte(void **state)
{
	(void)state;
	assert_every_byte(good, sizeof(good) - 1);
	assert_every_byte(txt, sizeof(txt) - 1);
}

static struct description many(size_t count)
{
	static struct description x;
	static char paths[DESCRIPTION_MAX_MODULES + 1][16];

	x = (struct description){ .policy = SPAN_LITERAL("p"), .module_count = count };
	x.modules[0] = (struct description_module){ .role = ROLE_HYPERVISOR, .file = SPAN_LITERAL("h") };
	for (size_t i = 1; i < count && i < DESCRIPTION_MAX_MODULES; i++) {
		snprintf(paths[i], sizeof(paths[i]), "/d/%zu", i);
		x.modules[i] = (struct description_module){
			.role = ROLE_FILE, .file = SPAN_LITERAL("f"), .path = span_str(paths[i]), .mode = 0644
		};
	}
	return x;
}

static void test_most_modules(void **state)
{
	(void)state;
	static uint8_t text[DESCRIPTION_MAX_SIZE];
	static const char more[] = "module file\nfile f\npath /one-too-many\nmode 0644\nend\n";
	static struct description x;
	size_t n = 0, line = 0, module = 99;

	x = many(DESCRIPTION_MAX_MODULES);
	assert_int_equal(description_write(&x, (struct mspan){ text, sizeof(text) }, &n), DESCRIPTION_OK);
	assert_int_equal(description_parse((struct span){ text, n }, &d, NULL), DESCRIPTION_OK);
	assert_int_equal(d.module_count, DESCRIPTION_MAX_MODULES);
	assert_span(d.modules[126].path, "/d/126");
	memcpy(text + n - 4, more, sizeof(more) - 1);
	assert_int_equal(description_parse((struct span){ text, n - 4 + sizeof(more) - 1 }, &d, &line), DESCRIPTION_E_TOO_MANY);
	assert_int_equal(line, 5 + 2 + 126 * 4 + 1);
	x.module_count++;
	assert_int_equal(description_validate(&x, &module), DESCRIPTION_E_TOO_MANY);
	assert_int_equal(module, 0);
}

static void test_size_limit(void **state)
{
	(void)state;
	static uint8_t text[DESCRIPTION_MAX_SIZE + 1];
	size_t line = 0;

	memset(text, 'x', sizeof(text));
	assert_int_equal(description_parse((struct span){ text, DESCRIPTION_MAX_SIZE + 1 }, &d, &line), DESCRIPTION_E_SIZE);
	assert_int_equal(line, 1);
	assert_int_equal(description_parse((struct span){ text, DESCRIPTION_MAX_SIZE }, &d, &line), DESCRIPTION_E_LINE_END);
}

static void test_longest_cmdline(void **state)
{
	(void)state;
	static char text[8192];
	size_t n = replace(good, "console=ttyS0 root=/dev/sda1  quiet ", &LONG_2048[1], text, sizeof(text));

	assert_int_equal(description_parse((struct span){ (const uint8_t *)text, n }, &d, NULL), DESCRIPTION_OK);
	assert_int_equal(d.modules[0].cmdline.n, DESCRIPTION_MAX_CMDLINE);
	assert_writes(&d, text);
}

/* Xen would cut off the rest, which is measured. */
static void test_longest_kernel_cmdline(void **state)
{
	(void)state;
	static char text[8192];
	size_t n = replace(xen, "console=hvc0", LONG_1024, text, sizeof(text)), line = 0;

	assert_int_equal(description_parse((struct span){ (const uint8_t *)text, n }, &d, &line), DESCRIPTION_E_CMDLINE);
	assert_int_equal(line, 12);
	n = replace(xen, "console=hvc0", &LONG_1024[1], text, sizeof(text));
	assert_int_equal(description_parse((struct span){ (const uint8_t *)text, n }, &d, NULL), DESCRIPTION_OK);
	assert_int_equal(d.modules[1].cmdline.n, DESCRIPTION_MAX_KERNEL_CMDLINE);
	assert_writes(&d, text);
	d.modules[1].cmdline.n++;
	assert_int_equal(description_validate(&d, NULL), DESCRIPTION_E_CMDLINE);
}

static void test_longest_path(void **state)
{
	(void)state;
	static char text[8192];
	size_t n = replace(good, "usr/bin/qemu-system-x86_64", &LONG_256[2], text, sizeof(text));

	assert_int_equal(description_parse((struct span){ (const uint8_t *)text, n }, &d, NULL), DESCRIPTION_OK);
	assert_int_equal(d.modules[2].path.n, DESCRIPTION_MAX_PATH);
	assert_writes(&d, text);
}

static void test_module_cmdline(void **state)
{
	(void)state;
	struct description_module m = { .cmdline = SPAN_LITERAL("c"), .path = SPAN_LITERAL("/p") };
	/* clang-format off */
	static const char *const expected[ROLE_COUNT + 1] = {
		[ROLE_HYPERVISOR] = "c", [ROLE_KERNEL] = "c", [ROLE_VMM] = "/p", [ROLE_FILE] = "/p", [ROLE_TBOOT] = "c", [ROLE_STAGE] = "c",
	};
	/* clang-format on */

	for (unsigned role = 0; role <= ROLE_COUNT; role++) {
		m.role = (enum role)role;
		assert_span(description_module_cmdline(&m), expected[role] ? expected[role] : "");
	}
}

static void test_texts(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DESCRIPTION_ERROR_COUNT; i++) {
		assert_non_null(description_strerror((enum description_error)i));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(
				description_strerror((enum description_error)i), description_strerror((enum description_error)j));
	}
	assert_string_equal(description_strerror(DESCRIPTION_ERROR_COUNT), "unknown launch description error");
	assert_string_equal(description_mode_name(DESCRIPTION_DIRECT), "direct");
	assert_string_equal(description_mode_name(DESCRIPTION_TXT), "txt");
	assert_string_equal(description_mode_name(DESCRIPTION_MODE_COUNT), "unknown");
	assert_string_equal(description_on_halt_name(DESCRIPTION_RETURN), "return");
	assert_string_equal(description_on_halt_name(DESCRIPTION_ON_HALT_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_xen),
		cmocka_unit_test(test_txt),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_most_modules),
		cmocka_unit_test(test_size_limit),
		cmocka_unit_test(test_longest_cmdline),
		cmocka_unit_test(test_longest_kernel_cmdline),
		cmocka_unit_test(test_longest_path),
		cmocka_unit_test(test_module_cmdline),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests_name("description", tests, NULL, NULL);
}

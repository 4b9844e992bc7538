/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_DESCRIPTION_TEXTS_H
#define GL_TESTS_DESCRIPTION_TEXTS_H

/* Launch descriptions that are good, for both modes, and 63 and 64 digits. */
static const char good[] =
	"geolaunch 1\n" /* 1 */
	"mode direct\n"
	"policy policy.vlp\n"
	"on-halt poweroff\n"
	"halt-delay 5\n" /* 5 */
	"module hypervisor\n"
	"file linux\n"
	"cmdline console=ttyS0 root=/dev/sda1  quiet \n"
	"module initrd\n"
	"file initrd\n" /* 10 */
	"module vmm\n"
	"file vmm\n"
	"path /usr/bin/qemu-system-x86_64\n"
	"mode 0755\n"
	"module file\n" /* 15 */
	"file file-0\n"
	"path /etc/vm/vm.json\n"
	"mode 0644\n"
	"module file\n"
	"file file-1\n" /* 20 */
	"path /etc/vm/a b\n"
	"mode 0000\n"
	"end\n";

#define RULES \
	"geolaunch-stage 1 policy=halt hypervisor=xen modules=hypervisor,kernel,initrd,vmm:0755 " \
	"nv=0x01c10110,nv,22,any halt=reboot,7"

static const char txt[] =
	"geolaunch 1\n" /* 1 */
	"mode txt\n"
	"policy policy.vlp\n"
	"on-halt return\n"
	"halt-delay 7\n" /* 5 */
	"module tboot\n"
	"file tboot\n"
	"cmdline logging=serial extpol=sha256\n"
	"module sinit\n"
	"file sinit\n" /* 10 */
	"module lcp\n"
	"file lcp\n"
	"module stage\n"
	"file stage\n"
	"cmdline " RULES
	"\n" /* 15 */
	"module hypervisor\n"
	"kind xen\n"
	"file xen\n"
	"module kernel\n"
	"file kernel\n" /* 20 */
	"module initrd\n"
	"file initrd\n"
	"module vmm\n"
	"file vmm\n"
	"path /usr/bin/qemu\n" /* 25 */
	"mode 0755\n"
	"end\n";

#define HEX_63 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
#define HEX_64 HEX_63 "f"

#endif

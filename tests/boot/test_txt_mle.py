# SPDX-License-Identifier: BSD-3-Clause
"""An MLE of our own (mle/leaves.c) on the TXT platform: every leaf of GETSEC, the processor's rules for SENTER, the register spaces."""
import os
import re
import subprocess

from txt_boot import TOP, boot, make_esp

UD, GP, NONE = "00000006", "0000000d", "00000000"

# What the SDM (volume 2D, chapter 6 or 7 "Safer Mode Extensions Reference") and the SDG (appendix B) want.
EXPECTED = {
    "errorcode": NONE,
    "cpuid-1-ecx-smx-vmx": "00000060",
    "feature-control": "0000ff07",
    "wrmsr-feature-control": GP,            # locked
    "getsec-without-smxe": UD,
    "cr4-smxe": "00004000",
    "capabilities": "000001fd",
    "capabilities-1": NONE,
    "parameters-00000000": "00000001 ffffffff 00000000",
    "parameters-00000001": "00040002 00000000 00000000",
    "parameters-00000002": "00004103 00000000 00000000",
    "leaf-1": UD, "leaf-9": UD,
    "exitac": GP, "sexit-outside": GP, "smctrl-outside": GP, "wakeup-outside": GP,
    "public-didvid": "b0018086",
    "private-closed": "ffffffff",
    "didvid-is-read-only": "b0018086",
    "locality1-while-closed": NONE,
    "secrets-through-public": NONE,
    "senter-without-ne": GP, "senter-without-cache": GP, "senter-edx": GP, "senter-unaligned": GP, "senter-size": GP, "senter-small": GP,
    "senter-large": GP, "enteraccs-unaligned": GP,
}
# The rules that broke, in the order of the program.
RULES = ["smx-smxe", "smx-leaf", "smx-leaf", "smx-not-in-acm", "smx-not-in-mle", "smx-not-in-mle", "smx-not-in-mle", "smx-cr0-ne", "smx-cr0-cd",
         "smx-edx", "smx-acm-alignment", "smx-acm-size", "smx-acm-small", "smx-acm-large", "smx-acm-alignment", "heap-table-size"]


def build(work):
    out = os.path.join(work, "leaves.elf")
    subprocess.run(["gcc", "-m32", "-std=gnu11", "-Os", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-pic", "-fno-pie", "-no-pie",
                    "-fno-stack-protector", "-nostdlib", "-static", "-fcf-protection=none", "-fno-asynchronous-unwind-tables",
                    "-mgeneral-regs-only", "-Wl,--build-id=none", "-Wl,-Ttext=0x200000", "-Wl,-z,noexecstack",
                    "-Wl,--section-start=.multiboot=0x1ff000", "-o", out, os.path.join(TOP, "tests/boot/mle/leaves.c")],
                   check=True, timeout=60)
    return out


def test_leaves(tmp_path):
    mle = build(str(tmp_path))
    r = boot(str(tmp_path), make_esp(str(tmp_path / "esp"), [], "", mle), "--mle", mle, "--resets", "1", "--timeout", "60")
    said = re.findall(r"^mle: (\S+)=(.*)$", r.serial_text(), re.M)
    first = dict(said[:-1])
    assert first.items() >= EXPECTED.items(), {k: (v, first.get(k)) for k, v in EXPECTED.items() if first.get(k) != v}
    # SENTER was accepted by the processor; SINIT found no OsSinitData: a reset, after which the program reads the error.
    assert "mle: returned" not in r.serial_text() and "mle: done" in r.serial_text()
    assert said[-1] == ("errorcode", r["txt_errorcode"][2:]) and r["txt_errorcode"] != "0x00000000"
    assert r["ended"] == "poweroff" and r["senter"] == "reset" and r["txt_resets"] == 1 and r["resets"] == 1
    assert r.failed_rules() == RULES

# SPDX-License-Identifier: BSD-3-Clause
"""A boot loader in UEFI (mle/loader.c) that looks at the TXT platform before it starts an MLE, which is then a TXT platform's as by GRUB."""
import os
import re
import shutil
import subprocess

import pytest
from test_txt_mle import EXPECTED as LEAVES
from test_txt_mle import RULES as LEAVES_RULES
from test_txt_mle import build as build_mle
from txt_boot import TOP, boot

HERE = os.path.join(TOP, "tests/boot/mle")
UD, GP, NONE = "0000000000000006", "000000000000000d", "0000000000000000"

EXPECTED = {
    "didvid": "00000001b0018086", "fsbif": "00000000ffffffff", "qpiif": "000000009d003000", "ests": NONE,
    "sinit-base": "00000000c8200000", "sinit-size": "0000000000100000", "heap-base": "00000000c8000000", "heap-size": "0000000000100000",
    "dpr": "00000000c8400041",
    "private-closed": "ffffffffffffffff",
    "bios-data-version": "0000000000000006",
    "didvid-is-read-only": "00000001b0018086",
    "cpuid-1-ecx-smx-vmx": "0000000000000060",
    "feature-control": "000000000000ff07", "feature-control-rdx": NONE, "kept": "8888888888888888",
    "wrmsr-feature-control": GP,
    "getsec-without-smxe": UD,
    "cr4-smxe": "0000000000004000", "cr4-others": NONE, "cr4-after": NONE,
    "capabilities": "00000000000001fd",
    "parameters-0": "0000000000000001 ffffffff",
    "parameters-1": "0000000000040002 00000000",
    "parameters-5": "0000000000000000 00000000",
    "senter-without-module": GP,
}
RULES = ["msr-feature-control", "smx-smxe", "smx-acm-small"]


def build(work, mle):
    obj, so, efi = (os.path.join(work, "loader." + kind) for kind in ("o", "so", "efi"))
    subprocess.run(["gcc", "-std=gnu11", "-Os", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fpic", "-mno-red-zone", "-fno-stack-protector",
                    "-fcf-protection=none", "-fno-asynchronous-unwind-tables", "-fvisibility=hidden", "-mgeneral-regs-only", "-fshort-wchar",
                    "-DGNU_EFI_USE_MS_ABI", "-isystem", "/usr/include/efi", "-isystem", "/usr/include/efi/x86_64", f'-DMLE="{mle}"',
                    "-c", "-o", obj, os.path.join(HERE, "loader.c")], check=True, timeout=60)
    subprocess.run(["ld", "-nostdlib", "-znocombreloc", "-shared", "-Bsymbolic", "--no-undefined", "--build-id=none", "-z", "noexecstack",
                    "-T", os.path.join(TOP, "efi/efi.lds"), "/usr/lib/crt0-efi-x86_64.o", obj, "-L/usr/lib", "-lgnuefi", "-o", so],
                   check=True, timeout=60)
    sections = [f"-j.{name}" for name in "text sdata data dynamic dynsym rel rela rel.* rela.* reloc".split()]
    subprocess.run(["objcopy", *sections, "--target", "efi-app-x86_64", "--subsystem=10", so, efi], check=True, timeout=60)
    return efi


def make_esp(work, efi):
    folder = os.path.join(work, "esp/EFI/BOOT")
    os.makedirs(folder)
    shutil.copy(efi, os.path.join(folder, "BOOTX64.EFI"))
    return os.path.join(work, "esp")


@pytest.mark.parametrize("cpus", [1, 2])
def test_loader(tmp_path, cpus):
    mle = build_mle(str(tmp_path))
    esp = make_esp(str(tmp_path), build(str(tmp_path), mle))
    r = boot(str(tmp_path), esp, "--mle", mle, "--resets", "1", "--timeout", "60", "--cpus", str(cpus))
    text = r.serial_text()
    first = dict(re.findall(r"^uefi: (\S+)=(.*)$", text.split("uefi: enter")[0], re.M))
    want = {**EXPECTED, "errorcode": NONE, "processors": f"{cpus:016x}", "bios-data-processors": f"{cpus:016x}"}
    if cpus > 1:
        want.update({"ap-started": NONE, "ap-cpuid": "0000000000000060", "ap-feature-control": "000000000000ff07"})
    assert first.items() >= want.items(), {k: (v, first.get(k)) for k, v in want.items() if first.get(k) != v}
    # Nothing came of the write through the closed private space.
    assert first["sts"] == first["sts-after"]

    before, after = re.split(r"^mle: senter$", text, maxsplit=1, flags=re.M)
    # The MLE found all as by GRUB. Its SENTER ends in a TXT reset, after which the loader reads the error, and the MLE does.
    said = dict(re.findall(r"^mle: (\S+)=(.*)$", before, re.M))
    assert said.items() >= LEAVES.items(), {k: (v, said.get(k)) for k, v in LEAVES.items() if said.get(k) != v}
    again = dict(re.findall(r"^uefi: (\S+)=(.*)$", after, re.M))
    assert again["errorcode"] == "00000000" + r["txt_errorcode"][2:] != NONE
    assert again["cpuid-1-ecx-smx-vmx"] == EXPECTED["cpuid-1-ecx-smx-vmx"] and again["capabilities"] == EXPECTED["capabilities"]
    assert "mle: done" in text
    assert r["ended"] == "poweroff" and r["senter"] == "reset" and r["txt_resets"] == 1 and r["resets"] == 1
    assert r.failed_rules() == RULES + LEAVES_RULES + RULES[:-1]

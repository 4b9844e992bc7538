# SPDX-License-Identifier: BSD-3-Clause
"""
MLEs of our own on the TXT platform. mle/leaves.c: GETSEC and the register spaces outside of a measured environment; mle/launch.c: a launch, the same
inside, and launches that break one rule. What must come of a rule is read in docs/TXT-RULES.md, which says which rules are broken here.
"""
import hashlib
import os
import re
import struct
import subprocess

import pytest
from txt_boot import TOP, boot, make_esp

UD, GP, NONE = "00000006", "0000000d", "00000000"

# What the SDM (volume 2D, chapter 6 or 7 "Safer Mode Extensions Reference") and the SDG (appendix B) want.
EXPECTED = {
    "errorcode": NONE,
    "cpuid-1-ecx-smx-vmx": "00000060",
    "feature-control": "0000ff07",
    "wrmsr-feature-control": GP,            # locked
    "wrmsr-platform-id": GP,                # read-only
    "getsec-without-smxe": UD,
    "cr4-smxe": "00004000",
    "capabilities": "000001fd",
    "capabilities-1": NONE,
    "parameters-00000000": "00000001 ffffffff 00000000",
    "parameters-00000001": "00040002 00000000 00000000",
    "parameters-00000002": "00004103 00000000 00000000",
    "leaf-1": UD, "leaf-9": UD,
    "ring-3-capabilities": NONE, "ring-3-capabilities-eax": "000001fd", "ring-3-senter": GP,
    "exitac": GP, "sexit-outside": GP, "smctrl-outside": GP, "wakeup-outside": GP,
    "public-didvid": "b0018086",
    "private-closed": "ffffffff",
    "didvid-is-read-only": "b0018086",
    "locality1-while-closed": NONE,
    "secrets-through-public": NONE,
    "senter-without-ne": GP, "senter-without-cache": GP, "senter-edx": GP, "senter-unaligned": GP, "senter-size": GP, "senter-small": GP,
    "senter-large": GP, "senter-machine-check": GP, "senter-4g": GP, "enteraccs-unaligned": GP, "enteraccs-size": GP, "enteraccs-small": GP,
    "enteraccs-large": GP, "enteraccs-4g": GP,
}
# The rules that broke, in the order of the program.
RULES = ["msr-feature-control", "msr-read-only", "smx-smxe", "smx-leaf", "smx-leaf", "smx-not-in-acm", "smx-not-in-mle", "smx-not-in-mle",
         "smx-not-in-mle", "smx-cpl", "smx-cr0-ne", "smx-cr0-cd", "smx-mcip", "smx-edx", "smx-acm-alignment", "smx-acm-size", "smx-acm-small",
         "smx-acm-large", "smx-acm-4g", "smx-acm-alignment", "smx-acm-size", "smx-acm-small", "smx-acm-large", "smx-acm-4g",
         "heap-table-size"]


# What mle/launch.c tells from inside a measured environment: SDG 2.1 (state), appendix B; SDM 2D 7.3.
INSIDE = {
    "entry": NONE, "page-table": "001f0000", "sinit": NONE, "eflags": "00000002", "cr0": "00000033", "cr4": "00004000",
    "sinit-mle-version": "00000009",
    "senter-inside": GP, "enteraccs-inside": GP, "exitac-inside": GP, "capabilities-inside": "000001fd",
    "smctrl-ebx": GP, "smctrl": NONE, "wakeup": NONE,
    # SENTER.DONE, LOCK of base and memory configuration, private space and locality 2 open
    "sts-inside": "000100e1",
    "private-didvid": "b0018086",
    "secrets-by-public": NONE, "secrets": "00000002", "no-secrets": NONE,
    "locality1": "00008000", "locality1-closed": NONE, "locality2-closed": NONE, "locality2": "00010000",
    "errorcode-written": "12345678", "mem-config-unlocked": NONE, "private-after-close": "ffffffff",
    "sexit": NONE, "sts-outside": "00000022", "sexit-again": GP, "smctrl-outside": GP,
}
AP = {"ap-cr4-smxe": "00004000", "ap-senter": GP, "ap-sexit": GP, "ap-wakeup": GP}
INSIDE_RULES = ["smx-in-mle", "smx-in-mle", "smx-not-in-acm", "smx-smctrl-ebx"]
AP_RULES = ["smx-bsp"] * 3
OUTSIDE_RULES = ["smx-not-in-mle", "smx-not-in-mle"]

# Each ends the launch: "rule=" of mle/launch.c.
FATAL = [
    "smx-acm-key", "smx-acm-version", "smx-acm-claimed-size", "smx-acm-memory", "acm-format", "heap-os-version", "heap-element-size", "heap-log",
    "pmr-lo-alignment", "mle-page-unprotected", "caps-wake", "acpi-rsdp", "mle-page-hole", "mle-page-order", "mle-page-sinit", "mle-pt-large",
    "mle-uuid", "mle-entry", "mle-size",
]
# With two processors, in the measured environment.
FATAL_JOIN = ["smx-join-memory", "smx-join-limit", "smx-join-selector"]


def documented():
    """docs/TXT-RULES.md: rule -> (what comes of it, whether it is broken in a boot)."""
    found = {}
    with open(os.path.join(TOP, "docs/TXT-RULES.md"), encoding="utf-8") as f:
        for line in f:
            cells = [c.strip() for c in line.strip().strip("|").split(" | ")]
            if len(cells) == 5 and cells[0] not in ("Rule", "---"):
                found[cells[0]] = (cells[2], cells[4].endswith("; boot"))
    return found


def build(work, name="leaves"):
    out = os.path.join(work, name + ".elf")
    subprocess.run(["gcc", "-m32", "-std=gnu11", "-Os", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-pic", "-fno-pie", "-no-pie",
                    "-fno-stack-protector", "-nostdlib", "-static", "-fcf-protection=none", "-fno-asynchronous-unwind-tables",
                    "-mgeneral-regs-only", "-Wl,--build-id=none", "-Wl,-Ttext=0x200000", "-Wl,-z,noexecstack",
                    "-Wl,--section-start=.multiboot=0x1ff000", "-o", out, os.path.join(TOP, f"tests/boot/mle/{name}.c")],
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


def start(work, line="", *options, resets=0):
    mle = build(work, "launch")
    r = boot(work, make_esp(os.path.join(work, "esp"), [], line, mle), "--mle", mle, "--resets", str(resets), "--timeout", "60", *options)
    return mle, r, re.findall(r"^mle: (\S+)=(.*)$", r.serial_text(), re.M)


def code_of(mle):
    """Section .text of an ELF32 file."""
    with open(mle, "rb") as f:
        elf = f.read()
    at, size, count, names = struct.unpack_from("<I10xHHH", elf, 32)
    sections = [struct.unpack_from("<10I", elf, at + i * size) for i in range(count)]
    for name, _, _, _, offset, n, *_ in sections:
        if elf[sections[names][4] + name:].startswith(b".text\0"):
            return elf[offset:offset + n]
    return None


@pytest.mark.parametrize("cpus", [1, 2])
def test_launch(tmp_path, cpus):
    mle, r, said = start(str(tmp_path), "", "--cpus", str(cpus))
    want = {**INSIDE, **(AP if cpus > 1 else {})}
    said = dict(said)
    assert said.items() >= want.items(), {k: (v, said.get(k)) for k, v in want.items() if said.get(k) != v}
    assert r["ended"] == "poweroff" and r["launches"] == 1 and r["sexits"] == 1 and r["joined"] == cpus - 1 and r["resets"] == 0
    # Just the code is measured; nothing of it was written to.
    assert r["mle_hash"]["sha256"] == hashlib.sha256(code_of(mle)).hexdigest()
    assert r.failed_rules() == INSIDE_RULES + (AP_RULES if cpus > 1 else []) + OUTSIDE_RULES


@pytest.mark.parametrize("rule", FATAL + FATAL_JOIN)
def test_rule(tmp_path, rule):
    outcome, in_boot = documented()[rule]
    join = rule in FATAL_JOIN
    _, r, _ = start(str(tmp_path), f"rule={rule}", "--cpus", "2" if join else "1")
    assert in_boot
    assert r["ended"] == "reset" and r["txt_resets"] == 1
    assert r["txt_errorcode"] == outcome.removeprefix("shutdown ")
    assert r["rule"] == rule and r["why"]
    assert r.failed_rules() == (INSIDE_RULES if join else []) + [rule]
    assert "mle: returned" not in r.serial_text()
    if not join:
        assert r["launches"] == 0 and r["senter"] == "reset"


def test_without_a_tpm(tmp_path):
    """The processor does not begin."""
    _, r, said = start(str(tmp_path), "", "--tpm", "none")
    assert documented()["smx-tpm"] == ("#GP(0)", True) and said == [("errorcode", NONE), ("senter", GP)]
    assert r["ended"] == "poweroff" and r["senter"] == "refused" and r["txt_resets"] == 0 and r.failed_rules() == ["smx-tpm"] and r["pcrs"] == {}


def test_with_tpm_12(tmp_path):
    """It does, and SINIT finds that the TPM does not understand it."""
    _, r, said = start(str(tmp_path), "", "--tpm", "1.2")
    assert r["ended"] == "reset" and r["senter"] == "reset" and r["txt_resets"] == 1 and said == [("errorcode", NONE)]
    assert documented()["tpm-error"] == (r["txt_errorcode"], True) and r.failed_rules() == [r["rule"]] == ["tpm-error"]


def test_with_crb(tmp_path):
    """SINIT's way to the TPM is not the guest's: QEMU's CRB, which has locality 0 only, is good enough for it."""
    _, r, said = start(str(tmp_path), "", "--tpm", "crb")
    assert r["launches"] == 1 and dict(said).items() >= INSIDE.items() and r.failed_rules() == INSIDE_RULES + OUTSIDE_RULES


@pytest.mark.parametrize("rule", [FATAL[0], FATAL[-1], FATAL_JOIN[-1]])
def test_after_the_reset(tmp_path, rule):
    """The program, started again, finds the error; after a processor's shutdown there is no launch any more."""
    shutdown = documented()[rule][0].startswith("shutdown ")
    join = rule in FATAL_JOIN
    _, r, said = start(str(tmp_path), f"rule={rule}", "--cpus", "2" if join else "1", resets=1)
    assert r["ended"] == "poweroff" and r["txt_resets"] == 1 and r["resets"] == 1
    again = said[[i for i, (name, _) in enumerate(said) if name == "errorcode"][1]:]
    assert again[:2] == [("errorcode", r["txt_errorcode"][2:]), ("ests", "00000001" if shutdown else NONE)]
    assert again[2:] == ([("senter-after-shutdown", GP)] if shutdown else [])
    assert r.failed_rules() == (INSIDE_RULES if join else []) + [rule] + (["smx-txt-reset"] if shutdown else [])


@pytest.mark.parametrize("how", ["cmd-reset", "reset-with-secrets"])
def test_reset_inside(tmp_path, how):
    """TXT.CMD.RESET keeps the MLE's own error code; a plain reset with secrets in memory is recorded in TXT.ESTS (WAKE_ERROR)."""
    _, r, said = start(str(tmp_path), f"rule={how}", resets=1)
    plain = how == "reset-with-secrets"
    assert said[-2:] == [("errorcode", "c0ffee02" if plain else "c0ffee01"), ("ests", "00000040" if plain else NONE)]
    assert r["ended"] == "poweroff" and r["launches"] == 1 and r["resets"] == 1 and r["txt_resets"] == (0 if plain else 1)
    assert not r["drtm"] and r["secrets"] == plain
    assert r.failed_rules()[len(INSIDE_RULES):] == (["reset-with-secrets"] if plain else [])


def test_document_names_what_boots_break():
    assert {rule for rule, (_, in_boot) in documented().items() if in_boot} == \
        set(RULES + INSIDE_RULES + AP_RULES + OUTSIDE_RULES + FATAL + FATAL_JOIN + ["smx-txt-reset", "smx-tpm", "tpm-error"])

# SPDX-License-Identifier: BSD-3-Clause
"""The stage as tboot's module 0, after SENTER: what it measures, what it logs, what it starts, and when it refuses."""
import gzip
import hashlib
import os

import pytest

import txt_boot
from txt_boot import KERNEL, LINUX_LINE, boot, inputs, make_esp

STAGE = os.environ.get("GEOLAUNCH_STAGE", os.path.join(txt_boot.TOP, "build/stage/geolaunch-stage.elf"))
VLP_INDEX, GEO_INDEX = 0x01C10131, 0x01C10110
BANKS = ["sha1", "sha256", "sha384", "sha512"]
ALG_IDS = {"sha1": 0x4, "sha256": 0xB, "sha384": 0xC, "sha512": 0xD}
NV, CLOSING, CAP = 0x5A2, 0x5A3, 0x5A4
GEO = b"geolaunch test tag " * 3


def geo_rule(content=GEO, kind="nv"):
    return f"nv={GEO_INDEX:#010x},{kind},22,sha256,{hashlib.sha256(content).hexdigest()}"


def rules(modules, policy="halt", hypervisor="linux", nv=(), halt="poweroff,0", more=()):
    return " ".join(["geolaunch-stage 1", f"policy={policy}", f"hypervisor={hypervisor}", f"modules={modules}",
                     *nv, f"halt={halt}", *more])


def vlp(pcrs):
    """Version 2, nonfatal, SHA-256, control 1: module 0 as tboot treats it, module i into pcrs[i - 1], any hash."""
    entries = [bytes([0, 255, 0, 0, 0, 0, 0, 0])] + [bytes([i, p, 0, 0, 0, 0, 0, 0]) for i, p in enumerate(pcrs, 1)]
    return bytes([2, 0, 0xB, 1, 0, 0, 0, 0, 0, 0, 0, len(entries)]) + b"".join(entries)


def provision(folder, pcrs, geo=GEO):
    folder.mkdir()
    (folder / f"nv-{VLP_INDEX:#010x}").write_bytes(vlp(pcrs))
    if geo is not None:
        (folder / f"nv-{GEO_INDEX:#010x}").write_bytes(geo)
    return str(folder)


def extend(value, digest, bank):
    return hashlib.new(bank, value + digest).digest()


def digest(bank, *parts):
    return hashlib.new(bank, b"".join(parts)).digest()


def members(tmp_path):
    vmm, conf = tmp_path / "vmm.bin", tmp_path / "vm.json"
    vmm.write_bytes(b"#!/bin/busybox sh\necho measured\n" + bytes(70001))
    conf.write_bytes(b'{"vm": 1}\n')
    return [("vmm", str(vmm), "/usr/bin/vmm"), ("vm.json", str(conf), "/etc/vm/vm.json")]


XEN = os.path.join(txt_boot.DEPS, "xen/boot/xen-4.17-amd64.gz")
DOM0 = os.path.join(txt_boot.DEPS, "kernel-dom0/vmlinuz")
# Under TCG a PV dom0 dies in its first page fault if the processor has SMAP.
XEN_LINE, DOM0_LINE = "console=com1 com1=115200 smap=0 smep=0 dom0_mem=512M", "console=hvc0 loglevel=4 panic=-1"
LINUX_ROLES, LINUX_PCRS = "hypervisor,initrd,vmm:0755,file:0644", [19, 19, 20, 21]
XEN_ROLES, XEN_PCRS = "hypervisor,kernel,initrd,vmm:0755,file:0644", [19, 19, 19, 20, 21]


def linux_modules(tmp_path, line=None):
    return [("stage", STAGE, line or rules(LINUX_ROLES, nv=[geo_rule()])), ("vmlinuz", KERNEL, LINUX_LINE),
            ("initrd", os.path.join(inputs(), "initrd"), ""), *members(tmp_path)]


def xen_modules(tmp_path):
    return [("stage", STAGE, rules(XEN_ROLES, hypervisor="xen", nv=[geo_rule()])), ("xen", XEN, XEN_LINE), ("kernel", DOM0, DOM0_LINE),
            ("initrd", os.path.join(inputs(), "initrd"), ""), *members(tmp_path)]


def read(path):
    """What tboot measures: GRUB unpacks gzip."""
    with open(path, "rb") as f:
        data = f.read()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def module_digest(bank, line, path):
    return digest(bank, digest(bank, line.encode()), digest(bank, read(path)))


def cap_digest(bank, reason):
    return digest(bank, b"cap " + reason.encode())


def check_log(r, pcrs):
    """Log replay in every bank: 19-22 always, 17 and 18 where all authors of the events extend the bank."""
    log = r.log()
    checked = 0
    for bank, alg in ALG_IDS.items():
        for pcr in range(17, 23):
            if all(alg in digests for which, _, digests, _ in txt_boot.events(log) if which == pcr):
                assert txt_boot.extend_all(log, pcr, alg, bank) == pcrs[bank][pcr], (bank, pcr)
                checked += 1
    # sha256: all six; the others: 22, which tboot does not touch.
    assert checked == 6 + 3


def check_pcrs(pcrs, modules, where, geo=GEO):
    """19-22 computed here from files and content, apart from all code of the product. tboot extends SHA-256 only."""
    for bank in BANKS:
        zero = bytes(hashlib.new(bank).digest_size)
        want = {pcr: zero for pcr in (19, 20, 21)}
        if bank == "sha256":
            for (_, path, line), pcr in zip(modules[1:], where):
                want[pcr] = extend(want[pcr], module_digest(bank, line, path), bank)
        want[22] = extend(zero, digest(bank, geo) if geo is not None else cap_digest(bank, "nv-missing"), bank)
        for pcr, value in want.items():
            assert pcrs[bank][pcr] == value.hex(), (bank, pcr)


def check_closing(r, pcrs):
    """The last event: PCR 19-22 of each bank in PCR 17."""
    pcr, kind, digests, name = txt_boot.events(r.log())[-1]
    assert (pcr, kind, name) == (17, CLOSING, b"closing")
    for bank, alg in ALG_IDS.items():
        assert digests[alg] == digest(bank, *(bytes.fromhex(pcrs[bank][i]) for i in (19, 20, 21, 22))), bank


def check_members(r, modules):
    """The host has the very bytes that were measured."""
    for _, path, line in modules[-2:]:
        mode = "755" if line.endswith("vmm") else "644"
        assert r["facts"][f"file.{os.path.basename(line)}"] == f"{mode}:{hashlib.sha256(read(path)).hexdigest()}"


def stage_lines(r):
    return [line.split("geolaunch-stage: ", 1)[1].rstrip() for line in r.serial_text().splitlines() if "geolaunch-stage: " in line]


def check_started(r, modules, where, geo=GEO):
    assert r["ended"] == "poweroff" and r["senter"] == "launched" and r["facts"].get("done") == "yes", (r["notes"], stage_lines(r))
    pcrs = {bank: r.guest_pcrs(bank) for bank in BANKS}
    check_pcrs(pcrs, modules, where, geo)
    check_closing(r, pcrs)
    check_log(r, pcrs)
    check_members(r, modules)


def run(tmp_path, modules, where, *options, geo=GEO):
    return boot(str(tmp_path), make_esp(str(tmp_path / "esp"), modules), "--banks", ",".join(BANKS),
                "--provision", provision(tmp_path / "nv", where, geo), *options)


def check_halted(r, reason):
    """Stopped and powered off through tboot, after caps in all of 17-22; nothing was started."""
    assert r["ended"] == "poweroff" and r["senter"] == "launched", (r["notes"], stage_lines(r))
    assert f"halted: {reason}: " in "\n".join(stage_lines(r)) and not any("starting" in line for line in stage_lines(r))
    assert r["facts"] == {}
    assert r["sexits"] == 1 and not r["secrets"]
    caps = [(pcr, kind, name) for pcr, kind, _, name in txt_boot.events(r.log())[-6:]]
    assert caps == [(pcr, CAP, b"cap " + reason.encode()) for pcr in range(17, 23)]
    # tboot caps more on its way out, but no PCR that the stage alone extends.
    for bank, alg in ALG_IDS.items():
        assert r["pcrs"][bank]["22"] == txt_boot.extend_all(r.log(), 22, alg, bank)


def test_linux(tmp_path):
    modules = linux_modules(tmp_path)
    r = run(tmp_path, modules, LINUX_PCRS)
    check_started(r, modules, LINUX_PCRS)
    # The host knows that tboot is below it, and goes through it when it powers off.
    assert r["facts"]["tboot"] == "yes" and r["sexits"] == 1 and not r["secrets"]
    # It has ACPI, and nothing of EFI, which nobody measured.
    assert r["facts"]["acpi"] == "yes" and "efi" not in r["facts"]


def test_linux_with_efi(tmp_path):
    modules = linux_modules(tmp_path, rules(LINUX_ROLES, nv=[geo_rule()], more=["efi=runtime"]))
    r = run(tmp_path, modules, LINUX_PCRS)
    check_started(r, modules, LINUX_PCRS)
    assert (r["facts"]["tboot"], r["facts"]["acpi"], r["facts"]["efi"], r["sexits"]) == ("yes", "yes", "yes", 1)


def test_linux_with_two_processors(tmp_path):
    modules = linux_modules(tmp_path)
    r = run(tmp_path, modules, LINUX_PCRS, "--cpus", "2")
    check_started(r, modules, LINUX_PCRS)
    assert r["facts"]["cpus"] == "2" and r["joined"] == 1


def test_xen(tmp_path):
    """Debian's Xen has no tboot support compiled in (CONFIG_TBOOT), so it does not end the measured environment itself."""
    modules = xen_modules(tmp_path)
    r = run(tmp_path, modules, XEN_PCRS, "--timeout", "280")
    check_started(r, modules, XEN_PCRS)
    text = r.serial_text()
    assert "(XEN) Command line: " + XEN_LINE + " tboot=0x" in text


@pytest.mark.parametrize("policy", ["nonfatal", "continue", "halt"])
def test_geo_missing(tmp_path, policy):
    modules = linux_modules(tmp_path, rules(LINUX_ROLES, policy=policy, nv=[geo_rule()]))
    r = run(tmp_path, modules, LINUX_PCRS, geo=None)
    if policy == "halt":
        check_halted(r, "nv-missing")
    else:
        check_started(r, modules, LINUX_PCRS, geo=None)
        assert "measured, with errors: nv-missing" in stage_lines(r)


def test_geo_of_another_place(tmp_path):
    r = run(tmp_path, linux_modules(tmp_path), LINUX_PCRS, geo=b"somewhere else")
    check_halted(r, "nv-mismatch")
    # What is there was measured before it was capped.
    kinds = [kind for pcr, kind, _, _ in txt_boot.events(r.log()) if pcr == 22]
    assert kinds == [NV, CAP]


def test_reboot(tmp_path):
    modules = linux_modules(tmp_path, rules(LINUX_ROLES, nv=[geo_rule()], halt="reboot,0"))
    r = run(tmp_path, modules, LINUX_PCRS, geo=b"somewhere else")
    assert r["ended"] == "reset" and r["sexits"] == 1 and not r["secrets"]
    assert "halted: nv-mismatch: " in "\n".join(stage_lines(r))


@pytest.mark.parametrize("rule, reason", [
    ("PCR_Extend@2#8=rc:0x101", "tpm-error"), ("PCR_Extend@2#9=rc:0x101", "tpm-error"), ("PCR_Read@2#1=rc:0x101", "tpm-error"),
    ("NV_Read@2#2=rc:0x149", "nv-unreadable")])
def test_tpm_fails(tmp_path, rule, reason):
    """tboot's own extends are seven, so the eighth at locality 2 is the geo tag, the ninth the closing event."""
    check_halted(run(tmp_path, linux_modules(tmp_path), LINUX_PCRS, "--fault", rule), reason)


@pytest.mark.parametrize("change, reason", [
    (lambda modules: modules[:-1], "description-invalid"),                                          # one module less than the rules name
    (lambda modules: [(*modules[0][:2], modules[0][2] + " x"), *modules[1:]], "description-invalid"),
    (lambda modules: [modules[0], ("vmlinuz", STAGE, LINUX_LINE), *modules[2:]], "start-failed"),   # no kernel
])
def test_refused(tmp_path, change, reason):
    check_halted(run(tmp_path, change(linux_modules(tmp_path)), LINUX_PCRS), reason)


@pytest.mark.parametrize("policy", ["nonfatal", "continue"])
def test_no_dynamic_launch(tmp_path, policy):
    """tboot finds no SINIT and starts the stage all the same, as the policy in NV is nonfatal. The stage's rules decide what follows."""
    modules = linux_modules(tmp_path, rules(LINUX_ROLES, policy=policy, nv=[geo_rule()]))
    r = run(tmp_path, modules, LINUX_PCRS, "--txt-arg=--loader-sinit")
    lines = "\n".join(stage_lines(r))
    assert r["ended"] == "poweroff" and r["senter"] == "not-reached" and not r["drtm"], (r["notes"], lines)
    if policy == "nonfatal":
        assert "NOT MEASURED" in lines and "measured" not in lines.replace("NOT MEASURED", "")
        assert r["facts"].get("done") == "yes" and "tboot" not in r["facts"]
        check_members(r, modules)
        pcrs = {bank: r.guest_pcrs(bank) for bank in BANKS}
    else:
        assert "halted: preflight: " in lines and r["facts"] == {}
        pcrs = {bank: {pcr: r["pcrs"][bank][str(pcr)] for pcr in range(17, 23)} for bank in BANKS}
    # Without SENTER nobody gets locality 2: no cap, but no value either that could pass for one of a launch.
    assert "TPM locality 2 is closed, as it always is before a dynamic launch" in lines
    assert "PCR 17-22 could not be capped" in lines
    assert "TPM_RC_LOCALITY" not in lines
    for bank in BANKS:
        assert {pcrs[bank][pcr] for pcr in range(17, 23)} == {"ff" * hashlib.new(bank).digest_size}

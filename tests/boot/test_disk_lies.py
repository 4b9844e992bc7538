# SPDX-License-Identifier: BSD-3-Clause
"""
The disk is not to be trusted: it gives other bytes when a file is read again, or fails in the middle of one. What runs is what was
measured, each file is read once, and every other end has its line, its cap and its verdict. Mode direct; test_disk_lies_txt.py has mode
txt, and test_disk_stalls.py disks that never answer.
"""
import hashlib
import os
import struct

import launch
import pytest

from disk_host import DEFAULT, FOLDER, IO_ERROR, KERNELS, Direct, digest, flipped, other_kernel, read, sha256, start, swap
from test_direct import DYNAMIC, extend


def release(folder):
    """What `uname -r` says of a kernel."""
    return read(os.path.join(folder, "version")).decode().strip()


@pytest.fixture
def direct(request):
    """direct(policy, hypervisor) makes a Direct."""
    made = []

    def make(policy, hypervisor="linux", **changes):
        a_launch = request.getfixturevalue("a_launch" if hypervisor == "linux" else "a_xen_launch")
        for key, value in changes.items():
            a_launch.manifest["hypervisor"][key] = value
        made.append(Direct(a_launch, policy))
        return made[-1]
    yield make
    for one in made:
        one.disk.close()


# ---- other bytes ----

def other_policy(data):
    """The same but for the last digest of module 1, which nothing fits. Header 12; an entry: 8 and its digest."""
    at = 12 + 8
    assert data[at] == 1 and data[at + 2] == 1 and data[at + 7] == 1, data[:64]
    return data[:at + 8] + flipped(data[at + 8:at + 8 + 32]) + data[at + 8 + 32:]


def all_lie(one):
    """Every file has a second version: one that would be started as well as the first, where it can."""
    xen = one.hypervisor == "xen"
    files = {
        "initrd": swap(one.on_esp("initrd"), b'tell "kvm=$(', b'tell "KVM=$('),
        "vmm": flipped(one.on_esp("vmm")),
        "file-0": flipped(one.on_esp("file-0")),
    }
    if xen:
        files |= {"xen": swap(one.on_esp("xen"), b"Command line: %s", b"Another line: %s"), "kernel": other_kernel(one, "kernel")}
    else:
        files["linux"] = other_kernel(one, "linux")
    for name, content in files.items():
        one.disk.other(FOLDER + name, content)
    return list(files)


@pytest.mark.parametrize("hypervisor", ["linux", "xen"])
def test_second_read_is_another_file(direct, hypervisor):
    """Each sector has other bytes from its second read on. Nobody sees them."""
    one = direct("halt", hypervisor)
    modules = all_lie(one)
    conf, policy = one.on_esp("launch.conf"), one.on_esp("policy.vlp")
    one.disk.other(FOLDER + "launch.conf", swap(conf, b"halt-delay 0", b"halt-delay 1").replace(b"panic=-1", b"rdinit=-"))
    one.disk.other(FOLDER + "policy.vlp", other_policy(policy))
    one.disk.other(FOLDER + "geolaunch.efi", flipped(one.on_esp("geolaunch.efi")))
    one.disk.other(DEFAULT, flipped(read(os.path.join(one.launch.built, "esp", DEFAULT))))
    one.boot()
    r, facts = one.result, one.result["facts"]
    assert r["ended"] == "poweroff" and one.verdict["agree"] is True and one.verdict["verdicts"] == ["no-drtm"], one.serial
    for bank in launch.ALL_BANKS:
        assert {p: r["pcrs"][bank][p] for p in DYNAMIC} == {p: one.launch.expected["pcrs"][bank][p] for p in DYNAMIC}, bank
    # As the host sees itself: kernel, init, VM manager, file.
    assert facts["kernel"] == release(KERNELS["kernel" if hypervisor == "xen" else "linux"])
    assert "kvm" in facts and "KVM" not in facts and facts["done"] == "yes"
    for fact, name in (("vmm_sha256", "vmm"), ("vm_json", "file-0")):
        assert facts[fact] == sha256(one.on_esp(name)), name
    assert facts["vmm_measured"] == "yes"
    if hypervisor == "xen":
        assert "(XEN) Command line: " in one.serial and "Another line" not in one.serial
    read_once = {name: set(one.disk.counts(FOLDER + name)) for name in (*modules, "launch.conf", "policy.vlp")}
    assert read_once == {name: {1} for name in read_once}
    # The firmware, too, starts and measures what it read once. Nobody looks at the copy beside the files.
    assert set(one.disk.counts(DEFAULT)) == {1} and set(one.disk.counts(FOLDER + "geolaunch.efi")) == {0}
    for name in read_once:
        one.record(name, "second read is another file", "the first one is measured and runs; read once")


def test_first_read_is_another_file(direct):
    """The same disk when it lies at once: what is measured then is the other version, and that runs. So the test above can fail."""
    one = direct("nonfatal")
    all_lie(one)
    one.disk.lie = 0
    one.boot()
    facts, v = one.result["facts"], one.verdict
    assert one.result["ended"] == "poweroff", one.serial
    assert v["agree"] is False and set(v["verdicts"]) == {"no-drtm", "module-mismatch"} and one.code == 13, v
    assert v["modules"][0] == "module 1 hypervisor linux"
    assert facts["kernel"] == release(KERNELS["kernel"]) and "KVM" in facts
    assert facts["vmm_sha256"] == sha256(flipped(one.on_esp("vmm")))
    line, vmm = (hashlib.sha256(x).digest() for x in (launch.VMM.encode(), flipped(one.on_esp("vmm"))))
    assert one.result["pcrs"]["sha256"]["20"] == extend("sha256", start("sha256"), hashlib.sha256(line + vmm).digest()).hex()
    one.record("all modules", "first read is another file", "the other one is measured and runs")


# ---- errors in the middle ----

# Whatever the policy type says, without description and policy nothing goes on, nor without something to start.
STOPS = [
    ("linux", "launch.conf", "nonfatal", "description-missing", "virtio"),
    ("linux", "policy.vlp", "nonfatal", "policy-missing", "virtio"),
    ("linux", "linux", "halt", "module-unreadable", "virtio"),
    ("linux", "linux", "nonfatal", "start-failed", "virtio"),
    ("linux", "initrd", "halt", "module-unreadable", "nvme"),
    ("linux", "vmm", "halt", "module-unreadable", "virtio"),
    ("xen", "xen", "continue", "start-failed", "virtio"),
    ("xen", "kernel", "halt", "module-unreadable", "virtio"),
]


@pytest.mark.parametrize("hypervisor,file,policy,reason,kind", STOPS)
def test_error_in_the_middle_stops(direct, hypervisor, file, policy, reason, kind):
    """kind: the disk's; the firmware has a driver for each."""
    one = direct(policy, hypervisor)
    one.disk.middle(FOLDER + file, "error")
    one.boot("--disk", kind)
    assert f"geolaunch: {file}: {IO_ERROR}" in one.serial, one.serial
    if reason == "start-failed":
        # First the cap of the module, in its place; the others were measured, as predicted; then all were capped.
        for bank in launch.ALL_BANKS:
            for pcr in ("20", "21", "22"):
                value = extend(bank, bytes.fromhex(one.launch.expected["pcrs"][bank][pcr]), digest(bank, "start-failed"))
                assert one.result["pcrs"][bank][pcr] == value.hex(), (bank, pcr)
        assert one.result["ended"] == "halt" and one.result["halt"].startswith("start-failed: "), one.serial
        assert "nothing to start" in one.serial and one.verdict["agree"] is False and one.code == 16
    else:
        one.halted(reason, file)
    one.record(file, f"error in the middle, {kind}, {policy}", f"halted: {reason}")


def test_error_that_the_firmware_swallows(direct):
    """OVMF 2022.11 on QEMU's AHCI says that all went well. What it has left in memory instead of the bytes is what gets measured."""
    one = direct("halt")
    one.disk.middle(FOLDER + "linux", "error")
    one.boot("--disk", "ahci")
    # A firmware that knows better is welcome.
    reason = "module-unreadable" if IO_ERROR in one.serial else "module-mismatch"
    one.halted(reason, "linux", lines=1 if IO_ERROR in one.serial else 0)
    one.record("linux", "error in the middle, ahci, halt", f"halted: {reason}")


@pytest.mark.parametrize("policy", ["nonfatal", "continue"])
def test_error_in_the_middle_goes_on(direct, policy):
    """The VM manager cannot be read, and the policy lets the host start all the same: without it, and with a cap in its place."""
    one = direct(policy)
    one.disk.middle(FOLDER + "vmm", "error")
    one.boot()
    r, v = one.result, one.verdict
    assert one.serial.count(f"geolaunch: vmm: {IO_ERROR}") == 1
    assert r["ended"] == "poweroff" and r["facts"]["vmm_measured"] == "missing" and r["facts"]["vm_json"] == sha256(one.on_esp("file-0"))
    assert set(v["verdicts"]) >= {"no-drtm", "capped"} and v["capped"] == "module-unreadable" and v["agree"] is False and one.code == 16, v
    for bank in launch.ALL_BANKS:
        assert r["pcrs"][bank]["20"] == extend(bank, start(bank), digest(bank, "module-unreadable")).hex()
    one.record("vmm", f"error in the middle, {policy}", "started without the file, capped: module-unreadable")


# ---- a file system that is none ----

def loop(disk):
    """The kernel's clusters lead back to its first one."""
    _, first, size = disk.fat.find(FOLDER + "linux")
    chain = disk.fat.clusters(first, size)
    disk.fat.link(chain[len(chain) // 2], first)


def claims(size):
    def change(disk):
        struct.pack_into("<I", disk.first, disk.entry(FOLDER + "linux"), size)
    return change


def to_nowhere(disk):
    _, first, _ = disk.fat.find(FOLDER + "linux")
    disk.fat.link(first, 0xFF0)


ODD = [
    ("clusters in a loop", loop, "module-mismatch", None),
    ("claims 4 GiB less a byte", claims(0xFFFFFFFF), "module-unreadable", "larger than a file of a launch can be"),
    ("claims 3 GiB", claims(3 << 30), "start-failed", "no memory for its 3.0 GiB"),
    ("claims 64 MiB", claims(64 << 20), "module-unreadable", "cannot be read (EFI_"),
    ("clusters that lead nowhere", to_nowhere, "module-unreadable", "cannot be read (EFI_"),
]


@pytest.mark.parametrize("case,change,reason,line", ODD, ids=lambda x: x if isinstance(x, str) else "")
def test_file_system_lies(direct, case, change, reason, line):
    one = direct("halt")
    change(one.disk)
    one.boot()
    if line:
        assert f"geolaunch: linux: {line}" in one.serial or f"geolaunch: linux: cannot be read: {line}" in one.serial, one.serial
        one.halted(reason, "linux")
    else:
        assert one.result["ended"] == "halt" and one.result["halt"].startswith(reason), one.serial
        assert one.verdict["agree"] is False and one.code == 16
    one.record("linux", case, f"halted: {reason}")


@pytest.mark.parametrize("more", [-4096, 4096])
def test_size_changes(direct, more):
    """
    The folder would say another size if it were read again: edk2's FAT driver keeps it, so nobody does. What geolaunch.efi reads is as long
    as it was told when it opened the file.
    """
    one = direct("halt")
    size = one.disk.size(FOLDER + "linux")
    entry = one.disk.entry(FOLDER + "linux")
    one.disk.later(entry, struct.pack("<I", size + more))
    one.boot()
    assert one.result["ended"] == "poweroff" and one.verdict["agree"] is True and one.verdict["verdicts"] == ["no-drtm"], one.serial
    assert set(one.disk.counts(FOLDER + "linux")) == {1}
    # A firmware that reads it twice needs a look at what it makes of two sizes.
    assert one.disk.count(entry) == 1
    one.record("linux", f"size {'grows' if more > 0 else 'shrinks'} between reads",
               "the folder is read once, too: the first one is measured and runs")

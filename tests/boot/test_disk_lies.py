# SPDX-License-Identifier: BSD-3-Clause
"""
The disk is not to be trusted: it gives other bytes when a file is read again, fails in the middle of one, or never answers. What runs
is what was measured, each file is read once, and every other end has its line, its cap and its verdict.
"""
import hashlib
import json
import os
import struct
import subprocess

import launch
import pytest
import results

from bad_disk import BadDisk
from test_direct import DYNAMIC, extend
from test_txt_chain import findings
from test_txt_predict import BANKS, Host
from txt_boot import GEOLAUNCH, TBOOT, boot

KERNELS = {name: launch.KERNEL if name == "linux" else launch.KERNEL_DOM0 for name in ("linux", "kernel")}
FOLDER, DEFAULT = "EFI/geolaunch/", "EFI/BOOT/BOOTX64.EFI"


def record(mode, hypervisor, file, case, outcome, verdict, code):
    results.record("disk", {"mode": mode, "hypervisor": hypervisor, "file": file, "case": case, "outcome": outcome,
                            "verdicts": sorted(verdict["verdicts"]), "exit": code})


def read(path):
    with open(path, "rb") as f:
        return f.read()


def flipped(data):
    return bytes(255 - b for b in data)


def swap(data, old, new):
    assert data.count(old) == 1 and len(old) == len(new), old
    return data.replace(old, new)


def release(folder):
    """What `uname -r` says of a kernel."""
    return read(os.path.join(folder, "version")).decode().strip()


class Direct:
    """A launch in direct mode, from a disk that is not good."""

    def __init__(self, a_launch, policy):
        self.launch, self.mode = a_launch, "direct"
        self.hypervisor = a_launch.manifest["hypervisor"]["kind"]
        a_launch.manifest["policy"]["type"] = policy
        a_launch.provision()
        a_launch.build()
        self.disk = BadDisk(os.path.join(a_launch.built, "esp"))

    def on_esp(self, name):
        return read(os.path.join(self.launch.built, "esp", FOLDER, name))

    def boot(self, *options):
        with self.disk:
            self.launch.boot(*options, disk=self.disk.socket)
        self.result, self.serial = self.launch.result, self.launch.serial
        self.code, self.verdict = self.launch.code, self.launch.verdict

    def halted(self, reason, file, lines=1):
        """Stopped for this reason, all of PCR 17-22 capped, and nothing that verify takes for a launch."""
        assert self.result["ended"] == "halt" and self.result["halt"].startswith(reason + ": "), self.serial
        for bank in launch.ALL_BANKS:
            assert self.result["pcrs"][bank]["22"] == extend(bank, start(bank), digest(bank, reason)).hex(), bank
        assert self.verdict["agree"] is False and "capped" in self.verdict["verdicts"] and self.code == 16, self.verdict
        assert "starting the hypervisor" not in self.serial and "BdsDxe: starting Boot0002" not in self.serial
        assert self.serial.count(f"geolaunch: {file}: ") == lines, self.serial

    def record(self, file, case, outcome):
        record(self.mode, self.hypervisor, file, case, outcome, self.verdict, self.code)


def start(bank):
    """Of PCR 17-22 without a launch."""
    return b"\xff" * hashlib.new(bank).digest_size


def digest(bank, reason):
    return hashlib.new(bank, b"cap " + reason.encode()).digest()


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

def other_kernel(one, name):
    """A kernel of another version, as long as the first one; zeros behind a kernel do no harm."""
    size = len(one.on_esp(name))
    other = read(os.path.join(KERNELS["kernel" if name == "linux" else "linux"], "vmlinuz"))
    return other.ljust(size, b"\0")[:size]


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


def sha256(data):
    return hashlib.sha256(data).hexdigest()


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

IO_ERROR = "cannot be read (EFI_DEVICE_ERROR): check the disk and its file system"
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
        # First the cap of the module, in its place; the others were measured.
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


# ---- no answer ----

def test_disk_that_does_not_answer(direct):
    """virtio: its driver waits for ever. Our timer interrupts it."""
    one = direct("nonfatal")
    one.disk.middle(FOLDER + "linux", "stall")
    one.boot("--timeout", "200")
    assert "geolaunch: linux: the disk has not answered for 30 seconds" in one.serial, one.serial
    assert "(EFI_TIMEOUT)" in one.result["halt"]
    one.halted("module-unreadable", "linux")
    one.record("linux", "no answer in the middle, virtio, nonfatal", "halted after 30 s: module-unreadable")


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
    """The folder says another size when it is read again. What geolaunch.efi reads is as long as it was told when it opened the file."""
    one = direct("halt")
    size = one.disk.size(FOLDER + "linux")
    one.disk.later(one.disk.entry(FOLDER + "linux"), struct.pack("<I", size + more))
    one.boot()
    assert one.result["ended"] == "poweroff" and one.verdict["agree"] is True and one.verdict["verdicts"] == ["no-drtm"], one.serial
    assert set(one.disk.counts(FOLDER + "linux")) == {1}
    one.record("linux", f"size {'grows' if more > 0 else 'shrinks'} between reads", "the first one is measured and runs; read once")


# ---- mode txt ----

class Txt(Host):
    """A launch in txt mode with a file of the VM manager's, from a disk that is not good."""

    def __init__(self, work, policy):
        super().__init__(work, policy={"type": policy, "hash": "sha256"}, files=[{"file": "vm.json", "path": "/etc/vm/vm.json"}])
        with open(self.path("vm.json"), "wb") as f:
            f.write(b'{"vm": 1}\n')
        self.expected = self.build()
        self.disk = BadDisk(self.path("out/esp"))

    def on_esp(self, name):
        return read(self.path("out/esp", FOLDER, name))

    def start(self):
        """Result, exit code and answer of `geolaunch verify`: PCRs and log as the host saw them, or what a launch left that was stopped."""
        with self.disk:
            r = boot(self.work, self.disk.socket, "--banks", ",".join(BANKS), "--sinit", self.path("sinit.acm"), "--mle", TBOOT,
                     "--provision", self.path("out"), disk=True)
        done = "done" in r["facts"]
        pcrs = {b: {str(i): v for i, v in r.guest_pcrs(b).items()} for b in BANKS} if done else r["pcrs"]
        with open(self.path("pcrs.json"), "w", encoding="ascii") as f:
            json.dump({"pcrs": pcrs}, f)
        args = [GEOLAUNCH, "verify", self.path("out/expected.json"), "--pcrs", self.path("pcrs.json"), "--json"]
        if done:
            with open(self.path("launch.log"), "wb") as f:
                f.write(r.log())
            args += ["--log", self.path("launch.log")]
        p = subprocess.run(args, capture_output=True, text=True, timeout=60, check=False)
        return r, p.returncode, json.loads(p.stdout)


@pytest.fixture
def txt(tmp_path):
    """txt(policy) makes a host in txt mode with its disk."""
    made = []

    def make(policy):
        made.append(Txt(tmp_path, policy))
        return made[-1]
    yield make
    for h in made:
        h.disk.close()


def test_txt_second_read_is_another_file(txt):
    """Pre-flight has compared what tboot then gets, and launches."""
    h = txt("halt")
    files = {
        "launch.conf": swap(h.on_esp("launch.conf"), b"min_ram=0x2000000", b"min_ram=0x2100000"),
        "policy.vlp": flipped(h.on_esp("policy.vlp")),
        "tboot": swap(h.on_esp("tboot"), b"no SINIT AC module found\n", b"NO SINIT AC module found\n"),
        "sinit": flipped(h.on_esp("sinit")),
        "stage": swap(h.on_esp("stage"), b"the event log is full", b"the event log is FULL"),
        "linux": other_kernel_of(h),
        "initrd": swap(h.on_esp("initrd"), b"geolaunch-host: init=yes", b"geolaunch-host: init=two"),
        "vmm": flipped(h.on_esp("vmm")),
        "file-0": flipped(h.on_esp("file-0")),
    }
    for name, content in files.items():
        h.disk.other(FOLDER + name, content)
    r, code, v = h.start()
    about = (r["ended"], r.get("senter"), findings(r), v["first_difference"], v["verdicts"], r["notes"])
    assert r["ended"] == "poweroff" and r["senter"] == "launched", about
    assert v["verdicts"] == ["trusted"] and code == 0 and v["agree"] is True, about
    for bank in BANKS:
        assert {str(p): x for p, x in r.guest_pcrs(bank).items()} == {p: h.expected["pcrs"][bank][p] for p in DYNAMIC}, bank
    assert r["facts"]["init"] == "yes" and r["facts"]["file.vmm"].endswith(sha256(h.on_esp("vmm")))
    assert r["facts"]["file.vm.json"].endswith(sha256(h.on_esp("file-0")))
    read_once = {name: set(h.disk.counts(FOLDER + name)) for name in files}
    assert read_once == {name: {1} for name in read_once}
    for name in read_once:
        record("txt", "linux", name, "second read is another file", "the first one is measured and runs; read once", v, code)


def other_kernel_of(h):
    size = len(h.on_esp("linux"))
    return read(os.path.join(launch.KERNEL_DOM0, "vmlinuz")).ljust(size, b"\0")[:size]


@pytest.mark.parametrize("file", ["tboot", "sinit", "stage", "linux"])
def test_txt_error_in_the_middle_stops(txt, file):
    """Before SENTER, which is not reached."""
    h = txt("halt")
    h.disk.middle(FOLDER + file, "error")
    r, code, v = h.start()
    text = r.serial_text()
    assert r["ended"] == "halt" and r["halt"].startswith("preflight: ") and r["senter"] == "not-reached", text
    assert text.count(f"geolaunch: {file}: {IO_ERROR}") == 1 and len(findings(r)) == 1, text
    assert {r["pcrs"][b][p] for b in BANKS for p in DYNAMIC} == {"ff" * n for n in (20, 32, 48)}
    assert v["agree"] is False and "no-drtm" in v["verdicts"] and code == 10, v
    record("txt", "linux", file, "error in the middle, halt", "halted before SENTER: preflight", v, code)

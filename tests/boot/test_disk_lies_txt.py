# SPDX-License-Identifier: BSD-3-Clause
"""The same as test_disk_lies.py in mode txt: pre-flight compares what tboot then gets, and what cannot be read is said before SENTER."""
import os
import re

import pytest

from bad_disk import BadDisk
from disk_host import FOLDER, IO_ERROR, Txt, flipped, other_kernel, read, record, sha256, swap
from tamper_host import STOP, Cache, Host
from tamper_txt_changes import launch_control
from test_direct import DYNAMIC
from test_txt_chain import findings
from test_txt_predict import BANKS

ALL_ONES = {"ff" * n for n in (20, 32, 48)}


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


# ---- other bytes ----

def common_lies(on_esp):
    """Second versions of what every launch in mode txt reads."""
    lies = {name: flipped(on_esp(name)) for name in ("policy.vlp", "sinit", "lcp", "vmm", "file-0")}
    return lies | {
        "launch.conf": swap(on_esp("launch.conf"), b"min_ram=0x2000000", b"min_ram=0x2100000"),
        "tboot": swap(on_esp("tboot"), b"no SINIT AC module found\n", b"NO SINIT AC module found\n"),
        "stage": swap(on_esp("stage"), b"the event log is full", b"the event log is FULL"),
    }


def read_once(disk, files):
    counts = {name: set(disk.counts(FOLDER + name)) for name in files}
    assert counts == {name: {1} for name in counts}


def test_second_read_is_another_file(txt):
    """Pre-flight has compared what tboot then gets, and launches."""
    h = txt("halt")
    files = common_lies(h.on_esp) | {
        "linux": other_kernel(h, "linux"),
        "initrd": swap(h.on_esp("initrd"), b"geolaunch-host: init=yes", b"geolaunch-host: init=two"),
    }
    for name, content in files.items():
        h.disk.other(FOLDER + name, content)
    h.boot()
    r, v = h.result, h.verdict
    about = (r["ended"], r.get("senter"), findings(r), v["first_difference"], v["verdicts"], r["notes"])
    assert r["ended"] == "poweroff" and r["senter"] == "launched", about
    assert v["verdicts"] == ["trusted"] and h.code == 0 and v["agree"] is True, about
    for bank in BANKS:
        assert {str(p): x for p, x in r.guest_pcrs(bank).items()} == {p: h.expected["pcrs"][bank][p] for p in DYNAMIC}, bank
    assert r["facts"]["init"] == "yes" and r["facts"]["file.vmm"].endswith(sha256(h.on_esp("vmm")))
    assert r["facts"]["file.vm.json"].endswith(sha256(h.on_esp("file-0")))
    read_once(h.disk, files)
    for name in files:
        h.record(name, "second read is another file", "the first one is measured and runs; read once")


@pytest.fixture
def txt_xen(tmp_path):
    """A host whose Xen stops at once and tells what it was given (tests/boot/stop), and its disk."""
    os.makedirs(tmp_path / "cache")
    h = Host(Cache(tmp_path / "cache"), tmp_path, "txt", "xen", "halt")
    launch_control(h)
    h.make()
    disk = BadDisk(h.path("built/esp"))
    yield h, disk
    disk.close()


def test_second_read_is_another_file_with_xen(txt_xen):
    """Xen's program, its kernel and its initrd are those of the first read, byte by byte."""
    h, disk = txt_xen
    files = common_lies(lambda name: h.read(h.esp(name)))
    files["xen"] = read(os.path.join(STOP, "xen-other.elf"))[:os.path.getsize(h.esp("xen"))]     # section headers are at the end
    for name in ("kernel", "initrd"):
        files[name] = flipped(h.read(h.esp(name)))
    for name, content in files.items():
        disk.other(FOLDER + name, content)
    with disk:
        h.disk = disk.socket
        h.boot()
    r = h.result
    code, v = h.verify()
    about = (r["ended"], r["halt"], r.get("senter"), h.findings(), v["first_difference"], v["verdicts"], r["facts"], r["notes"])
    assert r["ended"] == "poweroff" and r["senter"] == "launched" and h.findings() == [], about
    assert v["verdicts"] == ["trusted"] and code == 0 and v["agree"] is True, about
    for bank in BANKS:
        assert {p: r["pcrs"][bank][p].lower() for p in DYNAMIC} == {p: h.expected["pcrs"][bank][p] for p in DYNAMIC}, bank
    assert (r["facts"]["program"], r["facts"]["started"]) == ("stop", "xen-32"), about
    assert h.read(r["blobs"]["kernel"]) == h.read(h.esp("kernel"))
    initrd = h.read(r["blobs"]["initrd"])
    assert initrd.startswith(h.read(h.esp("initrd"))) and all(initrd.count(h.read(h.esp(name))) == 1 for name in ("vmm", "file-0"))
    read_once(disk, files)
    for name in files:
        record("txt", "xen", name, "second read is another file", "the first one is measured and runs; read once", v, code)


# ---- errors in the middle, before SENTER, which is not reached ----

# File, policy type, reason of the halt, what pre-flight finds. Without description and policy there is nothing that it could look at.
STOPS = [
    ("launch.conf", "nonfatal", "description-missing", None),
    ("policy.vlp", "continue", "policy-missing", None),
    ("tboot", "halt", "preflight", "module-file"),
    ("sinit", "halt", "preflight", "sinit-file"),
    ("lcp", "halt", "preflight", "lcp-file"),
    ("lcp", "continue", "preflight", "lcp-file"),
    ("stage", "halt", "preflight", "module-file"),
    ("linux", "halt", "preflight", "module-file"),
    ("initrd", "halt", "preflight", "module-file"),
    ("vmm", "halt", "preflight", "module-file"),
    ("file-0", "halt", "preflight", "module-file"),
]


@pytest.mark.parametrize("file,policy,reason,finding", STOPS)
def test_error_in_the_middle_stops(txt, file, policy, reason, finding):
    h = txt(policy)
    h.disk.middle(FOLDER + file, "error")
    h.boot()
    r, v = h.result, h.verdict
    assert r["ended"] == "halt" and r["halt"].startswith(reason + ": ") and r["senter"] == "not-reached", h.serial
    assert h.serial.count(f"geolaunch: {file}: {IO_ERROR}") == 1 and findings(r) == ([finding] if finding else []), h.serial
    if finding:
        assert len(re.findall(rf"^geolaunch: pre-flight {finding}: .*\b{file}\b", h.serial, re.M)) == 1, h.serial
    assert "NOT MEASURED" not in h.serial and "TBOOT: " not in h.serial, h.serial
    assert {r["pcrs"][b][p] for b in BANKS for p in DYNAMIC} == ALL_ONES
    assert v["agree"] is False and "no-drtm" in v["verdicts"] and h.code == 10, v
    h.record(file, f"error in the middle, {policy}", f"halted before SENTER: {reason}")


@pytest.mark.parametrize("file,policy", [("vmm", "continue"), ("tboot", "nonfatal")])
def test_error_in_the_middle_goes_on(txt, file, policy):
    """The policy lets the host start without a launch, and without the file: said so, and no value of a launch is left."""
    h = txt(policy)
    h.disk.middle(FOLDER + file, "error")
    h.boot()
    r, v = h.result, h.verdict
    assert r["ended"] == "poweroff" and r["facts"]["done"] == "yes" and r["senter"] == "not-reached", h.serial
    # Pre-flight has read it, and so does the start without a launch, if it is something that a host gets.
    lost = file == "vmm"
    assert h.serial.count(f"geolaunch: {file}: {IO_ERROR}") == 1 + lost and findings(r) == ["module-file"], h.serial
    assert h.serial.count("geolaunch: verdict: NOT MEASURED, started because the policy allows it") == 1 and "TBOOT: " not in h.serial
    assert "tboot" not in r["facts"] and ("file.vmm" not in r["facts"]) is lost
    assert lost or r["facts"]["file.vmm"].endswith(sha256(h.on_esp("vmm")))
    assert r["facts"]["file.vm.json"].endswith(sha256(h.on_esp("file-0")))
    assert {r.guest_pcrs(b)[int(p)] for b in BANKS for p in DYNAMIC} == ALL_ONES
    assert v["agree"] is False and "no-drtm" in v["verdicts"] and h.code == 10, v
    h.record(file, f"error in the middle, {policy}", "started without a launch" + (" and without the file" if lost else ""))

# SPDX-License-Identifier: BSD-3-Clause
"""qemu/run: its parts, every way to end with a played QEMU, and the real one with nothing to boot."""
import base64
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "qemu/run"
WAIT = 60

sys.path.insert(0, str(ROOT / "qemu"))
from harness import esp, host, serial, vm  # noqa: E402


# ---------------------------------------------------------------- serial

def test_room_for_what_is_not_read_yet():
    """QEMU sends byte by byte and drops what finds no room, as on a machine that is too busy to read."""
    ours, theirs = vm.stream()
    with ours, theirs:
        theirs.setblocking(False)
        sent = 0
        with pytest.raises(BlockingIOError):
            while sent < 1 << 20:
                sent += theirs.send(b"x")
        assert sent >= (8000 if os.geteuid() == 0 else 500), sent


CONSOLE = (b"\x1b[2J\x1b[01;01H\x1b[=3hBdsDxe: loading\r\n\x1b[1m\x1b[33mgeolaunch 1.0\x1b[0m ok\r\n10%\r50%\r100%\r\n"
           b"\x1b[07;01Hmoved\x1b(Bhere\x1b[08;01Hlast \xc3\xbc\x07!\r\n\r\n")
TEXT = ["BdsDxe: loading", "geolaunch 1.0 ok", "10%", "50%", "100%", "movedhere", "last ü!"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(CONSOLE)])
def test_lines_at_any_split(size):
    lines, got = serial.Lines(), []
    for i in range(0, len(CONSOLE), size):
        got += lines.feed(CONSOLE[i:i + size])
    assert got == TEXT
    assert lines.rest() == ""


def test_lines_rest_and_noise():
    lines = serial.Lines()
    assert lines.feed(b"Shell> \x1b[0") == []
    assert lines.rest() == "Shell>"
    noise = random.Random(1).randbytes(100000)
    for i in range(0, len(noise), 999):
        lines.feed(noise[i:i + 999])


# ---------------------------------------------------------------- host report

def report_of(*lines):
    r = host.Report()
    for line in lines:
        r.line(line)
    r.close()
    return r


def test_report():
    blob = bytes(range(256)) * 3
    text = base64.b64encode(blob).decode()
    r = report_of("[    1.2] kernel noise", "geolaunch-host: vmm.sha256=abc=def", "geolaunch-host: begin eventlog base64",
                  text[:76], text[76:] + "  ", "geolaunch-host: end eventlog", "geolaunch-host: vmm.sha256=later", "QUJD")
    assert r.facts == {"vmm.sha256": "later"}
    assert r.blobs == {"eventlog": blob}
    assert r.notes == []


@pytest.mark.parametrize("lines, note", [
    (["begin eventlog base64", "end eventlog2"], "ends as"),
    (["begin eventlog base64"], "has no end"),
    (["begin eventlog base64", "begin other base64", "end other"], "has no end"),
    (["begin ../../etc/passwd base64", "end ../../etc/passwd"], "impossible name"),
    (["begin .. base64", "end .."], "impossible name"),
    (["begin a/b base64"], "impossible name"),
    (["begin eventlog hex"], "not understood"),
    (["what is this"], "not understood"),
    (["bad key=1"], "not understood"),
])
def test_report_malformed(lines, note):
    r = report_of(*("geolaunch-host: " + line for line in lines))
    assert "eventlog" not in r.blobs and not any("/" in name or name.startswith(".") for name in r.blobs)
    assert len(r.notes) == 1 and note in r.notes[0]


def test_report_not_base64():
    r = report_of("geolaunch-host: begin eventlog base64", "QUJ*", "geolaunch-host: end eventlog")
    assert r.blobs == {} and "not base64" in r.notes[0]


def test_report_is_bounded(monkeypatch):
    monkeypatch.setattr(host, "_BLOB_MAX", 100)
    r = report_of("geolaunch-host: begin big base64", *["A" * 40] * 5, "geolaunch-host: end big")
    assert r.blobs == {} and "too large" in r.notes[0]
    r = report_of(*(f"geolaunch-host: k{i}=1" for i in range(5000)))
    assert len(r.facts) <= 1000 and len(r.notes) <= 1000


# ---------------------------------------------------------------- ESP image

def read_back(image, path, work):
    return subprocess.run(["mtype", "-i", image, f"::{path}"], check=True, capture_output=True, timeout=WAIT,
                          env=dict(os.environ, MTOOLS_SKIP_CHECK="1")).stdout


def test_image_sizes():
    mib = 1 << 20
    assert esp.image_size(0) == (17 * mib, False)
    for content in (1, 17 * mib, 100 * mib, 244 * mib, 245 * mib, 246 * mib, 247 * mib, 1000 * mib, 8000 * mib):
        size, fat32 = esp.image_size(content)
        clusters = size // 4096
        assert size >= content + content // 512
        assert size % mib == 0
        assert clusters > 66000 if fat32 else 4085 < clusters < 65525


@pytest.mark.parametrize("fat32", [False, True])
def test_image(tmp_path, monkeypatch, fat32):
    tree = tmp_path / "tree"
    (tree / "EFI/BOOT").mkdir(parents=True)
    (tree / "EFI/geolaunch").mkdir()
    (tree / "EFI/BOOT/BOOTX64.EFI").write_bytes(b"MZ" * 3000)
    (tree / "EFI/geolaunch/a long file name.conf").write_bytes(b"")
    (tree / "-dash").write_bytes(b"dash")
    os.symlink(tree / "-dash", tree / "link")
    big = random.Random(2).randbytes(3 << 20)
    (tree / "EFI/geolaunch/vmlinuz").write_bytes(big)
    if fat32:
        monkeypatch.setattr(esp, "_FAT16_MAX", 1)
    work = tmp_path / "work"
    work.mkdir()
    image = work / "esp.img"
    esp.make_image(str(tree), str(image), str(work))
    boot = image.read_bytes()[:512]
    assert (boot[82:87] == b"FAT32") == fat32 and (boot[54:59] == b"FAT16") != fat32
    assert read_back(image, "/EFI/BOOT/BOOTX64.EFI", work) == b"MZ" * 3000
    assert read_back(image, "/EFI/geolaunch/vmlinuz", work) == big
    assert read_back(image, "/EFI/geolaunch/a long file name.conf", work) == b""
    assert read_back(image, "/-dash", work) == b"dash" == read_back(image, "/link", work)


def test_image_unreadable_file(tmp_path):
    (tmp_path / "gone").symlink_to("nowhere")
    with pytest.raises(esp.HarnessError, match="cannot read .*gone"):
        esp.make_image(str(tmp_path), str(tmp_path / "esp.img"), str(tmp_path))


# ---------------------------------------------------------------- runs

class Runner:
    """Runs qemu/run with a temporary directory of its own, so that what it leaves can be seen."""

    def __init__(self, path):
        self.path = path
        self.temp = path / "temp"
        self.esp = path / "esp"
        self.temp.mkdir()
        self.esp.mkdir()
        self.env = dict(os.environ, TMPDIR=str(self.temp), GEOLAUNCH_CACHE=str(path / "cache"))

    def fake(self, steps, stubborn=False):
        folder = self.path / "bin"
        folder.mkdir()
        os.symlink(Path(__file__).parent / "fake_qemu.py", folder / "qemu-system-x86_64")
        self.env.update(PATH=f"{folder}:{os.environ['PATH']}", FAKE_QEMU=steps)
        if stubborn:
            self.env["FAKE_QEMU_STUBBORN"] = "1"
        return self

    def argv(self, *options):
        return [str(RUN), "--esp", str(self.esp), "--json", str(self.path / "out.json"), *map(str, options)]

    def run(self, *options):
        r = subprocess.run(self.argv(*options), env=self.env, capture_output=True, text=True, timeout=WAIT)
        self.code, self.err = r.returncode, r.stderr
        assert r.stdout == ""
        assert len(r.stderr.splitlines()) == (0 if r.returncode == 0 else 1), r.stderr
        out = self.path / "out.json"
        self.result = json.loads(out.read_text()) if out.exists() else None
        assert self.processes() == []
        return self

    def processes(self):
        """Processes that live in our directory: the harness starts all of its own there."""
        found = []
        for p in Path("/proc").iterdir():
            try:
                if p.name.isdigit() and os.readlink(p / "cwd").startswith(str(self.temp)):
                    found.append((p / "cmdline").read_text())
            except OSError:
                pass
        return found

    def left(self):
        return sorted(str(p.relative_to(self.temp)) for p in self.temp.rglob("*"))


@pytest.fixture
def runner(tmp_path):
    return Runner(tmp_path)


ENDINGS = {
    "poweroff": ("serial geolaunch 1.0\nevent guest-shutdown", 0),
    "halt": ("serial geolaunch 1.0\nserial geolaunch: halted: geo-mismatch: not in DE\nevent guest-shutdown", 10),
    "halt without a line end": ("serial \\x1b[2J\nserial x\\x1b[3;1Hgeolaunch: halted: geo-mismatch: not in DE\\x1b[4;1H", 10),
    "reset": ("serial geolaunch 1.0\nevent guest-reset", 11),
    "timeout": ("serial geolaunch 1.0\nsleep", 12),
    "firmware": ("serial BdsDxe: No bootable option or device was found.\nsleep", 13),
    "error": ("err qemu-system-x86_64: cannot do that\nexit 1", 1),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_ending(runner, name):
    steps, code = ENDINGS[name]
    runner.fake(steps).run("--tpm", "none", "--timeout", "1")
    ended = name.split()[0]
    assert (runner.code, runner.result["ended"]) == (code, ended)
    assert runner.result["halt"] == ("geo-mismatch: not in DE" if ended == "halt" else None)
    assert (runner.result["first_line_s"] is not None) == ("geolaunch 1.0" in steps)
    assert runner.result["pcrs"] == {} and runner.result["log"] is None
    if ended in ("poweroff", "halt"):
        assert runner.left() == [] and runner.result["serial"] is None
    else:
        logs = Path(runner.result["serial"]).parent if runner.result["serial"] else None
        assert str(logs or "logs in") in runner.err
        assert {p.split("/")[-1] for p in runner.left()} <= {
            runner.left()[0], "logs", "serial.log", "serial.raw", "host.out", "qemu.log"}
    if code:
        assert f"ended by {ended}" in runner.err and "repeat: cd " in runner.err
    if ended == "error":
        assert "cannot do that" in runner.err


def test_quiet_guest(runner):
    runner.fake("serial geolaunch 1.0\nsleep").run("--tpm", "none", "--timeout", "100", "--quiet", "0.5")
    assert (runner.code, runner.result["ended"]) == (12, "timeout")


def test_not_quiet_before_the_first_word(runner):
    runner.fake("sleep").run("--tpm", "none", "--timeout", "1", "--quiet", "0.1")
    assert (runner.code, runner.result["ended"]) == (12, "timeout")
    assert 1 <= runner.result["seconds"] < 100


def test_halted_guest_that_stays_is_ended(runner):
    runner.fake("serial geolaunch: halted: returned\nsleep").run("--tpm", "none", "--timeout", "50")
    assert (runner.code, runner.result["halt"]) == (10, "returned")
    assert runner.result["seconds"] < 20


@pytest.mark.parametrize("grace", [0, 5])
def test_halted_guest_gets_as_long_as_is_said(runner, grace):
    runner.fake("serial geolaunch: halted: returned\nsleep").run("--tpm", "none", "--timeout", "50", "--halt-grace", str(grace))
    assert (runner.code, runner.result["ended"], runner.result["halt"]) == (10, "halt", "returned")
    assert grace <= runner.result["seconds"] < grace + 20


def test_stubborn_qemu_is_killed(runner):
    runner.fake("event guest-shutdown\nsleep", stubborn=True).run("--tpm", "none", "--timeout", "50")
    assert (runner.code, runner.result["ended"], runner.result["qemu_exit"]) == (0, "poweroff", -signal.SIGKILL)


def test_host_report_and_keep(runner):
    blob = base64.b64encode(b"the log").decode()
    steps = (f"host geolaunch-host: begin eventlog base64\nhost {blob}\nhost geolaunch-host: end eventlog\n"
             "host geolaunch-host: vmm=seen\nserial \\x1b[1mline\\x1b[0m\nevent guest-shutdown")
    keep = runner.path / "keep"
    runner.fake(steps).run("--tpm", "none", "--keep", keep)
    assert runner.code == 0
    assert runner.result["facts"] == {"vmm": "seen"}
    assert base64.b64decode(runner.result["log"]) == b"the log"
    assert Path(runner.result["blobs"]["eventlog"]).read_bytes() == b"the log"
    assert Path(runner.result["serial"]).read_text() == "line\n"
    assert b"\x1b[1m" in (keep / "serial.raw").read_bytes()
    assert runner.left() == []


def test_repeat_line(runner):
    runner.fake("event guest-shutdown").run("--tpm", "none", "--keep", runner.path / "a b")
    (runner.path / "out.json").unlink()
    subprocess.run(runner.result["repeat"], shell=True, check=True, env=runner.env, timeout=WAIT)
    assert (runner.path / "out.json").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_cleans_up(runner, number):
    runner.fake("serial up\nsleep", stubborn=number == signal.SIGTERM)
    keep = runner.path / "keep"
    p = subprocess.Popen(runner.argv("--keep", keep), env=runner.env, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: (keep / "serial.log").exists() and (keep / "serial.log").read_text() == "up\n")
    assert len(runner.processes()) == 3
    p.send_signal(number)
    _, err = p.communicate(timeout=WAIT)
    assert p.returncode == 128 + number
    assert err == f"qemu/run: interrupted by {number.name}\n"
    assert runner.processes() == [] and runner.left() == []
    assert not (runner.path / "out.json").exists()


def test_signal_during_setup(runner):
    """A TPM that is being made is not left behind."""
    del runner.env["GEOLAUNCH_CACHE"]
    runner.fake("event guest-shutdown")
    p = subprocess.Popen(runner.argv(), env=runner.env, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: any("swtpm_setup" in c for c in runner.processes()))
    p.send_signal(signal.SIGTERM)
    p.communicate(timeout=WAIT)
    assert p.returncode == 128 + signal.SIGTERM
    wait_for(lambda: runner.processes() == [])
    assert runner.left() == []


def test_killed_harness_takes_its_children_along(runner):
    runner.fake("serial up\nsleep")
    keep = runner.path / "keep"
    p = subprocess.Popen(runner.argv("--keep", keep), env=runner.env)
    wait_for(lambda: (keep / "serial.log").exists() and (keep / "serial.log").read_text() == "up\n")
    p.kill()
    p.wait(WAIT)
    wait_for(lambda: runner.processes() == [])


def wait_for(condition):
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_guest_that_ends_without_touching_the_tpm(runner):
    """The played QEMU never connects to the TPM: that no PCR values exist is told as an error."""
    runner.fake("event guest-shutdown").run()
    assert (runner.code, runner.result["ended"]) == (1, "error")
    assert "no PCR values" in runner.err


def test_qemu_that_refuses_to_start(runner):
    runner.run("--qemu-arg=-device", "--qemu-arg=nonsense")
    assert runner.code == 1 and "'nonsense' is not a valid device" in runner.err


def test_old_logs_are_not_mixed_up(runner):
    keep = runner.path / "keep"
    keep.mkdir()
    for name in ("qemu.log", "proxy.log", "serial.log", "host.out", "pcrs.json"):
        (keep / name).write_text("geolaunch: halted: long ago\n")
    runner.fake("exit 7").run("--tpm", "none", "--keep", keep)
    assert runner.code == 1 and "long ago" not in runner.err and "status 7" in runner.err
    assert (keep / "serial.log").read_text() == ""


@pytest.mark.parametrize("options, words", [
    (["--banks", "md5"], "unknown bank 'md5'"),
    (["--tpm", "3"], "invalid choice"),
    (["--tpm", "none", "--fault", "*=drop"], "--fault makes no sense"),
    (["--tpm", "1.2", "--banks", "sha1"], "--banks makes no sense"),
    (["--tpm-state", "/", "--banks", "sha1"], "--banks is for a fresh TPM"),
    (["--tpm-state", "/"], "no state of a TPM 2.0"),
    (["--tpm-state-rw"], "needs --tpm-state"),
    (["--timeout", "-1"], "not a time"),
    (["--memory", "lots"], "not a number"),
    (["--fault", "PCR_Extend=explode"], "action must be"),
    (["--json", "/nonexistent/x"], "directory does not exist"),
    (["--esp", "/nonexistent"], "not a directory"),
    (["--esp-nbd", "/nonexistent"], "either --esp or --esp-nbd"),
    (["--disk", "tape"], "invalid choice"),
    (["--what"], "unrecognized"),
])
def test_usage(runner, options, words):
    runner.run(*options)
    assert runner.code == 2 and words in runner.err
    assert runner.result is None and runner.left() == []


@pytest.mark.parametrize("options, words", [
    ([], "either --esp or --esp-nbd"),
    (["--esp-nbd", "/nonexistent/socket"], "no such socket"),
    (["--esp-nbd", "/", "--platform", "txt"], "needs --mle"),
])
def test_usage_without_a_tree(options, words):
    p = subprocess.run([RUN, *options], capture_output=True, text=True, timeout=WAIT)
    assert p.returncode == 2 and words in p.stderr and len(p.stderr.splitlines()) == 1 and p.stdout == ""


def test_missing_program(runner):
    runner.env["PATH"] = "/nonexistent"
    (runner.path / "out.json").write_text('{"ended": "poweroff"}')
    runner.run("--tpm", "none")
    assert runner.code == 1 and "not installed" in runner.err
    assert runner.left() == []
    assert runner.result["ended"] == "error"        # not the older run's
    assert runner.result["pcrs"] == {} and "not installed" in runner.result["notes"][0]


def test_missing_proxy(runner):
    runner.env["GEOLAUNCH_TPMPROXY"] = "/nonexistent/tpmproxy"
    runner.run()
    assert runner.code == 1 and "/nonexistent/tpmproxy" in runner.err


def test_help():
    r = subprocess.run([RUN, "--help"], capture_output=True, text=True, timeout=WAIT)
    assert r.returncode == 0 and r.stderr == ""
    for word in ("firmware", "timeout", "--fault", "GEOLAUNCH_CACHE"):
        assert word in r.stdout
    assert all(len(line) <= 110 for line in r.stdout.splitlines())


# ---------------------------------------------------------------- real QEMU, nothing to boot

def digest_of(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir() if not p.name.startswith(".")}


@pytest.mark.parametrize("tpm, banks", [("tis", "sha1,sha256,sha384,sha512"), ("crb", "sha384")])
def test_nothing_to_boot(runner, tpm, banks):
    trace = runner.path / "trace"
    runner.run("--tpm", tpm, "--banks", banks, "--tpm-trace", trace, "--timeout", "60")
    assert (runner.code, runner.result["ended"], runner.result["first_line_s"]) == (13, "firmware", None)
    sizes = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}
    assert set(runner.result["pcrs"]) == set(banks.split(","))
    for bank, values in runner.result["pcrs"].items():
        assert {i: len(v) for i, v in values.items()} == {str(i): 2 * sizes[bank] for i in range(24)}
        assert values["17"] == "ff" * sizes[bank]
        assert values["0"] != "00" * sizes[bank]       # the firmware measured itself
    assert "UEFI Interactive Shell" in Path(runner.result["serial"]).read_text()
    names = [json.loads(line)["name"] for line in trace.read_text().splitlines()]
    assert "Startup" in names and "PCR_Extend" in names
    assert {Path(p).name for p in runner.left()[2:]} <= {"serial.log", "serial.raw", "host.out", "qemu.log"}


def test_tpm_1_2(runner):
    runner.run("--tpm", "1.2", "--timeout", "60")
    assert runner.code == 13
    assert set(runner.result["pcrs"]) == {"sha1"} and len(runner.result["pcrs"]["sha1"]) == 24
    assert runner.result["pcrs"]["sha1"]["0"] != "00" * 20


def test_given_state_is_copied_unless_told_otherwise(runner):
    runner.run("--timeout", "60")
    state = runner.path / "state"
    shutil.copytree(next((runner.path / "cache").iterdir()), state)
    before = digest_of(state)
    assert set(before) == {"tpm2-00.permall"}
    runner.run("--tpm-state", state, "--timeout", "60")
    assert runner.code == 13 and digest_of(state) == before
    runner.run("--tpm-state", state, "--tpm-state-rw", "--timeout", "60")
    assert runner.code == 13 and digest_of(state) != before


def test_fault_reaches_the_guest(runner):
    """Nothing of the firmware's TPM start comes through: no PCRs, and no TPM command follows."""
    trace = runner.path / "trace"
    runner.run("--fault", "*=rc:0x101", "--tpm-trace", trace, "--timeout", "60")
    assert runner.code == 13
    assert runner.result["pcrs"] == {} and "0x00000100" in runner.result["notes"][0]
    entries = [json.loads(line) for line in trace.read_text().splitlines()]
    guest = [e for e in entries if e["seq"]]        # the others are QEMU's own
    assert guest and all(e.get("fault") == "rc" for e in guest)

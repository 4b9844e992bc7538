# SPDX-License-Identifier: BSD-3-Clause
"""txtplatform without the harness, as txtplatform(1) says: QEMU, swtpm and tpmproxy by hand."""
import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from txt_boot import TBOOT, TOP, make_esp

OVMF = "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"
SHORT = [("module0", __file__, "")]
TXTPLATFORM = os.environ.get("GEOLAUNCH_TXTPLATFORM", os.path.join(TOP, "build/host/txtplatform"))
TPMPROXY = os.environ.get("GEOLAUNCH_TPMPROXY", os.path.join(TOP, "build/host/tpmproxy"))
WAIT = 240


def manual_arguments():
    """QEMU's arguments as the manual page has them."""
    with open(os.path.join(TOP, "docs/man/txtplatform.1.scd"), encoding="utf-8") as f:
        text = f.read().split("# QEMU'S ARGUMENTS", 1)[1].split("```")[1]
    return text.split()


class Alone:
    def __init__(self, work):
        self.work = work
        self.children = []

    def begin(self):
        work = self.work
        for name, size in (("registers", 128 << 10), ("area", 4 << 20)):
            (work / name).write_bytes(b"")
            os.truncate(work / name, size)
        shutil.copy(OVMF[1], work / "vars.fd")
        (work / "tpm").mkdir()
        subprocess.run(["swtpm_setup", "--tpm2", "--tpmstate", str(work / "tpm"), "--overwrite"], check=True, capture_output=True, timeout=60)
        self.swtpm = self.start("swtpm socket --tpm2 --tpmstate dir=tpm --ctrl type=unixio,path=swtpm.sock --terminate".split())
        self.proxy = self.start([TPMPROXY, *"--listen proxy.sock --swtpm swtpm.sock --command command.sock --gate".split()])
        self.wait(lambda: (work / "proxy.sock").exists())
        # The ESP by QEMU's own FAT driver, which wants files, not links: this run needs no tool of the harness.
        shutil.copytree(make_esp(str(work / "tree"), SHORT), work / "esp")
        self.qemu = self.start(["qemu-system-x86_64", *manual_arguments(), "-m", "512", "-nodefaults", "-display", "none", "-no-reboot",
                                "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={OVMF[0]}", "-drive", "if=pflash,format=raw,unit=1,file=vars.fd",
                                "-drive", "file=fat:rw:esp,format=raw,if=none,id=esp", "-device", "virtio-blk-pci,drive=esp,bootindex=1",
                                "-serial", "file:serial.log"])

    def start(self, argv, **kwargs):
        child = subprocess.Popen(argv, cwd=self.work, stdout=subprocess.DEVNULL, **{"stderr": subprocess.DEVNULL, **kwargs})
        self.children.append(child)
        return child

    def platform(self, *options):
        self.txt = self.start([TXTPLATFORM, *"--gdb gdb.sock --qmp qmp.sock --tpm-command command.sock --registers registers --area area".split(),
                               "--mle", TBOOT, "--json", "out.json", *options], stderr=subprocess.PIPE, text=True)

    def wait(self, condition):
        end = time.monotonic() + WAIT
        while not condition():
            assert time.monotonic() < end, "it does not happen"
            time.sleep(0.01)    # the poll interval

    def until(self, text):
        path = self.work / "serial.log"
        self.wait(lambda: path.exists() and text in path.read_text(errors="replace"))

    def result(self):
        _, stderr = self.txt.communicate(timeout=WAIT)
        return json.loads((self.work / "out.json").read_text()), stderr

    def end(self):
        for child in reversed(self.children):
            if child.poll() is None:
                child.kill()
            child.communicate()


@pytest.fixture
def alone(tmp_path):
    a = Alone(tmp_path)
    try:
        a.begin()
        yield a
    finally:
        a.end()


def test_boot(alone):
    """tboot goes through SENTER; its module is no kernel, and resets the machine."""
    alone.platform("--explain")
    result, stderr = alone.result()
    assert alone.txt.returncode == 0 and result["senter"] == "launched" and result["failure"] is None
    assert result["shutdown"] == "guest-reset" and alone.qemu.wait(WAIT) == 0
    assert "sinit    ok    lcp: launch control allows the launch: there is no policy" in stderr
    assert alone.proxy.wait(WAIT) == 0


def test_qemu_dies(alone):
    alone.platform()
    alone.until("TBOOT: ")
    alone.qemu.kill()
    result, stderr = alone.result()
    assert alone.txt.returncode == 1 and stderr.startswith("txtplatform: QEMU has died: ") and stderr.count("\n") == 1
    assert result["failure"] and result["shutdown"] is None


def test_told_to_end(alone):
    """The machine goes on, as an ordinary one."""
    alone.platform()
    alone.until("BdsDxe")
    alone.txt.send_signal(signal.SIGTERM)
    result, stderr = alone.result()
    assert alone.txt.returncode == 0 and stderr == "" and result["senter"] == "not-reached"
    alone.until("TBOOT: ERR: CPU does not support SMX")
    assert "CPU is SMX-capable" not in (alone.work / "serial.log").read_text(errors="replace")
    assert alone.qemu.poll() is None


def test_nobody_there(tmp_path):
    """No QEMU behind the sockets: one line, in bounded time."""
    for name, size in (("registers", 128 << 10), ("area", 4 << 20)):
        (tmp_path / name).write_bytes(bytes(size))
    p = subprocess.run([TXTPLATFORM, *"--gdb g --qmp q --tpm-command c --registers registers --area area".split(), "--mle", TBOOT], cwd=tmp_path,
                       capture_output=True, text=True, timeout=WAIT, check=False)
    assert p.returncode == 1 and p.stderr == "txtplatform: cannot connect to the monitor at q: No such file or directory\n"

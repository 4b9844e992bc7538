# SPDX-License-Identifier: BSD-3-Clause
"""QEMU, swtpm or txtplatform die under a run of the TXT platform: one line that says so, the documented status, nothing left behind."""
import json
import os
import signal
import subprocess
import time

import pytest

from proxy_that_kills import child_of
from txt_boot import TOP, make_esp

SHORT = [("module0", __file__, "")]
REAL_PROXY = os.environ.get("GEOLAUNCH_TPMPROXY", os.path.join(TOP, "build/host/tpmproxy"))
WAIT = 300


class Dying:
    """A run with a folder for temporary files of its own."""

    def __init__(self, work, **env):
        self.temp, self.keep, self.out = work / "temp", work / "logs", work / "result.json"
        self.temp.mkdir()
        self.run = subprocess.Popen([os.path.join(TOP, "qemu/run"), "--platform", "txt", "--esp", make_esp(str(work / "esp"), SHORT), "--json",
                                     str(self.out), "--keep", str(self.keep), "--timeout", "240"], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE, text=True, env={**os.environ, **env, "TMPDIR": str(self.temp)})

    def until(self, text):
        """Waits until the guest has said this."""
        end = time.monotonic() + WAIT
        while time.monotonic() < end and self.run.poll() is None:
            if text in (self.keep / "serial.raw").read_text(errors="replace") if (self.keep / "serial.raw").exists() else False:
                return
            time.sleep(0.01)    # the poll interval; the text is what is waited for
        pytest.fail(f"{text!r} does not come")

    def kill(self, name):
        os.kill(child_of(self.run.pid, name), signal.SIGKILL)

    def end(self):
        _, stderr = self.run.communicate(timeout=WAIT)
        assert self.run.returncode == 1 and stderr.count("\n") == 1 and stderr.startswith("qemu/run: ended by error after "), stderr
        result = json.loads(self.out.read_text())
        assert result["ended"] == "error"
        # Processes of a run have its private directory as theirs, so that sockets and shared memory are there, too.
        assert os.listdir(self.temp) == []
        assert not [pid for pid in filter(str.isdigit, os.listdir("/proc")) if self._ours(pid)]
        return result, stderr

    def said(self):
        """txtplatform's own line, in its log."""
        lines = (self.keep / "txtplatform.log").read_text().splitlines()
        return len(lines) == 1 and lines[0].startswith("txtplatform: QEMU has died: ")

    def _ours(self, pid):
        try:
            return os.readlink(f"/proc/{pid}/cwd").startswith(str(self.temp))
        except OSError:
            return False


@pytest.mark.parametrize("when", ["BdsDxe: ", "TBOOT: ", "measured launch succeeded"])
def test_qemu_dies(tmp_path, when):
    d = Dying(tmp_path)
    d.until(when)
    d.kill("qemu-system-x86_64")
    result, stderr = d.end()
    assert result["qemu_exit"] == -signal.SIGKILL and "QEMU died by SIGKILL" in stderr
    assert d.said()


@pytest.mark.parametrize("kill_at", ["1", "5", "18"])
def test_qemu_dies_in_senter(tmp_path, kill_at):
    d = Dying(tmp_path, GEOLAUNCH_TPMPROXY=os.path.join(TOP, "tests/boot/proxy_that_kills.py"), REAL_PROXY=REAL_PROXY, KILL_AT=kill_at,
              VICTIM="qemu-system-x86_64")
    result, stderr = d.end()
    assert result["qemu_exit"] == -signal.SIGKILL and result["senter"] != "launched" and "QEMU died by SIGKILL" in stderr
    assert d.said()


@pytest.mark.parametrize("victim, what", [("txtplatform", "txtplatform ended with status -9"), ("swtpm", "the TPM was gone")])
def test_others_die_in_senter(tmp_path, victim, what):
    d = Dying(tmp_path, GEOLAUNCH_TPMPROXY=os.path.join(TOP, "tests/boot/proxy_that_kills.py"), REAL_PROXY=REAL_PROXY, KILL_AT="7", VICTIM=victim)
    _, stderr = d.end()
    assert what in stderr, stderr

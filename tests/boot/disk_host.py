# SPDX-License-Identifier: BSD-3-Clause
"""Hosts that start from a disk that is not good (bad_disk.py), one class for each mode, and what their tests have in common."""
import hashlib
import json
import os
import subprocess

import launch
import results

from bad_disk import BadDisk
from test_direct import extend
from test_txt_predict import BANKS, Host
from txt_boot import GEOLAUNCH, TBOOT, allow_mle, boot

KERNELS = {name: launch.KERNEL if name == "linux" else launch.KERNEL_DOM0 for name in ("linux", "kernel")}
FOLDER, DEFAULT = "EFI/geolaunch/", "EFI/BOOT/BOOTX64.EFI"
IO_ERROR = "cannot be read (EFI_DEVICE_ERROR): check the disk and its file system"


def record(mode, hypervisor, file, case, outcome, verdict, code):
    results.record("disk", {"mode": mode, "hypervisor": hypervisor, "file": file, "case": case, "outcome": outcome,
                            "verdicts": sorted(verdict["verdicts"]), "exit": code})


def read(path):
    with open(path, "rb") as f:
        return f.read()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def flipped(data):
    return bytes(255 - b for b in data)


def swap(data, old, new):
    assert data.count(old) == 1 and len(old) == len(new), old
    return data.replace(old, new)


def other_kernel(one, name):
    """A kernel of another version, as long as the first one; zeros behind a kernel do no harm."""
    size = len(one.on_esp(name))
    other = read(os.path.join(KERNELS["kernel" if name == "linux" else "linux"], "vmlinuz"))
    return other.ljust(size, b"\0")[:size]


def start(bank):
    """Of PCR 17-22 without a launch."""
    return b"\xff" * hashlib.new(bank).digest_size


def digest(bank, reason):
    return hashlib.new(bank, b"cap " + reason.encode()).digest()


class Direct:
    """A launch in direct mode, from a disk that is not good."""

    mode = "direct"

    def __init__(self, a_launch, policy):
        self.launch = a_launch
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
        """Stopped for this reason, PCR 17-22 capped (looked at: those into which nothing went before), and no launch for verify."""
        assert self.result["ended"] == "halt" and self.result["halt"].startswith(reason + ": "), self.serial
        for bank in launch.ALL_BANKS:
            for pcr in range(17 if reason in ("description-missing", "policy-missing") else 21, 23):
                assert self.result["pcrs"][bank][str(pcr)] == extend(bank, start(bank), digest(bank, reason)).hex(), (bank, pcr)
        assert self.verdict["agree"] is False and "capped" in self.verdict["verdicts"] and self.code == 16, self.verdict
        assert "starting the hypervisor" not in self.serial and "BdsDxe: starting Boot0002" not in self.serial
        assert self.serial.count(f"geolaunch: {file}: ") == lines, self.serial

    def record(self, file, case, outcome):
        record(self.mode, self.hypervisor, file, case, outcome, self.verdict, self.code)


class Txt(Host):
    """A launch in txt mode with launch control data and a file of the VM manager's, from a disk that is not good."""

    mode, hypervisor = "txt", "linux"

    def __init__(self, work, policy):
        super().__init__(work, policy={"type": policy, "hash": "sha256"}, files=[{"file": "vm.json", "path": "/etc/vm/vm.json"}],
                         lcp={"data": "list.dat", "policy": "owner.pol"})
        allow_mle(self.work)
        with open(self.path("vm.json"), "wb") as f:
            f.write(b'{"vm": 1}\n')
        self.expected = self.build()
        self.disk = BadDisk(self.path("out/esp"))

    def on_esp(self, name):
        return read(self.path("out/esp", FOLDER, name))

    def boot(self, *options):
        """`geolaunch verify` gets PCRs and log as the host saw them, or what a launch left that was stopped."""
        with self.disk:
            r = boot(self.work, self.disk.socket, "--banks", ",".join(BANKS), "--sinit", self.path("sinit.acm"), "--mle", TBOOT,
                     "--provision", self.path("out"), *options, disk=True)
        self.result, self.serial = r, r.serial_text()
        done, launched = "done" in r["facts"], r.get("senter") == "launched"
        pcrs = {b: {str(i): v for i, v in r.guest_pcrs(b).items()} for b in BANKS} if done else r["pcrs"]
        with open(self.path("pcrs.json"), "w", encoding="ascii") as f:
            json.dump({"pcrs": pcrs}, f)
        args = [GEOLAUNCH, "verify", self.path("out/expected.json"), "--pcrs", self.path("pcrs.json"), "--json"]
        if done and launched:
            with open(self.path("launch.log"), "wb") as f:
                f.write(r.log())
            args += ["--log", self.path("launch.log")]
        p = subprocess.run(args, capture_output=True, text=True, timeout=60, check=False)
        self.code, self.verdict = p.returncode, json.loads(p.stdout)

    def record(self, file, case, outcome):
        record(self.mode, self.hypervisor, file, case, outcome, self.verdict, self.code)

# SPDX-License-Identifier: BSD-3-Clause
"""Common ground of the boot tests: inputs made once, and one launch from manifest to verdict."""
import fcntl
import json
import os
import sys

import pytest

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(TOP, "demo"))
import launch  # noqa: E402  (the path comes first)

INPUTS = os.path.join(TOP, "build/boot-inputs")
os.environ.setdefault("GEOLAUNCH_CACHE", os.path.join(TOP, "build/tpm-cache"))


@pytest.fixture(scope="session")
def inputs():
    """
    Folder with linux, initrd, vmm (a small stand-in: its bytes only have to be measured) and vm.json, for Xen also xen.gz, kernel and
    initrd-dom0; made by the first worker.
    """
    os.makedirs(INPUTS, exist_ok=True)
    with open(os.path.join(INPUTS, "lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        initrd = os.path.join(INPUTS, "initrd")         # made last
        newest = max(os.path.getmtime(p) for p in (launch.GEOLAUNCH, os.path.join(TOP, "demo/init"), os.path.join(TOP, "demo/initramfs")))
        if not os.path.exists(initrd) or os.path.getmtime(initrd) < newest:
            launch.make_initramfs(os.path.join(INPUTS, "initrd-dom0"), launch.KERNEL_DOM0)
            launch.place(INPUTS, "kernel", os.path.join(launch.KERNEL_DOM0, "vmlinuz"))
            launch.place(INPUTS, "xen.gz", launch.xen_image())
            launch.make_initramfs(initrd)
            launch.place(INPUTS, "linux", os.path.join(launch.KERNEL, "vmlinuz"))
            launch.place(INPUTS, "vm.json", os.path.join(TOP, "demo/vm.json"))
            with open(os.path.join(INPUTS, "vmm"), "wb") as f:
                f.write(b"#!/bin/sh\nexit 0\n" + bytes(range(256)) * 64)
    return INPUTS


class Launch:
    """One launch: change what the test is about, then run()."""

    def __init__(self, work, inputs):
        self.work = str(work)
        self.built = os.path.join(self.work, "build")
        self.state = os.path.join(self.work, "tpm")
        self.banks = launch.ALL_BANKS
        self.tag = launch.GERMANY       # None: the geo index is not even defined
        self.manifest = {
            "version": 1, "name": "test", "mode": "direct", "policy": {"type": "nonfatal", "hash": "sha256"}, "halt_delay": 0,
            "hypervisor": {"kind": "linux", "file": "linux", "cmdline": "console=ttyS0 loglevel=3 panic=-1", "initrd": "initrd"},
            "vmm": {"file": "vmm", "path": launch.VMM},
            "files": [{"file": "vm.json", "path": "/etc/geolaunch/vm.json"}],
            "geo": {"tag": {"country": "DE", "subdivision": "HE", "site": "FRA1", "latitude": 50.1109, "longitude": 8.6821}},
        }
        for name in ("linux", "initrd", "vmm", "vm.json"):
            launch.place(self.work, name, os.path.join(inputs, name))

    def provision(self):
        launch.new_tpm(self.state, self.banks)
        if self.tag:
            launch.write_geo(self.state, self.tag)

    def build(self, *options):
        path = os.path.join(self.work, "manifest.yaml")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(self.manifest, f)     # JSON is YAML
        launch.build(path, self.built, *options)
        with open(os.path.join(self.built, "expected.json"), encoding="utf-8") as f:
            self.expected = json.load(f)

    def boot(self, *options, tpm=True, disk=None):
        out = os.path.join(self.work, "run.json")
        self.result = launch.boot(self.built, out, "--keep", os.path.join(self.work, "logs"), *options, state=self.state if tpm else None,
                                  disk=disk)
        self.log = launch.save_log(self.result, os.path.join(self.work, "eventlog.bin"))
        with open(self.result["serial"], encoding="utf-8", errors="replace") as f:
            self.serial = f.read()
        if tpm:
            self.code, self.verdict, _ = launch.verify(self.built, out, self.log)

    def run(self, *options, tamper=None):
        self.provision()
        self.build()
        if tamper:
            launch.tamper(tamper, self.built, self.state)
        self.boot(*options)
        return self


def with_xen(one, inputs):
    """The same host with Xen, and Debian's kernel as its dom0."""
    one.manifest["hypervisor"] = {
        "kind": "xen", "file": "xen.gz", "cmdline": "console=com1 com1=115200 loglvl=warning dom0_mem=512M smap=0 smep=0", "initrd": "initrd",
        "kernel": {"file": "kernel", "cmdline": "console=hvc0 loglevel=3 panic=-1"},
    }
    for name, source in (("xen.gz", "xen.gz"), ("kernel", "kernel"), ("initrd", "initrd-dom0")):
        launch.place(one.work, name, os.path.join(inputs, source))
    return one


@pytest.fixture
def a_launch(tmp_path, inputs):
    return Launch(tmp_path, inputs)


@pytest.fixture
def a_xen_launch(tmp_path, inputs):
    return with_xen(Launch(tmp_path, inputs), inputs)


@pytest.fixture
def many_launches(tmp_path, inputs):
    """many_launches(name, hypervisor) makes one in a folder of its own: for tests that boot several at a time."""
    def make(name, hypervisor="linux"):
        os.makedirs(tmp_path / name)
        one = Launch(tmp_path / name, inputs)
        return with_xen(one, inputs) if hypervisor == "xen" else one
    return make

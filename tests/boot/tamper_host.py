# SPDX-License-Identifier: BSD-3-Clause
"""
The host of the tamper matrix: built and provisioned as the documents say, with a hypervisor that stops at once (stop/). Builds and TPM
states are made once per policy type and copied for each cell.
"""
import json
import os
import re
import shutil
import struct
import subprocess
import threading
import time

import launch
import tpm_trace
import txt_boot

TOP = launch.TOP
STOP = os.environ.get("GEOLAUNCH_STOP", os.path.join(TOP, "build/stop"))
ACM_TOOL = os.environ.get("ACM_TOOL", os.path.join(TOP, "build/host/acm_tool"))
GEO_INDEX, VLP_INDEX, LCP_INDEX = 0x01C10110, 0x01C10131, 0x01C10106
TXT_BANKS = ["sha1", "sha256", "sha384"]     # of acm_tool's module
MANIFESTS = {
    "direct": {
        "version": 1, "name": "tampered", "mode": "direct", "halt_delay": 0,
        "hypervisor": {"kind": "linux", "file": "linux", "cmdline": "console=ttyS0 quiet", "initrd": "initrd"},
        "vmm": {"file": "vmm", "path": "/usr/bin/vmm"},
        "files": [{"file": "vm.json", "path": "/etc/vm/vm.json"}],
        "geo": {"tag": {"country": "DE", "subdivision": "HE"}},
    },
}
MANIFESTS["txt"] = MANIFESTS["direct"] | {
    "mode": "txt", "tboot": {"file": txt_boot.TBOOT, "cmdline": txt_boot.TBOOT_LINE}, "sinit": {"file": "sinit.acm"},
    "stage": {"file": launch.STAGE}, "platform": {"bios_acm": txt_boot.BIOS},
}
XEN = {"kind": "xen", "file": "xen", "cmdline": "console=com1", "initrd": "initrd", "kernel": {"file": "kernel", "cmdline": "quiet"}}


def make_inputs(folder):
    """Small stand-ins: of what is not the hypervisor, bytes only have to be measured."""
    for name, data in (("initrd", b"070701 no cpio, and nobody reads it\n" * 8), ("vmm", b"#!/bin/sh\nexit 0\n" + bytes(range(256)) * 20),
                       ("vm.json", b'{"vm": 1}\n')):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)
    with open(os.path.join(folder, "sinit.acm"), "wb") as f:
        f.write(subprocess.run([ACM_TOOL, "sinit", "1"], check=True, capture_output=True, timeout=30).stdout)
    for name, source in (("linux", "linux"), ("xen", "xen.elf"), ("kernel", "linux-other")):
        shutil.copy(os.path.join(STOP, source), os.path.join(folder, name))


class Cache:
    """Builds and TPM states by what they depend on; one for each worker."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.done = set()
        self.traces = {}

    def get(self, name, make, target):
        path = os.path.join(self.folder, name)
        if name not in self.done:
            shutil.rmtree(path, ignore_errors=True)
            make(path)
            self.done.add(name)
        shutil.copytree(path, target, symlinks=True)


def trace_of_good(host):
    """TPM commands of the same host's launch to which nothing happens; once for each worker."""
    key = (host.mode, host.hypervisor, host.policy)
    if key not in host.cache.traces:
        folder = os.path.join(host.cache.folder, "good-" + "-".join(key))
        os.makedirs(folder)
        good = Host(host.cache, folder, *key)
        good.make()
        good.boot()
        assert good.result["ended"] == "poweroff" and good.verify()[1]["agree"] is True
        host.cache.traces[key] = good.trace
    return host.cache.traces[key]


class Host:
    """One cell's host. A change works on it between build and boot."""

    def __init__(self, cache, work, mode, hypervisor, policy):
        self.cache, self.work, self.mode, self.policy = cache, str(work), mode, policy
        self.hypervisor = hypervisor
        self.manifest = MANIFESTS[mode] | {"policy": {"type": policy, "hash": "sha256"}}
        if hypervisor == "xen":
            self.manifest = self.manifest | {"hypervisor": XEN}
        self.banks = TXT_BANKS if mode == "txt" else list(launch.ALL_BANKS)
        self.options, self.variant, self.with_tpm, self.meanwhile = [], "", True, None
        self.build_options = ()     # of `geolaunch build`; variant names them
        self.lcp, self.mle, self.answer = False, None, ""
        self.disk = None        # socket of an NBD server that gives the ESP instead of the tree
        self.state, self.built = self.path("tpm"), self.path("built")
        self.sinit = self.path("built/sinit.acm")
        self.content = {}       # NV index to content, as far as the launch measures it

    # ---- before the build: a change may set manifest, banks, lcp; variant names the difference

    def make(self):
        key = f"{self.mode}-{self.hypervisor}-{self.policy}{self.variant}"
        self.cache.get("build-" + key, self._build, self.built)
        self.cache.get("tpm-" + key + "-".join(self.banks), self._provision, self.state)
        with open(self.path("built/expected.json"), encoding="utf-8") as f:
            self.expected = json.load(f)
        self.content[GEO_INDEX] = self.geo = self.read("built/geo.bin")
        self.content[VLP_INDEX] = self.read(self.esp("policy.vlp"))     # tboot's; in mode direct nobody asks for it

    def _build(self, folder):
        os.makedirs(folder)
        make_inputs(folder)
        if self.lcp:
            txt_boot.allow_mle(folder)
        with open(os.path.join(folder, "host.yaml"), "w", encoding="ascii") as f:
            json.dump(self.manifest, f)     # JSON is YAML
        launch.build(os.path.join(folder, "host.yaml"), os.path.join(folder, "out"), *self.build_options)
        for name in os.listdir(os.path.join(folder, "out")):
            os.rename(os.path.join(folder, "out", name), os.path.join(folder, name))

    def _provision(self, folder):
        launch.new_tpm(folder, self.banks)
        built = self.path("built")
        if self.mode == "txt":
            lcp = ["--lcp", os.path.join(built, "owner.pol")] if self.lcp else []
            with launch.tpm_server(folder) as tcti:
                launch.geolaunch("provision", built, "--tcti", tcti, "--sinit", self.sinit, "--error-index", *lcp)
        else:
            with launch.tpm_server(folder) as tcti:
                launch.geolaunch("geo", "define", "--tcti", tcti, "--size", 64)
                launch.geolaunch("geo", "write", "--tcti", tcti, "--country", "DE", "--subdivision", "HE")

    # ---- files

    def path(self, *names):
        return os.path.join(self.work, *names)

    def esp(self, name):
        return self.path("built/esp/EFI/geolaunch", name)

    def read(self, path):
        with open(self.path(path), "rb") as f:
            return f.read()

    def write(self, path, data):
        with open(self.path(path), "wb") as f:
            f.write(data)

    def flip(self, name, offset, mask=1):
        data = bytearray(self.read(self.esp(name)))
        data[offset] ^= mask
        self.write(self.esp(name), bytes(data))

    def conf(self, old, new):
        """Of launch.conf. The replaced text must be there once."""
        self.replace("launch.conf", old.encode(), new.encode())

    def replace(self, name, old, new):
        data = self.read(self.esp(name))
        assert data.count(old) == 1, (name, old, data.count(old))
        self.write(self.esp(name), data.replace(old, new))

    # ---- TPM

    def tpm2(self, *commands):
        with launch.tpm_server(self.state) as tcti:
            for argv in commands:
                subprocess.run(argv.split() if isinstance(argv, str) else argv, env={**os.environ, "TPM2TOOLS_TCTI": tcti}, cwd=self.work, check=True,
                               capture_output=True, timeout=30)

    def write_index(self, index, data):
        self.write("content", data)
        self.tpm2(f"tpm2_nvwrite {index:#x} -C o -i content")
        self.content[index] = data

    # ---- the run

    def boot(self):
        options = ["--keep", self.path("logs"), "--timeout", "200", *self.options]
        if self.with_tpm:
            options += ["--tpm-state", self.state]
        if "none" not in options:
            options += ["--tpm-trace", self.path("trace")]
        if self.mode == "txt":
            options += ["--platform", "txt", "--sinit", self.sinit, "--mle", self.mle or self.esp("tboot")]
        esp = ["--esp-nbd", self.disk] if self.disk else ["--esp", self.path("built/esp")]
        argv = [os.path.join(TOP, "qemu/run"), *esp, "--json", self.path("run.json"), *options]
        os.makedirs(self.path("logs"))
        os.makedirs(self.path("t"))
        other = threading.Thread(target=self._watch) if self.meanwhile else None
        self.over = False
        if other:
            other.start()
        p = subprocess.run(argv, capture_output=True, text=True, timeout=320, check=False, env={**os.environ, "TMPDIR": self.path("t")})
        self.over = True
        if other:
            other.join()
            assert self.answer.startswith("8002") and self.answer[12:20] == "00000000", self.answer     # TPM_RC_SUCCESS
        assert os.path.exists(self.path("run.json")), p.stderr
        self.result = txt_boot.load(self.path("run.json"))
        self.serial = self.result.serial_text()
        self.log = self._take_log()
        self.trace = tpm_trace.trace_of(self.path("trace")) if os.path.exists(self.path("trace")) else []

    def _watch(self):
        """Once a text is on the console, a TPM command from outside of the guest, through the proxy."""
        import socket
        text, command = self.meanwhile
        path, end = self.path("logs/serial.raw"), time.monotonic() + 200
        while not (os.path.exists(path) and text.encode() in self.read(path)):
            if self.over or time.monotonic() > end:
                return
            time.sleep(0.01)        # the poll interval
        folder, = os.listdir(self.path("t"))
        # The name of a socket is limited to 107 bytes.
        here = os.open(self.path("t", folder), os.O_PATH)
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(f"/proc/self/fd/{here}/command.sock")
            s.sendall(f"tpm 0 {command.hex()}\n".encode())
            self.answer = s.makefile().readline()
        os.close(here)

    def write_later(self, text, index, data):
        """NV_Write with the owner's empty password as soon as `text` stands on the console."""
        body = struct.pack(">IIIIHBH", 0x40000001, index, 9, 0x40000009, 0, 0, 0) + struct.pack(">H", len(data)) + data + b"\0\0"
        self.meanwhile = (text, struct.pack(">HII", 0x8002, 10 + len(body), 0x137) + body)

    def _take_log(self):
        if self.mode == "direct" or self.result.get("senter") != "launched":
            return launch.save_log(self.result, self.path("log"))
        self.write("log", self.result.log())
        return self.path("log")

    def verify(self):
        """Exit code and JSON of `geolaunch verify`. 3: the TPM has no bank to judge by."""
        args = ["verify", self.path("built/expected.json"), "--pcrs", self.path("run.json"), "--json", *(["--log", self.log] if self.log else [])]
        p = launch.geolaunch(*args, check=False)
        if p.returncode == 3:
            return 3, {"verdicts": [], "first_difference": None, "agree": False, "capped": None, "modules": [], "refused": p.stderr}
        return p.returncode, json.loads(p.stdout)

    def findings(self):
        """Of the pre-flight, each once, in their order."""
        return list(dict.fromkeys(re.findall(r"^geolaunch: pre-flight ([a-z-]+): ", self.serial, re.M)))

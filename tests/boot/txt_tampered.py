# SPDX-License-Identifier: BSD-3-Clause
"""A host in txt mode from `geolaunch build` to `geolaunch verify`, with Linux, for tests that change the disk or the TPM under it."""
import json
import os
import subprocess

import launch
from test_txt_predict import BANKS, Host
from txt_boot import GEOLAUNCH, boot


class Tampered(Host):
    """A host with a VM manager, one more file, and a TPM that lasts."""

    def __init__(self, work, policy):
        super().__init__(work, policy={"type": policy, "hash": "sha256"}, files=[{"file": "vm.json", "path": "/etc/vm/vm.json"}])
        self.write("vm.json", b'{"vm": 1}\n')
        self.state, self.options = self.path("tpm"), []
        # What is loaded, and not what went into the build.
        self.sinit, self.tboot = self.path("sinit.acm"), self.on_esp("tboot")
        self.expected = self.build()

    def provision(self):
        launch.new_tpm(self.state, BANKS)
        with launch.tpm_server(self.state) as tcti:
            launch.geolaunch("provision", self.path("out"), "--tcti", tcti, "--sinit", self.path("sinit.acm"), "--error-index")

    def on_esp(self, name):
        return self.path("out/esp/EFI/geolaunch", name)

    def read(self, path):
        with open(self.path(path), "rb") as f:
            return f.read()

    def write(self, path, data):
        with open(self.path(path), "wb") as f:
            f.write(data)

    def start(self, disk=None):
        return boot(self.work, disk or self.path("out/esp"), "--tpm-state", self.state, "--sinit", self.sinit, "--mle", self.tboot,
                    *self.options, disk=disk is not None)

    def judge(self, r):
        """As the host saw its TPM and its log; of a launch that was stopped what is left."""
        pcrs = {"pcrs": {b: {str(i): v for i, v in r.guest_pcrs(b).items()} for b in BANKS}} if "done" in r["facts"] else {"pcrs": r["pcrs"]}
        self.write("pcrs.json", json.dumps(pcrs).encode())
        args = [GEOLAUNCH, "verify", self.path("out/expected.json"), "--pcrs", self.path("pcrs.json"), "--json"]
        if r["senter"] == "launched":
            self.write("launch.log", r.log())
            args += ["--log", self.path("launch.log")]
        p = subprocess.run(args, capture_output=True, text=True, timeout=60, check=False)
        return p.returncode, json.loads(p.stdout)


def findings(r):
    """Each once, in their order."""
    names = [line.split()[2].rstrip(":") for line in r.serial_text().splitlines()
             if line.startswith("geolaunch: pre-flight ") and not line.startswith(("geolaunch: pre-flight passed", "geolaunch: pre-flight: "))]
    return list(dict.fromkeys(names))

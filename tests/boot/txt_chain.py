# SPDX-License-Identifier: BSD-3-Clause
"""An ESP whose geolaunch.efi starts tboot by itself, made by hand: launch.conf, policy and files, and what the TPM must hold for it."""
import gzip
import hashlib
import os
import shutil
import struct

import txt_boot
from txt_boot import KERNEL, TBOOT, TOP

EFI = os.environ.get("GEOLAUNCH_EFI", os.path.join(TOP, "build/efi/geolaunch.efi"))
STAGE = os.environ.get("GEOLAUNCH_STAGE", os.path.join(TOP, "build/stage/geolaunch-stage.elf"))
TYPES = {"nonfatal": 0, "continue": 1, "halt": 2}
TBOOT_LINE = txt_boot.TBOOT_LINE + " extpol=sha256"
GEO_INDEX, GEO = 0x01C10110, b"geo tag of a test".ljust(64, b"\0")


def module_hash(line, data):
    return hashlib.sha256(hashlib.sha256(line.encode()).digest() + hashlib.sha256(data).digest()).digest()


def vlp(policy, modules, nv):
    """modules: (PCR, digest or None for any); nv: (index, PCR, digest or None)."""
    rows = [(number, pcr, 0, digest) for number, (pcr, digest) in enumerate(modules)]
    rows += [(130, pcr, index, digest) for index, pcr, digest in nv]
    out = struct.pack("<BBBIIB", 2, TYPES[policy], 0xB, 1, 0, len(rows))
    for number, pcr, index, digest in rows:
        out += struct.pack("<BBBIB", number, pcr, 1 if digest else 0, index, 1 if digest else 0) + (digest or b"")
    return out


class Chain:
    """A launch in txt mode. Change what is to be wrong before make()."""

    def __init__(self, policy="halt"):
        self.policy, self.geo, self.on_halt = policy, GEO, "poweroff"
        self.tboot_line, self.kernel_line = TBOOT_LINE, txt_boot.LINUX_LINE
        with gzip.open(TBOOT) as f:
            tboot = f.read()
        self.files = {"tboot": tboot, "stage": _read(STAGE), "linux": _read(KERNEL),
                      "initrd": _read(os.path.join(txt_boot.inputs(), "initrd"))}
        self.rules = (f"geolaunch-stage 1 policy={policy} hypervisor=linux modules=hypervisor,initrd "
                      f"nv=0x{GEO_INDEX:08x},nv,22,sha256,{hashlib.sha256(self.geo).hexdigest()} halt=poweroff,0")

    def vlp(self):
        f = self.files
        return vlp(self.policy, [(255, module_hash(self.rules, f["stage"])), (19, module_hash(self.kernel_line, f["linux"])),
                                 (19, module_hash("", f["initrd"]))], [(GEO_INDEX, 22, hashlib.sha256(self.geo).digest())])

    def conf(self):
        lines = ["geolaunch 1", "mode txt", "policy policy.vlp", f"on-halt {self.on_halt}", "halt-delay 0",
                 "module tboot", "file tboot", f"cmdline {self.tboot_line}"]
        for name in ("sinit", "lcp"):
            if name in self.files:
                lines += [f"module {name}", f"file {name}"]
        lines += ["module stage", "file stage", f"cmdline {self.rules}",
                  "module hypervisor", "file linux", f"cmdline {self.kernel_line}", "module initrd", "file initrd", "end", ""]
        return "\n".join(lines).encode()

    def make(self, folder, **changed):
        """Writes the ESP tree; returns its path. `changed`: other bytes for some file, None for none; the policy is that of the right ones."""
        launch = os.path.join(folder, "EFI/geolaunch")
        os.makedirs(os.path.join(folder, "EFI/BOOT"))
        os.makedirs(launch)
        shutil.copy(EFI, os.path.join(folder, "EFI/BOOT/BOOTX64.EFI"))
        files = {**self.files, "launch.conf": self.conf(), "policy.vlp": self.vlp(), **changed}
        for name, data in files.items():
            if data is not None:
                with open(os.path.join(launch, name), "wb") as f:
                    f.write(data)
        return folder

    def provision(self, folder, policy=True, geo=True, index="0x01c10131"):
        """The TPM's NV for --provision. policy, geo: True for the right content, other bytes, or None for no index."""
        os.makedirs(folder)
        for name, content, right in ((index, policy, self.vlp()), (f"0x{GEO_INDEX:08x}", geo, self.geo)):
            if content is not None:
                with open(os.path.join(folder, f"nv-{name}"), "wb") as f:
                    f.write(right if content is True else content)
        return folder


def _read(path):
    with open(path, "rb") as f:
        return f.read()

# SPDX-License-Identifier: BSD-3-Clause
"""From the firmware's hand-over to tboot: geolaunch.efi beside GRUB, with the same files in the same machine."""
import json
import os
import subprocess
import tempfile

import txt_boot
import txt_chain

GOAL = 0.5      # of GRUB's time
FIRMWARE, TBOOT = "BdsDxe: starting", "TBOOT: "


def _built():
    """tboot as `geolaunch build` writes it: without its runs of zeros."""
    with tempfile.TemporaryDirectory(prefix="geolaunch-bench-") as work:
        def path(name):
            return os.path.join(work, name)
        subprocess.run([os.path.join(txt_boot.TOP, "build/host/txtplatform"), "--make-sinit", path("sinit.acm")], check=True,
                       capture_output=True, timeout=60)
        with open(path("host.yaml"), "w", encoding="ascii") as f:
            json.dump({"version": 1, "mode": "txt", "policy": {"type": "halt"}, "hypervisor": {"kind": "linux", "file": txt_boot.KERNEL},
                       "tboot": {"file": txt_boot.TBOOT}, "sinit": {"file": "sinit.acm"}, "stage": {"file": txt_chain.STAGE},
                       "platform": {"bios_acm": "00" * 32}}, f)
        subprocess.run([txt_boot.GEOLAUNCH, "build", path("host.yaml"), "-o", path("out"), "--efi", txt_chain.EFI], check=True,
                       capture_output=True, timeout=60)
        with open(path("out/esp/EFI/geolaunch/tboot"), "rb") as f:
            return f.read()


def _ours(work, chain, built):
    chain.files["tboot"] = built
    return chain.make(os.path.join(work, "esp"))


def _grub(work, chain, tboot):
    """tboot: bytes in place of those that are unpacked, or None for tboot.gz."""
    folder = os.path.join(work, "files")
    os.makedirs(folder)
    for name, data in {**chain.files, **({"tboot": tboot} if tboot else {})}.items():
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)
    mle = os.path.join(folder, "tboot") if tboot else txt_boot.TBOOT
    return txt_boot.make_esp(os.path.join(work, "esp"), [
        ("stage", os.path.join(folder, "stage"), chain.rules), ("linux", os.path.join(folder, "linux"), chain.kernel_line),
        ("initrd", os.path.join(folder, "initrd"), "")], chain.tboot_line, mle)


def _once(make):
    """Seconds from the hand-over to tboot's entry, and to its first line."""
    with tempfile.TemporaryDirectory(prefix="geolaunch-bench-") as work:
        chain = txt_chain.Chain("halt")
        r = txt_boot.boot(work, make(work, chain), "--mle", txt_boot.TBOOT, "--provision", chain.provision(os.path.join(work, "nv")),
                          "--mark", FIRMWARE, "--mark", TBOOT, "--timeout", "60")
    marks = r["marks"]
    if not r["entry_s"] or marks[TBOOT] is None:
        return None
    return r["entry_s"] - marks[FIRMWARE], marks[TBOOT] - marks[FIRMWARE]


def run(rounds=3):
    """Prints the figures; False if one is missing."""
    built, plain = _built(), txt_chain.Chain("halt").files["tboot"]
    ways = (("geolaunch.efi", lambda work, chain: _ours(work, chain, built)),
            ("geolaunch.efi, tboot unpacked", lambda work, chain: _ours(work, chain, plain)),
            ("GRUB, tboot as geolaunch.efi gets it", lambda work, chain: _grub(work, chain, built)),
            ("GRUB, tboot unpacked", lambda work, chain: _grub(work, chain, plain)),
            ("GRUB, tboot.gz", lambda work, chain: _grub(work, chain, None)))
    best = {}
    for _ in range(rounds):
        for name, make in ways:
            figures = _once(make)
            if figures is None:
                print(f"{name}: tboot did not come")
                return False
            best[name] = min(best.get(name, figures), figures)
    ours = best[ways[0][0]][0]
    for name, (entry, line) in best.items():
        ratio = f"; geolaunch.efi takes {ours / entry:.2f} of it (goal {GOAL} at most)" if name != ways[0][0] else ", measuring nothing, comparing all"
        print(f"{name}: tboot is entered {entry:.2f} s after the firmware's hand-over, says its first line after {line:.2f} s{ratio}")
    return True

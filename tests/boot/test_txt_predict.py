# SPDX-License-Identifier: BSD-3-Clause
"""From a manifest to a host after a dynamic launch: what `geolaunch build` predicts, what the TPM has, what `geolaunch verify` says."""
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys

import txt_boot
from test_txt_stage import DOM0, DOM0_LINE, XEN, XEN_LINE
from txt_boot import BIOS, GEOLAUNCH, KERNEL, LINUX_LINE, TBOOT, TBOOT_LINE, TOP, allow_mle, boot

sys.path.insert(0, os.path.join(TOP, "tests/cli"))
from tboot_pe import flat  # noqa: E402  (the path comes first)

ACM_TOOL = os.environ.get("ACM_TOOL", os.path.join(TOP, "build/host/acm_tool"))
EFI = os.environ.get("GEOLAUNCH_EFI", os.path.join(TOP, "build/efi/geolaunch.efi"))
STAGE = os.environ.get("GEOLAUNCH_STAGE", os.path.join(TOP, "build/stage/geolaunch-stage.elf"))
# the algorithms of acm_tool's module; it leaves out SHA-512
BANKS = ["sha1", "sha256", "sha384"]
MANIFEST = {
    "version": 1, "name": "predicted", "mode": "txt",
    "policy": {"type": "halt", "hash": "sha256"},
    "halt_delay": 0,
    "hypervisor": {"kind": "linux", "file": KERNEL, "cmdline": LINUX_LINE, "initrd": "initrd"},
    "vmm": {"file": "/bin/busybox", "path": "/usr/bin/vmm"},
    "tboot": {"file": TBOOT, "cmdline": TBOOT_LINE},
    "sinit": {"file": "sinit.acm"},
    "stage": {"file": STAGE},
    "platform": {"bios_acm": BIOS},
    "geo": {"tag": {"country": "DE", "subdivision": "HE"}},
}


class Host:
    """A manifest's host: built, provisioned, booted. JSON is YAML."""

    def __init__(self, work, **changes):
        self.work = str(work)
        self.manifest = {**MANIFEST, **changes}
        with open(self.path("sinit.acm"), "wb") as f:
            f.write(subprocess.run([ACM_TOOL, "sinit", "1"], check=True, capture_output=True, timeout=30).stdout)
        shutil.copy(os.path.join(txt_boot.inputs(), "initrd"), self.path("initrd"))

    def path(self, *names):
        return os.path.join(self.work, *names)

    def build(self):
        with open(self.path("host.yaml"), "w", encoding="ascii") as f:
            json.dump(self.manifest, f)
        subprocess.run([GEOLAUNCH, "build", self.path("host.yaml"), "-o", self.path("out"), "--efi", EFI, "--force"], check=True,
                       capture_output=True, timeout=120)
        with open(self.path("out/expected.json"), encoding="utf-8") as f:
            return json.load(f)

    def boot(self, *options):
        r = boot(self.work, self.path("out/esp"), "--banks", ",".join(BANKS), "--sinit", self.path("sinit.acm"), "--mle", TBOOT,
                 "--provision", self.path("out"), *options)
        with open(self.path("launch.log"), "wb") as f:
            f.write(r.log())
        return r

    def verify(self, r):
        """As the guest saw its TPM, with the log of the heap."""
        pcrs = {b: {str(i): v for i, v in r.guest_pcrs(b).items()} for b in BANKS}
        with open(self.path("pcrs.json"), "w", encoding="ascii") as f:
            json.dump({"pcrs": pcrs}, f)
        p = subprocess.run([GEOLAUNCH, "verify", self.path("out/expected.json"), "--pcrs", self.path("pcrs.json"), "--log",
                            self.path("launch.log"), "--json"], capture_output=True, text=True, timeout=60, check=False)
        return p.returncode, json.loads(p.stdout)


def agree(host, expected, r):
    """Predicted, TPM and log are the same in every bank; every event is the predicted one, in its order."""
    assert r["ended"] == "poweroff" and r["senter"] == "launched" and r["drtm"], r["notes"]
    names = {4: "sha1", 0xB: "sha256", 0xC: "sha384"}
    logged = [(pcr, kind, {names[a]: d.hex() for a, d in digests.items()}) for pcr, kind, digests, _ in txt_boot.events(r.log())]
    for pcr in range(17, 23):
        assert [e for e in logged if e[0] == pcr] == [(e["pcr"], e["type"], e["digests"]) for e in expected["events"] if e["pcr"] == pcr]
    for bank in BANKS:
        assert r.guest_pcrs(bank) == {int(k): v for k, v in expected["pcrs"][bank].items()}, bank
    code, v = host.verify(r)
    assert (code, v["verdicts"], v["drtm"], v["country"], v["explanation"]) == (0, ["trusted"], True, "DE", [])


def test_launch_control_and_the_whole_chain(tmp_path):
    """With an owner's policy: SINIT measures what matched, the list, and the index that holds the policy."""
    host = Host(tmp_path, lcp={"data": "list.dat", "policy": "owner.pol"})
    mle = allow_mle(host.work)
    expected = host.build()
    events = {e["name"]: e for e in expected["events"]}
    assert events["LCP_DETAILS_HASH"]["digests"]["sha256"] == hashlib.sha256(bytes.fromhex(mle)).hexdigest()
    agree(host, expected, host.boot())


def test_other_line_of_tboot(tmp_path):
    """Another command line than predicted: `verify` names the first event that differs, and what it was expected from."""
    host = Host(tmp_path, policy={"type": "nonfatal", "hash": "sha256"})
    expected = host.build()
    conf = host.path("out/esp/EFI/geolaunch/launch.conf")
    with open(conf, encoding="ascii") as f:
        text = f.read()
    with open(conf, "w", encoding="ascii") as f:
        f.write(text.replace("min_ram=0x2000000", "min_ram=0x2100000", 1))
    r = host.boot()
    assert r["senter"] == "launched", r["notes"]
    code, v = host.verify(r)
    assert (code, v["verdicts"]) == (13, ["module-mismatch"])
    assert v["first_difference"]["name"] == "MLE_HASH" and v["first_difference"]["pcr"] == 17
    # All else is as predicted, in every bank.
    for bank in BANKS:
        pcrs = r.guest_pcrs(bank)
        assert {i: v for i, v in pcrs.items() if i != 17} == {int(k): v for k, v in expected["pcrs"][bank].items() if k != "17"}
    # A log of this host is all that a build for it needs, were its SINIT in the firmware.
    shutil.copy(host.path("launch.log"), host.path("captured.log"))
    again = Host(tmp_path, sinit=None, platform={"log": "captured.log"})
    again.manifest.pop("sinit")
    computed = {(e["pcr"], e["name"]): e["digests"] for e in expected["events"] if 0x400 <= e["type"] < 0x500}
    captured = {(e["pcr"], e["name"]): e["digests"] for e in again.build()["events"] if 0x400 <= e["type"] < 0x500}
    assert captured == computed


def test_signed_tboot(tmp_path):
    """tboot.mb2: goes onto the disk as it was signed, and what is measured of it is predicted."""
    with gzip.open(TBOOT) as f:
        signed = flat(f.read())
    host = Host(tmp_path, tboot={"file": "tboot.mb2", "cmdline": TBOOT_LINE})
    with open(host.path("tboot.mb2"), "wb") as f:
        f.write(signed)
    expected = host.build()
    with open(host.path("out/esp/EFI/geolaunch/tboot"), "rb") as f:
        assert f.read() == signed
    agree(host, expected, host.boot())


def test_xen(tmp_path):
    """Xen and dom0: gzip'ed image, kernel and initrd as modules of their own, no tboot support in this Xen."""
    host = Host(tmp_path, hypervisor={"kind": "xen", "file": XEN, "cmdline": XEN_LINE, "kernel": {"file": DOM0, "cmdline": DOM0_LINE},
                                      "initrd": "initrd"})
    expected = host.build()
    agree(host, expected, host.boot("--timeout", "280"))

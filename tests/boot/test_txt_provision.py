# SPDX-License-Identifier: BSD-3-Clause
"""qemu/run --provision with an output of 'geolaunch build': the TPM gets it by 'geolaunch provision', and tboot obeys."""
import hashlib
import json
import os
import subprocess

import launch
import pytest

from txt_boot import GEOLAUNCH, KERNEL, LINUX_LINE, TOP, boot, events, inputs, make_esp

TBOOT_EVENT = 0x501
NV_INFO = 0x414


@pytest.fixture
def built(tmp_path):
    """A build with the numbers that tboot sees, too: module 0 stands before hypervisor and initrd."""
    launch.place(str(tmp_path), "linux", KERNEL)
    launch.place(str(tmp_path), "initrd", os.path.join(inputs(), "initrd"))
    manifest = {
        "version": 1, "name": "test", "mode": "direct", "policy": {"type": "halt", "hash": "sha256"},
        "hypervisor": {"kind": "linux", "file": "linux", "cmdline": LINUX_LINE, "initrd": "initrd"},
        "geo": {"tag": {"country": "DE", "subdivision": "HE", "site": "FRA1", "latitude": 50.1109, "longitude": 8.6821}},
    }
    (tmp_path / "manifest.yaml").write_text(json.dumps(manifest))
    out = tmp_path / "built"
    launch.build(str(tmp_path / "manifest.yaml"), str(out))
    return out


def modules(line=LINUX_LINE):
    return [("module0", __file__, ""), ("linux", KERNEL, line), ("initrd", os.path.join(inputs(), "initrd"), "")]


def run(work, built, line, *options):
    """A boot with a TPM of its own that lasts."""
    state = str(work / "tpm")
    if not os.path.exists(state):
        launch.new_tpm(state, ["sha256"])
    r = boot(str(work), make_esp(str(work / "esp"), modules(line)), "--tpm-state", state, "--tpm-state-rw", "--provision", str(built),
             *options)
    return r, state


def check(state, *args):
    with launch.tpm_server(state) as tcti:
        return subprocess.run([GEOLAUNCH, "provision", *map(str, args), "--check", "--json", "--tcti", tcti], capture_output=True, text=True,
                              timeout=60, check=False)


@pytest.mark.parametrize("index_set", ["0", "1"])
def test_build_output(tmp_path, built, index_set):
    lcp = built / "lcp.pol"
    launch.geolaunch("lcp", "policy", "create", "--type", "any", "-o", lcp)
    r, state = run(tmp_path, built, LINUX_LINE, "--index-set", index_set)
    assert r["senter"] == "launched" and "transfering control" in r.serial_text(), (r["why"], r["notes"])
    # All of it is in the TPM, geo tag and error index too, and nothing has changed it.
    vlp = built / "esp/EFI/geolaunch/policy.vlp"        # a build for direct mode would not have it in the TPM
    p = check(state, built, "--vlp", vlp, "--lcp", lcp, "--error-index", "--index-set", index_set)
    assert p.returncode == 0, p.stdout + p.stderr
    assert sorted(i["use"] for i in json.loads(p.stdout)["indices"]) == ["error", "geo", "lcp", "vlp"]
    # SINIT saw the owner's policy; tboot measured the launch policy and the modules as predicted.
    log = events(r.log())
    assert [data[:2] for _, kind, _, data in log if kind == NV_INFO] == [b"\0\0", b"\0\0"] and all(len(d) > 3 for _, k, _, d in log if k == NV_INFO)
    expected = json.loads((built / "expected.json").read_text())
    predicted = [(e["pcr"], e["digests"]["sha256"]) for e in expected["events"] if e["name"].startswith(("policy", "module 1", "module 2"))]
    actual = [(pcr, d[0xB].hex()) for pcr, kind, d, _ in log if kind == TBOOT_EVENT]
    assert len([e for e in predicted if e in actual]) == len(predicted) == 4
    assert r.dynamic_pcrs() == r.replayed()
    value = bytes(32)
    for pcr, digest in predicted:
        if pcr == 19:
            value = hashlib.sha256(value + bytes.fromhex(digest)).digest()
    assert r["pcrs"]["sha256"]["19"] == value.hex()


def test_other_command_line(tmp_path, built):
    r, _ = run(tmp_path, built, LINUX_LINE + " init=/bin/sh")
    assert r["senter"] == "launched" and r["ended"] == "halt" and r["halt"] == "tboot: TB_SHUTDOWN_HALT", r["notes"]


def test_tpm_holds_something_else(tmp_path, built):
    """'geolaunch provision' refuses, and its line is the run's."""
    state = str(tmp_path / "tpm")
    launch.new_tpm(state, ["sha256"])
    launch.write_geo(state, launch.FRANCE)
    r, _ = run(tmp_path, built, LINUX_LINE)
    assert r["ended"] == "error" and r["status"] == 1 and r["stderr"].count("\n") == 1
    assert "geolaunch failed: geolaunch provision: " in r["stderr"] and "0x01c10110" in r["stderr"]


def test_no_build_output(tmp_path, built):
    os.unlink(built / "esp/EFI/geolaunch/policy.vlp")
    r, _ = run(tmp_path, built, LINUX_LINE)
    assert r["ended"] == "error" and "policy.vlp" in r["stderr"]


def test_nothing_to_provision(tmp_path):
    p = subprocess.run([os.path.join(TOP, "qemu/run"), "--platform", "txt", "--esp", make_esp(str(tmp_path / "esp"), []), "--provision",
                        str(tmp_path)], capture_output=True, text=True, timeout=60, check=False)
    assert p.returncode == 2 and "neither files nv-0xINDEX nor an output of 'geolaunch build' there" in p.stderr

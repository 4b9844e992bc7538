# SPDX-License-Identifier: BSD-3-Clause
"""Mode txt: what `geolaunch build` and `geolaunch lint` say of a stand-in for the BIOS ACM, of a log against it, of SINIT and of a broken launch.conf."""

import json
import re
import shutil

import pytest

import oracles
from build_model import refused, run, to_yaml
from swtpm import Swtpm
from txt_model import BIOS, TXT, TxtModel, inputs, lcp_files, txt_variant  # noqa: F401  (a fixture is among them)


def build(inputs, manifest, *args):
    (inputs / "host.yaml").write_text(to_yaml(manifest) + "\n")
    return run("build", "host.yaml", "-o", "out", "--efi", "geolaunch.efi", *args, cwd=inputs)


def lint(inputs, *args, code=0):
    result = run("lint", "out", "--json", *args, cwd=inputs)
    assert code is None or result.returncode == code, result.stdout + result.stderr
    return json.loads(result.stdout)


def test_bios_acm_of_zeros(inputs):
    """The stand-in before the first launch is named by build and lint; a log with it is not obeyed against what the log says."""
    zeros = "00" * 32
    result = build(inputs, txt_variant(platform={"bios_acm": zeros}))
    line = (inputs / "host.yaml").read_text().splitlines().index(f'  bios_acm: "{zeros}"') + 1
    assert result.returncode == 0
    assert result.stderr == ('geolaunch build: warning: "bios_acm" is all zeros, which no host measures, so PCR 17 is not predicted: '
                             f'host.yaml:{line}: name a "log" of the first launch in its place\n')
    assert "GL-BUILD-016" in {f["id"] for f in lint(inputs)["findings"] if f["severity"] == "warning"}
    assert build(inputs, TXT, "--force").stderr == ""
    assert "GL-BUILD-016" not in {f["id"] for f in lint(inputs)["findings"]}


def test_bios_acm_against_a_log(inputs):
    (inputs / "a.log").write_bytes(TxtModel(TXT, inputs).log())
    for wrong in ("00" * 32, ["11" * 32, "22" * 32]):
        result = build(inputs, txt_variant(platform={"log": "a.log", "bios_acm": wrong}))
        line = next(i for i, s in enumerate((inputs / "host.yaml").read_text().splitlines(), 1) if "bios_acm" in s)
        refused(result, 3, f'"bios_acm" is not what this host measured: a.log: host.yaml:{line}: remove "bios_acm": the log has it')
        assert not (inputs / "out").exists()
    for right in (BIOS, ["11" * 32, BIOS]):
        assert build(inputs, txt_variant(platform={"log": "a.log", "bios_acm": right}), "--force").returncode == 0


def test_lint_with_the_builds_sinit(inputs):
    """The module of the build is the one that platform and processor are compared with."""
    assert build(inputs, TXT).returncode == 0
    plain = {f["id"] for f in lint(inputs)["findings"]}
    assert {f["id"] for f in lint(inputs, "--didvid", "8086:b001:1", "--cpu", "906ea")["findings"]} == plain
    for wrong in (("--didvid", "8086:b002:1"),):
        assert {f["id"] for f in lint(inputs, *wrong, code=20)["findings"]} == plain | {"GL-ACM-001"}


def test_lint_of_a_txt_build_whose_description_cannot_be_read(inputs):
    """One error. tboot's command line is not known then, and its digest is not judged without it."""
    assert build(inputs, TXT).returncode == 0
    before = lint(inputs, code=None)
    path = inputs / "out/esp/EFI/geolaunch/launch.conf"
    path.write_text(path.read_text().replace("on-halt", "on_halt"))
    after = lint(inputs, code=20)
    assert [f["id"] for f in after["findings"] if f not in before["findings"]] == ["GL-BUILD-015"]
    assert [s.split(")")[0] for s in after["launch"]] == ["geolaunch.efi cannot read launch.conf (line 4: this is not the key that belongs here (keys "
                                                          "have a fixed order, with one blank behind"]
    assert "neither tboot nor a host is started" in after["launch"][0]
    path.unlink()
    gone = lint(inputs, code=20)
    assert [f["id"] for f in gone["findings"] if f not in before["findings"]] == ["GL-BUILD-015"]
    assert gone["launch"][0].startswith("geolaunch.efi cannot read launch.conf (there is no such file)")


@pytest.fixture
def tpm():
    t = Swtpm()
    yield t
    t.close()


def test_lint_of_indices_that_are_locked_against_reading(inputs, tpm):
    """The next reset unlocks them, so they are no error; what they hold is not known until then."""
    assert build(inputs, txt_variant(tboot={"file": "tboot.gz", "cmdline": "min_ram=0x2000000"})).returncode == 0
    esp = inputs / "out/esp/EFI/geolaunch"
    contents = {"0x01c10131": (esp / "policy.vlp").read_bytes(), "0x01c10110": (inputs / "out/geo.bin").read_bytes()}
    for index, content in contents.items():
        tpm.tool("tpm2_nvdefine", index, "-C", "o", "-s", str(len(content)), "-a", "ownerwrite|authread|no_da|read_stclear")
        tpm.tool("tpm2_nvwrite", index, "-C", "o", "-i", "-", data=content)
    before = lint(inputs, "--tcti", tpm.tcti)
    assert any("takes its policy from NV index 0x01c10131" in s for s in before["launch"])
    for index in contents:
        tpm.tool("tpm2_nvreadlock", index, "-C", index)
    locked = lint(inputs, "--tcti", tpm.tcti)
    assert locked["findings"] == before["findings"]
    assert any(s.startswith("Which policy the TPM has for tboot is not known. If tboot 1.10.5 finds this build's policy") for s in locked["launch"])
    assert any("reads NV index 0x01c10110 for PCR 22; its content was not looked at." in s for s in locked["launch"])


def test_lint_of_a_dump_without_contents(inputs, tmp_path):
    """As geolaunch-lint(1) allows: what is not known is not said to be missing."""
    assert build(inputs, txt_variant(tboot={"file": "tboot.gz", "cmdline": "min_ram=0x2000000"})).returncode == 0
    size = (inputs / "out/esp/EFI/geolaunch/policy.vlp").stat().st_size
    # ownerwrite, authread, no_da, written; the owner's policy also policywrite
    nv = [{"index": "0x01c10131", "attributes": 0x22040002, "size": size}, {"index": "0x01c10106", "attributes": 0x2204000A, "size": 70},
          {"index": "0x01c10110", "attributes": 0x22040002, "size": 64}]
    (tmp_path / "nv.json").write_text(json.dumps({"format": "geolaunch-nv-1", "banks": ["sha256"], "nv": nv}))
    report = lint(inputs, "--nv-dump", tmp_path / "nv.json")
    assert not [f for f in report["findings"] if f["severity"] == "error"]
    said = "\n".join(report["launch"])
    assert "Launch control allows" not in said and "no policy" not in said and "No TPM was looked at" not in said
    assert "Whether launch control allows the launch cannot be said: what its policy in the TPM holds is not known." in said


@pytest.mark.parametrize("name", ["EFI/BOOT/BOOTX64.EFI", "geolaunch.efi", "tboot", "sinit", "lcp"])
def test_lint_of_a_txt_build_without_a_file(inputs, name):
    """What is no module is missed all the same, and nothing is launched without it."""
    lcp_files(inputs, TxtModel(TXT, inputs).mle_hash("sha256"))
    assert build(inputs, txt_variant(lcp={"data": "list.dat", "policy": "owner.pol"})).returncode == 0
    assert not [f for f in lint(inputs)["findings"] if f["severity"] == "error"]
    esp = inputs / "out/esp"
    (esp / name if "/" in name else esp / "EFI/geolaunch" / name).unlink()
    report = lint(inputs, code=20)
    assert ("GL-BUILD-001", name) in {(f["id"], f["where"]) for f in report["findings"]}
    assert len(report["launch"]) == 1 and report["launch"][0].startswith(f"{name} is missing: ")


def test_lint_of_a_txt_build_without_its_own_sinit(inputs):
    """What the description does not name is not missed."""
    (inputs / "a.log").write_bytes(TxtModel(TXT, inputs).log())
    assert build(inputs, txt_variant(sinit=None, platform={"log": "a.log"})).returncode == 0
    assert not [f for f in lint(inputs)["findings"] if f["severity"] == "error"]


def test_lint_of_a_txt_build_without_the_default(inputs):
    assert build(inputs, TXT).returncode == 0
    shutil.rmtree(inputs / "out/esp/EFI/BOOT")
    assert [(f["id"], f["where"]) for f in lint(inputs, code=20)["findings"] if f["severity"] == "error"] == [("GL-BUILD-001", "EFI/BOOT/BOOTX64.EFI")]


def test_lint_of_debians_tboot(inputs):
    """Its tables of functions lie behind what SINIT measures: tests/boot/tamper_txt_changes.py, tboot_data()."""
    assert not [f for f in (build(inputs, TXT), lint(inputs))[1]["findings"] if f["id"] == "GL-TBOOT-016"]
    shutil.rmtree(inputs / "out")
    shutil.copy(oracles.tboot_gz(), inputs / "tboot.gz")
    assert build(inputs, TXT).returncode == 0
    found, = [f for f in lint(inputs)["findings"] if f["id"] == "GL-TBOOT-016"]
    count = int(re.search(r"It has (\d+) such pointers\.", found["text"])[1])
    assert found["severity"] == "warning" and found["where"] == "tboot" and 33 <= count < 1000

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
    report = lint(inputs, "--nv-dump", tmp_path / "nv.json", code=20)
    # that there is an owner's policy is known, and the build was made without one
    assert errors(report) == {"GL-NV-023"}
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


# ---------------------------------------------------------------- launch control: what SINIT will find in the TPM

PO = "0x01c10106"
PO_ATTRIBUTES = "ownerwrite|authread|policywrite|no_da"


def define(tpm, index, content, attributes=PO_ATTRIBUTES, *more):
    tpm.tool("tpm2_nvdefine", index, "-C", "o", "-s", str(len(content)), "-a", attributes, *more)
    tpm.tool("tpm2_nvwrite", index, "-C", "o", "-i", "-", data=content)


def errors(report, but=()):
    return {f["id"] for f in report["findings"] if f["severity"] == "error"} - set(but)


@pytest.fixture
def with_lcp(inputs):
    """A build with the owner's policy, and what it says without a TPM: all is right."""
    lcp_files(inputs, TxtModel(TXT, inputs).mle_hash("sha256"))
    assert build(inputs, txt_variant(lcp={"data": "list.dat", "policy": "owner.pol"})).returncode == 0
    assert allows(lint(inputs))
    return inputs


def allows(report):
    return any("Launch control allows" in s for s in report["launch"])


def provision(inputs, tpm, *args):
    done = run("provision", "out", *args, "--tcti", tpm.tcti, cwd=inputs)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("sinit, index, ps", [("sinit.acm", PO, "0x01c10103"), ("sinit0.acm", "0x01400001", "0x01800001")])
def test_lint_of_the_builds_policy_in_the_tpm(with_lcp, tpm, sinit, index, ps):
    assert build(with_lcp, txt_variant(lcp={"data": "list.dat", "policy": "owner.pol"}, sinit={"file": sinit}), "--force").returncode == 0
    provision(with_lcp, tpm)
    report = lint(with_lcp, "--tcti", tpm.tcti)
    assert allows(report) and not errors(report)
    define(tpm, ps, (with_lcp / "owner.pol").read_bytes())
    assert errors(lint(with_lcp, "--tcti", tpm.tcti, code=20)) >= {"GL-NV-024"}
    tpm.tool("tpm2_nvundefine", ps, "-C", "o")
    tpm.tool("tpm2_nvundefine", index, "-C", "o")
    report = lint(with_lcp, "--tcti", tpm.tcti, code=20)
    assert not allows(report) and errors(report) == {"GL-NV-020", "GL-LCP-001"}


@pytest.mark.parametrize("other", [None, "0x01400001"])
def test_lint_of_a_tpm_without_the_builds_policy(with_lcp, tpm, other):
    """SINIT finds policy data, but no policy, or one in the index set that it does not look into."""
    provision(with_lcp, tpm)
    tpm.tool("tpm2_nvundefine", PO, "-C", "o")
    if other:
        define(tpm, other, (with_lcp / "owner.pol").read_bytes())
    report = lint(with_lcp, "--tcti", tpm.tcti, code=20)
    assert errors(report) == {"GL-NV-020", "GL-LCP-001"} | ({"GL-NV-001"} if other else set())
    assert not allows(report) and report["launch"][-1].startswith("SINIT refuses the launch") and "0xc00042e1" in report["launch"][-1]
    assert "GL-LCP-020" not in {f["id"] for f in report["findings"]}
    # What would be if it were written.
    report = lint(with_lcp, "--tcti", tpm.tcti, "--lcp-owner", "owner.pol", code=20)
    assert "GL-NV-020" in errors(report) and allows(report)
    assert any("The TPM does not hold the owner's policy of --lcp-owner; what follows takes it as written to" in s for s in report["launch"])


@pytest.mark.parametrize("attributes, written", [(PO_ATTRIBUTES, False), ("ownerwrite|ownerread|policywrite|no_da", True)])
def test_lint_of_the_builds_policy_that_sinit_cannot_read(with_lcp, tpm, attributes, written):
    content = (with_lcp / "owner.pol").read_bytes()
    provision(with_lcp, tpm)
    tpm.tool("tpm2_nvundefine", PO, "-C", "o")
    tpm.tool("tpm2_nvdefine", PO, "-C", "o", "-s", str(len(content)), "-a", attributes)
    if written:
        tpm.tool("tpm2_nvwrite", PO, "-C", "o", "-i", "-", data=content)
    report = lint(with_lcp, "--tcti", tpm.tcti, code=20)
    assert "GL-NV-015" in errors(report) and not allows(report)
    assert report["launch"][-1].startswith("SINIT cannot read the owner's launch control policy in NV index 0x01c10106")


def test_lint_of_another_owners_policy_in_the_tpm(with_lcp, tpm):
    """What is in the TPM decides; the advice is about the build, unless --lcp-owner named a policy."""
    provision(with_lcp, tpm)
    other = (with_lcp / "owner.pol").read_bytes()[:-1] + b"?"
    tpm.tool("tpm2_nvwrite", PO, "-C", "o", "-i", "-", data=other)
    report = lint(with_lcp, "--tcti", tpm.tcti, code=20)
    assert errors(report) == {"GL-NV-021", "GL-LCP-009"} and not allows(report)
    found, = [f for f in report["findings"] if f["id"] == "GL-NV-021"]
    assert "'geolaunch provision BUILD-DIR --replace'" in found["fix"] and "--lcp-owner" not in found["fix"] + found["text"]
    report = lint(with_lcp, "--tcti", tpm.tcti, "--lcp-owner", "owner.pol", code=20)
    assert errors(report) == {"GL-NV-017", "GL-NV-021"} and allows(report)
    provision(with_lcp, tpm, "--replace")
    assert allows(lint(with_lcp, "--tcti", tpm.tcti))


def test_mle_hash_in_place_of_the_builds_tboot(with_lcp):
    digest = TxtModel(TXT, with_lcp).mle_hash("sha256").hex()
    assert allows(lint(with_lcp, "--mle-hash", f"sha256:{digest}"))
    report = lint(with_lcp, "--mle-hash", "sha256:" + 64 * "0", code=20)
    assert errors(report) == {"GL-LCP-002", "GL-BUILD-009"} and not allows(report)


# ---------------------------------------------------------------- what SINIT measures of the indices


def fix_of(report, rule):
    return next(f["fix"] for f in report["findings"] if f["id"] == rule)


def test_lint_of_an_owners_policy_that_the_build_does_not_know(inputs, tpm):
    assert build(inputs, TXT).returncode == 0
    provision(inputs, tpm)
    assert not errors(lint(inputs, "--tcti", tpm.tcti))
    assert run("lcp", "policy", "create", "-o", "any.pol", "--type", "any", cwd=inputs).returncode == 0
    define(tpm, PO, (inputs / "any.pol").read_bytes())
    report = lint(inputs, "--tcti", tpm.tcti, code=20)
    assert errors(report) == {"GL-NV-023"} and "build again" in fix_of(report, "GL-NV-023")
    # The name of a log: an owner's policy is no part of what it is taken from.
    (inputs / "a.log").write_bytes(TxtModel(TXT, inputs).log())
    assert build(inputs, txt_variant(platform={"log": "a.log"}), "--force").returncode == 0
    assert errors(lint(inputs, "--tcti", tpm.tcti, code=20)) == {"GL-NV-023"}


@pytest.mark.parametrize("attributes, more", [("ownerwrite|authread|no_da", ()), (PO_ATTRIBUTES + "|authwrite", ()), (PO_ATTRIBUTES, ("-g", "sha384"))])
@pytest.mark.parametrize("of_log", [False, True])
def test_lint_of_the_builds_policy_in_another_index(with_lcp, tpm, attributes, more, of_log):
    """SINIT measures how the index is defined."""
    if of_log:
        manifest = txt_variant(lcp={"data": "list.dat", "policy": "owner.pol"})
        (with_lcp / "a.log").write_bytes(TxtModel(manifest, with_lcp).log())
        assert build(with_lcp, {**manifest, "platform": {"log": "a.log"}}, "--force").returncode == 0
    provision(with_lcp, tpm)
    assert not errors(lint(with_lcp, "--tcti", tpm.tcti))
    tpm.tool("tpm2_nvundefine", PO, "-C", "o")
    define(tpm, PO, (with_lcp / "owner.pol").read_bytes(), attributes, *more)
    report = lint(with_lcp, "--tcti", tpm.tcti, code=20)
    assert errors(report) == {"GL-NV-022"} and "'geolaunch provision BUILD-DIR --replace'" in fix_of(report, "GL-NV-022")
    provision(with_lcp, tpm, "--replace")
    assert not errors(lint(with_lcp, "--tcti", tpm.tcti))


@pytest.mark.parametrize("index, key", [("0x01c10103", "ps"), ("0x01c10102", "aux")])
def test_lint_of_indices_of_the_platform(inputs, tpm, index, key):
    assert build(inputs, TXT).returncode == 0
    provision(inputs, tpm)
    assert run("lcp", "policy", "create", "-o", "any.pol", "--type", "any", cwd=inputs).returncode == 0
    define(tpm, index, (inputs / "any.pol").read_bytes())
    report = lint(inputs, "--tcti", tpm.tcti, code=20)
    assert errors(report) == {"GL-NV-024"} and f"platform.{key}" in fix_of(report, "GL-NV-024")
    found, = [f for f in report["findings"] if f["id"] == "GL-NV-024"]
    assert found["where"] == f"NV index {index}" and f"platform.{key}." in found["text"]
    # Told to the build, it is what is expected.
    public = index[2:] + "000b" + f"{0x2204000A:08x}" + "0000" + "0046"
    assert build(inputs, txt_variant(platform={**TXT["platform"], key: public}), "--force").returncode == 0
    assert not errors(lint(inputs, "--tcti", tpm.tcti))

# SPDX-License-Identifier: BSD-3-Clause
"""Mode txt: what `geolaunch build` and `geolaunch lint` say of a stand-in for the BIOS ACM, of a log against it, of SINIT and of a broken launch.conf."""

import json
import shutil

import pytest

from build_model import make_inputs, refused, run, to_yaml
from txt_model import BIOS, TXT, TxtModel, make_txt_inputs, txt_variant


@pytest.fixture
def inputs(tmp_path):
    make_inputs(tmp_path / "in")
    make_txt_inputs(tmp_path / "in")
    yield tmp_path / "in"
    shutil.rmtree(tmp_path)


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

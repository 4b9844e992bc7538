# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch verify`: its inputs, its report, its exit codes; the decisions themselves are in tests/unit/test_verify.c."""

import json
import os
import struct
import subprocess
from pathlib import Path

import pytest

import launch_model as model
from swtpm import Swtpm

TOP = Path(__file__).resolve().parents[2]
GEOLAUNCH = os.environ.get("GEOLAUNCH", str(TOP / "build/host/geolaunch"))


class Case:
    def __init__(self, folder, **kwargs):
        self.folder = folder
        self.expected(model.Launch(**kwargs).expected())

    def expected(self, value):
        (self.folder / "expected.json").write_text(json.dumps(value))

    def actual(self, launch, text=False):
        (self.folder / "pcrs").write_text(launch.pcrs_text() if text else launch.pcrs_json())
        (self.folder / "log").write_bytes(launch.log())

    def run(self, *args):
        return subprocess.run([GEOLAUNCH, "verify", str(self.folder / "expected.json"), *map(str, args)], capture_output=True, text=True, timeout=60)

    def verify(self, *args, log=True):
        """Exit code and report."""
        files = ["--pcrs", self.folder / "pcrs"] + (["--log", self.folder / "log"] if log else [])
        done = self.run(*files, "--json", *args)
        assert done.stderr == "", done.stderr
        return done.returncode, json.loads(done.stdout)


@pytest.fixture
def case(tmp_path):
    return Case(tmp_path)


def one_line(done, code):
    assert done.returncode == code, done
    assert done.stdout == ""
    assert done.stderr.startswith("geolaunch verify: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_agree(case):
    launch = model.Launch()
    case.actual(launch)
    code, out = case.verify()
    assert code == 10
    assert list(out) == ["verdicts", "agree", "drtm", "mode", "country", "modules", "capped", "explanation", "first_difference", "pcrs"]
    assert (out["verdicts"], out["agree"], out["drtm"], out["mode"], out["country"]) == (["no-drtm"], True, False, "direct", "DE")
    assert (out["modules"], out["capped"], out["first_difference"]) == ([], None, None)
    assert out["pcrs"] == {b: {p: {"predicted": v, "log": v, "tpm": v} for p, v in pcrs.items()} for b, pcrs in launch.pcrs_hex().items()}
    code, out = case.verify(log=False)
    assert code == 10 and out["agree"]
    assert out["pcrs"]["sha256"]["17"] == {"predicted": launch.pcrs_hex()["sha256"]["17"], "log": None, "tpm": launch.pcrs_hex()["sha256"]["17"]}


def test_trusted(tmp_path):
    case = Case(tmp_path, drtm=True)
    case.actual(model.Launch(drtm=True), text=True)
    for log in (True, False):
        code, out = case.verify(log=log)
        assert (code, out["verdicts"], out["drtm"], out["mode"]) == (0, ["trusted"], True, "txt")


# what is changed, code, verdicts, modules with a log, modules without one
TAMPERS = {
    "policy": (lambda: [s if s[2] != "policy" else (s[0], s[1], s[2], b"x") for s in model.GOOD], 14, ["no-drtm", "policy-mismatch"], [], []),
    "hypervisor": (lambda: model.change("module 1 hypervisor linux", b"x"), 13, ["no-drtm", "module-mismatch"],
                   ["module 1 hypervisor linux"], ["module 1 hypervisor linux", "module 2 initrd initrd"]),
    "vmm": (lambda: model.change("module 3 vmm vmm", b"x"), 13, ["no-drtm", "module-mismatch"], ["module 3 vmm vmm"], ["module 3 vmm vmm"]),
    "cmdline": (lambda: model.change("module 1 hypervisor linux", b"x", model.change("module 0 description launch.conf", b"x")), 13,
                ["no-drtm", "module-mismatch"], ["module 0 description launch.conf", "module 1 hypervisor linux"],
                ["module 0 description launch.conf", "module 1 hypervisor linux", "module 2 initrd initrd"]),
    "geo": (lambda: model.change("nv 0x01c10110", b"FR"), 12, ["no-drtm", "geo-mismatch"], [], []),
    "geo not measured": (lambda: [s for s in model.GOOD if s[1] != model.NV], 11, ["no-drtm", "geo-missing"], [], []),
    "geo index gone": (lambda: [s if s[1] != model.NV else (22, model.CAP, "cap nv-missing nv 0x01c10110", b"") for s in model.GOOD], 16,
                       ["no-drtm", "geo-missing", "capped"], [], []),
    "halt": (lambda: model.halt_after(model.change("module 3 vmm vmm", b"x")[:6], "module-mismatch"), 16,
             ["no-drtm", "module-mismatch", "capped"], ["module 3 vmm vmm"], ["module 3 vmm vmm"]),
}


@pytest.mark.parametrize("name", TAMPERS)
def test_tampered(case, name):
    steps, code, verdicts, modules, candidates = TAMPERS[name]
    case.actual(model.Launch(steps=steps()))
    got, out = case.verify()
    assert (got, out["verdicts"], out["modules"], out["agree"]) == (code, verdicts, modules, False), out
    assert out["country"] == (None if "geo" in name or name in ("halt", "policy", "cmdline") else "DE")
    assert out["first_difference"]["what"] in ("digest", "cap", "missing")
    assert (out["capped"] is None) == ("capped" not in verdicts)
    got, out = case.verify(log=False)
    assert (got, out["verdicts"], out["modules"], out["agree"]) == (code, verdicts, candidates, False), out
    assert out["first_difference"] is None


def test_first_difference(case):
    case.actual(model.Launch(steps=model.change("module 3 vmm vmm", b"x")))
    out = case.verify()[1]["first_difference"]
    assert (out["pcr"], out["type"], out["type_name"], out["name"], out["what"]) == (20, 0x5A1, "EV_GEOLAUNCH_MODULE", "module 3 vmm vmm", "digest")
    assert out["expected"]["sha256"] == model.digest("sha256", b"qemu").hex()
    assert out["log"]["sha256"] == model.digest("sha256", b"x").hex()


def test_log_of_another_launch(case):
    case.actual(model.Launch(steps=model.change("module 1 hypervisor linux", b"x")))
    (case.folder / "log").write_bytes(model.Launch().log())
    code, out = case.verify()
    assert (code, out["verdicts"]) == (15, ["no-drtm", "module-mismatch", "log-mismatch"])
    assert out["pcrs"]["sha256"]["19"]["log"] == out["pcrs"]["sha256"]["19"]["predicted"] != out["pcrs"]["sha256"]["19"]["tpm"]


def test_nothing_measured(case):
    case.actual(model.Launch(steps=[]))
    code, out = case.verify(log=False)
    assert (code, out["verdicts"]) == (14, ["no-drtm", "geo-missing", "module-mismatch", "policy-mismatch"])


def test_broken_log(case):
    case.actual(model.Launch())
    whole = (case.folder / "log").read_bytes()
    (case.folder / "log").write_bytes(whole[:-1])
    code, out = case.verify()
    assert (code, out["agree"]) == (15, False)
    assert any("The log is broken at byte" in s for s in out["explanation"])


def test_text(case):
    launch = model.Launch(steps=model.change("nv 0x01c10110", b"FR"), banks=["sha1", "sha256"])
    case.actual(launch)
    files = ["--pcrs", case.folder / "pcrs", "--log", case.folder / "log"]
    done = case.run(*files)
    assert done.returncode == 12 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["bank", "PCR", "predicted", "log", "TPM"]
    good = model.Launch(banks=["sha1", "sha256"]).pcrs_hex()
    row = next(line for line in lines if line.startswith("sha256  22"))
    assert row.split() == ["sha256", "22", good["sha256"]["22"][:16], "!=", launch.pcrs_hex()["sha256"]["22"][:16], "!=", launch.pcrs_hex()["sha256"]["22"][:16]]
    row = next(line for line in lines if line.startswith("sha1    20"))
    assert row.split()[3] == row.split()[5] == "="
    assert not any(line.startswith("sha384") for line in lines)
    assert "verdict: no-drtm, geo-mismatch" in lines
    assert f"Not in {case.folder / 'pcrs'} and so not compared: sha384, sha512." in lines
    assert all(len(line) < 80 for line in lines[:14])
    full = case.run(*files, "--full").stdout
    assert launch.pcrs_hex()["sha256"]["22"] in full and good["sha256"]["22"] in full
    quiet = case.run(*files, "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (12, "", "")


def test_names_cannot_reach_the_terminal(case):
    expected = model.Launch().expected()
    expected["events"][5]["name"] = "module 3 vmm \u001b[31m"
    case.expected(expected)
    case.actual(model.Launch(steps=model.change("module 3 vmm vmm", b"x")))
    done = case.run("--pcrs", case.folder / "pcrs")
    assert "\x1b" not in done.stdout + done.stderr


def test_input_errors(case, tmp_path):
    launch = model.Launch()
    case.actual(launch)
    pcrs = ["--pcrs", case.folder / "pcrs"]
    (tmp_path / "bad").write_text("{}")
    assert "no object" in one_line(case.run("--pcrs", tmp_path / "bad"), 3)
    # It would agree with itself.
    assert "a prediction of geolaunch's, and no values of a TPM" in one_line(case.run("--pcrs", case.folder / "expected.json", "--no-log"), 3)
    assert "no event log" in one_line(case.run(*pcrs, "--log", tmp_path / "bad"), 3)
    assert "missing" in one_line(case.run(*pcrs, "--log", tmp_path / "missing"), 1)
    assert "missing" in one_line(case.run("--pcrs", tmp_path / "missing"), 1)
    assert "no TPM" in one_line(case.run("--tcti", "swtpm:path=/nonexistent"), 4)
    assert "either" in one_line(case.run(*pcrs, "--tcti", "x"), 2)
    assert "either" in one_line(case.run(*pcrs, "--log", "x", "--no-log"), 2)
    assert "give one file" in one_line(case.run("another"), 2)
    del launch.pcrs["sha384"][20]
    (case.folder / "pcrs").write_text(launch.pcrs_json())
    assert "PCR 20 in bank sha384 is not given" in one_line(case.run(*pcrs), 3)
    (case.folder / "expected.json").write_text("{")
    one_line(case.run(*pcrs), 3)
    (case.folder / "expected.json").unlink()
    assert "No such file" in one_line(case.run(*pcrs), 1)


def spelled(text, **changes):
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


# What the file of a falsified sha256 bank looks like, the line of the name that is no bank's.
HIDDEN = {
    "typo": (True, {"sha256:": "sha265:"}, 8),
    "typo in JSON": (False, {'"sha256"': '"sha265"'}, 1),
    "a word behind it": (True, {"sha256:": "sha256 bank:"}, 8),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_no_bank_is_passed_over(tmp_path, name):
    """A bank under a name that nobody knows held a falsified PCR, and the others alone said "trusted"."""
    text, change, line = HIDDEN[name]
    case = Case(tmp_path, drtm=True)
    launch = model.Launch(drtm=True)
    launch.pcrs["sha256"][19] = bytes(32)
    case.actual(launch, text=text)
    pcrs = case.folder / "pcrs"
    pcrs.write_text(spelled(pcrs.read_text(), **change))
    said = one_line(case.run("--pcrs", pcrs), 3)
    assert f"line {line}: no PCR bank is called" in said and "give what tpm2_pcrread prints" in said


@pytest.mark.parametrize("text, change", [(True, {"sha256:": "SHA256:"}), (False, {'"sha256"': '"SHA256"'}), (True, {"  sha1:": "\ufeff  sha1:"}),
                                          (False, {'{"': '\ufeff{"'})])
def test_other_spellings_of_banks(tmp_path, text, change):
    case = Case(tmp_path, drtm=True)
    launch = model.Launch(drtm=True)
    pcrs = case.folder / "pcrs"
    for wrong, code in ((None, 0), ("sha1", 15), ("sha256", 15)):
        if wrong:
            launch.pcrs[wrong][19] = bytes(len(launch.pcrs[wrong][19]))
        case.actual(launch, text=text)
        content = pcrs.read_text()
        old, new = next(iter(change.items()))
        assert old in content
        pcrs.write_text(content.replace(old, new, 1), encoding="utf-8")
        done = case.run("--pcrs", pcrs, "--json")
        assert (done.returncode, done.stderr) == (code, "")
        assert set(json.loads(done.stdout)["pcrs"]) == {"sha1", "sha256", "sha384", "sha512"}


def test_files_that_are_none(case):
    """What is wrong with a file of PCR values, and what to give instead."""
    case.actual(model.Launch())
    for content, words in (("", "it is empty"), ('{"vm": 1}', 'no object "pcrs"')):
        (case.folder / "pcrs").write_text(content)
        said = one_line(case.run("--pcrs", case.folder / "pcrs"), 3)
        assert words in said and said.endswith(": give what tpm2_pcrread prints, or the JSON of 'qemu/run --json'\n")


def test_no_common_bank(tmp_path):
    case = Case(tmp_path, banks=["sha256"])
    case.actual(model.Launch(banks=["sha1"]))
    assert "no PCR bank in common" in one_line(case.run("--pcrs", tmp_path / "pcrs"), 3)


def test_help():
    done = subprocess.run([GEOLAUNCH, "verify", "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    for word in ("trusted 0", "no-drtm 10", "geo-missing 11", "geo-mismatch 12", "module-mismatch 13", "policy-mismatch 14", "log-mismatch 15", "capped 16"):
        assert word in done.stdout
    assert all(len(line) <= 90 for line in done.stdout.splitlines())


# ---------------------------------------------------------------- a real TPM


@pytest.mark.parametrize("steps, code", [(model.GOOD, 10), (model.change("module 1 hypervisor linux", b"x"), 13),
                                         (model.halt_after(model.GOOD[:7], "nv-missing"), 16), ([], 14)])
def test_tpm(case, steps, code):
    """What swtpm makes of the same extends, read by geolaunch and by tpm2-tools."""
    tpm = Swtpm()
    try:
        launch = model.Launch(steps=steps)
        for pcr, _, _, digests in launch.events:
            tpm.extend(pcr, digests)
        case.actual(launch)
        done = case.run("--tcti", tpm.tcti, "--log", case.folder / "log", "--json")
        # Which banks swtpm has active is its own decision.
        active = json.loads(done.stdout)["pcrs"]
        assert "sha256" in active
        if steps:
            assert done.returncode == code, done.stdout
        for bank, values in active.items():
            for pcr, v in values.items():
                assert v["tpm"] == launch.pcrs_hex()[bank][pcr]
        (case.folder / "pcrread").write_bytes(tpm.tool("tpm2_pcrread").stdout)
        by_file = case.run("--pcrs", case.folder / "pcrread", "--json")
        by_tpm = case.run("--tcti", tpm.tcti, "--json")
        assert by_file.returncode == by_tpm.returncode == code
        said = [json.loads(done.stdout) for done in (by_file, by_tpm)]
        # Banks that a file lacks may be active in the TPM all the same.
        said[0]["explanation"] = [s.replace(f"Not in {case.folder / 'pcrread'} and", "Not active in this TPM and") for s in said[0]["explanation"]]
        assert said[0] == said[1]
    finally:
        tpm.close()


def test_geo_tag_that_differs(case):
    """Beside geo.bin and with the TPM at hand the fields are named; not otherwise."""
    def tag(site, coordinates):
        head = struct.pack("<4sHH2s4sHii", b"GEO1", 64, coordinates is not None, b"DE", b"HE", 0, *(coordinates or (0, 0)))
        return head + site.ljust(40, b"\0")

    good, other = tag(b"FRA1", (501109000, 86821000)), tag(b"FRA1", None)
    case.expected(model.Launch(steps=model.change("nv 0x01c10110", good)).expected())
    launch = model.Launch(steps=model.change("nv 0x01c10110", other))
    case.actual(launch)
    tpm = Swtpm()
    try:
        for pcr, _, _, digests in launch.events:
            tpm.extend(pcr, digests)

        def said():
            done = case.run("--tcti", tpm.tcti, "--log", case.folder / "log", "--json")
            assert done.returncode == 12, done
            return [s for s in json.loads(done.stdout)["explanation"] if "NV index" in s]

        tpm.tool("tpm2_nvdefine", "0x01c10110", "-C", "o", "-s", "64", "-a", "ownerwrite|authread|no_da")
        tpm.tool("tpm2_nvwrite", "0x01c10110", "-C", "o", "-i", "-", data=other)
        assert said() == []
        (case.folder / "geo.bin").write_bytes(tag(b"FRA2", None))
        assert said() == []     # that is not what is expected
        (case.folder / "geo.bin").write_bytes(good)
        assert said() == ["NV index 0x01c10110 now differs from the expected tag: coordinates none, expected 50.1109 8.6821."]
        tpm.tool("tpm2_nvwrite", "0x01c10110", "-C", "o", "-i", "-", data=good)
        assert said() == ["NV index 0x01c10110 now holds what was expected: it was written after the launch, could not be read then, or the PCR was changed since."]
        tpm.tool("tpm2_nvwrite", "0x01c10110", "-C", "o", "-i", "-", data=bytes(64))
        assert said() == ["NV index 0x01c10110 now holds no geo tag of ours."]
        done = case.run("--pcrs", case.folder / "pcrs", "--json")
        assert done.returncode == 12 and "NV index" not in done.stdout
    finally:
        tpm.close()


def test_required_banks(case):
    case.actual(model.Launch())
    code, _ = case.verify("--require-banks", "sha256,sha384")
    assert code == 10
    case.expected(model.Launch(banks=("sha256",)).expected())
    files = ["--pcrs", case.folder / "pcrs", "--no-log"]
    assert "sha384" in one_line(case.run(*files, "--require-banks", "sha256,sha384"), 3)
    for wrong in ("", "sha256,", "md5", "sha256 sha384"):
        one_line(case.run(*files, "--require-banks", wrong), 2)

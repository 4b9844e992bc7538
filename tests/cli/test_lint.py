# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch lint` against real builds and a real swtpm: TPM and dump say the same, and what it finds is what was done."""
import hashlib
import json
import os
import re
import shutil
import subprocess

import pytest
import build_model
import oracles
from build_model import BASE, GEOLAUNCH, TOP
from swtpm import Swtpm

ACM_TOOL = TOP / "build/host/acm_tool"
VLP_INDEX, VLP_INDEX_0 = "0x01c10131", "0x01200001"
CMDLINE = "logging=serial,memory min_ram=0x2000000"
ESP = "esp/EFI/geolaunch"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lint") / "in"
    build_model.make_inputs(folder)
    return folder


@pytest.fixture(scope="module")
def built(inputs):
    done = build_model.build(inputs, BASE)
    assert done.returncode == 0, done.stderr
    return inputs / "out"


@pytest.fixture
def own(built, tmp_path):
    """A copy to be spoilt."""
    return shutil.copytree(built, tmp_path / "build")


@pytest.fixture
def tpm():
    t = Swtpm()
    yield t
    t.close()


@pytest.fixture(scope="module")
def sinits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sinit")
    for index_set in (0, 1):
        made = subprocess.run([ACM_TOOL, "sinit", str(index_set)], capture_output=True, check=True, timeout=60).stdout
        (folder / f"set{index_set}.bin").write_bytes(made)
    return [folder / "set0.bin", folder / "set1.bin"]


def geolaunch(*args, code=0, **kwargs):
    done = subprocess.run([GEOLAUNCH, *map(str, args)], capture_output=True, text=True, timeout=60, check=False, **kwargs)
    assert done.returncode == code, done
    return done.stdout


def lint(*args, code=0):
    report = json.loads(geolaunch("lint", *args, "--json", code=code))
    assert set(report) == {"findings", "launch"}
    for f in report["findings"]:
        assert list(f) == ["id", "severity", "title", "text", "fix", "where"]
        assert all(isinstance(v, str) and v for v in f.values()), f
    severities = [("error", "warning", "info").index(f["severity"]) for f in report["findings"]]
    assert severities == sorted(severities)
    assert (code == 20) == (0 in severities)
    return report


def ids(report, severity=None):
    return {f["id"] for f in report["findings"] if severity in (None, f["severity"])}


def finding(report, name):
    return next(f for f in report["findings"] if f["id"] == name)


def says(report, part):
    return any(part in s for s in report["launch"])


def provision(tpm, build, *args):
    """With the policy for tboot, unless it says --no-vlp; of a build for direct mode it has to be named."""
    of_tboot = [] if "--no-vlp" in args else ["--vlp", build / ESP / "policy.vlp"]
    if "--no-vlp" in args and "--error-index" not in args:
        args = [a for a in args if a not in ("--index-set", "1")]
    geolaunch("provision", build, *of_tboot, *args, "--tcti", tpm.tcti)


# What makes lint tell of a launch by tboot, too.
BY_TBOOT = ("--tboot-cmdline", CMDLINE)


def define(tpm, index, attributes, content, *more):
    tpm.tool("tpm2_nvdefine", index, "-C", "o", "-s", str(len(content)), "-a", attributes, *more)
    tpm.tool("tpm2_nvwrite", index, "-C", "o", "-i", "-", data=content)


# ---------------------------------------------------------------- reports


def test_build_alone(built):
    report = lint(built)
    assert report["findings"] == []
    assert says(report, "Module 1, linux (hypervisor), goes to PCR 19 and is the one that the policy demands.")
    assert says(report, "no TPM was looked at")
    assert not says(report, "tboot")


def test_text(built, own):
    text = geolaunch("lint", built)
    assert text.startswith("What will happen at launch:\n  - This build is for direct mode")
    assert text.endswith("\n0 errors, 0 warnings\n")
    (own / ESP / "vmm").write_bytes(b"another")
    text = geolaunch("lint", own, "--tboot-cmdline", "", code=20)
    assert text.startswith("error GL-BUILD-002: ")
    assert text.index("error ") < text.index("warning GL-TBOOT-007: ") < text.index("What will happen at launch:")
    assert "\n  To do: " in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_clean_host(built, tpm, sinits, tmp_path):
    """Provisioned, locked, only the bank that tboot extends: nothing is left but remarks."""
    provision(tpm, built, "--sinit", sinits[1], "--error-index")
    geolaunch("geo", "lock", "--tcti", tpm.tcti)
    report = lint(built, "--tcti", tpm.tcti, "--sinit", sinits[1], "--tboot-cmdline", CMDLINE, "--write-nv-dump", tmp_path / "nv.json")
    assert ids(report, "warning") == {"GL-TBOOT-010", "GL-GEO-013"}
    assert ids(report, "info") == {"GL-TBOOT-005", "GL-LCP-020"}
    assert finding(report, "GL-GEO-013")["where"] == "NV index 0x01c10110"
    first = (tmp_path / "nv.json").read_bytes()
    assert geolaunch("lint", built, "--tcti", tpm.tcti, "--write-nv-dump", tmp_path / "nv.json", code=2) == ""
    assert (tmp_path / "nv.json").read_bytes() == first
    tpm.tool("tpm2_changeauth", "-c", "owner", "secret")
    report = lint(built, "--tcti", tpm.tcti, "--sinit", sinits[1], "--tboot-cmdline", CMDLINE, "--write-nv-dump", tmp_path / "nv.json", "--force")
    assert ids(report, "warning") == {"GL-TBOOT-010"}
    assert says(report, "tboot 1.10.5 takes its policy from NV index 0x01c10131: type halt, sha256, 7 entries; it is the one of this build.")
    assert says(report, "a geo tag for DE-HE) into PCR 22; it is what the policy demands.")
    # Offline the same is said, word by word.
    assert lint(built, "--nv-dump", tmp_path / "nv.json", "--sinit", sinits[1], "--tboot-cmdline", CMDLINE) == report
    # A dump for a fleet needs no build.
    assert geolaunch("lint", "--tcti", tpm.tcti, "--write-nv-dump", tmp_path / "again.json") == ""
    assert (tmp_path / "again.json").read_text() == (tmp_path / "nv.json").read_text()
    # With one bank there is no warning either.
    dump = json.loads((tmp_path / "nv.json").read_text())
    assert dump["owner_auth_set"] is True
    dump["banks"] = ["sha256"]
    (tmp_path / "one.json").write_text(json.dumps(dump))
    assert ids(lint(built, "--nv-dump", tmp_path / "one.json", "--sinit", sinits[1], "--tboot-cmdline", CMDLINE)) == {
        "GL-TBOOT-005", "GL-LCP-020", "GL-BUILD-004"}
    # Who has not looked at the owner's password says nothing of it.
    for value, found in ((False, {"GL-GEO-013"}), (None, set())):
        dump.pop("owner_auth_set", None)
        (tmp_path / "one.json").write_text(json.dumps(dump if value is None else {**dump, "owner_auth_set": value}))
        assert ids(lint(built, "--nv-dump", tmp_path / "one.json", "--sinit", sinits[1], "--tboot-cmdline", CMDLINE), "warning") - {"GL-BUILD-004"} == found


def test_nothing_provisioned(built, tpm):
    report = lint(built, "--tcti", tpm.tcti, code=20)
    assert ids(report) == {"GL-GEO-001"}
    report = lint(built, "--tcti", tpm.tcti, "--tboot-version", "1.11.2", code=20)
    assert {"GL-GEO-001", "GL-NV-009"} == ids(report, "error")
    assert says(report, "tboot 1.11.2 finds no policy and takes its default one")


# ---------------------------------------------------------------- TPMs as they should not be


def test_index_sets(built, tpm, sinits):
    provision(tpm, built, "--index-set", "0")
    assert ids(lint(built, "--tcti", tpm.tcti, "--sinit", sinits[0]), "error") == set()
    report = lint(built, "--tcti", tpm.tcti, "--sinit", sinits[1], code=20)
    assert finding(report, "GL-NV-001")["where"] == f"NV index {VLP_INDEX_0}"
    assert "GL-NV-009" in ids(report)
    # Without SINIT the set in use is taken.
    assert ids(lint(built, "--tcti", tpm.tcti, *BY_TBOOT), "error") == set()
    provision(tpm, built, "--index-set", "1")
    assert "GL-NV-004" in ids(lint(built, "--tcti", tpm.tcti, "--sinit", sinits[1]), "warning")


def test_password(built, tpm, tmp_path):
    provision(tpm, built, "--index-set", "1", "--no-vlp")
    policy = (built / ESP / "policy.vlp").read_bytes()
    define(tpm, VLP_INDEX, "ownerwrite|authread|no_da", policy, "-p", "secret")
    report = lint(built, "--tcti", tpm.tcti, *BY_TBOOT, "--write-nv-dump", tmp_path / "nv.json", code=20)
    assert {"GL-NV-003", "GL-NV-009"} <= ids(report, "error")
    assert "it has a password" in finding(report, "GL-NV-003")["text"]
    assert lint(built, "--nv-dump", tmp_path / "nv.json", *BY_TBOOT, code=20) == report


@pytest.mark.parametrize("attributes, expected", [
    ("ownerwrite|ownerread|no_da", {"GL-NV-003", "GL-NV-009"}),
    ("ownerwrite|authread", {"GL-NV-010"}),
    ("ownerwrite|authwrite|authread|no_da", {"GL-NV-011"}),
    ("ownerwrite|authread|no_da|clear_stclear", {"GL-NV-009", "GL-NV-018"}),
])
def test_attributes(built, tpm, attributes, expected):
    provision(tpm, built, "--index-set", "1", "--no-vlp", "--error-index")
    define(tpm, VLP_INDEX, attributes, (built / ESP / "policy.vlp").read_bytes())
    code = 20 if expected & {"GL-NV-003", "GL-NV-018"} else 0
    report = lint(built, "--tcti", tpm.tcti, *BY_TBOOT, code=code)
    assert {i for i in ids(report) if i.startswith("GL-NV")} == expected


def test_ppwrite(built, tpm):
    """Only the platform's hierarchy can define such an index."""
    policy = (built / ESP / "policy.vlp").read_bytes()
    provision(tpm, built, "--index-set", "1", "--no-vlp", "--error-index")
    tpm.tool("tpm2_nvdefine", VLP_INDEX, "-C", "p", "-s", str(len(policy)), "-a", "ppwrite|authread|no_da|platformcreate")
    tpm.tool("tpm2_nvwrite", VLP_INDEX, "-C", "p", "-i", "-", data=policy)
    report = lint(built, "--tcti", tpm.tcti, *BY_TBOOT, code=20)
    assert {i for i in ids(report) if i.startswith("GL-NV")} == {"GL-NV-002", "GL-NV-009"}


def test_another_policy(built, tpm):
    provision(tpm, built, "--index-set", "1", "--no-vlp")
    # tboot's own default policy with its index of TPM 1.2
    other = bytes.fromhex("02000b010000000000000003" "00ff000000000000" "8111000000000000" "8316001000004000")
    define(tpm, VLP_INDEX, "ownerwrite|authread|no_da", other)
    report = lint(built, "--tcti", tpm.tcti, *BY_TBOOT, code=20)
    assert {"GL-NV-006", "GL-NV-008"} <= ids(report, "error")
    assert says(report, "type nonfatal, sha256, 3 entries; it is not the one of this build")


def test_geo(built, tpm):
    provision(tpm, built, "--index-set", "1")
    geolaunch("geo", "write", "--country", "FR", "--tcti", tpm.tcti)
    report = lint(built, "--tcti", tpm.tcti, code=20)
    tag = BASE["geo"]["tag"]
    coordinates = f"{tag['latitude']} {tag['longitude']}"
    differ = f"What differs: country FR, expected DE; subdivision none, expected HE; site none, expected {tag['site']}; coordinates none, expected {coordinates}."
    assert differ in finding(report, "GL-GEO-006")["text"]
    assert "geo write --file BUILD-DIR/geo.bin" in finding(report, "GL-GEO-006")["fix"]
    assert says(report, "it is not what the policy demands: the launch stops here.")
    geolaunch("geo", "undefine", "--tcti", tpm.tcti)
    define(tpm, "0x01c10110", "ownerwrite|authread|authwrite", bytes(20))
    report = lint(built, "--tcti", tpm.tcti, code=20)
    assert {i for i in ids(report) if i.startswith("GL-GEO")} == {"GL-GEO-004", "GL-GEO-006", "GL-GEO-009", "GL-GEO-013"}


def test_geo_tag_of_the_same_country(built, own, tpm):
    """The documents' own example once: everything but the coordinates."""
    provision(tpm, built, "--index-set", "1")
    tag = BASE["geo"]["tag"]
    geolaunch("geo", "write", "--country", tag["country"], "--subdivision", tag["subdivision"], "--site", tag["site"], "--tcti", tpm.tcti)
    report = lint(own, "--tcti", tpm.tcti, code=20)
    assert f"What differs: coordinates none, expected {tag['latitude']} {tag['longitude']}." in finding(report, "GL-GEO-006")["text"]
    # A geo.bin that is not what is measured tells nothing of what should be there.
    (own / "geo.bin").write_bytes((own / "geo.bin").read_bytes().replace(b"FRA1", b"FRA2"))
    report = lint(own, "--tcti", tpm.tcti, code=20)
    assert "The country is as expected, DE; something else in the tag differs." in finding(report, "GL-GEO-006")["text"]
    assert finding(report, "GL-BUILD-017")["where"] == "geo.bin"
    (own / "geo.bin").unlink()
    gone = lint(own, "--tcti", tpm.tcti, code=20)
    assert gone["findings"] == [f for f in report["findings"] if f["id"] != "GL-BUILD-017"] and gone["launch"] == report["launch"]


@pytest.mark.parametrize("country, rule, severity", [("UK", "GL-GEO-014", "warning"), ("ZZ", "GL-GEO-015", "info"), ("GB", None, None)])
def test_country(inputs, country, rule, severity):
    done = build_model.build(inputs, build_model.variant(geo={"tag": {"country": country}}), "--force", out="country")
    assert done.returncode == 0
    line = next(i for i, s in enumerate((inputs / "host.yaml").read_text().splitlines(), 1) if s == "geo:") + 1
    assert done.stderr == "" if rule is None else done.stderr.startswith(f'geolaunch build: warning: the country "{country}" is ')
    assert rule is None or done.stderr.endswith(f": host.yaml:{line}\n")
    report = lint(inputs / "country")
    assert [(f["id"], f["severity"]) for f in report["findings"]] == ([(rule, severity)] if rule else [])


def test_direct_mode_leaves_tboot_alone(built, tpm):
    """A policy for tboot in the TPM is a remark; nothing else is said about tboot."""
    provision(tpm, built, "--index-set", "1")
    define(tpm, "0x01200001", "ownerwrite|authread|no_da", b"no policy")
    report = lint(built, "--tcti", tpm.tcti)
    assert ids(report) == {"GL-GEO-011", "GL-GEO-013", "GL-NV-019"}
    assert [f["where"] for f in report["findings"] if f["id"] == "GL-NV-019"] == ["NV index 0x01200001", "NV index 0x01c10131"]
    assert not says(report, "tboot")
    # asked for, it is told
    report = lint(built, "--tcti", tpm.tcti, *BY_TBOOT)
    assert {"GL-NV-004", "GL-TBOOT-005"} <= ids(report) and "GL-NV-019" not in ids(report) and says(report, "tboot")


def test_texts_by_mode(own):
    """A build for direct mode is not told what tboot would do."""
    policy = own / ESP / "policy.vlp"
    good = policy.read_bytes()
    policy.write_bytes(good[:1] + b"\0" + good[2:])
    for more, says_tboot in (((), False), (BY_TBOOT, True)):
        report = lint(own, *more, code=20)
        assert ("tboot" in finding(report, "GL-VLP-004")["text"]) == says_tboot


def test_lockout_is_not_fed(built, tpm):
    """Indices of others that are not exempt from lockout are not tried with a wrong password."""
    define(tpm, "0x01800100", "ownerwrite|authread", b"x", "-p", "secret")
    before = tpm.tool("tpm2_getcap", "properties-variable").stdout
    lint(built, "--tcti", tpm.tcti, code=20)
    assert tpm.tool("tpm2_getcap", "properties-variable").stdout == before


# ---------------------------------------------------------------- the build


def test_changed_build(own):
    (own / ESP / "linux").write_bytes(b"another")
    (own / ESP / "vmm").unlink()
    report = lint(own, code=20)
    assert ids(report) == {"GL-BUILD-001", "GL-BUILD-002", "GL-VLP-013"}
    assert finding(report, "GL-BUILD-001")["where"] == "vmm"
    assert says(report, "Module 1, linux (hypervisor), goes to PCR 19 and is none of those that the policy allows: the launch stops here.")


def test_files_that_no_build_makes(own):
    for name in ("file-9", "linux.bak", ".hidden"):
        (own / ESP / name).write_bytes(b"x")
    report = lint(own, code=20)
    assert [(f["id"], f["where"]) for f in report["findings"]] == [("GL-BUILD-014", n) for n in (".hidden", "file-9", "linux.bak")]


def test_launch_conf_is_a_module(own):
    path = own / ESP / "launch.conf"
    text = path.read_text()
    assert "on-halt poweroff\n" in text
    path.write_text(text.replace("on-halt poweroff\n", "on-halt return\n"))
    assert "GL-BUILD-002" in ids(lint(own, code=20))


# A mistake in launch.conf, what is said of it.
UNREADABLE = {
    "key": (lambda b: b.replace(b"halt-delay ", b"halt_delay "), "line 5: this is not the key that belongs here"),
    "CRLF": (lambda b: b.replace(b"\n", b"\r\n"), "line 1: the line holds something else than printable ASCII"),
    "behind the end": (lambda b: b + b"on-halt return\n", "line {lines}: something follows the line \"end\""),
    "cut off": (lambda b: b[:-1], "line {last}: the last line does not end in LF"),
    "byte order mark": (lambda b: b"\xef\xbb\xbf" + b, "line 1: "),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_launch_conf_that_cannot_be_read(own, name):
    """One error with line and cause; nothing else is wrong, and files that nobody touched are not blamed."""
    change, why = UNREADABLE[name]
    path = own / ESP / "launch.conf"
    good = path.read_bytes()
    path.write_bytes(change(good))
    assert path.read_bytes() != good
    why = why.format(lines=good.count(b"\n") + 1, last=good.count(b"\n"))
    report = lint(own, code=20)
    assert [f["id"] for f in report["findings"]] == ["GL-BUILD-015"]
    found = finding(report, "GL-BUILD-015")
    assert found["where"] == "launch.conf" and found["title"] == "launch.conf cannot be read" and why in found["text"]
    assert len(report["launch"]) == 1
    assert "geolaunch.efi cannot read launch.conf (" + why in report["launch"][0] and "no host is started" in report["launch"][0]


def test_no_launch_conf(own):
    """In direct mode it is a module, and no other file is blamed."""
    (own / ESP / "launch.conf").unlink()
    report = lint(own, code=20)
    assert [(f["id"], f["where"]) for f in report["findings"]] == [("GL-BUILD-001", "launch.conf")]
    assert report["launch"][0].startswith("geolaunch.efi cannot read launch.conf (there is no such file). ")


def test_policies_by_hand(own):
    policy = own / ESP / "policy.vlp"
    good = policy.read_bytes()
    for change, expected in [
        (lambda b: b.__setitem__(0, 3), "GL-VLP-001"),
        (lambda b: b.__setitem__(1, 0), "GL-VLP-004"),
        (lambda b: b.__setitem__(3, 0), "GL-VLP-006"),
        (lambda b: b.__setitem__(20, 129), "GL-VLP-002"),
        (lambda b: b.__setitem__(21, 16), "GL-VLP-007"),
        (lambda b: b.__setitem__(20, 99), "GL-VLP-008"),
        (lambda b: b.__setitem__(20, 99), "GL-VLP-009"),
        (lambda b: b.__delitem__(slice(100, None)), "GL-VLP-001"),
        (lambda b: b.extend(bytes(2200)), "GL-VLP-003"),
    ]:
        spoilt = bytearray(good)
        change(spoilt)
        policy.write_bytes(spoilt)
        assert expected in ids(lint(own, code=20)), expected
    policy.write_bytes(good)
    assert lint(own)["findings"] == []


def test_geo_index_of_tpm12(own):
    policy = own / ESP / "policy.vlp"
    policy.write_bytes(policy.read_bytes().replace(bytes.fromhex("1001c101"), bytes.fromhex("10000040")))
    report = lint(own, code=20)
    assert "GL-GEO-007" in ids(report)
    assert "GL-VLP-001" not in ids(report)


def test_hash_of_tboot(inputs):
    """A policy of another algorithm than tboot's."""
    done = build_model.build(inputs, build_model.variant(policy={"type": "halt", "hash": "sha384"}), out="out384")
    assert done.returncode == 0, done.stderr
    out = inputs / "out384"
    assert lint(out)["findings"] == []
    assert "GL-TBOOT-001" in ids(lint(out, "--tboot-version", "1.10.5", code=20))
    assert "GL-TBOOT-001" not in ids(lint(out, "--tboot-cmdline", CMDLINE + " extpol=sha384"))
    assert "GL-TBOOT-004" in ids(lint(out, "--tboot-version", "1.9.11", "--tboot-cmdline", CMDLINE + " extpol=sha384", code=20))


# ---------------------------------------------------------------- SINIT and launch control


@pytest.fixture(scope="module")
def control(tmp_path_factory):
    """Policy data that allows the distribution's tboot with one command line, and its policy."""
    folder = tmp_path_factory.mktemp("lcp")
    tboot = oracles.tboot_gz()
    digest = geolaunch("lcp", "mle-hash", "--cmdline", CMDLINE, tboot).strip()
    geolaunch("lcp", "element", "mle", "-o", "mle.elt", "--hash", digest, "--min-version", "3", cwd=folder)
    geolaunch("lcp", "list", "create", "-o", "list.lst", "mle.elt", cwd=folder)
    geolaunch("lcp", "data", "create", "-o", "data", "list.lst", cwd=folder)
    geolaunch("lcp", "policy", "create", "-o", "policy", "--type", "list", "--data", "data", "--min-version", "5", cwd=folder)
    geolaunch("lcp", "policy", "create", "-o", "newer", "--type", "list", "--data", "data", "--min-version", "200", cwd=folder)
    geolaunch("lcp", "policy", "create", "-o", "any", "--type", "any", cwd=folder)
    return folder, ["--tboot", tboot], digest


def test_launch_control(built, sinits, control):
    folder, tboot, digest = control
    given = [built, "--sinit", sinits[1], "--lcp-owner", folder / "policy", "--lcp-data", folder / "data"]
    report = lint(*given, *tboot, "--tboot-cmdline", CMDLINE)
    assert says(report, "Launch control allows the launch: tboot's digest is in list 0, element 0 of the owner's policy data.")
    by_hash = lint(*given, "--mle-hash", f"sha256:{digest}", "--tboot-cmdline", CMDLINE)
    # What only the file shows.
    assert by_hash["findings"] == [f for f in report["findings"] if f["id"] != "GL-TBOOT-016"] and by_hash["launch"] == report["launch"]

    report = lint(*given, *tboot, "--tboot-cmdline", CMDLINE + " loglvl=all", code=20)
    assert ids(report, "error") == {"GL-LCP-002"}
    assert re.search(r"TXT\.ERRORCODE will be 0xc[0-9a-f]{7}\.$", finding(report, "GL-LCP-002")["text"])
    assert report["launch"][-1].startswith("SINIT refuses the launch")
    assert "GL-TBOOT-013" in ids(lint(*given, *tboot, "--tboot-cmdline", CMDLINE + " x" * 2000, code=20))
    assert "GL-LCP-021" in ids(lint(*given))
    given[4] = folder / "newer"
    assert "GL-LCP-007" in ids(lint(*given, *tboot, "--tboot-cmdline", CMDLINE, code=20))
    given[4] = folder / "any"
    assert "GL-LCP-019" in ids(lint(*given, *tboot, "--tboot-cmdline", CMDLINE))
    assert "GL-LCP-010" in ids(lint(built, "--lcp-owner", folder / "policy", code=20))


def test_policy_in_the_tpm(built, tpm, sinits, control, tmp_path):
    folder, tboot, _ = control
    provision(tpm, built, "--sinit", sinits[1], "--lcp", folder / "policy", "--error-index")
    given = [built, "--tcti", tpm.tcti, "--sinit", sinits[1], "--lcp-data", folder / "data", *tboot, "--tboot-cmdline", CMDLINE]
    assert ids(lint(*given), "error") == set()
    assert "GL-NV-017" in ids(lint(*given, "--lcp-owner", folder / "newer", code=20))
    (tmp_path / "spoilt").write_bytes((folder / "data").read_bytes()[:-1] + b"?")
    given[6] = tmp_path / "spoilt"
    assert "GL-LCP-009" in ids(lint(*given, code=20))
    geolaunch("lcp", "policy", "create", "-o", "long", "--type", "any", "--alg", "sha384", cwd=tmp_path)
    assert "GL-NV-016" in ids(lint(built, "--tcti", tpm.tcti, "--lcp-owner", tmp_path / "long", code=20))


def test_custom_element(built, tpm, sinits, tmp_path):
    geolaunch("lcp", "element", "custom", "-o", "c.elt", "--uuid", "tboot", "--data", built / ESP / "policy.vlp", cwd=tmp_path)
    geolaunch("lcp", "list", "create", "-o", "c.lst", "c.elt", cwd=tmp_path)
    geolaunch("lcp", "data", "create", "-o", "data", "c.lst", cwd=tmp_path)
    geolaunch("lcp", "policy", "create", "-o", "policy", "--type", "list", "--data", "data", cwd=tmp_path)
    provision(tpm, built, "--sinit", sinits[1], "--lcp", tmp_path / "policy", "--no-vlp")
    given = [built, "--tcti", tpm.tcti, "--sinit", sinits[1], "--lcp-data", tmp_path / "data"]
    report = lint(*given)
    assert says(report, "takes its policy from the custom element of the owner's policy data: type halt")
    assert "GL-LCP-018" in ids(report, "warning")
    provision(tpm, built, "--sinit", sinits[1])
    report = lint(*given)
    assert "the index wins" in finding(report, "GL-NV-005")["text"]
    assert says(report, "takes its policy from NV index 0x01c10131")


def test_platform(built, sinits):
    assert ids(lint(built, "--sinit", sinits[1], "--didvid", "8086:b001:1")) == {"GL-TBOOT-005"}
    assert "GL-ACM-001" in ids(lint(built, "--sinit", sinits[1], "--didvid", "8086:b002:1", code=20))


def test_platform_without_sinit(built):
    done = subprocess.run([GEOLAUNCH, "lint", built, "--cpu", "906a4"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "the build has none: name it with --sinit" in done.stderr and done.stderr.count("\n") == 1


def test_unreadable_sinit(built, tmp_path):
    (tmp_path / "no.bin").write_bytes(bytes(5000))
    done = subprocess.run([GEOLAUNCH, "lint", built, "--sinit", tmp_path / "no.bin"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3 and "no authenticated code module" in done.stderr and done.stderr.count("\n") == 1


# ---------------------------------------------------------------- wrong use


@pytest.mark.parametrize("args, words", [
    ([], "no build directory"),
    (["a", "b"], "more than one build directory"),
    (["a", "--tcti", "x", "--nv-dump", "y"], "either --tcti or --nv-dump"),
    (["a", "--write-nv-dump", "y"], "--write-nv-dump needs --tcti"),
    (["a", "--tcti", "x", "--force"], "--force is for --write-nv-dump only"),
    (["a", "--nv-dump", "x", "--write-nv-dump", "y"], "--write-nv-dump needs --tcti"),
    (["a", "--tboot", "x", "--mle-hash", "sha1:" + 40 * "0"], "either --tboot or --mle-hash"),
    (["a", "--didvid", "8086:1", "--sinit", "x"], "not vendor, device and revision"),
    (["a", "--didvid", "8086:1:1:1", "--sinit", "x"], "not vendor, device and revision"),
    (["a", "--cpu", "xyz", "--sinit", "x"], "not family/model/stepping"),
    (["a", "--cpu", "1:2:3", "--sinit", "x"], "not family/model/stepping"),
    (["a", "--tboot-version", "new"], "not a version such as 1.10.5"),
    (["a", "--mle-hash", "sha256:12"], "64 hexadecimal digits"),
    (["a", "--lcp-supplier-data", "x"], "needs the supplier's policy"),
    (["--nonsense"], "--nonsense"),
    (["--tcti"], "--tcti"),
])
def test_usage(args, words):
    done = subprocess.run([GEOLAUNCH, "lint", *args], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1 and done.stdout == ""


def test_no_build_directory(tmp_path, own):
    for folder, code in ((tmp_path / "none", 1), (tmp_path, 3)):
        done = subprocess.run([GEOLAUNCH, "lint", folder], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code and "give the output directory of 'geolaunch build'" in done.stderr
    (own / "expected.json").write_text("{}")
    done = subprocess.run([GEOLAUNCH, "lint", own], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3 and done.stderr.count("\n") == 1


def test_bad_dump(built, tmp_path):
    (tmp_path / "bad.json").write_text('{"format": "geolaunch-nv-1", "banks": ["sha256"], "nv": [{"index": "1"}]}')
    done = subprocess.run([GEOLAUNCH, "lint", built, "--nv-dump", tmp_path / "bad.json"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3 and '"index"' in done.stderr and done.stderr.count("\n") == 1


def test_no_tpm(built, tmp_path):
    done = subprocess.run([GEOLAUNCH, "lint", built, "--tcti", f"swtpm:path={tmp_path}/none"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4 and done.stderr.count("\n") == 1


def test_nothing_is_changed(built, tpm):
    """Looking leaves build directory and TPM as they were."""
    def state():
        return {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(built.rglob("*")) if p.is_file()}
    provision(tpm, built, "--index-set", "1")
    before, nv = state(), tpm.tool("tpm2_nvreadpublic").stdout
    lint(built, "--tcti", tpm.tcti)
    assert state() == before and tpm.tool("tpm2_nvreadpublic").stdout == nv


# ---------------------------------------------------------------- document


def test_documented_ids():
    found = re.findall(r"^### (GL-[A-Z]+-\d{3}): ", (TOP / "docs/LINT.md").read_text(encoding="utf-8"), re.M)
    assert len(found) == len(set(found)) >= 25


def test_a_full_disk(built):
    with open("/dev/full", "w", encoding="utf-8") as full:
        run = subprocess.run([GEOLAUNCH, "lint", built], stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60, env=os.environ)
    assert run.returncode == 1 and run.stderr.count("\n") == 1

# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch build` in mode txt: what launch control says to the launch, and NV_INFO of hosts whose indices differ."""

import hashlib
import json
import shutil
import struct

import pytest

from build_model import build, h, refused, run
from install_world import make_shim
from tboot_pe import flat
from txt_model import AUX, BIOS, PS, TXT, TxtModel, elf, inputs, lcp_files, tboot_image, txt_variant  # noqa: F401  (a fixture is among them)

OTHER_AUX = AUX.replace("ef" * 32, "cd" * 32)


def with_lcp(inputs, **changes):
    """A manifest with an owner's policy that allows its MLE."""
    manifest = txt_variant(**changes)
    lcp_files(inputs, TxtModel(manifest, inputs).mle_hash("sha256"))
    manifest["lcp"] = {"data": "list.dat", "policy": "owner.pol"}
    return manifest


def built(inputs, manifest):
    result = build(inputs, manifest)
    assert (result.returncode, result.stderr) == (0, "")
    events = json.loads((inputs / "out/expected.json").read_text())["events"]
    shutil.rmtree(inputs / "out")
    return events


# ---------------------------------------------------------------- logs and NV_INFO


def logs_of(inputs, *platforms, base=None):
    """A log of each of these, and "platform" with them."""
    for i, platform in enumerate(platforms):
        model = TxtModel({**(base or TXT), "platform": {"bios_acm": BIOS, "scrtm": 1, **platform}}, inputs)
        (inputs / f"{i}.log").write_bytes(model.log())
    return {"log": [f"{i}.log" for i in range(len(platforms))]}


def nv_info(events):
    """All that is expected in PCR 17 and 18, with where it comes from."""
    found = [e for e in events if e["name"] == "NV_INFO_HASH"]
    assert [e["pcr"] for e in found] == [17, 18]
    values = [[(e["digests"]["sha256"], e["provenance"]["from"])] + [(a["digests"]["sha256"], a["from"]) for a in e.get("alternatives", [])]
              for e in found]
    assert values[0] == values[1]
    return values[0]


def entries(inputs, manifest, **platform):
    return h("sha256", TxtModel(manifest, inputs).nv_info(platform)).hex()


def test_logs_of_hosts_before_there_was_an_owner_policy(inputs):
    """The index that `provision` will define is expected, whatever number of logs there is."""
    for platforms in ([{}], [{}, {}], [{"ps": PS}, {"aux": AUX}, {"ps": PS}]):
        platform = logs_of(inputs, *platforms)
        manifest = with_lcp(inputs)
        events = built(inputs, {**manifest, "platform": platform})
        distinct = [p for i, p in enumerate(platforms) if p not in platforms[:i]]
        found = nv_info(events)
        assert [digest for digest, _ in found] == [entries(inputs, manifest, **p) for p in distinct]
        assert found[0][1] == ["0.log", "0.log", "owner.pol"] and [where for _, where in found[1:]] == [["1.log"]] * (len(distinct) - 1)


def test_given_indices_go_before_those_of_logs(inputs):
    """Each alone, with one log and with two."""
    hosts = [{"aux": AUX, "ps": PS}, {"aux": OTHER_AUX}]
    for count in (1, 2):
        platform = logs_of(inputs, *hosts[:count])
        both = nv_info(built(inputs, txt_variant(platform=platform)))
        assert [d for d, _ in both] == [entries(inputs, TXT, **p) for p in hosts[:count]]
        aux = nv_info(built(inputs, txt_variant(platform={**platform, "aux": "none"})))
        assert [d for d, _ in aux] == [entries(inputs, TXT, **{**p, "aux": "none"}) for p in hosts[:count]]
        assert aux[0][1] == ["platform.aux", "0.log", "no PO index"]
        ps = nv_info(built(inputs, txt_variant(platform={**platform, "ps": PS})))
        assert [d for d, _ in ps] == [entries(inputs, TXT, **{**p, "ps": PS}) for p in hosts[:count]]
        given = nv_info(built(inputs, txt_variant(platform={**platform, "ps": PS, "aux": "none"})))
        assert given == [(entries(inputs, TXT, ps=PS), ["platform.aux", "platform.ps", "no PO index"])]


def test_log_of_a_host_with_an_owner_policy(inputs):
    """Its launch control values are those of that policy: without one they would be no host's."""
    platform = logs_of(inputs, {}, base=with_lcp(inputs))
    plain = txt_variant(platform=platform)
    result = build(inputs, plain)
    refused(result, 3, '"0.log" is of a host with an owner\'s launch control policy, but there is no "lcp": host.yaml:')
    assert "name it, or take a log of a host without" in result.stderr
    # another policy than the host had is computed
    manifest = with_lcp(inputs)
    assert [d for d, _ in nv_info(built(inputs, {**manifest, "platform": platform}))] == [entries(inputs, manifest)]
    # one such log of several
    (inputs / "1.log").write_bytes((inputs / "0.log").read_bytes())
    (inputs / "0.log").write_bytes(TxtModel(TXT, inputs).log())
    refused(build(inputs, txt_variant(platform={"log": ["0.log", "1.log"]})), 3, '"1.log" is of a host with an owner')


# ---------------------------------------------------------------- each file is read once


@pytest.mark.parametrize("name, copy", [("sinit.acm", "sinit"), ("list.dat", "lcp"), ("tboot.mb2", "tboot")])
def test_file_that_changes_behind_the_reading(inputs, name, copy):
    """What was read is what is predicted, and what is written."""
    (inputs / "tboot.mb2").write_bytes(flat(elf(tboot_image())))
    manifest = with_lcp(inputs) if name != "tboot.mb2" else txt_variant(tboot={"file": name, "cmdline": "logging=serial,memory"})
    expected = built(inputs, manifest)
    before = (inputs / name).read_bytes()
    shim = make_shim(inputs)
    result = run("build", "host.yaml", "-o", "out", "--efi", "geolaunch.efi", cwd=inputs,
                 env={"LD_PRELOAD": str(shim), "GL_SHIM_CHANGE": str(inputs / name)})
    assert (result.returncode, result.stderr) == (0, "")
    assert (inputs / name).read_bytes() != before and (inputs / "out/esp/EFI/geolaunch" / copy).read_bytes() == before
    assert json.loads((inputs / "out/expected.json").read_text())["events"] == expected


# ---------------------------------------------------------------- what launch control says


def evaluated(inputs, sinit="sinit.acm"):
    """The same, asked of `lcp evaluate` with the files."""
    said = run("lcp", "evaluate", "--json", "--po", "owner.pol", "--po-data", "list.dat", "--sinit", sinit, "--mle-file", "tboot.gz",
               "--cmdline", "logging=serial,memory extpol=sha256", cwd=inputs)
    return json.loads(said.stdout)["rule"]


@pytest.mark.parametrize("bit", [0x40, 0x80])
def test_module_that_is_not_production_worthy(inputs, bit):
    acm = bytearray((inputs / "sinit.acm").read_bytes())
    acm[15] |= bit
    (inputs / "npw.acm").write_bytes(acm)
    manifest = with_lcp(inputs, sinit={"file": "npw.acm"})
    refused(build(inputs, manifest), 3, "launch control would deny this launch: an ACM is not production worthy (NPW), and the policy does not")
    assert evaluated(inputs, "npw.acm") == "npw"
    lcp_files(inputs, TxtModel(manifest, inputs).mle_hash("sha256"), control=2)
    built(inputs, manifest)
    assert evaluated(inputs, "npw.acm") == "allowed"
    # without the owner's the supplier's may permit it, if the hosts have one
    plain = txt_variant(sinit={"file": "npw.acm"})
    result = build(inputs, plain)
    refused(result, 3, "there is no policy to permit that (npw-no-policy)")
    line = (inputs / "host.yaml").read_text().split("\n").index('  file: "npw.acm"') + 1
    assert f": host.yaml:{line}: see 'geolaunch lcp evaluate'" in result.stderr
    built(inputs, {**plain, "platform": {**TXT["platform"], "ps": PS}})
    built(inputs, {**plain, "platform": logs_of(inputs, {}, base=plain)})


def test_algorithm_that_the_module_has_not(inputs):
    manifest = with_lcp(inputs)
    policy = (inputs / "owner.pol").read_bytes()
    digest = hashlib.sha512(hashlib.sha512((inputs / "list.dat").read_bytes()[36:]).digest()).digest()
    (inputs / "owner.pol").write_bytes(policy[:2] + struct.pack("<H", 0x0D) + policy[4:28] + struct.pack("<H", 0x88) + policy[30:38] + digest)
    refused(build(inputs, manifest), 3, "launch control would deny this launch: SINIT does not have the policy's hash algorithm (policy-hash-alg)")
    assert evaluated(inputs) == "policy-hash-alg"


def test_pconf_elements(inputs):
    """No manifest has PCR 0-7 of its hosts: said as such, and not as a refusal."""
    manifest = with_lcp(inputs)
    (inputs / "pcrs.json").write_text(json.dumps({"pcrs": {"sha256": {str(n): f"{n:02x}" * 32 for n in range(8)}}}))
    mle = TxtModel(manifest, inputs).mle_hash("sha256").hex()
    for command in (
            ["element", "mle", "-o", "mle.elt", "--hash", mle],
            ["element", "pconf", "-o", "pconf.elt", "--pcrs", "0,7", "--pcr-file", "pcrs.json"],
            ["list", "create", "--version", "2.1", "-o", "a.lst", "mle.elt", "pconf.elt"],
            ["data", "create", "--force", "-o", "list.dat", "a.lst"],
            ["policy", "create", "--force", "-o", "owner.pol", "--type", "list", "--data", "list.dat"]):
        assert run("lcp", *command, cwd=inputs).returncode == 0, command
    result = build(inputs, manifest)
    refused(result, 3, "launch control asks for values of the platform that no manifest has, so nothing can be predicted: host.yaml:")
    assert "leave PCONF and SBIOS elements out" in result.stderr and "deny" not in result.stderr
    assert evaluated(inputs) == "input"

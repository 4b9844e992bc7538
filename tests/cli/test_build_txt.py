# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch build` for Xen and for mode txt: what it writes and predicts, against a second model."""

import gzip
import json
import shutil
import struct
import subprocess

import pytest

import oracles
import txt_model
from build_model import BASE, Model, h, refused, run, to_yaml, variant
from tboot_pe import flat
from txt_model import (AUX, BIOS, PS, SINIT_BANKS, TXT, XEN, TxtModel, elf, inputs, lcp_files, tboot_image,  # noqa: F401  (a fixture is among them)
                       txt_variant)


def build(inputs, manifest, *args, out="out"):
    (inputs / "host.yaml").write_text(manifest if isinstance(manifest, str) else to_yaml(manifest) + "\n")
    return run("build", "host.yaml", "-o", out, "--efi", "geolaunch.efi", *args, cwd=inputs)


def compare(inputs, model, mode):
    """Every byte of description and policy, every event, alternative and final value, in every bank."""
    esp = inputs / "out/esp/EFI/geolaunch"
    assert (esp / "launch.conf").read_bytes() == model.description
    assert (esp / "policy.vlp").read_bytes() == model.policy
    expected = json.loads((inputs / "out/expected.json").read_text())
    assert expected["banks"] == model.banks
    assert [(e["pcr"], e["type"], e["type_name"], e["name"], e["digests"]) for e in expected["events"]] == model.events
    assert expected["pcrs"] == {b: {str(p): v.hex() for p, v in values.items()} for b, values in model.pcrs.items()}
    assert (expected["mode"], expected["drtm"]) == (mode, mode == "txt")
    return expected


@pytest.mark.parametrize("manifest", [
    variant(hypervisor=XEN),
    variant(hypervisor={k: v for k, v in XEN.items() if k != "cmdline"}, vmm=None, files=None, geo=None),
    variant(hypervisor={**{k: v for k, v in XEN.items() if k != "initrd"}, "kernel": {"file": "dom0"}, "pcr": 18}, vmm=None, files=None),
])
def test_xen_in_direct_mode(inputs, manifest):
    result = build(inputs, manifest)
    assert (result.returncode, result.stderr) == (0, "")
    model = Model(manifest, inputs)
    compare(inputs, model, "direct")
    esp = inputs / "out/esp/EFI/geolaunch"
    # unpacked, as GRUB would hand it on
    assert (esp / "xen").read_bytes() == model.modules[0][2] and (esp / "xen").read_bytes()[:4] == b"\x7fELF"
    assert (esp / "kernel").read_bytes() == (inputs / "dom0").read_bytes()


NO_INITRD = {"kind": "linux", "file": "vmlinuz"}
GOOD = {
    "full": TXT,
    "xen": txt_variant(hypervisor=XEN),
    "kernel only": txt_variant(hypervisor=NO_INITRD, vmm=None, files=None, geo=None),
    "sha384": txt_variant(policy={"type": "continue", "hash": "sha384"}),
    "sha1": txt_variant(policy={"type": "nonfatal", "hash": "sha1"}),
    "extpol given": txt_variant(tboot={"file": "tboot.gz", "cmdline": "extpol=sha256 logging=none"}),
    "no tboot line": txt_variant(tboot={"file": "tboot.gz"}),
    "banks": txt_variant(banks=["sha256", "sha1"]),
    "efi": txt_variant(hypervisor={**TXT["hypervisor"], "efi_runtime": True}),
    "on_halt": txt_variant(on_halt="return", halt_delay=0),
    "measured only": txt_variant(geo={"file": "tag-32", "kind": "nv_raw", "verify": False, "index": 0x01800011, "pcr": 21}),
    "nv_raw": txt_variant(geo={"file": "tag-32", "kind": "nv_raw"}),
    "scrtm not told": txt_variant(platform={"bios_acm": BIOS, "aux": "none", "ps": "none"}),
    "two BIOSes": txt_variant(platform={"bios_acm": [BIOS, "11" * 32], "scrtm": 0}),
    "indices": txt_variant(platform={"bios_acm": BIOS, "scrtm": 1, "aux": AUX, "ps": PS}),
}


@pytest.mark.parametrize("name", GOOD)
def test_txt(inputs, name):
    manifest = GOOD[name]
    result = build(inputs, manifest)
    assert (result.returncode, result.stderr) == (0, "")
    model = TxtModel(manifest, inputs)
    expected = compare(inputs, model, "txt")
    esp = inputs / "out/esp/EFI/geolaunch"
    assert (esp / "tboot").read_bytes() == elf(tboot_image())
    assert (esp / "sinit").read_bytes() == model.sinit
    assert (esp / "stage").read_bytes() == (inputs / "stage.elf").read_bytes()
    for i, e in enumerate(expected["events"]):
        assert [a["digests"] for a in e.get("alternatives", [])] == model.alternatives.get(i, []), e["name"]
        # tboot extends one bank only, the others all
        assert list(e["digests"]) == ([model.hash] if e["type"] == 0x501 else model.banks)


@pytest.mark.parametrize("sinit, control", [("sinit.acm", 0), ("sinit0.acm", 2)])
def test_launch_control(inputs, sinit, control):
    """The owner's policy: what matched goes to PCR 17, its list to PCR 18, its index into NV_INFO."""
    manifest = txt_variant(sinit={"file": sinit})
    lcp_files(inputs, TxtModel(manifest, inputs).mle_hash("sha256"), control)
    manifest["lcp"] = {"data": "list.dat", "policy": "owner.pol"}
    result = build(inputs, manifest)
    assert (result.returncode, result.stderr) == (0, "")
    expected = compare(inputs, TxtModel(manifest, inputs), "txt")
    kinds = {e["name"]: e["provenance"]["kind"] for e in expected["events"]}
    assert kinds["LCP_DETAILS_HASH"] == kinds["LCP_AUTHORITIES_HASH"] == "computed"
    assert (inputs / "out/esp/EFI/geolaunch/lcp").read_bytes() == (inputs / "list.dat").read_bytes()
    assert (inputs / "out/lcp.pol").read_bytes() == (inputs / "owner.pol").read_bytes()
    # Another command line is another MLE, which this policy denies.
    manifest["tboot"] = {"file": "tboot.gz", "cmdline": "logging=none"}
    refused(build(inputs, manifest, out="more"), 3, "launch control would deny this launch: no MLE element has the digest of this MLE (mle-mismatch); "
            'tboot\'s whole command line is "logging=none extpol=sha256"')


def test_lcp2_mlehash_agrees(inputs):
    """tboot's own tool, on tboot itself."""
    shutil.copy(oracles.tboot_gz(), inputs / "tboot.gz")
    line = "logging=serial,memory extpol=sha256"
    assert build(inputs, TXT).returncode == 0
    expected = json.loads((inputs / "out/expected.json").read_text())
    mle = [e for e in expected["events"] if e["name"] == "MLE_HASH"][0]
    assert mle["provenance"] == {"kind": "computed", "from": ["tboot.gz", f"cmdline: {line}"]}
    # The file that is loaded has no runs of zeros; what is measured is the same.
    packed = inputs / "out/esp/EFI/geolaunch/tboot"
    assert packed.stat().st_size < 1 << 20
    for alg in ("sha1", "sha256"):
        for file in (inputs / "tboot.gz", packed):
            said = subprocess.run([oracles.tool("lcp2_mlehash"), "--create", "--alg", alg, "--cmdline", line, file],
                                  capture_output=True, text=True, check=True, timeout=60).stdout
            assert "".join(said.split()) == mle["digests"][alg], file
    # What its header asks of SINIT, measured on the TXT platform.
    caps = [e for e in expected["events"] if e["name"] == "OSSINITDATA_CAP_HASH"][0]
    assert caps["digests"]["sha256"] == h("sha256", struct.pack("<I", 0x602)).hex()


def test_signed_tboot(inputs):
    """tboot.mb2 gives the memory of tboot.gz, so the same is expected; the file stays as it was signed."""
    shutil.copy(oracles.tboot_gz(), inputs / "tboot.gz")
    with gzip.open(inputs / "tboot.gz") as f:
        signed = flat(f.read())
    (inputs / "tboot.mb2").write_bytes(signed)
    assert build(inputs, TXT).returncode == 0
    elf_events = json.loads((inputs / "out/expected.json").read_text())["events"]
    result = build(inputs, txt_variant(tboot={**TXT["tboot"], "file": "tboot.mb2"}), "--force")
    assert (result.returncode, result.stderr) == (0, "")
    events = json.loads((inputs / "out/expected.json").read_text())["events"]
    assert [(e["name"], e["digests"]) for e in events] == [(e["name"], e["digests"]) for e in elf_events]
    assert (inputs / "out/esp/EFI/geolaunch/tboot").read_bytes() == signed
    assert {f["id"] for f in lint(inputs, code=None)["findings"]} & {"GL-BUILD-009", "GL-TBOOT-001"} == set()
    both = [run("lcp", "mle-hash", "--cmdline", "x", name, cwd=inputs).stdout for name in ("tboot.gz", "tboot.mb2")]
    assert both[0] == both[1] and len(both[0]) == 65
    # Something else in it is another tboot.
    changed = bytearray(signed)
    changed[0x1000 + 0x4800] ^= 1
    (inputs / "out/esp/EFI/geolaunch/tboot").write_bytes(changed)
    assert "GL-BUILD-009" in {f["id"] for f in lint(inputs, code=None)["findings"]}


# ---------------------------------------------------------------- logs of hosts


def test_log_instead_of_sinit(inputs):
    """A module in the firmware: what cannot be computed comes from the log, the rest is computed."""
    model = TxtModel(TXT, inputs)
    (inputs / "a.log").write_bytes(model.log())
    manifest = txt_variant(sinit=None, platform={"log": "a.log"})
    result = build(inputs, manifest)
    assert (result.returncode, result.stderr) == (0, "")
    expected = json.loads((inputs / "out/expected.json").read_text())
    # without a module for tboot the description is another one; it is not measured
    assert [(e["pcr"], e["type"], e["name"], e["digests"]) for e in expected["events"]] == [(e[0], e[1], e[3], e[4]) for e in model.events]
    kinds = {e["name"]: e["provenance"]["kind"] for e in expected["events"]}
    for name in ("HASH_START", "SINIT_PUBKEY_HASH", "BIOSAC_REG_DATA", "CPU_SCRTM_STAT", "STM_HASH", "LCP_DETAILS_HASH", "NV_INFO_HASH"):
        assert kinds[name] == "captured", name
    assert kinds["MLE_HASH"] == kinds["policy"] == "computed"
    assert not (inputs / "out/esp/EFI/geolaunch/sinit").exists()


def test_log_of_other_tboot(inputs):
    """The log's MLE, launcher and policy do not matter: these are computed."""
    other = txt_variant(tboot={"file": "tboot.gz", "cmdline": "other"}, policy={"type": "nonfatal"})
    (inputs / "a.log").write_bytes(TxtModel(other, inputs).log())
    manifest = txt_variant(platform={"log": "a.log", "scrtm": 7})
    assert build(inputs, manifest).returncode == 0
    compare(inputs, TxtModel(txt_variant(platform={"bios_acm": BIOS, "scrtm": 7}), inputs), "txt")


def test_log_with_other_events_and_order(inputs):
    """SINITs of other generations measure more: their order and their events are kept."""
    from launch_model import event2
    model = TxtModel(TXT, inputs)
    text = model.log(before_tboot=True)
    extra = event2(17, 0x416, {b: h(b, b"key manifest") for b in SINIT_BANKS}, b"key manifest")
    at = text.index(event2(17, 0x40B, {b: h(b, struct.pack("<I", 1)) for b in SINIT_BANKS}, struct.pack("<I", 1)))
    (inputs / "a.log").write_bytes(text[:at] + extra + text[at:])
    assert build(inputs, txt_variant(platform={"log": "a.log"})).returncode == 0
    events = json.loads((inputs / "out/expected.json").read_text())["events"]
    assert [e["type"] for e in events[:4]] == [0x402, 0x40A, 0x416, 0x40B]
    assert events[2]["provenance"]["kind"] == "captured" and events[2]["digests"]["sha384"] == h("sha384", b"key manifest").hex()


def test_log_with_a_policy_larger_than_digests(inputs, monkeypatch):
    """An index of a log that no TPM has is not cut into one: what the log measured is what is expected."""
    strange = b"\1" + struct.pack(">IHIH", 0x01C10103, 0x000B, 0x62044408, 0x200) + bytes(0x200) + struct.pack(">H", 48) + b"\0\0"
    model = TxtModel(TXT, inputs)
    monkeypatch.setattr(model, "nv_info", lambda platform: strange)
    (inputs / "a.log").write_bytes(model.log())
    assert build(inputs, txt_variant(platform={"log": "a.log"})).returncode == 0
    events = json.loads((inputs / "out/expected.json").read_text())["events"]
    assert {e["digests"]["sha256"] for e in events if e["name"] == "NV_INFO_HASH"} == {h("sha256", strange).hex()}


def test_log_of_another_sinit(inputs):
    """It may have measured other things: said when building, by lint, and by whoever names the event."""
    (inputs / "a.log").write_bytes(TxtModel(txt_variant(sinit={"file": "sinit0.acm"}), inputs).log())
    result = build(inputs, txt_variant(platform={"log": "a.log"}))
    assert result.returncode == 0
    assert result.stderr.startswith("geolaunch build: warning: this log was captured with another SINIT module") and ": a.log: " in result.stderr
    assert result.stderr.count("\n") == 1
    expected = json.loads((inputs / "out/expected.json").read_text())
    assert {f for e in expected["events"] if e["provenance"]["kind"] == "captured" for f in e["provenance"]["from"] if ".log" in f} == {
        "a.log, of another SINIT module"}
    assert "GL-BUILD-012" in {f["id"] for f in lint(inputs, code=None)["findings"]}
    (inputs / "a.log").write_bytes(TxtModel(TXT, inputs).log())
    assert build(inputs, txt_variant(platform={"log": "a.log"}), "--force").stderr == ""
    assert "GL-BUILD-012" not in {f["id"] for f in lint(inputs, code=None)["findings"]}


def test_two_logs(inputs):
    """Hosts of one class with different firmware: PCR 17 is one of a set, whichever a host has."""
    two = txt_variant(platform={"bios_acm": [BIOS, "11" * 32]})
    for i, name in enumerate(("a.log", "b.log")):
        (inputs / name).write_bytes(TxtModel(two, inputs).log(pick=lambda values, i=i: values[i if len(values) > 1 else 0]))
    assert build(inputs, txt_variant(platform={"log": ["a.log", "b.log"]})).returncode == 0
    expected = json.loads((inputs / "out/expected.json").read_text())
    several = {e["name"]: [a["from"] for a in e["alternatives"]] for e in expected["events"] if "alternatives" in e}
    assert several == {"BIOSAC_REG_DATA": [["b.log"]], "CPU_SCRTM_STAT": [["b.log"]]}


BAD = {
    "no log": (lambda t: b"hello" * 20, "is no event log"),
    "cut off": (lambda t: t[:-7], "the log is broken"),
    "no launch": (lambda t: t[:32 + struct.unpack_from("<I", t, 28)[0]], "no log of a TXT launch"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_log(inputs, name):
    change, words = BAD[name]
    (inputs / "a.log").write_bytes(change(TxtModel(TXT, inputs).log(before_tboot=True)))
    result = build(inputs, txt_variant(platform={"log": "a.log"}))
    refused(result, 3, words)
    line = next(i for i, s in enumerate((inputs / "host.yaml").read_text().splitlines(), 1) if "a.log" in s)
    assert f": a.log: host.yaml:{line}: take one from a host with" in result.stderr and result.stderr.count("event log") <= 1
    assert not (inputs / "out").exists()


def test_logs_of_other_platforms(inputs):
    from launch_model import event2
    text = TxtModel(TXT, inputs).log(before_tboot=True)
    (inputs / "a.log").write_bytes(text)
    (inputs / "b.log").write_bytes(text + event2(17, 0x416, {b: h(b, b"") for b in SINIT_BANKS}, b""))
    refused(build(inputs, txt_variant(platform={"log": ["a.log", "b.log"]})), 3, "other events or another order: a.log, b.log")


# ---------------------------------------------------------------- refusals that need sound files


def bios_module(inputs):
    acm = bytearray((inputs / "sinit.acm").read_bytes())
    acm[acm.index(bytes.fromhex("aa3ac07f")) + 16] = 0
    (inputs / "bios.acm").write_bytes(acm)


REFUSED = {
    "line too long": ({"tboot": {"file": "tboot.gz", "cmdline": "x" * 512}}, "tboot's cmdline of 526 characters", 'cmdline: "xxx'),
    "bank of no SINIT": ({"banks": ["sha256", "sha512"]}, "SINIT does not extend bank sha512: ", "banks:"),
    "hash of no SINIT": ({"policy": {"type": "halt", "hash": "sha512"}}, "SINIT does not extend bank sha512, the policy's hash", "policy:"),
    "BIOS module": ({"sinit": {"file": "bios.acm"}}, '"bios.acm" is a module of another kind', "bios.acm"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal(inputs, name):
    change, words, where = REFUSED[name]
    bios_module(inputs)
    result = build(inputs, txt_variant(**change))
    refused(result, 3, words)
    lines = (inputs / "host.yaml").read_text().split("\n")
    line = next(i for i, text in enumerate(lines, 1) if where in text)
    # a mapping's line is that of its first key
    assert f": host.yaml:{line}: " in result.stderr or f": host.yaml:{line + 1}: " in result.stderr
    assert not (inputs / "out").exists()


def test_policy_larger_than_nv(inputs, monkeypatch):
    monkeypatch.setattr(txt_model, "SINIT_BANKS", ["sha512"])
    files = [{"file": "vm.json", "path": f"/{i}"} for i in range(26)]
    sha512 = {"type": "halt", "hash": "sha512"}
    (inputs / "a.log").write_bytes(TxtModel(txt_variant(policy=sha512, vmm=None, files=None, geo=None), inputs).log(before_tboot=True))
    manifest = txt_variant(policy=sha512, sinit=None, platform={"log": "a.log"}, vmm=None, geo=None, files=files)
    refused(build(inputs, manifest), 3, "the policy has 2100 bytes, more than the 2048 that every TPM's NV takes")
    manifest["files"] = files[:24]
    assert build(inputs, manifest).returncode == 0


# ---------------------------------------------------------------- the stage


def test_stage_of_option_and_environment(inputs):
    manifest = txt_variant(stage=None)
    assert build(inputs, manifest, "--stage", "stage.elf").returncode == 0
    assert (inputs / "out/esp/EFI/geolaunch/stage").read_bytes() == (inputs / "stage.elf").read_bytes()
    refused(build(inputs, manifest, "--stage", "nowhere", out="more"), 1, "nowhere: name geolaunch-stage.elf with --stage")
    refused(build(inputs, manifest, "--stage", "vm.json", out="more"), 3, "no ELF file: vm.json")
    (inputs / "host.yaml").write_text(to_yaml(manifest))
    assert run("build", "host.yaml", "-o", "more", "--efi", "geolaunch.efi", cwd=inputs, env={"GEOLAUNCH_STAGE": "stage.elf"}).returncode == 0


def test_stage_of_option_before_that_of_manifest(inputs):
    other = b"\x7fELF geolaunch-stage another"
    (inputs / "other.elf").write_bytes(other)
    result = build(inputs, TXT, "--stage", "other.elf", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout)["modules"][0]["from"] == "other.elf"
    assert (inputs / "out/esp/EFI/geolaunch/stage").read_bytes() == other
    compare(inputs, TxtModel(txt_variant(stage={"file": "other.elf"}), inputs), "txt")
    refused(build(inputs, TXT, "--stage", "nowhere", out="more"), 1, "nowhere: name geolaunch-stage.elf with --stage")
    refused(build(inputs, TXT, "--stage", "vm.json", out="more"), 3, "no ELF file: vm.json")
    refused(build(inputs, TXT, "--stage", "/bin/true", out="more"), 3, "this is not geolaunch's stage: /bin/true")
    (inputs / "large.elf").write_bytes(b"\x7fELF geolaunch-stage" + bytes(1 << 20))
    refused(build(inputs, TXT, "--stage", "large.elf", out="more"), 3, "this is not geolaunch's stage: large.elf")
    # what the manifest names need not be there then
    assert build(inputs, txt_variant(stage={"file": "nowhere"}), "--stage", "other.elf", out="more").returncode == 0


def test_policy_alone(inputs):
    """`vlp create --manifest` makes the same policy."""
    assert build(inputs, TXT).returncode == 0
    assert run("vlp", "create", "--from-manifest", "host.yaml", "alone.vlp", cwd=inputs).returncode == 0
    assert (inputs / "alone.vlp").read_bytes() == (inputs / "out/esp/EFI/geolaunch/policy.vlp").read_bytes()


def test_json_summary(inputs):
    result = build(inputs, txt_variant(hypervisor=XEN), "--json")
    v = json.loads(result.stdout)
    assert (v["mode"], v["drtm"]) == ("txt", True)
    assert [m["role"] for m in v["modules"]] == ["stage", "hypervisor", "kernel", "initrd", "vmm", "file", "file"]
    assert v["modules"][0]["cmdline"].startswith("geolaunch-stage 1 policy=halt hypervisor=xen ")
    assert v["txt"]["tboot"]["cmdline"] == "logging=serial,memory extpol=sha256"
    assert set(v["txt"]) == {"tboot", "sinit"}


def test_summary_tells_what_is_assumed(inputs):
    result = build(inputs, txt_variant(platform={"bios_acm": BIOS}))
    assert "assumed for PCR 17: CPU_SCRTM_STAT: processor-based S-CRTM, or another value\n" in result.stdout
    assert "events have alternatives" in result.stdout


# ---------------------------------------------------------------- verify


def verify(inputs, pcrs, log=None):
    (inputs / "pcrs.json").write_text(json.dumps({"pcrs": pcrs}))
    if log is not None:
        (inputs / "launch.log").write_bytes(log)
    result = run("verify", "out/expected.json", "--pcrs", "pcrs.json", *(["--log", "launch.log"] if log is not None else ["--no-log"]),
                 "--json", cwd=inputs)
    assert result.returncode in range(0, 17) and result.stderr == "", result.stderr
    return result.returncode, json.loads(result.stdout)


def pcrs_of(model):
    return {b: {str(p): v.hex() for p, v in values.items()} for b, values in model.pcrs.items()}


@pytest.mark.parametrize("with_log", [False, True])
@pytest.mark.parametrize("scrtm, bios", [(1, BIOS), (0, BIOS), (1, "11" * 32), (0, "11" * 32)])
def test_trusted_whichever_alternative(inputs, with_log, scrtm, bios):
    manifest = txt_variant(platform={"bios_acm": [BIOS, "11" * 32]})
    assert build(inputs, manifest).returncode == 0
    host = TxtModel(txt_variant(platform={"bios_acm": bios, "scrtm": scrtm}), inputs)
    code, v = verify(inputs, pcrs_of(host), host.log() if with_log else None)
    assert (code, v["verdicts"], v["drtm"]) == (0, ["trusted"], True)


def test_alternatives_of_one_type_go_together(inputs):
    """S-CRTM status 1 in PCR 17 and 0 in PCR 18 is no host's."""
    assert build(inputs, txt_variant(platform={"bios_acm": BIOS})).returncode == 0
    one, zero = (pcrs_of(TxtModel(txt_variant(platform={"bios_acm": BIOS, "scrtm": s}), inputs)) for s in (1, 0))
    mixed = {b: {**one[b], "18": zero[b]["18"]} for b in one}
    assert verify(inputs, mixed)[0] != 0


# What is another one: the first event that differs, the verdicts, the exit code.
TAMPER = {
    "tboot line": ({"tboot": {"file": "tboot.gz", "cmdline": "logging=none"}}, "MLE_HASH", {"module-mismatch"}, 13),
    "sinit": ({"sinit": {"file": "other.acm"}}, "HASH_START", {"module-mismatch"}, 13),
    "bios acm": ({"platform": {"bios_acm": "22" * 32, "scrtm": 1}}, "BIOSAC_REG_DATA", {"module-mismatch"}, 13),
    "ps index": ({"platform": {"bios_acm": BIOS, "scrtm": 1, "ps": PS}}, "NV_INFO_HASH", {"module-mismatch"}, 13),
    "policy": ({"policy": {"type": "nonfatal", "hash": "sha256"}}, "policy", {"policy-mismatch", "module-mismatch"}, 14),
    "kernel line": ({"hypervisor": {**BASE["hypervisor"], "cmdline": "quiet"}}, "policy", {"policy-mismatch", "module-mismatch"}, 14),
}


@pytest.mark.parametrize("name", TAMPER)
def test_first_difference(inputs, name):
    change, event, verdicts, exit_code = TAMPER[name]
    assert build(inputs, TXT).returncode == 0
    acm = bytearray((inputs / "sinit.acm").read_bytes())
    acm[-1] ^= 1
    (inputs / "other.acm").write_bytes(acm)
    host = TxtModel(txt_variant(**change), inputs)
    code, v = verify(inputs, pcrs_of(host), host.log())
    assert (v["first_difference"]["name"], set(v["verdicts"]), code) == (event, verdicts, exit_code)
    if event == "MLE_HASH":
        assert any('was expected from: tboot.gz, cmdline: logging=serial,memory extpol=sha256' in line for line in v["explanation"])


def test_stage_swapped(inputs):
    """The policy is the same (one that was provisioned before), module 0 another one."""
    assert build(inputs, TXT).returncode == 0
    policy = TxtModel(TXT, inputs).policy

    class Host(TxtModel):
        def make_policy(self):
            return policy

    (inputs / "stage.elf").write_bytes(b"\x7fELF geolaunch-stage another")
    host = Host(TXT, inputs)
    code, v = verify(inputs, pcrs_of(host), host.log())
    assert (code, v["verdicts"], v["first_difference"]["name"]) == (13, ["module-mismatch"], "module 0 stage stage")


# ---------------------------------------------------------------- the log in the TXT heap


def physical_memory(path, log, **changes):
    """A file that looks like /dev/mem of a host after a launch: registers and heap."""
    base, size = 0xC8000000, 0x100000
    os_mle = struct.pack("<Q", 8 + 0x6000) + bytes(0x6000)
    bios = struct.pack("<QIIQQI", 36, 2, 0, 0, 0, 1)
    where = base + 36 + 0x100
    first, last, room = changes.get("first", 0), changes.get("last", len(log)), 0x2000
    elements = struct.pack("<IIQIII", 8, 28, changes.get("where", where), changes.get("room", room), first, last) + struct.pack("<II", 0, 8)
    if changes.get("legacy"):
        elements = struct.pack("<II", 0, 8)
    os_sinit = struct.pack("<IIQQQQQQQQQIQ", 7, 1, *[0] * 9, 0, 0)
    os_sinit = struct.pack("<Q", 8 + len(os_sinit) + len(elements)) + os_sinit + elements
    heap = bytearray(bios + os_mle + os_sinit)
    heap[where - base:where - base + len(log)] = log
    registers = bytearray(0x1000)
    struct.pack_into("<Q", registers, 0, changes.get("sts", 1))
    struct.pack_into("<Q", registers, 0x110, changes.get("didvid", 0x1B0018086))
    struct.pack_into("<QQ", registers, 0x300, changes.get("base", base), changes.get("size", size))
    path.parent.mkdir(parents=True)
    with open(path, "wb") as f:
        f.seek(base)
        f.write(heap)
        f.truncate(base + size)
        f.seek(0xFED30000)
        f.write(registers)


def live(inputs, *args):
    return run("log", "--live", "--root", "root", *args, cwd=inputs)


def test_log_from_the_heap(inputs):
    log = TxtModel(TXT, inputs).log()
    physical_memory(inputs / "root/dev/mem", log)
    result = live(inputs, "--json", "--raw-out", "raw")
    assert (result.returncode, result.stderr) == (0, "")
    assert (inputs / "raw").read_bytes() == log
    assert [e["type"] for e in json.loads(result.stdout)["events"]][1:4] == [0x402, 0x40A, 0x40B]


@pytest.mark.parametrize("change", [{"sts": 0}, {"didvid": 0}, {"didvid": 2**64 - 1}, {"legacy": True}])
def test_no_log_in_the_heap(inputs, change):
    physical_memory(inputs / "root/dev/mem", TxtModel(TXT, inputs).log(), **change)
    refused(live(inputs), 1, "has no event log")


@pytest.mark.parametrize("change, words", [
    ({"base": 0}, "TXT heap"), ({"size": 0}, "TXT heap"), ({"size": 0xFFFFFFFF}, "TXT heap"), ({"base": 0xFFFFF000}, "TXT heap"),
    ({"base": 2**40}, "TXT heap"), ({"base": 0xFED30000 + 0x100000}, "cannot read the TXT heap"),
    ({"base": 0xC8000010}, "the TXT event log cannot be used"),
    ({"first": 100, "last": 50}, "first and last record"), ({"last": 0x2001}, "first and last record"),
    ({"room": 0xFFFFFFFF, "last": 9}, "event log"), ({"where": 0}, "event log"), ({"where": 0xFFFFFF00}, "event log"),
    ({"where": 2**40}, "event log"),
])
def test_hostile_heap(inputs, change, words):
    physical_memory(inputs / "root/dev/mem", TxtModel(TXT, inputs).log(), **change)
    result = live(inputs)
    assert result.returncode in (1, 3) and words in result.stderr and result.stderr.count("\n") == 1 and result.stdout == ""


# ---------------------------------------------------------------- lint


def lint(inputs, *args, code=0):
    result = run("lint", "out", "--json", *args, cwd=inputs)
    assert code is None or result.returncode == code, result.stdout + result.stderr
    return json.loads(result.stdout)


def test_lint_of_a_txt_build(inputs):
    """tboot, SINIT and launch control policy are those of the build; nothing is wrong with it."""
    manifest = txt_variant(tboot={"file": "tboot.gz", "cmdline": "min_ram=0x2000000"})
    lcp_files(inputs, TxtModel(manifest, inputs).mle_hash("sha256"))
    manifest["lcp"] = {"data": "list.dat", "policy": "owner.pol"}
    assert build(inputs, manifest).returncode == 0
    report = lint(inputs)
    assert not [f for f in report["findings"] if f["severity"] == "error"], report["findings"]
    said = "\n".join(report["launch"])
    assert "direct mode" not in said and "Launch control allows the launch: tboot's digest is in list 0" in said
    assert "Module 0, stage (stage), goes to PCR 17 and is the one that the policy demands." in said
    assert "tboot hashes with sha256 and extends this bank only." in said and "geolaunch's stage closes" in said


LINT = {
    "stage": (lambda esp: (esp / "stage").write_bytes(b"x"), {"GL-BUILD-002", "GL-VLP-013"}),
    "xen": (lambda esp: (esp / "linux").unlink(), {"GL-BUILD-001"}),
    "rules": (lambda esp: (esp / "launch.conf").write_text((esp / "launch.conf").read_text().replace(",nv,22,", ",nv,21,")),
              {"GL-BUILD-002", "GL-BUILD-008", "GL-VLP-013"}),
    "tboot": (lambda esp: (esp / "tboot").write_bytes((esp / "tboot").read_bytes().replace(b"\x27\x06\0\0", b"\x26\x06\0\0")), {"GL-BUILD-009"}),
    "tboot line": (lambda esp: (esp / "launch.conf").write_text((esp / "launch.conf").read_text().replace("memory ext", "vga ext")), {"GL-BUILD-009"}),
    "sinit": (lambda esp: (esp / "sinit").write_bytes((esp / "sinit").read_bytes()[:-1] + b"x"), {"GL-BUILD-010"}),
    "policy": (lambda esp: (esp / "policy.vlp").write_bytes(b"\2\1" + (esp / "policy.vlp").read_bytes()[2:]), {"GL-BUILD-003", "GL-BUILD-008"}),
}


@pytest.mark.parametrize("name", LINT)
def test_lint_of_a_changed_txt_build(inputs, name):
    change, expected = LINT[name]
    assert build(inputs, TXT).returncode == 0
    change(inputs / "out/esp/EFI/geolaunch")
    assert {f["id"] for f in lint(inputs, code=20)["findings"] if f["severity"] == "error"} == expected

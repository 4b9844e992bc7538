# SPDX-License-Identifier: BSD-3-Clause
"""geolaunch.efi in txt mode: the whole chain through SENTER to a host, and what its pre-flight refuses, says, or lets pass."""
import hashlib
import os
import struct
import subprocess

import pytest

import txt_boot
from txt_boot import TBOOT, TOP, boot
from txt_chain import GEO, GEO_INDEX, Chain

ACM_TOOL = os.environ.get("ACM_TOOL", os.path.join(TOP, "build/host/acm_tool"))
ALG = {"sha1": 0x4, "sha256": 0xB, "sha384": 0xC, "sha512": 0xD}
STAGE_CLOSING = 0x5A3
# No kernel: the stage gets as far as starting it.
SHORT = b"no kernel, but a file that is measured"


def run(tmp_path, chain, *options, provision=None, esp=None):
    work = str(tmp_path)
    esp = esp or chain.make(os.path.join(work, "esp"))
    nv = provision or chain.provision(os.path.join(work, "nv"))
    return boot(work, esp, "--mle", TBOOT, "--provision", nv, *options)


def findings(r):
    return [line.split()[2].rstrip(":") for line in r.serial_text().splitlines()
            if line.startswith("geolaunch: pre-flight ") and not line.startswith(("geolaunch: pre-flight passed", "geolaunch: pre-flight: "))]


def replay(log, bank):
    """PCR 17-22 by the digests that the log has for this bank."""
    values = {pcr: bytes(hashlib.new(bank).digest_size) for pcr in range(17, 23)}
    for pcr, kind, digests, _ in txt_boot.events(log):
        if pcr in values and ALG[bank] in digests and kind != 3:
            values[pcr] = hashlib.new(bank, values[pcr] + digests[ALG[bank]]).digest()
    return {pcr: value.hex() for pcr, value in values.items()}


def refused(r, *names):
    """geolaunch.efi stopped by itself, said why, and never got near SENTER."""
    assert r["ended"] == "halt" and r["halt"].startswith("preflight: "), (r["ended"], r["halt"], r["notes"])
    assert findings(r) == list(names)
    assert r.get("senter") in (None, "not-reached") and "TBOOT: " not in r.serial_text()


def sinit(device=None, index_set="1"):
    """A module for the platform, or for one with another chipset."""
    data = bytearray(subprocess.run([ACM_TOOL, "sinit", index_set], check=True, capture_output=True, timeout=30).stdout)
    data[1216 + 32] |= 0x40     # info table, Capabilities: a client's, as the platform is
    if device is not None:
        struct.pack_into("<H", data, data.index(struct.pack("<HHH", 0x8086, 0xB001, 1)) + 2, device)
    return bytes(data)


# ---- the chain ----

def test_chain(tmp_path):
    """The launch that is to be: final PCRs are those of the log, and the geo index is in PCR 22."""
    chain = Chain("halt")
    r = run(tmp_path, chain, "--banks", "sha1,sha256,sha384")
    text = r.serial_text()
    assert r["ended"] == "poweroff" and r["senter"] == "launched" and r["drtm"], r["notes"]
    assert "geolaunch: pre-flight passed" in text and "TBOOT: measured launch succeeded" in text and findings(r) == []
    assert r["facts"]["tboot"] == "yes" and r["facts"]["done"] == "yes"
    log = r.log()
    for bank in ("sha1", "sha256", "sha384"):
        assert replay(log, bank) == r.guest_pcrs(bank), bank
    assert [e[0] for e in txt_boot.events(log) if e[1] == STAGE_CLOSING] == [17]
    geo = hashlib.sha256(bytes(32) + hashlib.sha256(GEO).digest()).hexdigest()
    assert r.guest_pcrs("sha256")[22] == geo
    # What was loaded is what was measured: MLE and command line.
    line = subprocess.run([txt_boot.GEOLAUNCH, "lcp", "mle-hash", "--alg", "sha256", "--cmdline", chain.tboot_line, TBOOT],
                          capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    assert r["mle_hash"]["sha256"] == line
    # tboot had room for all that it adds to the information.
    assert "YIKES" not in text


@pytest.mark.parametrize("index_set, vlp", [("0", "0x01200001"), ("1", "0x01c10131")])
def test_sinit_of_the_build(tmp_path, index_set, vlp):
    """The firmware has none: tboot gets the build's, and pre-flight looks at the NV indices that this module will use."""
    chain = Chain("halt")
    chain.files.update(sinit=sinit(index_set=index_set), linux=SHORT)
    r = run(tmp_path, chain, "--txt-arg=--loader-sinit", "--index-set", index_set,
            provision=chain.provision(str(tmp_path / "nv"), index=vlp))
    text = r.serial_text()
    assert findings(r) == [] and f"out of the build, NV index set {index_set}" in text
    assert r["senter"] == "launched" and "TBOOT: measured launch succeeded" in text, r["notes"]


# ---- what pre-flight finds ----

def test_no_txt_halts(tmp_path):
    """A machine without TXT or VT-d."""
    work, chain = str(tmp_path), Chain("halt")
    r = plain(work, chain)
    refused(r, "cpu-vendor", "acpi" if "pre-flight acpi" in r.serial_text() else "vtd", "chipset", "geo-missing")
    caps(r)


def test_no_txt_boots_unmeasured(tmp_path):
    """The same under a policy that lets the host start: it does, says so, and PCR 17-22 cannot pass for those of a launch."""
    work, chain = str(tmp_path), Chain("nonfatal")
    r = plain(work, chain)
    text = r.serial_text()
    assert r["ended"] == "poweroff" and r["facts"]["done"] == "yes" and "tboot" not in r["facts"], r["notes"]
    assert "geolaunch: NOT MEASURED: no TXT launch can succeed here" in text and "verdict: NOT MEASURED" in text
    assert "TBOOT: " not in text and "chipset" in findings(r)
    caps(r)


def plain(work, chain):
    out, keep = os.path.join(work, "result.json"), os.path.join(work, "logs")
    esp = chain.make(os.path.join(work, "esp"))
    p = subprocess.run([os.path.join(TOP, "qemu/run"), "--esp", esp, "--json", out, "--keep", keep, "--timeout", "120"],
                       capture_output=True, text=True, timeout=180, check=False)
    assert os.path.exists(out), p.stderr
    return txt_boot.load(out)


def caps(r):
    cap = hashlib.sha256(b"cap preflight").digest()
    value = hashlib.sha256(b"\xff" * 32 + cap).hexdigest()
    assert {r["pcrs"]["sha256"][str(pcr)] for pcr in range(17, 23)} == {value}


@pytest.mark.parametrize("policy, goes_on", [("halt", False), ("continue", True), ("nonfatal", True)])
def test_vlp_missing(tmp_path, policy, goes_on):
    chain = Chain(policy)
    chain.files["linux"] = SHORT
    r = run(tmp_path, chain, "--timeout", "60", provision=chain.provision(str(tmp_path / "nv"), policy=None))
    if goes_on:
        assert findings(r) == ["vlp-missing"] and r["senter"] == "launched"
        assert "pre-flight: the policy lets the launch go on" in r.serial_text()
    else:
        refused(r, "vlp-missing")


def test_vlp_of_the_tpm_decides(tmp_path):
    """Whoever can write the ESP could put a lax policy there: the one in the TPM says what may go on."""
    chain, strict = Chain("nonfatal"), Chain("halt")
    r = run(tmp_path, chain, provision=chain.provision(str(tmp_path / "nv"), policy=strict.vlp()))
    refused(r, "vlp-differs")


@pytest.mark.parametrize("policy, geo, name", [("halt", None, "geo-missing"), ("halt", b"elsewhere".ljust(64), "geo-differs"),
                                               ("continue", None, "geo-missing")])
def test_geo_index(tmp_path, policy, geo, name):
    chain = Chain(policy)
    chain.files["linux"] = SHORT
    r = run(tmp_path, chain, "--timeout", "60", provision=chain.provision(str(tmp_path / "nv"), geo=geo))
    if policy == "halt":
        refused(r, name)
        assert f"0x{GEO_INDEX:08x}" in r.serial_text()
    else:
        assert findings(r) == [name] and r["senter"] == "launched"


@pytest.mark.parametrize("policy", ["halt", "nonfatal"])
def test_wrong_sinit(tmp_path, policy):
    chain = Chain(policy)
    chain.files["sinit"] = sinit(device=0xB002)
    r = run(tmp_path, chain, "--txt-arg=--loader-sinit")
    if policy == "halt":
        refused(r, "sinit-match")
        assert "chipset is not in the module's list" in r.serial_text() and "0x8086:0xb001" in r.serial_text()
    else:
        assert r["ended"] == "poweroff" and r["facts"]["done"] == "yes" and findings(r) == ["sinit-match"], r["notes"]
        assert r["senter"] == "not-reached" and "geolaunch: NOT MEASURED: " in r.serial_text()
        # Nobody could extend them, and nobody did.
        assert {r["pcrs"]["sha256"][str(pcr)] for pcr in range(17, 23)} == {"ff" * 32}


def test_no_sinit(tmp_path):
    r = run(tmp_path, Chain("halt"), "--txt-arg=--loader-sinit")
    refused(r, "sinit-missing")


@pytest.mark.parametrize("name, content, found", [("stage", b"no stage", ["module-differs", "stage-image"]), ("initrd", None, ["module-file"]),
                                                  ("tboot", b"no tboot", ["tboot-image"]), ("linux", b"another kernel", ["module-differs"])])
def test_files(tmp_path, name, content, found):
    """What does not fit the policy is refused before SENTER, not after it."""
    chain = Chain("halt")
    r = run(tmp_path, chain, esp=chain.make(str(tmp_path / "esp"), **{name: content}))
    refused(r, *found)


@pytest.mark.parametrize("ignore", [True, False])
def test_previous_error(tmp_path, ignore):
    """SENTER fails, the machine resets, and the next boot says what the register still holds."""
    chain = Chain("halt")
    chain.files["linux"] = SHORT
    if not ignore:
        chain.tboot_line += " ignore_prev_err=false"
    r = run(tmp_path, chain, "--fault", "PCR_Extend@3#1=rc:0x101", "--resets", "1", "--timeout", "90")
    text = r.serial_text()
    assert r["txt_resets"] >= 1
    assert "TXT.ERRORCODE 0xc" in text and "SINIT, class " in text
    if ignore:
        assert findings(r) == ["previous-error-note"] and r["launches"] == 1
    else:
        assert findings(r) == ["previous-error"] and r["ended"] == "halt" and r["launches"] == 0

# SPDX-License-Identifier: BSD-3-Clause
"""Boots the real thing in QEMU: geolaunch.efi, Debian's kernel, swtpm. Predicted, log and TPM are compared in every active bank."""
import hashlib
import struct

import launch
import pytest

DYNAMIC = [str(p) for p in range(17, 23)]
ALG_ID = {0x4: "sha1", 0xB: "sha256", 0xC: "sha384", 0xD: "sha512"}
CAPPED = {"module": b"cap module-mismatch", "nv": b"cap nv-mismatch"}


def extend(bank, value, digest):
    return hashlib.new(bank, value + digest).digest()


def start(bank):
    return b"\xff" * hashlib.new(bank).digest_size


def replay(log, banks):
    """PCR 17-22 by a parser of our own: nothing of geolaunch's code is between the log's bytes and these values."""
    values = {b: {p: start(b) for p in range(17, 23)} for b in banks}
    off = 32 + struct.unpack_from("<I", log, 28)[0]     # TCG_PCR_EVENT with the Spec ID
    while off < len(log):
        pcr, _type, count = struct.unpack_from("<III", log, off)
        off += 12
        for _ in range(count):
            bank = ALG_ID[struct.unpack_from("<H", log, off)[0]]
            size = hashlib.new(bank).digest_size
            if bank in values and pcr in values[bank]:
                values[bank][pcr] = extend(bank, values[bank][pcr], log[off + 2:off + 2 + size])
            off += 2 + size
        off += 4 + struct.unpack_from("<I", log, off)[0]
    assert off == len(log)
    return values


@pytest.mark.parametrize("banks", [["sha256"], ["sha1", "sha256"], ["sha256", "sha384"], ["sha1", "sha256", "sha384", "sha512"]],
                         ids=lambda b: "+".join(b))
def test_prediction_log_and_tpm_agree(a_launch, banks):
    a_launch.banks = banks
    a_launch.run()
    r = a_launch.result
    assert r["ended"] == "poweroff", a_launch.serial
    assert a_launch.verdict["verdicts"] == ["no-drtm"] and a_launch.code == 10
    assert a_launch.verdict["agree"] is True
    assert sorted(r["pcrs"]) == sorted(banks)
    with open(a_launch.log, "rb") as f:
        replayed = replay(f.read(), banks)
    for bank in banks:
        for pcr in DYNAMIC:
            assert r["pcrs"][bank][pcr] == a_launch.expected["pcrs"][bank][pcr], (bank, pcr)
            assert r["pcrs"][bank][pcr] == replayed[bank][int(pcr)].hex(), (bank, pcr)
    # What the host proves from inside.
    assert r["facts"]["vmm_measured"] == "yes"
    assert r["facts"]["country"] == "DE"
    assert r["facts"]["kvm"] == "yes"
    # The firmware had its locality back: Linux's EFI stub measured the initrd into PCR 9.
    assert "Measured initrd data into PCR 9" in a_launch.serial
    assert r["pcrs"]["sha256"]["9"] != "00" * 32


VERDICTS = {
    "hypervisor": {"module-mismatch"},
    "vmm": {"module-mismatch"},
    "geo": {"geo-mismatch"},
    "policy": {"policy-mismatch"},
    "cmdline": {"module-mismatch"},
}


@pytest.mark.parametrize("policy", ["nonfatal", "continue", "halt"])
@pytest.mark.parametrize("what", list(VERDICTS))
def test_tampering_is_found(a_launch, what, policy):
    a_launch.manifest["policy"]["type"] = policy
    a_launch.run(tamper=what)
    r, v = a_launch.result, a_launch.verdict
    # An entry changed to "any" still lets everything pass; only the policy's own digest tells.
    halts = policy == "halt" and what != "policy"
    assert r["ended"] == ("halt" if halts else "poweroff"), a_launch.serial
    assert v["agree"] is False
    expected = VERDICTS[what] | {"no-drtm"} | ({"capped"} if halts else set())
    assert set(v["verdicts"]) == expected, v
    assert a_launch.code == (16 if halts else max({"module-mismatch": 13, "geo-mismatch": 12, "policy-mismatch": 14}[x] for x in VERDICTS[what]))
    if what in ("hypervisor", "vmm"):
        # A launch that halted leaves no log: then every module of that PCR is a candidate.
        names = {"hypervisor": ["module 1 hypervisor linux", "module 2 initrd initrd"], "vmm": ["module 3 vmm vmm"]}[what]
        assert v["modules"] == (names if halts else names[:1])
    if halts:
        why = b"cap nv-mismatch" if what == "geo" else b"cap module-mismatch"
        for bank in launch.ALL_BANKS:
            # PCR 21 (22 for the others) was untouched before the cap, or extended as predicted.
            before = bytes.fromhex(a_launch.expected["pcrs"][bank]["21"]) if what == "geo" else start(bank)
            assert r["pcrs"][bank]["21"] == extend(bank, before, hashlib.new(bank, why).digest()).hex()
        assert r["halt"].startswith(why.decode()[4:])
        assert "this host was not started" in a_launch.serial
        # on_halt: poweroff is the default. The firmware does not get to its next boot entry.
        assert "Boot0002" not in a_launch.serial


@pytest.mark.parametrize("policy", ["nonfatal", "continue", "halt"])
def test_geo_index_missing(a_launch, policy):
    a_launch.manifest["policy"]["type"] = policy
    a_launch.tag = None
    a_launch.run()
    v = a_launch.verdict
    assert a_launch.result["ended"] == ("halt" if policy == "halt" else "poweroff"), a_launch.serial
    assert set(v["verdicts"]) == {"no-drtm", "geo-missing", "capped"}, v
    assert v["capped"] == "nv-missing" and a_launch.code == 16


@pytest.mark.parametrize("policy", ["nonfatal", "continue", "halt"])
def test_geo_index_unreadable(a_launch, policy):
    """Defined with OWNERREAD only: the boot chain, which knows no password, cannot read it."""
    import os
    import subprocess
    a_launch.manifest["policy"]["type"] = policy
    a_launch.tag = None
    a_launch.provision()
    content = os.path.join(a_launch.work, "content")
    with open(content, "wb") as f:
        f.write(b"x" * 64)
    with launch.tpm_server(a_launch.state) as tcti:
        env = {**os.environ, "TPM2TOOLS_TCTI": tcti}
        for argv in (["tpm2_nvdefine", "0x01c10110", "-C", "o", "-s", "64", "-a", "ownerread|ownerwrite"],
                     ["tpm2_nvwrite", "0x01c10110", "-C", "o", "-i", content]):
            subprocess.run(argv, env=env, check=True, capture_output=True, timeout=30)
    a_launch.build()
    a_launch.boot()
    v = a_launch.verdict
    assert a_launch.result["ended"] == ("halt" if policy == "halt" else "poweroff"), a_launch.serial
    assert "capped" in v["verdicts"] and v["capped"] == "nv-unreadable", v
    assert "cannot be read with empty authorization" in a_launch.serial


@pytest.mark.parametrize("tpm,says", [("none", "no TPM found"), ("crb", "locality 2 is closed"), ("1.2", "TPM 1.2")])
@pytest.mark.parametrize("policy", ["nonfatal", "halt"])
def test_platform_cannot_measure(a_launch, tpm, says, policy):
    a_launch.manifest["policy"]["type"] = policy
    a_launch.build()
    a_launch.boot("--tpm", tpm, tpm=False)
    assert says in a_launch.serial
    if policy == "halt":
        assert a_launch.result["ended"] == "halt", a_launch.serial
        assert "the policy does not allow an unmeasured launch" in a_launch.serial
    else:
        assert a_launch.result["ended"] == "poweroff", a_launch.serial
        assert "verdict: NOT MEASURED" in a_launch.serial
        assert a_launch.result["facts"]["log"] == "no"


def test_unmeasured_launch_is_not_taken_for_a_good_one(a_launch):
    """A CRB TPM whose localities are closed: the host runs, and verify says that nothing was measured."""
    a_launch.banks = ["sha256"]
    a_launch.build()
    a_launch.boot("--tpm", "crb", "--banks", "sha256", tpm=False)
    import os
    code, verdict, _ = launch.verify(a_launch.built, os.path.join(a_launch.work, "run.json"), None)
    assert verdict["agree"] is False
    assert {"no-drtm", "policy-mismatch", "module-mismatch", "geo-missing"} <= set(verdict["verdicts"])
    assert code not in (0, 10)


def test_status_goes_back_to_the_firmware(a_launch):
    """on_halt: return. The firmware must see a failure and go on without us."""
    a_launch.manifest["policy"]["type"] = "halt"
    a_launch.manifest["on_halt"] = "return"
    a_launch.run(tamper="hypervisor")
    assert a_launch.result["ended"] == "halt"
    assert "geolaunch: halted: module-mismatch" in a_launch.serial
    back = a_launch.serial.split("geolaunch: halted: ")[1]
    assert "failed to start Boot0001" in back and "Security Violation" in back
    assert "starting Boot0002" in back

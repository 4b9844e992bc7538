# SPDX-License-Identifier: BSD-3-Clause
"""Boots the real thing in QEMU: geolaunch.efi, Debian's kernel, swtpm. Predicted, log and TPM are compared in every active bank."""
import hashlib

import pytest
from tamper_model import replay

DYNAMIC = [str(p) for p in range(17, 23)]


def extend(bank, value, digest):
    return hashlib.new(bank, value + digest).digest()


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
        replayed, _ = replay(f.read(), banks, 0xFF)
    for bank in banks:
        for pcr in DYNAMIC:
            assert r["pcrs"][bank][pcr] == a_launch.expected["pcrs"][bank][pcr], (bank, pcr)
            assert r["pcrs"][bank][pcr] == replayed[bank][pcr], (bank, pcr)
    # What the host proves from inside.
    assert r["facts"]["vmm_measured"] == "yes"
    assert r["facts"]["country"] == "DE"
    assert r["facts"]["kvm"] == "yes"
    # The firmware had its locality back: Linux's EFI stub measured the initrd into PCR 9.
    assert "Measured initrd data into PCR 9" in a_launch.serial
    assert r["pcrs"]["sha256"]["9"] != "00" * 32


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

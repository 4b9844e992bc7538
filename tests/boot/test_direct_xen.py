# SPDX-License-Identifier: BSD-3-Clause
"""Xen in direct mode: Debian's unmodified Xen ELF and Debian's kernel as dom0, started by geolaunch.efi with boot services kept."""
import hashlib
import os
import subprocess

import launch
import pytest
from tamper_model import replay
from test_direct import DYNAMIC, extend

TOP = launch.TOP


@pytest.mark.parametrize("banks", [["sha256"], ["sha1", "sha256", "sha384", "sha512"]], ids=lambda b: "+".join(b))
def test_prediction_log_and_tpm_agree(a_xen_launch, banks):
    a = a_xen_launch
    a.banks = banks
    kernel = a.manifest["hypervisor"]["kernel"]
    kernel["cmdline"] = f"{kernel['cmdline']} geolaunch.long=".ljust(1022, "x") + "y"       # as long as Xen takes it
    a.run()
    r = a.result
    assert r["ended"] == "poweroff", a.serial
    assert a.verdict["verdicts"] == ["no-drtm"] and a.code == 10 and a.verdict["agree"] is True
    assert sorted(r["pcrs"]) == sorted(banks)
    with open(a.log, "rb") as f:
        replayed, _ = replay(f.read(), banks, 0xFF)
    for bank in banks:
        for pcr in DYNAMIC:
            assert r["pcrs"][bank][pcr] == a.expected["pcrs"][bank][pcr], (bank, pcr)
            assert r["pcrs"][bank][pcr] == replayed[bank][pcr], (bank, pcr)
    # What dom0 proves from inside: Xen is below it, the initrd has the VM manager, log and TPM are there.
    assert r["facts"]["hypervisor"] == "xen"
    assert r["facts"]["vmm_measured"] == "yes"
    assert r["facts"]["log"] == "yes"
    assert r["facts"]["country"] == "DE"
    with open(os.path.join(TOP, "demo/vm.json"), "rb") as f:
        assert r["facts"]["vm_json"] == hashlib.sha256(f.read()).hexdigest()
    # Xen found its own command line, all of it and nothing else, and so did the kernel.
    assert f"(XEN) Command line: {a.manifest['hypervisor']['cmdline']}\n" in a.serial.replace("\r", "")
    assert r["facts"]["cmdline_sha256"] == hashlib.sha256(kernel["cmdline"].encode()).hexdigest()
    assert "PCR 19  module 1 hypervisor xen" in a.serial and "PCR 19  module 2 kernel kernel" in a.serial


def test_loaded_bytes_are_the_decompressed_ones(a_xen_launch):
    """What lies on the ESP and is measured is the ELF image, as gzip -d gives it."""
    a = a_xen_launch
    a.build()
    with open(os.path.join(a.built, "esp/EFI/geolaunch/xen"), "rb") as f:
        built = f.read()
    assert built == subprocess.run(["gzip", "-dc", launch.xen_image()], check=True, capture_output=True, timeout=60).stdout


def expect_capped(a, reason):
    """The launch ended after its measurements, which were as predicted: then the cap is all that tells it from a good one."""
    assert a.result["ended"] == "halt", a.serial
    assert a.result["halt"].startswith("start-failed")
    for bank in launch.ALL_BANKS:
        for pcr in DYNAMIC:
            value = extend(bank, bytes.fromhex(a.expected["pcrs"][bank][pcr]), hashlib.new(bank, reason).digest())
            assert a.result["pcrs"][bank][pcr] == value.hex(), (bank, pcr)


def giveup(work):
    out = os.path.join(work, "giveup.elf")
    subprocess.run(["gcc", "-std=gnu11", "-Os", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fpie", "-fshort-wchar", "-fvisibility=hidden",
                    "-mno-red-zone", "-mgeneral-regs-only", "-fno-stack-protector", "-fcf-protection=none", "-fno-asynchronous-unwind-tables",
                    "-nostdlib", "-static", "-no-pie", "-isystem", "/usr/include/efi", "-isystem", "/usr/include/efi/x86_64",
                    "-DGNU_EFI_USE_MS_ABI", "-Wl,--build-id=none", "-Wl,-z,noexecstack", "-Wl,-e,start", "-Wl,-Ttext=0x201000",
                    "-Wl,--section-start=.multiboot=0x200000", "-o", out, os.path.join(TOP, "tests/boot/mb2/giveup.c")], check=True, timeout=60)
    return out


@pytest.mark.parametrize("on_halt", ["poweroff", "return"])
@pytest.mark.parametrize("how", ["exit", "return"])
def test_hypervisor_that_gives_up(a_xen_launch, how, on_halt):
    """Whatever way it leaves, the firmware does not go on with PCRs that speak of a started host."""
    a = a_xen_launch
    launch.place(a.work, "xen.gz", giveup(a.work))
    a.manifest["hypervisor"]["cmdline"] = how
    a.manifest["on_halt"] = on_halt
    a.run()
    assert "giveup: entered" in a.serial and "giveup: all as it should be" in a.serial
    assert "Exit() came back" not in a.serial
    assert "geolaunch: the hypervisor came back" in a.serial
    expect_capped(a, b"cap start-failed")
    assert ("failed to start Boot0001" in a.serial) == (on_halt == "return")

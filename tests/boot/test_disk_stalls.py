# SPDX-License-Identifier: BSD-3-Clause
"""
A disk that does not answer: whatever the policy type, in both modes, the launch ends after 30 seconds with a line that names the file. The
firmware's driver waits for ever, and our timer interrupts it (efi/guard.h). Until then little happens, so these boots run side by side.
"""
from concurrent.futures import ThreadPoolExecutor

from disk_host import FOLDER, Direct, Txt
from test_direct import DYNAMIC
from test_txt_chain import findings
from test_txt_predict import BANKS

AT_A_TIME = 8
# Mode, hypervisor, file, policy type, reason, and how the firmware sees the disk. mode txt: before SENTER.
STALLS = [
    ("direct", "linux", "linux", "nonfatal", "module-unreadable", "virtio"),
    ("direct", "linux", "vmm", "halt", "module-unreadable", "ahci"),
    ("direct", "linux", "initrd", "continue", "module-unreadable", "virtio"),
    ("direct", "linux", "launch.conf", "halt", "description-missing", "virtio"),
    ("direct", "linux", "policy.vlp", "continue", "policy-missing", "ahci"),
    ("direct", "xen", "kernel", "nonfatal", "module-unreadable", "virtio"),
    ("txt", "linux", "sinit", "halt", "module-unreadable", "virtio"),
    ("txt", "linux", "stage", "nonfatal", "module-unreadable", "virtio"),
]


def check(one, file, policy, reason, kind):
    one.disk.middle(FOLDER + file, "stall")
    one.boot("--disk", kind, "--timeout", "240")
    about = one.serial[-2000:]
    assert one.serial.count(f"geolaunch: {file}: the disk has not answered for 30 seconds") == 1, about
    assert one.result["halt"].startswith(reason + ": ") and "(EFI_TIMEOUT)" in one.result["halt"], about
    if one.mode == "direct":
        one.halted(reason, file)
    else:
        # Locality 2 is closed to it, and nobody needs a cap: the values are those of a host without a launch.
        assert one.result["ended"] == "halt" and one.result["senter"] == "not-reached" and findings(one.result) == [], about
        assert {one.result["pcrs"][b][p] for b in BANKS for p in DYNAMIC} == {"ff" * n for n in (20, 32, 48)}, about
        assert one.verdict["verdicts"][0] == "no-drtm" and one.verdict["agree"] is False and one.code == 10, one.verdict
        assert "NOT MEASURED" not in one.serial and "TBOOT: " not in one.serial and "Boot0002" not in one.serial, about
    one.record(file, f"no answer in the middle, {kind}, {policy}", f"halted after 30 s: {reason}")


def test_disk_that_does_not_answer(many_launches, tmp_path):
    def run(case):
        mode, hypervisor, file, policy, reason, kind = case
        name = "-".join(case)
        if mode == "direct":
            one = Direct(many_launches(name, hypervisor), policy)
        else:
            (tmp_path / name).mkdir()
            one = Txt(tmp_path / name, policy)
        try:
            check(one, file, policy, reason, kind)
        finally:
            one.disk.close()

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        runs = {case: pool.submit(run, case) for case in STALLS}
    failed = {case: run.exception() for case, run in runs.items() if run.exception()}
    assert not failed, "\n\n".join(f"{case}: {why}" for case, why in failed.items())

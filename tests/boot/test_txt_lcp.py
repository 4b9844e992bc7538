# SPDX-License-Identifier: BSD-3-Clause
"""Launch control by the platform's owner: policy in NV, policy data as a module, tboot between them."""
import subprocess

import pytest

from test_txt_platform import SHORT, mle_hash
from txt_boot import GEOLAUNCH, boot, make_esp

PO = "0x01c10106"
# What real owners define (SDG appendix J): written by the owner, read by everybody, also by SINIT without authorisation.
ATTRIBUTES = "ownerwrite|ownerread|policywrite|authread|no_da"


def geolaunch(*args, cwd):
    subprocess.run([GEOLAUNCH, *args], cwd=cwd, check=True, capture_output=True, timeout=60)


class Owner:
    """Policy data with one unsigned list, and the policy for it."""

    def __init__(self, work):
        self.work = work
        self.elements = []

    def element(self, name, *args):
        geolaunch("lcp", "element", *args, "-o", name, cwd=self.work)
        self.elements.append(name)

    def finish(self, *policy):
        geolaunch("lcp", "list", "create", "-o", "list", *self.elements, cwd=self.work)
        geolaunch("lcp", "data", "create", "-o", "data", "list", cwd=self.work)
        (self.work / "nv").mkdir()
        geolaunch("lcp", "policy", "create", "--type", "list", "--data", "data", "-o", f"nv/nv-{PO}", *policy, cwd=self.work)
        (self.work / f"nv/nv-{PO}.attributes").write_text(ATTRIBUTES)

    def boot(self, *options):
        esp = make_esp(str(self.work / "esp"), [*SHORT, ("lcp.dat", str(self.work / "data"), "")])
        return boot(str(self.work), esp, "--provision", str(self.work / "nv"), *options)


@pytest.fixture
def owner(tmp_path):
    return Owner(tmp_path)


def test_mle_in_the_list(owner):
    owner.element("mle", "mle", "--hash", mle_hash("sha256"))
    owner.finish()
    r = owner.boot()
    assert r["senter"] == "launched" and "measured launch succeeded" in r.serial_text(), r["why"]


def test_other_mle_in_the_list(owner):
    owner.element("mle", "mle", "--hash", "11" * 32)
    owner.finish()
    r = owner.boot()
    assert r["senter"] == "reset" and r["ended"] == "reset" and int(r["txt_errorcode"], 16) >> 30 == 3
    assert "measured launch succeeded" not in r.serial_text()
    told = subprocess.run([GEOLAUNCH, "txt", "decode-error", r["txt_errorcode"]], capture_output=True, text=True, timeout=30, check=False)
    assert "no policy element fits" in told.stdout, told.stdout + told.stderr


def test_data_of_another_policy(owner):
    """The policy in the TPM is for other policy data."""
    owner.element("mle", "mle", "--hash", mle_hash("sha256"))
    owner.finish()
    data = bytearray((owner.work / "data").read_bytes())
    data[-1] ^= 1
    (owner.work / "data").write_bytes(data)
    r = owner.boot()
    assert r["senter"] == "reset" and r["txt_errorcode"] != "0x00000000"


@pytest.mark.parametrize("satisfied", [True, False])
def test_pconf(owner, satisfied):
    """PCR 7 as the firmware leaves it, learned from a boot before; or another value."""
    before = boot(str(owner.work), make_esp(str(owner.work / "first"), SHORT), "--fault", "_TPM_Hash=rc:0x101")
    value = before["pcrs"]["sha256"]["7"] if satisfied else "11" * 32
    owner.element("mle", "mle", "--hash", mle_hash("sha256"))
    owner.element("pconf", "pconf", "--pcr", f"7:{value}")
    owner.finish()
    r = owner.boot()
    assert r["senter"] == ("launched" if satisfied else "reset"), (r["rule"], r["why"])

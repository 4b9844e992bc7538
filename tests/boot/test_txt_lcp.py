# SPDX-License-Identifier: BSD-3-Clause
"""Launch control by the platform's owner: policy in NV, policy data as a module, tboot between them."""
import hashlib
import subprocess
from pathlib import Path

import pytest

from test_txt_platform import SHORT, mle_hash
from txt_boot import GEOLAUNCH, boot, events, make_esp

PO = "0x01c10106"
LCP_DETAILS, LCP_AUTHORITIES, TBOOT_EVENT = 0x412, 0x413, 0x501
# What real owners define (SDG appendix J): written by the owner, read by everybody, also by SINIT without authorisation.
ATTRIBUTES = "ownerwrite|ownerread|policywrite|authread|no_da"


def sha256(data):
    return hashlib.sha256(data).digest()


def geolaunch(*args, cwd):
    return subprocess.run([GEOLAUNCH, *args], cwd=cwd, check=True, capture_output=True, timeout=60).stdout


class Owner:
    """Policy data with one list, and the policy for it."""

    def __init__(self, work):
        self.work = work
        self.elements = []

    def element(self, name, *args):
        geolaunch("lcp", "element", *args, "--force", "-o", name, cwd=self.work)
        self.elements.append(name)

    def finish(self, *policy, sign=None):
        """`sign`: options of 'lcp sign'."""
        geolaunch("lcp", "list", "create", "--force", "-o", "list", *self.elements, cwd=self.work)
        if sign is not None:
            subprocess.run(["openssl", "genrsa", "-out", "key.pem", "2048"], cwd=self.work, check=True, capture_output=True, timeout=60)
            geolaunch("lcp", "sign", "list", "--key", "key.pem", *sign, cwd=self.work)
        geolaunch("lcp", "data", "create", "--force", "-o", "data", "list", cwd=self.work)
        (self.work / "nv").mkdir()
        geolaunch("lcp", "policy", "create", "--type", "list", "--data", "data", "--force", "-o", f"nv/nv-{PO}", *policy, cwd=self.work)
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


def refused(r, errorcode, rule):
    """A TXT reset before tboot gets control again."""
    assert r["senter"] == "reset" and r["ended"] == "reset" and r["txt_resets"] == 1, (r["rule"], r["why"])
    assert r["txt_errorcode"] == errorcode and rule in r.failed_rules()
    assert "measured launch succeeded" not in r.serial_text()


def test_signed_list(owner):
    """PCR 18 gets the list that has the MLE, by the digest that the policy knows it by."""
    owner.element("mle", "mle", "--hash", mle_hash("sha256"))
    owner.finish("--revocation", "3", sign=["--revocation", "3"])
    r = owner.boot()
    assert r["senter"] == "launched" and "measured launch succeeded" in r.serial_text(), r["why"]
    assert r.dynamic_pcrs() == r.replayed()
    assert [data.hex() for _, kind, _, data in events(r.log()) if kind == LCP_DETAILS] == [mle_hash("sha256")]
    # The modulus of the key, little-endian as in the list; the policy has the hash of all such digests, here of one (SDG, D.1.3, D.3.2.1).
    p = subprocess.run(["openssl", "rsa", "-in", "key.pem", "-noout", "-modulus"], cwd=owner.work, check=True, capture_output=True, text=True, timeout=60)
    known = hashlib.sha256(bytes.fromhex(p.stdout.strip().removeprefix("Modulus="))[::-1]).digest()
    assert [data for _, kind, _, data in events(r.log()) if kind == LCP_AUTHORITIES] == [known]
    assert hashlib.sha256(known).digest() in (owner.work / f"nv/nv-{PO}").read_bytes()


def test_bad_signature(owner):
    """The digest of a signed list is that of its key: the policy still fits, the signature does not."""
    owner.element("mle", "mle", "--hash", mle_hash("sha256"))
    owner.finish(sign=[])
    data = bytearray((owner.work / "data").read_bytes())
    data[-20] ^= 1
    (owner.work / "data").write_bytes(data)
    refused(owner.boot(), "0xc00f1ee1", "list-signature")


def test_revoked_list(owner):
    """The list's revocation counter is below the policy's: what the list allows does not count."""
    owner.element("mle", "mle", "--hash", mle_hash("sha256"))
    owner.finish("--revocation", "4", sign=["--revocation", "3"])
    refused(owner.boot(), "0xc0141ee1", "element-disallowed")


def vlp_in_the_list(owner, kind, *entry):
    owner.element("mle", "mle", "--hash", mle_hash("sha256"))
    geolaunch("vlp", "create", "--force", "--type", kind, "policy", cwd=owner.work)
    geolaunch("vlp", "add", "--num", "0", "--pcr", "20", *entry, "policy", cwd=owner.work)
    geolaunch("vlp", "wrap", "--force", "-o", "vlp", "policy", cwd=owner.work)
    owner.elements.append("vlp")
    owner.finish()
    r = owner.boot()
    assert r["senter"] == "launched", r["why"]
    return r


def test_vlp_in_the_list(owner):
    """tboot finds no policy in the TPM's NV, takes the one in the list, and measures as it says."""
    r = vlp_in_the_list(owner, "halt", "--image", SHORT[0][1])
    assert "transfering control" in r.serial_text() and r.dynamic_pcrs() == r.replayed()
    # The policy, H(control || H(policy)), into PCR 17 and 18; module 0, H(H(command line) || H(file)), into 17 and where the policy says.
    policy = sha256((1).to_bytes(4, "little") + sha256((owner.work / "policy").read_bytes()))
    module = sha256(sha256(b"") + sha256(Path(SHORT[0][1]).read_bytes()))
    assert [(pcr, d[0xB]) for pcr, kind, d, _ in events(r.log()) if kind == TBOOT_EVENT] == [(17, policy), (18, policy), (17, module), (20, module)]


def test_vlp_in_the_list_forbids(owner):
    """Its type is halt, and module 0 is another: tboot caps the PCRs and stops."""
    r = vlp_in_the_list(owner, "halt", "--hash", "11" * 32)
    assert r["ended"] == "halt" and r["status"] == 10 and r["halt"] == "tboot: TB_SHUTDOWN_HALT"
    assert "verification failed" in r.serial_text() and "transfering control" not in r.serial_text()
    have, log = r.dynamic_pcrs()["sha256"], r.replayed()["sha256"]
    assert all(have[i] not in (log[i], "00" * 32) for i in ("17", "18"))
    assert r["sexits"] == 1 and not r["secrets"]


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

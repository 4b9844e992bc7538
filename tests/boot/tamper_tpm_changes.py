# SPDX-License-Identifier: BSD-3-Clause
"""Changes of the tamper matrix in the TPM, but for the launch policy (tamper_changes.py): the geo index, banks, and the TPM itself."""
import tamper_host
from tamper_changes import BEFORE, before, change
from tamper_host import GEO_INDEX

GEO = f"{GEO_INDEX:#010x}"

# ---- geo index

def redefine(h, attributes, content=None, options="", write="-C o"):
    """The geo index with other attributes; by default with the same content."""
    content = h.geo if content is None else content
    h.write("content", content)
    read = f"tpm2_nvwrite {GEO} {write} -i content"
    h.tpm2(f"tpm2_nvundefine {GEO} -C o", f"tpm2_nvdefine {GEO} -s {len(content)} -a {attributes} {options or '-C o'}", *([read] if write else []))
    h.content[GEO_INDEX] = content


@change
def geo_missing(h):
    h.tpm2(f"tpm2_nvundefine {GEO} -C o")


@change
def geo_changed(h):
    h.write_index(GEO_INDEX, h.geo.replace(b"DE", b"FR", 1))


@change
def geo_shorter(h):
    redefine(h, "ownerwrite|ownerread|authread|no_da", h.geo[:-1])


@change
def geo_longer(h):
    redefine(h, "ownerwrite|ownerread|authread|no_da", h.geo + b"\0")


@change
def geo_empty(h):
    redefine(h, "ownerwrite|ownerread|authread|no_da", b"", write="")


@change
def geo_in_pieces(h):
    """More than the TPM gives at once, less than what the launch reads at most."""
    redefine(h, "ownerwrite|ownerread|authread|no_da", (h.geo * 32)[:2048], write="")
    write_pieces(h)


def write_pieces(h):
    h.write("piece", h.content[GEO_INDEX][:1024])
    h.write("piece2", h.content[GEO_INDEX][1024:])
    h.tpm2(f"tpm2_nvwrite {GEO} -C o -i piece", f"tpm2_nvwrite {GEO} -C o -i piece2 --offset 1024")


# The rows of "who can read the index before there is an operating system".

@change
def geo_no_da_left_out(h):
    """Good for reading, but the TPM asks to try again."""
    redefine(h, "authread|authwrite|ownerwrite")


@change
def geo_password(h):
    redefine(h, "authread|ownerwrite|no_da", options="-C o -p secret")


@change
def geo_owner_reads(h):
    redefine(h, "ownerread|ownerwrite")


@change
def geo_platform_reads(h):
    redefine(h, "ppread|ownerwrite")


@change
def geo_policy_reads(h):
    h.tpm2("tpm2_startauthsession -S s.ctx", "tpm2_policycommandcode -S s.ctx -L nv.policy TPM2_CC_NV_Read", "tpm2_flushcontext s.ctx")
    redefine(h, "policyread|ownerwrite", options="-C o -L nv.policy")


@change
def geo_of_platform(h):
    redefine(h, "platformcreate|ppwrite|authread|no_da", options="-C p", write="-C p")


@change
def geo_never_written(h):
    redefine(h, "authread|ownerwrite|no_da", write="")
    h.content[GEO_INDEX] = None


@change
def geo_everybody_writes(h):
    """What is measured is the content, and that is right; who may write there is for `geolaunch provision --check`."""
    redefine(h, "ownerread|ownerwrite|authread|authwrite|no_da")


def lock_out(h):
    """Wrong passwords until the TPM refuses everything that dictionary attack protection is for."""
    h.write("eight", bytes(8))
    tries = ["sh", "-c", "for i in 1 2 3 4; do tpm2_nvread 0x01800001 -C 0x01800001 -P wrong; done; true"]
    h.tpm2("tpm2_dictionarylockout --setup-parameters --max-tries=2 --recovery-time=100000 --lockout-recovery-time=100000",
           "tpm2_nvdefine 0x01800001 -C o -s 8 -a authread|ownerwrite -p right", "tpm2_nvwrite 0x01800001 -C o -i eight", tries)


@change
def geo_lockout(h):
    """As provisioned: not for dictionary attack protection, so it makes no difference."""
    lock_out(h)


@change
def geo_lockout_without_no_da(h):
    redefine(h, "authread|authwrite|ownerwrite")
    lock_out(h)


# In a lockout the TPM gives other errors (TPM_RC_LOCKOUT, TPM_RC_BAD_AUTH) than without one; where it does not, there is no change for it.

@change
def geo_lockout_password(h):
    redefine(h, "authread|ownerwrite", options="-C o -p secret")
    lock_out(h)


@change
def geo_lockout_owner_reads(h):
    """And the owner has a password."""
    redefine(h, "ownerread|ownerwrite")
    lock_out(h)
    h.tpm2("tpm2_changeauth -c o secret")


@change
def geo_lockout_never_written(h):
    redefine(h, "authread|ownerwrite", write="")
    h.content[GEO_INDEX] = None
    lock_out(h)


@change
def geo_written_in_firmware(h):
    """While the firmware runs."""
    other = h.geo.replace(b"DE", b"FR", 1)
    h.write_later("BdsDxe", GEO_INDEX, other)
    h.content[GEO_INDEX] = other


@change
def geo_written_after(h):
    """The launch is over: what was measured before is what counts."""
    text = "geolaunch: verdict: " if h.mode == "direct" else "geolaunch-stage: measured"
    h.write_later(text, GEO_INDEX, h.geo.replace(b"DE", b"FR", 1))


# ---- TPM

@change
def tpm_none(h):
    h.with_tpm = False
    h.options += ["--tpm", "none"]


@change
def tpm_crb(h):
    """QEMU's has locality 0 only."""
    h.options += ["--tpm", "crb"]


@change
def tpm_12(h):
    h.with_tpm = False
    h.options += ["--tpm", "1.2"]


@change
def tpm_hides_banks(h):
    """The TPM does not tell at locality 2 which banks it has."""
    h.options += ["--fault", "GetCapability@2=rc:0x101"]


@change
def tpm_no_bank(h):
    """Its only active bank is one of SM3-256 (0x12): TPM_CAP_PCRS, the first thing asked at locality 2. Before SENTER that is closed."""
    no_bank(h, 2, 2 if h.mode == "txt" else 1)


def no_bank(h, locality, nth):
    h.options += ["--fault", f"GetCapability@{locality}#{nth}=reply:00" "00000005" "00000001" "0012" "03ffffff"]


@change
def tpm_no_bank_in_firmware(h):
    """The same before SENTER, where geolaunch.efi asks through the firmware, as locality 2 is closed."""
    trace = tamper_host.trace_of_good(h)
    closed = next(i for i, e in enumerate(trace) if e["locality"] == 2)
    no_bank(h, 0, 1 + sum(e["name"] == "GetCapability" and e["locality"] == 0 and e["seq"] > 0 for e in trace[:closed]))


def banks(name, *some):
    def choose(h):
        h.banks = list(some)
    BEFORE[name] = choose


banks("bank-off-sha256", "sha1", "sha384")
banks("bank-only-sha1", "sha1")
banks("bank-only-sha256", "sha256")


@before
def bank_not_predicted(h):
    """The TPM has more active banks than the build."""
    h.manifest = h.manifest | {"banks": ["sha256"]}
    h.variant = "-one-bank"

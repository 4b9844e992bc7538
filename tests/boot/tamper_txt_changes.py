# SPDX-License-Identifier: BSD-3-Clause
"""Changes of the tamper matrix that only mode txt knows: tboot, SINIT, stage, launch control, and the policy on the ESP beside that in the TPM."""
import os
import shutil
import struct

import txt_boot
from tamper_changes import BEFORE, CHANGES, before, change, entry
from tamper_host import GEO_INDEX, LCP_INDEX


@change
def tboot_byte(h):
    """In a text that tboot would print if it had nothing to start."""
    text = b"no SINIT AC module found\n"
    h.replace("tboot", text, text.upper()[:-1] + b"\n")


@change
def tboot_data(h):
    """
    A known limit, docs/THREAT-MODEL.md: Debian's tboot calls the TPM through tables of functions in its data, which no launch measures. Here one
    of them, also called after SENTER, first writes a word on the console.
    """
    tpm12, tpm20, slot, original = 0x2474120, 0x2474180, 0x30, 0x8276A0
    code = b"\x50\x52\x66\xba\xf8\x03" + b"".join(bytes((0xB0, c, 0xEE)) for c in b"[unmeasured]") + b"\x5a\x58\xe9"
    code += struct.pack("<i", original - (tpm12 + len(code) + 4))
    # The table for TPM 1.2 is not used: room for the code.
    data = h.read(h.esp("tboot"))
    at = data.index(struct.pack("<4I", 0x821FE0, 0x8218F0, 0x821A10, 0x8217C0))
    there = at + tpm20 - tpm12 + slot
    assert len(code) <= tpm20 - tpm12 and struct.unpack_from("<I", data, there) == (original,)
    h.write(h.esp("tboot"), data[:at] + code + data[at + len(code):there] + struct.pack("<I", tpm12) + data[there + 4:])


@change
def tboot_line(h):
    h.conf("min_ram=0x2000000", "min_ram=0x2100000")


@change
def tboot_truncated(h):
    h.mle = txt_boot.TBOOT      # the platform wants to know a whole one
    os.truncate(h.esp("tboot"), 100000)


@change
def tboot_missing(h):
    h.mle = txt_boot.TBOOT
    os.unlink(h.esp("tboot"))


def other_sinit(h):
    """The same module with another date."""
    data = bytearray(h.read(h.sinit))
    assert data[20:24] != b"\x01\x01\x25\x20"
    data[20:24] = b"\x01\x01\x25\x20"
    h.write("other.acm", bytes(data))
    h.sinit = h.path("other.acm")


@change
def sinit_of_bios(h):
    """The firmware's is another one than the build's, and it wins."""
    other_sinit(h)


@change
def sinit_of_esp(h):
    """The firmware has none, and on the ESP is another one than the build's."""
    other_sinit(h)
    shutil.copy(h.sinit, h.esp("sinit"))
    h.options.append("--txt-arg=--loader-sinit")


@change
def sinit_bit(h):
    """In its code. A real processor refuses it by its signature; the emulated one does not look at it."""
    h.options.append("--txt-arg=--loader-sinit")
    h.flip("sinit", -1)


@change
def sinit_truncated(h):
    h.options.append("--txt-arg=--loader-sinit")
    os.truncate(h.esp("sinit"), os.path.getsize(h.esp("sinit")) // 2)


@change
def stage_byte(h):
    """In a text of the stage's."""
    h.replace("stage", b"the event log is full", b"the event log is FULL")


@change
def stage_truncated(h):
    os.truncate(h.esp("stage"), 1000)


@change
def stage_missing(h):
    os.unlink(h.esp("stage"))


@change
def stage_rules(h):
    """The stage would not decide as the build's."""
    h.conf(f" policy={h.policy} ", f" policy={'nonfatal' if h.policy == 'continue' else 'continue'} ")


@change
def stage_rules_geo(h):
    """Any geo tag would do."""
    text = h.read(h.esp("launch.conf")).decode()
    at = text.index(",sha256,", text.index(" nv=")) + 1
    h.conf(text[at:at + len("sha256,") + 64], "any")


@change
def stage_rules_no_geo(h):
    text = h.read(h.esp("launch.conf")).decode()
    at = text.index(" nv=")
    h.conf(text[at:text.index(" halt=")], "")


@change
def stage_halt(h):
    """The stage would wait longer than launch.conf says."""
    h.conf("halt=poweroff,0", "halt=poweroff,1")


@change
def vlp_of_esp_any(h):
    """The one on the ESP is for comparison: nobody obeys it, and nobody measures it."""
    policy, at = bytearray(h.read(h.esp("policy.vlp"))), entry(h, 1)
    policy[at + 2] = policy[at + 7] = 0
    del policy[at + 8:at + 8 + 32]
    h.write(h.esp("policy.vlp"), bytes(policy))


@change
def vlp_of_esp_type(h):
    h.flip("policy.vlp", 1, 2)


@change
def vlp_of_esp_truncated(h):
    os.truncate(h.esp("policy.vlp"), 50)


@before
def launch_control(h):
    """An owner's policy that allows this tboot: nothing is wrong."""
    h.lcp = True
    h.manifest = h.manifest | {"lcp": {"data": "list.dat", "policy": "owner.pol"}}
    h.variant = "-lcp"


def of_lcp(name):
    """A change of a host with a launch control policy."""
    def register(f):
        BEFORE[name] = launch_control
        CHANGES[name] = f
        return f
    return register


@of_lcp("lcp-other-tboot")
def lcp_other_tboot(h):
    """The owner's policy in the TPM and its data on the ESP are for another tboot."""
    txt_boot.allow_mle(h.work, "11" * 32)
    shutil.copy(h.path("list.dat"), h.esp("lcp"))
    h.tpm2(f"tpm2_nvwrite {LCP_INDEX:#x} -C o -i owner.pol")


@of_lcp("lcp-data-bit")
def lcp_data_bit(h):
    h.flip("lcp", -1)


@of_lcp("lcp-data-missing")
def lcp_data_missing(h):
    os.unlink(h.esp("lcp"))


@of_lcp("lcp-policy-bit")
def lcp_policy_bit(h):
    h.write("owner.pol", bytes([*h.read("built/owner.pol")[:-1], h.read("built/owner.pol")[-1] ^ 1]))
    h.tpm2(f"tpm2_nvwrite {LCP_INDEX:#x} -C o -i owner.pol")


@of_lcp("lcp-policy-missing")
def lcp_policy_missing(h):
    h.tpm2(f"tpm2_nvundefine {LCP_INDEX:#x} -C o")


@of_lcp("lcp-tboot-byte")
def lcp_tboot_byte(h):
    """With a launch control policy SINIT refuses another tboot."""
    tboot_byte(h)


@change
def geo_written_after_preflight(h):
    """Between the pre-flight and the stage."""
    other = h.geo.replace(b"DE", b"FR", 1)
    h.write_later("geolaunch: starting tboot", GEO_INDEX, other)
    h.content[GEO_INDEX] = other


@change
def log_full(h):
    """SINIT leaves so little of the log that tboot's events have room, and the stage's last ones have not."""
    h.options += ["--txt-arg=--log-room", "--txt-arg=560"]


@change
def log_full_before_tboot(h):
    h.options += ["--txt-arg=--log-room", "--txt-arg=10"]

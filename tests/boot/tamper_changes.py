# SPDX-License-Identifier: BSD-3-Clause
"""
The changes of the tamper matrix. A change works on a built and provisioned host (tamper_host.py), behind the policy's back; one in
BEFORE works on the manifest, before the build. Its name is that of the function, with - for _.
"""
import json
import os
import shutil
import struct

import launch
from tamper_host import STOP, VLP_INDEX

CHANGES, BEFORE = {}, {}


def change(f):
    CHANGES[f.__name__.replace("_", "-")] = f
    return f


def before(f):
    BEFORE[f.__name__.replace("_", "-")] = f
    return f


@change
def nothing(_):
    pass


# ---- hypervisor and its command line

def program(h):
    return h.esp("xen" if h.hypervisor == "xen" else "linux")


@change
def hypervisor_bit(h):
    """Behind the last section: it still runs."""
    h.flip(program(h), -16)


@change
def hypervisor_truncated(h):
    """What is missing is behind the last section: it still runs."""
    os.truncate(program(h), os.path.getsize(program(h)) - (1000 if h.hypervisor == "xen" else 4000))


@change
def hypervisor_torso(h):
    """Cut in the middle of its code: it cannot be loaded."""
    os.truncate(program(h), 0x480)


@change
def hypervisor_replaced(h):
    shutil.copy(os.path.join(STOP, "xen-other.elf" if h.hypervisor == "xen" else "linux-other"), program(h))


@change
def hypervisor_no_program(h):
    h.write(program(h), b"not a program\n" * 100)


@change
def kernel_bit(h):
    h.flip("kernel", -16)


@change
def kernel_missing(h):
    os.unlink(h.esp("kernel"))


@change
def kernel_cmdline(h):
    h.conf("cmdline quiet\n", "cmdline quiet init=/bin/sh\n")


@change
def cmdline_changed(h):
    h.conf(f"cmdline {h.manifest['hypervisor']['cmdline']}\n", "cmdline init=/bin/sh\n")


@change
def cmdline_longer(h):
    """To the most that launch.conf may have."""
    old = h.manifest["hypervisor"]["cmdline"]
    h.conf(f"cmdline {old}\n", "cmdline " + f"{old} ".ljust(2047, "x") + "\n")


@change
def cmdline_too_long(h):
    old = h.manifest["hypervisor"]["cmdline"]
    h.conf(f"cmdline {old}\n", "cmdline " + f"{old} ".ljust(2048, "x") + "\n")


@change
def cmdline_nul(h):
    """What a reader of C strings would take for the right one."""
    old = h.manifest["hypervisor"]["cmdline"]
    h.conf(f"cmdline {old}\n", f"cmdline {old}\0 init=/bin/sh\n")


# ---- the other modules

@change
def initrd_bit(h):
    h.flip("initrd", 29)


@change
def vmm_bit(h):
    h.flip("vmm", 4096)


@change
def vmm_truncated(h):
    os.truncate(h.esp("vmm"), 17)


@change
def vmm_path(h):
    h.conf("path /usr/bin/vmm\n", "path /usr/bin/other\n")


@change
def file_changed(h):
    h.write(h.esp("file-0"), b'{"vm": 2}\n')


@change
def file_mode(h):
    """Nothing but launch.conf and the initrd's member tells it."""
    h.conf("mode 0644\n", "mode 0777\n")


@change
def file_mode_and_rules(h):
    h.conf("mode 0644\n", "mode 0777\n")
    h.conf("file:0644", "file:0777")


@change
def module_file_missing(h):
    os.unlink(h.esp("vmm"))


@change
def module_file_empty(h):
    os.truncate(h.esp("file-0"), 0)


@change
def module_missing(h):
    """In mode txt the stage's rules still have it."""
    text = h.read(h.esp("launch.conf")).decode()
    head, _ = text.split("module file\n")
    h.write(h.esp("launch.conf"), (head + "end\n").encode())


@change
def module_missing_and_rules(h):
    """tboot's policy names a module that does not come."""
    module_missing(h)
    h.conf(",file:0644", "")


def add_module(h, rules):
    h.write(h.esp("file-1"), b"one more\n")
    h.conf("end\n", "module file\nfile file-1\npath /etc/vm/more\nmode 0644\nend\n")
    if rules:
        h.conf("file:0644", "file:0644,file:0644")


@change
def module_added(h):
    """In mode txt the stage's rules do not know of it."""
    add_module(h, False)


@change
def module_added_to_rules(h):
    add_module(h, True)


def swap(h):
    head, rest = h.read(h.esp("launch.conf")).split(b"module vmm\n")
    first, second = rest.split(b"module file\n")
    h.write(h.esp("launch.conf"), head + b"module file\n" + second.replace(b"end\n", b"") + b"module vmm\n" + first + b"end\n")


@change
def module_order(h):
    """VM manager and file change places; in mode txt the stage's rules do not."""
    swap(h)


@change
def module_order_and_rules(h):
    swap(h)
    h.conf("vmm:0755,file:0644", "file:0644,vmm:0755")


# ---- launch description

@change
def description_missing(h):
    os.unlink(h.esp("launch.conf"))


@change
def description_line_lost(h):
    h.conf("halt-delay 0\n", "")


@change
def description_halt_delay(h):
    h.conf("halt-delay 0\n", "halt-delay 1\n")


@change
def description_on_halt(h):
    h.conf("on-halt poweroff\n", "on-halt return\n")


@change
def description_halt_delay_and_rules(h):
    description_halt_delay(h)
    h.conf("halt=poweroff,0", "halt=poweroff,1")


@change
def description_on_halt_and_rules(h):
    description_on_halt(h)
    h.conf("halt=poweroff,0", "halt=reboot,0")


@change
def description_truncated(h):
    os.truncate(h.esp("launch.conf"), 100)


@change
def description_other_mode(h):
    h.conf(f"mode {h.mode}\n", f"mode {'txt' if h.mode == 'direct' else 'direct'}\n")


# ---- launch policy: header 12 bytes, then 8 bytes and the hash for each entry; in mode direct entry 0 has none

def entry(h, number):
    """Where a module's entry begins; the last one is the geo index's."""
    policy = h.read(h.esp("policy.vlp"))
    at = 12
    for _ in range(policy[11]):
        if policy[at] == number:
            return at
        at += 8 + 32 * policy[at + 7]
    raise AssertionError(f"no entry {number}")


def set_policy(h, policy, exact=False):
    """The one that counts: in mode direct on the ESP, in mode txt in the TPM. Behind a shorter one there is what the index had."""
    if h.mode == "direct":
        h.write(h.esp("policy.vlp"), policy)
        return
    if exact or len(policy) > len(h.read(h.esp("policy.vlp"))):
        h.tpm2(f"tpm2_nvundefine {VLP_INDEX:#x} -C o",
               f"tpm2_nvdefine {VLP_INDEX:#x} -C o -s {len(policy)} -a ownerwrite|policywrite|authread|ownerread|no_da")
    h.write_index(VLP_INDEX, policy)


def policy_flip(name, offset, mask, where=None):
    def flip(h):
        policy = bytearray(h.read(h.esp("policy.vlp")))
        policy[(entry(h, where) if where is not None else 0) + offset] ^= mask
        set_policy(h, bytes(policy))
    CHANGES["policy-" + name] = flip


policy_flip("version", 0, 1)
policy_flip("type", 1, 2)
policy_flip("type-invalid", 1, 0x40)
policy_flip("hash-alg", 2, 1)
policy_flip("hash-alg-sha384", 2, 7)
policy_flip("control", 3, 1)
policy_flip("control-other", 3, 2)
policy_flip("reserved", 7, 1)
policy_flip("count", 11, 1)
policy_flip("module", 0, 8, 1)
policy_flip("module-pcr", 1, 7, 1)      # 19 to 20
policy_flip("module-pcr-invalid", 1, 8, 1)
policy_flip("module-hash-type", 2, 1, 1)
policy_flip("module-nv-index", 3, 1, 1)
policy_flip("module-count", 7, 1, 1)
policy_flip("module-hash", 8, 1, 1)
policy_flip("geo-index", 3, 1, 130)
policy_flip("geo-pcr", 1, 3, 130)       # 22 to 21
policy_flip("geo-hash", 8 + 31, 0x80, 130)
policy_flip("geo-raw", 0, 1, 130)       # nv to nv-raw
policy_flip("geo-hash-type", 2, 1, 130)
policy_flip("geo-count", 7, 1, 130)


@change
def policy_truncated(h):
    policy = h.read(h.esp("policy.vlp"))
    set_policy(h, policy[:-1], exact=True)


@change
def policy_longer(h):
    set_policy(h, h.read(h.esp("policy.vlp")) + b"\0")


@change
def policy_empty(h):
    if h.mode == "direct":
        set_policy(h, b"")
    else:
        set_policy(h, bytes(len(h.read(h.esp("policy.vlp")))))


@change
def policy_missing(h):
    if h.mode == "direct":
        os.unlink(h.esp("policy.vlp"))
    else:
        h.tpm2(f"tpm2_nvundefine {VLP_INDEX:#x} -C o")


@change
def policy_any(h):
    """The hypervisor may be anything."""
    policy, at = bytearray(h.read(h.esp("policy.vlp"))), entry(h, 1)
    policy[at + 2] = policy[at + 7] = 0
    del policy[at + 8:at + 8 + 32]
    set_policy(h, bytes(policy))


@change
def policy_shadowed(h):
    """One more entry for the hypervisor, any, in front of the right one."""
    policy, at = bytearray(h.read(h.esp("policy.vlp"))), entry(h, 1)
    policy[at:at] = struct.pack("<BBBIB", 1, 19, 0, 0, 0)
    policy[11] += 1
    set_policy(h, bytes(policy))


@change
def policy_of_another_host(h):
    """Whose initrd is another one."""
    policy, at = bytearray(h.read(h.esp("policy.vlp"))), entry(h, 3 if h.hypervisor == "xen" else 2)
    policy[at + 8:at + 8 + 32] = bytes(range(32))
    set_policy(h, bytes(policy))


@change
def policy_other_algorithm(h):
    """Right for this host, by SHA-384."""
    other = h.path("other.yaml")
    shutil.copytree(h.built, h.path("other-in"))
    with open(other, "w", encoding="ascii") as f:
        json.dump(h.manifest | {"policy": {"type": h.policy, "hash": "sha384"}}, f)
    shutil.move(other, h.path("other-in/other.yaml"))
    launch.build(h.path("other-in/other.yaml"), h.path("other-out"))
    set_policy(h, h.read("other-out/esp/EFI/geolaunch/policy.vlp"))

# SPDX-License-Identifier: BSD-3-Clause
"""
What PCR 17-22 must hold after a launch, by hashlib from the files on the ESP and the content of the TPM's NV indices: the rules of
docs/MEASUREMENTS.md written down once more. Which measurements are capped, and where the launch stops, the cell says.
"""
import hashlib
import re
import struct

ALG_ID = {0x4: "sha1", 0xB: "sha256", 0xC: "sha384", 0xD: "sha512"}
DEFAULT_PCR = {"hypervisor": 19, "kernel": 19, "initrd": 19, "vmm": 20, "file": 21}
NONE = 255
ANY, NV, NV_RAW = 129, 130, 131
# The policy that tboot 1.10.5 has in itself for when it finds none: hash algorithm SHA-256, control 1; module 0 to no PCR of its own, any other
# to PCR 17 (it says 19), whatever it is; an NV index, which it ignores.
TBOOT_DEFAULT = bytes.fromhex("02000b010000000000000003" "00ff000000000000" "8111000000000000" "8316001000004000")


def h(bank, *parts):
    return hashlib.new(bank, b"".join(parts)).digest()


def parse_policy(data):
    """(control, {module: PCR}, [(NV index, PCR, whether its content is the digest)], bytes that the policy has)"""
    _, _, alg, control, _, count = struct.unpack_from("<BBBIIB", data)
    size, at = hashlib.new(ALG_ID[alg]).digest_size, 12
    modules, indices = {}, []
    for _ in range(count):
        number, pcr, _, index, hashes = struct.unpack_from("<BBBIB", data, at)
        at += 8 + size * hashes
        if number in (NV, NV_RAW):
            indices.append((index, pcr, number == NV_RAW))
        else:
            modules.setdefault(number, pcr)
    return control, modules, indices, data[:at]


def parse_description(text):
    """The numbered modules in their order: (role, file, what is hashed as the command line). And the stage's rules."""
    blocks = [dict(line.split(" ", 1) for line in block.split("\n") if " " in line) for block in text.split("module ")[1:]]
    names = [block.split("\n", 1)[0] for block in text.split("module ")[1:]]
    rules = next((b.get("cmdline", "") for n, b in zip(names, blocks) if n == "stage"), None)
    return [(n, b["file"], b.get("path", b.get("cmdline", ""))) for n, b in zip(names, blocks) if n in DEFAULT_PCR], rules


def module(bank, line, data):
    return h(bank, h(bank, line.encode()), h(bank, data))


class Model:
    """
    One launch. caps: alias of a measurement to the reason why there is a cap in its place. stop: (alias, reason), capped behind it; with the
    reason uncapped nothing at all is extended any more. policy:17 is the first of the policy's two extends.
    """

    def __init__(self, banks, start, caps, stop):
        self.caps, self.stop, self.stopped = caps, stop, False
        self.values = {b: {p: bytes([start]) * hashlib.new(b).digest_size for p in range(17, 23)} for b in banks}
        if stop and stop[0] == "start":
            self._end()

    def _extend(self, pcr, digest, banks):
        for bank in banks:
            self.values[bank][pcr] = h(bank, self.values[bank][pcr], digest(bank))

    def _end(self):
        self.stopped = True
        for pcr in range(17, 23) if self.stop[1] != "uncapped" else ():
            self._extend(pcr, lambda bank: h(bank, b"cap " + self.stop[1].encode()), self.values)

    def event(self, alias, pcr, digest, banks=None, last=True):
        """last: no further extend belongs to this measurement."""
        if self.stopped:
            return
        reason = self.caps.get(alias)
        if pcr != NONE:
            self._extend(pcr, (lambda bank: h(bank, b"cap " + reason.encode())) if reason else digest, banks or list(self.values))
        if self.stop and (last and self.stop[0] == alias or self.stop[0] == f"{alias}:{pcr}"):
            self._end()

    def policy(self, data, banks=None):
        control = parse_policy(data)[0]
        for pcr in (17, 18):
            self.event("policy", pcr, lambda b: h(b, struct.pack("<I", control), h(b, data) if control & 1 else
                                                  bytes(hashlib.new(b).digest_size)), banks, last=pcr == 18)

    def missing(self):
        """Modules that the policy names and that did not come: the cell says which, as m5:19."""
        for alias in [a for a in self.caps if ":" in a]:
            self.event(alias, int(alias.split(":")[1]), None)

    def nv(self, indices, content):
        for i, (index, pcr, raw) in enumerate(indices):
            data = content.get(index)
            self.event("nv" if i == 0 else f"nv{i + 1}", pcr,
                       lambda b, data=data, raw=raw: data if raw and len(data) == hashlib.new(b).digest_size else h(b, data))

    def closing(self):
        before = {b: dict(v) for b, v in self.values.items()}
        self.event("closing", 17, lambda b: h(b, *(before[b][p] for p in (19, 20, 21, 22))))
        if self.stop and self.stop[0] == "end" and not self.stopped:
            self._end()

    def hex(self):
        return {b: {str(p): v.hex() for p, v in pcrs.items()} for b, pcrs in self.values.items()}


def _modules(m, read, conf, policy, banks=None):
    entries = parse_policy(policy)[1]
    for number, (role, file, line) in enumerate(parse_description(conf)[0], 1):
        if m.stopped:
            return
        pcr = entries.get(number, entries.get(ANY)) if banks else entries.get(number, DEFAULT_PCR[role])
        if pcr is None:
            continue        # tboot measures only what its policy names
        m.event(f"m{number}", pcr, lambda b, f=file, t=line: module(b, t, read(f)), banks)


def direct(read, banks, content, caps, stop):
    """read: name of a file on the ESP to its bytes. content: NV index to bytes."""
    m = Model(banks, 0xFF, caps, stop)
    if not m.stopped:
        conf, policy = read("launch.conf"), read("policy.vlp")
        _, entries, indices, _ = parse_policy(policy)
        m.policy(policy)
        m.event("m0", 17, lambda b: module(b, "", conf))
        m.event("m0", entries.get(0, NONE), lambda b: module(b, "", conf))
        _modules(m, read, conf.decode(), policy)
        m.missing()
        m.nv(indices, content)
        m.closing()
    return m.hex()


def sinit(banks, given, caps=(), stop=None):
    """given: what was extended before tboot: (PCR, {bank: digest})."""
    m = Model(banks, 0x00, dict(caps), stop)
    for i, (pcr, digests) in enumerate(given):
        m.event("sinit", pcr, lambda b, d=digests: d[b], list(digests), last=i + 1 == len(given))
    return m


def txt(read, banks, given, policy, content, caps, stop):
    """policy: that of the TPM; tboot extends the bank of its option extpol only."""
    m = sinit(banks, given, caps, stop)
    conf = read("launch.conf").decode()
    _, rules = parse_description(conf)
    one = re.search(r"\bextpol=(\w+)", conf).group(1).split()
    m.policy(parse_policy(policy)[3], one)
    m.event("m0", 17, lambda b: module(b, rules, read("stage")), one)
    _modules(m, read, conf, policy, one)
    m.nv([(int(i, 16), int(p), kind == "nv_raw") for i, kind, p in re.findall(r" nv=(0x[0-9a-f]+),(\w+),(\d+),", rules)], content)
    m.closing()
    return m.hex()


def digest_values(data, at, count, order):
    """`count` TPMT_HA at `at`, in the byte order of a log or of a command: {bank: digest}, and what lies behind them."""
    digests = {}
    for _ in range(count):
        bank = ALG_ID[struct.unpack_from(order + "H", data, at)[0]]
        assert bank not in digests
        size = hashlib.new(bank).digest_size
        digests[bank] = data[at + 2:at + 2 + size]
        at += 2 + size
    return digests, at


def replay(log, banks, start):
    """PCR 17-22 by a crypto-agile log, and its events: (PCR, type, {bank: digest}, data)."""
    values = {b: {p: bytes([start]) * hashlib.new(b).digest_size for p in range(17, 23)} for b in banks}
    at, events = 32 + struct.unpack_from("<I", log, 28)[0], []     # TCG_PCR_EVENT with the Spec ID
    while at < len(log):
        pcr, kind, count = struct.unpack_from("<III", log, at)
        digests, at = digest_values(log, at + 12, count, "<")
        for bank in digests:
            if bank in values and pcr in values[bank]:
                values[bank][pcr] = h(bank, values[bank][pcr], digests[bank])
        n = struct.unpack_from("<I", log, at)[0]
        events.append((pcr, kind, digests, log[at + 4:at + 4 + n]))
        at += 4 + n
    assert at == len(log)
    return {b: {str(p): v.hex() for p, v in pcrs.items()} for b, pcrs in values.items()}, events

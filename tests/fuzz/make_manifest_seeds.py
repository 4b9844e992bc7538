#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes seeds of fuzz_manifest that are refused, or say something in another way: each a change to txt.yaml, which is written by hand."""
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "data/fuzz/fuzz_manifest"
ZEROS, ONES = "'" + "0" * 64 + "'", "'" + "1" * 64 + "'"

CHANGES = {
    "txt-same-bios": (ONES, ZEROS),
    "txt-many-bios": (f"[{ZEROS}, {ONES}]", "[" + ", ".join(f"'{n:064x}'" for n in range(20)) + "]"),
    "txt-no-bios": (f"[{ZEROS}, {ONES}]", "[]"),
    "txt-bios-map": (f"[{ZEROS}, {ONES}]", "{ a: b }"),
    "txt-bios-short": (ZEROS, "'00'"),
    "txt-bios-list": (ZEROS, "[]"),
    "txt-one-log": ("[ a.log, b.log ]", "a.log"),
    "txt-extpol": ("min_ram=0x2000000", "extpol=sha1"),
    "txt-extpol-same": ("min_ram=0x2000000", "extpol=sha256"),
    "txt-extpol-agile": ("min_ram=0x2000000", "extpol=agile"),
    "txt-legacy-log": ("min_ram=0x2000000", "force_tpm2_legacy_log=true"),
    "txt-call-racm": ("min_ram=0x2000000", "call_racm=true"),
    "txt-in-direct": ("mode: txt", "mode: direct"),
    "txt-no-tboot": ("tboot: {", "tboot2: {"),
    "txt-tboot-gone": ("tboot: { file: tboot.gz, cmdline: 'logging=none min_ram=0x2000000' }\n", ""),
    "txt-no-bank": ("[sha1, sha256]", "[sha1]"),
    "txt-no-sinit": ("sinit: { file: s.acm }\n", ""),
    "txt-no-stage": ("stage: { file: st.elf }\n", ""),
    "txt-nothing-of-bios": (f"  log: [ a.log, b.log ]\n  bios_acm: [{ZEROS}, {ONES}]\n", ""),
    "txt-no-log": ("  log: [ a.log, b.log ]\n", ""),
    "txt-no-source-of-sinit": ("sinit: { file: s.acm }\nstage: { file: st.elf }\nlcp: { data: l.dat, policy: o.pol }\nplatform:\n  log: [ a.log, b.log ]",
                               "stage: { file: st.elf }\nplatform:"),
    "txt-aux-none": ("aux: '01c1", "aux: 'x1c1"),
    "txt-aux-long": ("ps: none", "ps: '" + "01" * 200 + "'"),
    "txt-aux-list": ("ps: none", "ps: [ none ]"),
    "txt-platform-list": ("platform:", "platform: []\nplatform2:"),
    "txt-no-country": ("geo: { tag: { country: DE } }", "geo: { tag: { country: de } }"),
}


def main():
    text = (FOLDER / "txt.yaml").read_text()
    for name, (old, new) in CHANGES.items():
        assert old in text, name
        (FOLDER / f"{name}.yaml").write_text(text.replace(old, new, 1))


if __name__ == "__main__":
    main()

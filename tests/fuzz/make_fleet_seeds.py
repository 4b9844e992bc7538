#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of fuzz_fleet_read anew, of fleets that `geolaunch build` makes: tests/fuzz/make_fleet_seeds.py [DIR], default tests/data/fuzz."""
import json
import pathlib
import shutil
import struct
import sys
import tempfile

from seed_files import write

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
from build_model import changed, make_inputs, noise, run, to_yaml, variant      # noqa: E402
from txt_model import make_txt_inputs, txt_variant                              # noqa: E402

HEAD = "name,country,subdivision,site\n"
TWO = f"{HEAD}fra1-r07-h01,DE,HE,FRA1\nA,AR,,\n"
THREE = f"{TWO}{'x' * 64},CL,,hall 3\n"
FIVE = THREE + "a-b,IS,,\nb.c_d,SE,AB,STO2\n"
FILES = ("expected.json", "esp/EFI/geolaunch/policy.vlp", "geo.bin", "esp/EFI/geolaunch/launch.conf", "esp/EFI/geolaunch/stage")
SMALL = {"banks": ["sha256"], "files": None}


def fleets():
    direct, txt = changed(variant(), SMALL), changed(txt_variant(), SMALL | {"vmm": None})
    yield "direct", direct, FIVE
    yield "small", changed(direct, {"vmm": None}), THREE
    yield "two-banks", changed(direct, {"banks": ["sha1", "sha384"]}), TWO
    yield "raw", changed(direct, {"geo": {"kind": "nv_raw", "file": "tag-32"}}), TWO
    yield "measured-only", changed(direct, {"geo": {"tag": {"country": "FR"}, "verify": False}}), TWO
    yield "no-geo", changed(direct, {"geo": None}), "name\na\nb\n"
    yield "txt", txt, TWO
    yield "txt-measured-only", changed(txt, {"geo": {"tag": {"country": "FR"}, "verify": False}}), TWO
    yield "txt-alternatives", changed(txt, {"platform": {"bios_acm": [txt["platform"]["bios_acm"], "11" * 32]}}), TWO


def seed(name, common, hosts, **instead):
    files = [instead.get(pathlib.PurePath(f).stem, (common / f).read_bytes() if (common / f).exists() else b"") for f in FILES]
    return b"".join(struct.pack("<H", len(p)) + p for p in (name, *files)) + hosts


def line(record):
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def damaged(common, hosts):
    """Of the small fleet."""
    head, *lines = hosts.splitlines(True)
    expected = (common / FILES[0]).read_bytes()
    first = json.loads(lines[0])
    first["pcrs"]["sha256"]["22"] = "00" * 32
    yield "other-case", b"FRA1-R07-H01", hosts, {}
    yield "no-such-host", b"fra1", hosts, {}
    yield "name-too-long", b"y" * 65, hosts, {}
    yield "first", b"A", hosts, {}
    yield "unsorted", b"A", head + b"".join(reversed(lines)), {}
    yield "count", b"A", head.replace(b"3", b"4") + b"".join(lines), {}
    yield "no-header", b"A", b"".join(lines), {}
    yield "header-alone", b"A", head, {}
    yield "no-end", b"A", hosts[:-1], {}
    yield "empty-line", b"A", head + b"\n" + b"".join(lines), {}
    yield "no-record", b"x" * 64, head + b"".join(lines[:2]) + b"{}\n", {}
    yield "other-policy", b"A", hosts.replace(b'"policy":"', b'"policy":"00', 1), {}
    yield "other-geo", b"A", head + lines[0].replace(b'"geo":"47', b'"geo":"48') + b"".join(lines[1:]), {}
    yield "other-pcrs", b"A", head + line(first) + b"".join(lines[1:]), {}
    yield "no-content-of-host", b"A", head + line(first | {"geo": None, "country": None}) + b"".join(lines[1:]), {}
    yield "no-hosts", b"A", b"", {}
    yield "line-too-long", b"A", head + lines[0] + b"x" * 33000, {}
    yield "no-expected", b"A", hosts, {"expected": b""}
    yield "bad-expected", b"A", hosts, {"expected": expected[:-20]}
    yield "expected-of-txt", b"A", hosts, {"expected": expected.replace(b'"direct"', b'"txt"', 1)}
    yield "cut-policy", b"A", hosts, {"policy": (common / FILES[1]).read_bytes()[:-1]}
    yield "large-policy", b"A", hosts, {"policy": noise("policy", 4097)}
    yield "no-content", b"A", hosts, {"geo": b""}
    yield "other-content", b"A", hosts, {"geo": b"x" * 64}


def seeds():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name) / "in"
        make_inputs(folder)
        make_txt_inputs(folder)
        (folder / "stage.elf").write_bytes(b"\x7fELF geolaunch-stage" + noise("stage", 60))
        for name, manifest, table in fleets():
            (folder / "host.yaml").write_text(to_yaml(manifest) + "\n")
            (folder / "hosts.csv").write_text(table)
            run("build", "host.yaml", "-o", "fleet", "--efi", "geolaunch.efi", "--fleet", "hosts.csv", cwd=folder, check=True)
            common, hosts = folder / "fleet/common", (folder / "fleet/hosts.jsonl").read_bytes()
            yield name, seed(b"fra1-r07-h01", common, hosts)
            if name == "small":
                for what, host, lines, instead in damaged(common, hosts):
                    yield what, seed(host, common, lines, **instead)
            if name == "txt":
                conf = (common / FILES[3]).read_bytes()
                yield "txt-other-stage", seed(b"A", common, hosts, stage=b"x")
                yield "txt-other-rules", seed(b"A", common, hosts, launch=conf.replace(b"policy=halt", b"policy=continue"))
                yield "txt-no-description", seed(b"A", common, hosts, launch=b"mode direct\n")
            shutil.rmtree(folder / "fleet")


if __name__ == "__main__":
    write("fleet_read", seeds())

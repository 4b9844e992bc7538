# SPDX-License-Identifier: BSD-3-Clause
"""Nothing that reads foreign bytes is without a fuzz target, and every target says what it is for (tests/fuzz/parsers.csv)."""
import csv
import pathlib
import re
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
FUZZ = TOP / "tests/fuzz"
DATA = TOP / "tests/data/fuzz"
FOLDERS = ("common", "tpm", "tboot-policy", "geo", "lcp", "boot", "txt", "efi", "stage", "cli", "qemu")

# A public function that takes bytes apart, by its name and first arguments: of these every file needs a target.
READS = re.compile(r"^[a-z][a-z_0-9 ]*[ *]([a-z0-9_]+_(?:decode|parse|open|read|plan|locate|find|split|take|frame)(?:_[a-z0-9]+)*)"
                   r"\((?:const char \*[a-z]+, )?(?:struct [a-z_]+ \*[a-z]+, )?struct span [a-z]+[,)]", re.M)
# By the name of the file.
NAMED = re.compile(r"(decode|parse|read|validate)(_[a-z]+)?\.c$")

# By what it does: a reading cursor, or somebody else's parser.
USES = re.compile(r"\b(rd_init|json_load[a-z]+|yaml_parser_[a-z_]+|sscanf|d2i_[A-Za-z0-9_]+|PEM_read[A-Za-z0-9_]*)\(")

# Files with such a name or function that need none, and why.
NONE_NEEDED = {
    "efi/core/txt_load.c": "hands what was read on to the parsers of its parts",
    "cli/buildtree.c": "names of files of our own",
    "efi/core/launch.c": "reads files by the names of the description",
    "lcp/host/sign.c": "OpenSSL takes keys and signatures apart",
    "lcp/host/key.c": "OpenSSL takes keys apart",
    "cli/build_certificate.c": "OpenSSL takes certificates apart",
    "cli/bootentry.c": "fuzz_slots runs boot_slot(); the rest goes through libefivar",
    "cli/cmd_lcp_show.c": "tells files apart by their first bytes; lcp/ reads them",
    "cli/file_kind.c": "asks the decoders of each kind, which have targets",
    "cli/livelog_txt.c": "registers at fixed places of a page",
    "cli/predict_nv.c": "three entries of an event that fuzz_predict_log has found",
    "cli/source.c": "looks at 64 bytes for the kind of a file",
    "cli/txt_heap_json.c": "prints what fuzz_txt_heap took apart, which runs it",
    "qemu/proxy/control.c": "numbers of messages that qemu/proxy/ctrl.c has framed",
    "qemu/txt/chipset.c": "its own configuration",
    "qemu/txt/link.c": "answers of our own tpmproxy",
    "qemu/txt/machine.c": "fuzz_txt_smx runs machine_parse_ram(); the rest talks to QEMU",
    "qemu/txt/registers.c": "registers of a fixed width",
    "qemu/txt/report.c": "JSON of our own making",
    "qemu/txt/shm.c": "one number of QEMU's monitor",
    "qemu/txt/smx.c": "16 bytes with fixed fields",
}


def table():
    with open(FUZZ / "parsers.csv", newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def test_the_table_is_in_order():
    rows = table()
    assert list(rows[0]) == ["target", "file"]
    assert rows == sorted(rows, key=lambda r: (r["target"], r["file"])) and len({(r["target"], r["file"]) for r in rows}) == len(rows)
    assert [r["file"] for r in rows if not (TOP / r["file"]).is_file()] == []


def test_every_target_has_a_row_and_a_corpus():
    targets = {p.stem for p in FUZZ.glob("fuzz_*.c")}
    assert targets == {r["target"] for r in table()}
    assert targets == {p.name for p in DATA.iterdir()}


@pytest.mark.parametrize("target", sorted(p.stem for p in FUZZ.glob("fuzz_*.c")))
def test_a_corpus_is_small(target):
    sizes = [p.stat().st_size for p in (DATA / target).iterdir()]
    assert 0 < len(sizes) < 200 and sum(sizes) < 300 << 10


def without_target():
    """File -> why it should have a target."""
    covered = {r["file"] for r in table()}
    found = {}
    for path in sorted(p for folder in FOLDERS for p in (TOP / folder).rglob("*.c")):
        name = str(path.relative_to(TOP))
        functions = READS.findall(path.read_text())
        why = functions or NAMED.findall(path.name) or USES.findall(path.read_text())
        if name not in covered and why:
            found[name] = why
    return found


def test_what_reads_has_a_target():
    found = without_target()
    assert {name: why for name, why in found.items() if name not in NONE_NEEDED} == {}
    assert set(NONE_NEEDED) <= set(found), "a reason for a file that needs none any more"


def test_mutants_of_json_are_what_they_say(tmp_path):
    (tmp_path / "seed.json").write_text('{"a": [1, {"b": null}]}')
    subprocess.run([sys.executable, FUZZ / "make_json_mutants.py", tmp_path / "seed.json", tmp_path / "out"], check=True, timeout=60)
    texts = {p.read_text() for p in (tmp_path / "out").iterdir()}
    assert {"null", '{"a":[1,{}]}', '{"a":[1]}', '{"a":[1,{"b":null},1]}', "{}"} <= texts


def fake_tools(folder, body):
    """A target and llvm's tools that say what they are told."""
    (folder / "fuzz_vlp").write_text("#!/bin/sh\nexit 0\n")
    (folder / "llvm-profdata").write_text("#!/bin/sh\nexit 0\n")
    (folder / "llvm-cov").write_text(f"#!/bin/sh\ncat <<'END'\n{body}\nEND\n")
    for p in folder.iterdir():
        p.chmod(0o755)


def coverage(folder, results, *arguments):
    return subprocess.run([TOP / "scripts/coverage", *arguments], capture_output=True, text=True, timeout=60,
                          env={"PATH": f"{folder}:/usr/bin:/bin", "GEOLAUNCH_RESULTS": str(results)})


@pytest.mark.parametrize("missed, code", ((0, 0), (1, 1), (2, 1), (10, 1)))
def test_the_limit_of_coverage(tmp_path, missed, code):
    tools, results = tmp_path / "tools", tmp_path / "results"
    tools.mkdir()
    files = [r["file"] for r in table() if r["target"] == "fuzz_vlp"]
    fake_tools(tools, "\n".join(f"SF:./{f}\n" + "\n".join(f"DA:{n},{int(n > missed)}" for n in range(1, 11)) + "\nend_of_record" for f in files))
    done = coverage(tools, results, tools, "fuzz_vlp")
    assert done.returncode == code, done.stderr
    assert all(f in done.stdout for f in files) and ("not over 90 %" in done.stderr) == bool(code)
    lines = (results / "coverage.jsonl").read_text().splitlines()
    assert len(lines) == len(files) and f'"lines": 10, "covered": {10 - missed}' in lines[0]


@pytest.mark.parametrize("arguments", ((), ("--help",), (".", "fuzz_nothing"), ("--lines", ".")))
def test_coverage_used_wrongly(tmp_path, arguments):
    done = coverage(tmp_path, tmp_path, *arguments)
    assert done.returncode == 2 and "Usage" in done.stderr


def test_a_target_that_fails_on_its_corpus(tmp_path):
    fake_tools(tmp_path, "")
    (tmp_path / "fuzz_vlp").write_text("#!/bin/sh\necho runtime error\nexit 1\n")
    done = coverage(tmp_path, tmp_path / "results", tmp_path, "fuzz_vlp")
    assert done.returncode == 1 and "runtime error" in done.stderr and not (tmp_path / "results").exists()


def test_a_program_without_the_file(tmp_path):
    fake_tools(tmp_path, "SF:./geo/tag.c\nDA:1,1\nend_of_record")
    done = coverage(tmp_path, tmp_path / "results", tmp_path, "fuzz_vlp")
    assert done.returncode == 1 and "parsers.csv" in done.stderr

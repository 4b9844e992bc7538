# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch build --fleet` and `geolaunch fleet`: every host's output is that of a build by itself."""

import filecmp
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import time

import pytest

from build_model import BANKS, BASE, GEOLAUNCH, Model, build, geo_tag, make_inputs, refused, run, to_yaml, variant
from install_world import make_shim
from txt_model import XEN, make_txt_inputs

TAGS = {
    "fra1-r07-h01": {"country": "DE", "subdivision": "HE", "site": "FRA1", "latitude": 50.1109, "longitude": 8.6821},
    "A": {"country": "AR", "latitude": -34.6036844, "longitude": -58.3815591},
    "a-b": {"country": "IS"},
    "a.b_c": {"country": "SE", "subdivision": "AB", "site": 'STO2, hall "3"', "latitude": 59.3293, "longitude": 18.0686},
    "x" * 64: {"country": "CL", "site": "s" * 40},
}
HEAD = "name,country\n"
COLUMNS = ["name", "country", "subdivision", "site", "latitude", "longitude"]


@pytest.fixture
def inputs(tmp_path):
    make_inputs(tmp_path / "in")
    yield tmp_path / "in"
    # pytest keeps the folders of three runs; these are large
    shutil.rmtree(tmp_path)


def quoted(value):
    value = str(value)
    return '"' + value.replace('"', '""') + '"' if set(value) & set('",') else value


def table_of(tags):
    rows = [COLUMNS, *([name, *(tag.get(c, "") for c in COLUMNS[1:])] for name, tag in tags.items())]
    return "".join(",".join(map(quoted, row)) + "\n" for row in rows)


def fleet(inputs, manifest, table, *args, out="fleet", **kwargs):
    (inputs / "host.yaml").write_text(to_yaml(manifest) + "\n")
    (inputs / "hosts.csv").write_text(table, newline="")
    return run("build", "host.yaml", "-o", out, "--efi", "geolaunch.efi", "--fleet", "hosts.csv", *args, cwd=inputs, **kwargs)


def made(inputs, manifest, table, *args, **kwargs):
    done = fleet(inputs, manifest, table, *args, **kwargs)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def extract(inputs, host, out):
    done = run("fleet", "extract", "fleet", host, "-o", out, cwd=inputs)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def files_of(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def records(inputs, out="fleet"):
    head, *lines = (inputs / out / "hosts.jsonl").read_text().splitlines()
    assert json.loads(head) == {"format": "geolaunch-fleet-1", "count": len(lines)}
    return [json.loads(line) for line in lines]


# ---------------------------------------------------------------- what is made

MANIFESTS = {
    "full": BASE,
    "raw": variant(geo={"kind": "nv_raw", "tag": BASE["geo"]["tag"]}, policy={"type": "halt", "hash": "sha512"}),
    "policy hash is no bank": variant(policy={"type": "nonfatal", "hash": "sha512"}, banks=["sha384", "sha1"]),
    "one bank, few files": variant(banks=["sha256"], vmm=None, files=None),
    "measured only": variant(geo={"tag": {"country": "FR"}, "verify": False, "index": 0x01800001}),
    "among the policy": variant(geo={"tag": {"country": "FR"}, "pcr": 17}),
    "among the hypervisor": variant(geo={"tag": {"country": "FR"}, "pcr": 19}),
    "tag in the manifest's file": variant(geo={"file": "tag-20"}),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_each_host_is_as_if_built_by_itself(inputs, name):
    manifest = MANIFESTS[name]
    made(inputs, manifest, table_of(TAGS))
    for host, tag in TAGS.items():
        alone = {**manifest, "name": host, "geo": {**manifest["geo"], "tag": tag}}
        alone["geo"].pop("file", None)
        assert build(inputs, alone, out="alone").returncode == 0
        extract(inputs, host, "one")
        assert files_of(inputs / "one") == files_of(inputs / "alone")
        shutil.rmtree(inputs / "alone")
        shutil.rmtree(inputs / "one")


@pytest.mark.parametrize("name", MANIFESTS)
def test_records(inputs, name):
    """Against the rules as tests/cli/build_model.py has them."""
    manifest = MANIFESTS[name]
    made(inputs, manifest, table_of(TAGS))
    got = records(inputs)
    assert [r["name"] for r in got] == sorted(TAGS)
    for record in got:
        geo = {**manifest["geo"], "tag": TAGS[record["name"]]}
        model = Model({**manifest, "geo": geo}, inputs)
        assert record == {
            "name": record["name"], "country": geo["tag"]["country"], "geo": model.geo.hex(), "policy": model.policy.hex(),
            "pcrs": {b: {str(p): v.hex() for p, v in values.items()} for b, values in model.pcrs.items()}}


def test_xen(inputs):
    make_txt_inputs(inputs)
    manifest = variant(hypervisor=XEN)
    made(inputs, manifest, table_of(TAGS))
    for host in ("A", "fra1-r07-h01"):
        alone = {**manifest, "name": host, "geo": {"tag": TAGS[host]}}
        assert build(inputs, alone, out=f"alone-{host}").returncode == 0
        extract(inputs, host, f"one-{host}")
        assert files_of(inputs / f"one-{host}") == files_of(inputs / f"alone-{host}")
        assert (inputs / f"one-{host}/esp/EFI/geolaunch/xen").exists()


def test_no_geo(inputs):
    manifest = variant(geo=None)
    made(inputs, manifest, "name\nb\na\n")
    assert [(r["name"], r["geo"], r["country"]) for r in records(inputs)] == [("a", None, None), ("b", None, None)]
    for host in "ab":
        assert build(inputs, {**manifest, "name": host}, out=f"alone-{host}").returncode == 0
        extract(inputs, host, f"one-{host}")
        assert files_of(inputs / f"one-{host}") == files_of(inputs / f"alone-{host}")


@pytest.mark.parametrize("kind, size", [("nv", 1), ("nv", 20), ("nv", 64), ("nv", 4096), ("nv_raw", 32), ("nv_raw", 48), ("nv_raw", 64)])
def test_content(inputs, kind, size):
    """As a build from a file, which is named as the content's origin there."""
    manifest = variant(geo={"kind": kind, "file": "tag-33" if kind == "nv" else "tag-32"})
    content = (inputs / f"tag-{size}").read_bytes()
    made(inputs, manifest, f"content,name\n{content.hex()},low\n{content.hex().upper()},UP\n")
    assert build(inputs, {**manifest, "name": "low", "geo": {"kind": kind, "file": f"tag-{size}"}}, out="alone").returncode == 0
    extract(inputs, "low", "one")
    one, alone = files_of(inputs / "one"), files_of(inputs / "alone")
    got, expected = (json.loads(f.pop("expected.json")) for f in (one, alone))
    assert one == alone
    assert got["events"][-2].pop("provenance") == {"kind": "given", "from": ["content"]}
    del expected["events"][-2]["provenance"]
    assert got == expected
    extract(inputs, "UP", "two")
    assert (inputs / "two/geo.bin").read_bytes() == content


def test_common_part_is_the_manifests_own_build(inputs):
    made(inputs, BASE, table_of(TAGS))
    assert build(inputs, BASE, out="alone").returncode == 0
    assert files_of(inputs / "fleet/common") == files_of(inputs / "alone")
    assert sorted(p.name for p in (inputs / "fleet").iterdir()) == ["common", "hosts.jsonl"]


def test_order_and_line_ends_do_not_matter(inputs):
    made(inputs, BASE, table_of(TAGS))
    upside_down = dict(sorted(TAGS.items(), reverse=True))
    made(inputs, BASE, table_of(upside_down).replace("\n", "\r\n"), out="crlf")
    made(inputs, BASE, table_of(TAGS).removesuffix("\n"), out="no-end")
    for other in ("crlf", "no-end"):
        assert filecmp.cmp(inputs / "fleet/hosts.jsonl", inputs / other / "hosts.jsonl", shallow=False)


def test_columns_in_any_order(inputs):
    made(inputs, BASE, "longitude,site,name,country,latitude\n8.5,X,h,DE,-1.25\n")
    made(inputs, BASE, "name,country,site,latitude,longitude\nh,DE,X,-1.25,8.5\n", out="usual")
    assert records(inputs) == records(inputs, "usual")
    assert records(inputs)[0]["geo"] == Model(variant(geo={"tag": {"country": "DE", "site": "X", "latitude": -1.25, "longitude": 8.5}}),
                                              inputs).geo.hex()


def big_table(count):
    rng = random.Random(count)
    return table_of({f"host-{i:06d}": {"country": "DE", "site": f"R{i % 97}", "latitude": round(rng.uniform(-90, 90), 7),
                                       "longitude": round(rng.uniform(-180, 180), 7)} for i in rng.sample(range(10**6), count)})


def test_threads_change_nothing(inputs):
    """More pieces than threads, the last one not full; and one processor alone."""
    table = big_table(1000)
    everywhere = json.loads(made(inputs, BASE, table, "--json"))
    alone = json.loads(made(inputs, BASE, table, "--json", out="alone",
                            preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})))
    assert alone["threads"] == 1 and everywhere["threads"] == min(len(os.sched_getaffinity(0)), 8)
    assert filecmp.cmp(inputs / "fleet/hosts.jsonl", inputs / "alone/hosts.jsonl", shallow=False)
    got = records(inputs)
    assert [r["name"] for r in got] == sorted(r["name"] for r in got) and len(got) == 1000


def test_every_host_is_found(inputs):
    """By the search in halves: all of them, and none that is not there."""
    for count in (1, 2, 3, 130):
        made(inputs, BASE, big_table(count))
        names = [r["name"] for r in records(inputs)]
        listed = run("fleet", "list", "fleet", cwd=inputs)
        assert (listed.returncode, listed.stderr, listed.stdout.split()) == (0, "", names)
        for record in records(inputs):
            shown = run("fleet", "show", "fleet", record["name"], cwd=inputs)
            expected = json.loads(shown.stdout)
            assert (expected["name"], expected["pcrs"]) == (record["name"], record["pcrs"])
        for name in (*(n[:-1] for n in names[:5]), *(n + "0" for n in names[-5:]), "0", "zzz", ""):
            refused(run("fleet", "show", "fleet", name, cwd=inputs), 3, f'no such host: "{name}"')
        shutil.rmtree(inputs / "fleet")


def test_files_are_read_once(inputs):
    """However many hosts: the kernel counts the bytes that a process and its children have read."""
    (inputs / "host.yaml").write_text(to_yaml(BASE) + "\n")
    read = []
    for count in (1, 2000):
        table = big_table(count)
        (inputs / "hosts.csv").write_text(table)
        script = '"$@" >/dev/null && cat /proc/$$/io'
        p = subprocess.run(["sh", "-c", script, "sh", GEOLAUNCH, "build", "host.yaml", "--fleet", "hosts.csv", "-o", f"out-{count}", "--efi",
                            "geolaunch.efi"], cwd=inputs, capture_output=True, text=True, timeout=60, check=True)
        read.append(int(re.search(r"rchar: (\d+)", p.stdout)[1]) - len(table))
    named = sum((inputs / f).stat().st_size for f in ("vmlinuz", "initrd.img", "vmm", "vm.json", "other", "geolaunch.efi"))
    assert named < read[0] < named + 200_000
    assert abs(read[1] - read[0]) < 4096


def test_summary(inputs):
    summary = json.loads(made(inputs, BASE, table_of(TAGS), "--json"))
    size = (inputs / "fleet/hosts.jsonl").stat().st_size
    assert summary.pop("threads") >= 1
    assert summary == {"output": "fleet", "table": "hosts.csv", "mode": "direct", "hosts": len(TAGS), "hosts_file": "hosts.jsonl",
                       "hosts_file_size": size, "policy": {"type": "halt", "hash": "sha256", "size": len(Model(BASE, inputs).policy)},
                       "geo": True, "warnings": []}
    text = made(inputs, BASE, table_of(TAGS), "--force")
    assert text.startswith(f"fleet: {len(TAGS)} hosts of hosts.csv, mode direct, policy halt with sha256, ")


def test_warnings(inputs):
    manifest = variant(vmm={"file": "vmm", "path": "/sbin/vmm"})
    done = fleet(inputs, manifest, table_of(TAGS), "--json")
    assert done.returncode == 0 and done.stderr.startswith("geolaunch build: warning: ") and done.stderr.count("\n") == 1
    assert len(json.loads(done.stdout)["warnings"]) == 1


def test_countries_that_do_not_exist(inputs):
    """Each once, with the first line that has it."""
    done = fleet(inputs, BASE, table_of({"a": {"country": "GB"}, "c": {"country": "UK"}, "b": {"country": "UK"}, "d": {"country": "XK"}}), "--json")
    assert done.returncode == 0
    warnings = json.loads(done.stdout)["warnings"]
    assert sorted(warnings) == ['the country "UK" is no country of ISO 3166-1; GB is meant?: hosts.csv:3',
                                'the country "XK" is a code for private use in ISO 3166-1: who verifies must know what it stands for: hosts.csv:5']
    assert done.stderr == "".join(f"geolaunch build: warning: {w}\n" for w in warnings)


def test_byte_order_mark(inputs):
    """As spreadsheets put it in front of a table: the same fleet."""
    def made_of(mark):
        assert fleet(inputs, BASE, mark + table_of(TAGS), "--force").returncode == 0
        return (inputs / "fleet/hosts.jsonl").read_bytes()
    assert made_of("\ufeff") == made_of("")


def test_output_exists(inputs):
    made(inputs, BASE, table_of(TAGS))
    refused(fleet(inputs, BASE, table_of(TAGS)), 2, "it exists already: fleet")
    made(inputs, variant(banks=["sha1"]), HEAD + "a,DE\n", "--force")
    assert [list(r["pcrs"]) for r in records(inputs)] == [["sha1"]]
    # a failure keeps the old one
    refused(fleet(inputs, BASE, HEAD + "a,xx\n", "--force"), 3, "hosts.csv:2")
    assert len(records(inputs)) == 1
    # a single build is something else
    assert build(inputs, BASE, out="single").returncode == 0
    refused(fleet(inputs, BASE, table_of(TAGS), "--force", out="single"), 2, "this is a single host's build: single: --force")
    refused(build(inputs, BASE, "--force", out="fleet"), 2, "this is the output of 'geolaunch build --fleet': fleet: --force")
    assert sorted(p.name for p in inputs.iterdir() if ".tmp-" in p.name) == []
    # nor is what somebody added to one
    (inputs / "fleet/common/esp/EFI/ubuntu").mkdir()
    refused(fleet(inputs, BASE, table_of(TAGS), "--force"), 2, 'it holds "common/esp/EFI/ubuntu", which no build made: fleet: --force')
    assert len(records(inputs)) == 1
    (inputs / "common/esp/EFI").mkdir(parents=True)
    refused(fleet(inputs, BASE, table_of(TAGS), "--force", out="common"), 2, 'it holds "esp", which no build made: common: --force')
    (inputs / "image/common/esp/EFI").mkdir(parents=True)
    refused(fleet(inputs, BASE, table_of(TAGS), "--force", out="image"), 2, 'it holds no "hosts.jsonl", so no build made it: image: --force')


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_signal(inputs, sig):
    """While hosts are written: ends as the signal would have ended it, and leaves nothing behind."""
    (inputs / "host.yaml").write_text(to_yaml(BASE) + "\n")
    (inputs / "hosts.csv").write_text(HEAD + "".join(f"h{i},DE\n" for i in range(400_000)))
    before = sorted(p.name for p in inputs.iterdir())
    process = subprocess.Popen([GEOLAUNCH, "build", "host.yaml", "-o", "out", "--efi", "geolaunch.efi", "--fleet", "hosts.csv"], cwd=inputs,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=lambda: signal.signal(sig, signal.SIG_DFL))
    try:
        deadline = time.monotonic() + 60
        while not [p for p in inputs.glob("out.tmp-*/hosts.jsonl") if p.stat().st_size]:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(sig)
        assert process.wait(timeout=60) == -sig
    finally:
        process.kill()
        process.wait()
    assert sorted(p.name for p in inputs.iterdir()) == before


def test_no_room(inputs):
    """Files may not grow over the limit: the largest of the inputs fits, hosts.jsonl does not."""
    limit = 4 << 20

    def restrict():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    result = fleet(inputs, BASE, big_table(2000), preexec_fn=restrict)
    refused(result, 1, "cannot write: hosts.jsonl: File too large")
    assert not list(inputs.glob("fleet*"))


def test_extract_appears_complete_or_not_at_all(inputs):
    made(inputs, BASE, table_of(TAGS))
    extract(inputs, "A", "one")
    refused(run("fleet", "extract", "fleet", "A", "-o", "one", cwd=inputs), 2, "it exists already: one")
    refused(run("fleet", "extract", "fleet", "nobody", "-o", "two", cwd=inputs), 3, 'no such host: "nobody"')
    assert run("fleet", "extract", "fleet", "a-b", "-o", "one", "--force", cwd=inputs).returncode == 0
    assert json.loads((inputs / "one/expected.json").read_text())["name"] == "a-b"
    (inputs / "one/esp/EFI/ubuntu").mkdir()
    refused(run("fleet", "extract", "fleet", "A", "-o", "one", "--force", cwd=inputs), 2, 'it holds "esp/EFI/ubuntu", which no build made: one')
    (inputs / "fleet/common/esp/EFI/geolaunch/linux").unlink()
    (inputs / "fleet/common/esp/EFI/geolaunch/linux").symlink_to("nowhere")
    done = run("fleet", "extract", "fleet", "A", "-o", "three", cwd=inputs)
    assert done.returncode in (1, 3) and done.stderr.count("\n") == 1
    assert not list(inputs.glob("three*"))


def test_extract_where_folders_tell_no_types(inputs):
    """As on file systems whose readdir() has names only."""
    made(inputs, BASE, table_of(TAGS))
    shim = make_shim(inputs)
    done = run("fleet", "extract", "fleet", "A", "-o", "one", cwd=inputs, env={"LD_PRELOAD": str(shim), "GL_SHIM_TYPES": "unknown"})
    assert (done.returncode, done.stderr) == (0, "")
    extract(inputs, "A", "two")
    files = files_of(inputs / "one")
    assert files == files_of(inputs / "two") and os.path.join("esp", "EFI", "geolaunch", "linux") in files


# ---------------------------------------------------------------- a fleet that was tampered with


def change(inputs, number, edit):
    """Applies `edit` to a line of hosts.jsonl, as an object or as text."""
    path = inputs / "fleet/hosts.jsonl"
    lines = path.read_text().splitlines()
    value = json.loads(lines[number])
    out = edit(value)
    lines[number] = out if isinstance(out, str) else json.dumps(out or value, separators=(",", ":"))
    path.write_text("\n".join(lines) + "\n")


def flip(text, at):
    return text[:at] + ("1" if text[at] == "0" else "0") + text[at + 1:]


CHANGES = {
    "policy": (lambda r: {**r, "policy": flip(r["policy"], 40)}, '"policy" is not that of "geo"'),
    "policy of another length": (lambda r: {**r, "policy": r["policy"] + "00"}, '"policy" is not that of "geo"'),
    "geo": (lambda r: {**r, "geo": geo_tag({"country": "DE", "site": "X"}).hex()}, '"policy" is not that of "geo"'),
    "no geo": (lambda r: {**r, "geo": None, "country": None}, "the geo index needs a content"),
    "country": (lambda r: {**r, "country": "FR"}, '"country" is not that of "geo"'),
    "value": (lambda r: {**r, "pcrs": {**r["pcrs"], "sha1": {**r["pcrs"]["sha1"], "22": "00" * 20}}}, '"pcrs" are not those of'),
    "value of another size": (lambda r: {**r, "pcrs": {**r["pcrs"], "sha1": {**r["pcrs"]["sha1"], "22": "00" * 21}}}, '"pcrs" lacks values'),
    "value missing": (lambda r: r["pcrs"]["sha256"].pop("17") and None, '"pcrs" lacks values'),
    "bank missing": (lambda r: r["pcrs"].pop("sha256") and None, '"pcrs" lacks values'),
    "bank too many": (lambda r: {**r, "pcrs": {**r["pcrs"], "sm3": {}}}, '"pcrs" lacks values, or has too many'),
    "key too many": (lambda r: {**r, "more": 1}, "no record of a host"),
    "no JSON": (lambda r: json.dumps(r, separators=(",", ":"))[:-1], "no record of a host"),
    "other order": (lambda r: json.dumps({**{k: r[k] for k in sorted(r)}}, separators=(",", ":")), "this is no record of a host"),
    "empty line": (lambda r: "", "a line is empty"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changed_record(inputs, name):
    edit, words = CHANGES[name]
    made(inputs, BASE, HEAD + "a,DE\n")
    change(inputs, 1, edit)
    result = run("fleet", "show", "fleet", "a", cwd=inputs)
    refused(result, 3, words)
    assert "fleet/hosts.jsonl, byte " in result.stderr


def test_changed_head_and_common_part(inputs):
    made(inputs, BASE, HEAD + "a,DE\nb,DE\n")
    change(inputs, 0, lambda head: {**head, "count": 3})
    done = run("fleet", "list", "fleet", cwd=inputs)
    assert done.returncode == 3 and "2 hosts, but the first line says 3" in done.stderr
    change(inputs, 0, lambda head: {**head, "format": "geolaunch-fleet-2"})
    refused(run("fleet", "list", "fleet", cwd=inputs), 3, "this does not begin as a geolaunch-fleet-1: fleet/hosts.jsonl")
    change(inputs, 0, lambda head: {"format": "geolaunch-fleet-1", "count": 2})
    assert run("fleet", "list", "fleet", cwd=inputs).returncode == 0
    (inputs / "fleet/common/geo.bin").write_bytes(b"x" * 64)
    refused(run("fleet", "show", "fleet", "a", cwd=inputs), 3, "the policy is not that of the geo index's content: fleet")
    (inputs / "fleet/common/geo.bin").unlink()
    refused(run("fleet", "show", "fleet", "a", cwd=inputs), 3, "the content of the geo index is not what the policy measures: fleet")
    (inputs / "fleet/hosts.jsonl").write_bytes(b"")
    refused(run("fleet", "list", "fleet", cwd=inputs), 3, "this does not begin as")
    refused(run("fleet", "list", "in", cwd=inputs.parent), 3, "this is no output of 'geolaunch build --fleet'")


def test_cut_file(inputs):
    """Wherever the file ends, no half record is taken for one."""
    made(inputs, BASE, HEAD + "a,DE\nb,DE\n")
    whole = (inputs / "fleet/hosts.jsonl").read_bytes()
    second = whole.index(b'{"name":"b"')
    for n in range(0, len(whole), 97):
        (inputs / "fleet/hosts.jsonl").write_bytes(whole[:n])
        done = run("fleet", "show", "fleet", "b", cwd=inputs)
        assert done.returncode == 3 and done.stdout == "" and done.stderr.count("\n") == 1, n
        assert run("fleet", "list", "fleet", cwd=inputs).returncode == 3
    (inputs / "fleet/hosts.jsonl").write_bytes(whole[:second])
    assert run("fleet", "show", "fleet", "a", cwd=inputs).returncode == 0


# ---------------------------------------------------------------- use


def test_verify(inputs):
    """The values of one host are trusted for it, as far as direct mode goes, and for no other."""
    made(inputs, BASE, table_of(TAGS))
    for record in records(inputs):
        (inputs / "pcrs.json").write_text(json.dumps({"pcrs": record["pcrs"]}))
        for host in TAGS:
            done = run("verify", "fleet", "--host", host, "--pcrs", "pcrs.json", "--no-log", "--json", cwd=inputs)
            assert done.stderr == ""
            assert done.returncode == (10 if host == record["name"] else 14), done.stdout
    extract(inputs, "A", "one")
    outputs = [run("verify", *args, "--pcrs", "pcrs.json", "--no-log", cwd=inputs).stdout for args in
               (("fleet", "--host", "A"), ("one/expected.json",))]
    assert outputs[0] == outputs[1] != ""
    refused(run("verify", "fleet", "--pcrs", "pcrs.json", cwd=inputs), 2, "this is a fleet: fleet: name one of its hosts with --host")
    refused(run("verify", "fleet", "--host", "B", "--pcrs", "pcrs.json", cwd=inputs), 3, 'no such host: "B"')
    refused(run("verify", "one", "--host", "A", "--pcrs", "pcrs.json", cwd=inputs), 3, "this is no output of 'geolaunch build --fleet': one")


def test_provision(inputs):
    """Plans the same as for the host's own build."""
    made(inputs, BASE, table_of(TAGS))
    for host in TAGS:
        extract(inputs, host, "one")
        plans = [run("provision", *args, "--dry-run", "--tcti", "none", "--json", cwd=inputs) for args in
                 (("fleet", "--host", host), ("one",))]
        assert [p.returncode for p in plans] == [0, 0] and plans[0].stdout == plans[1].stdout
        contents = {i["use"]: i["content"] for i in json.loads(plans[0].stdout)["indices"]}
        assert contents == {"geo": (inputs / "one/geo.bin").read_bytes().hex()}
        shutil.rmtree(inputs / "one")
    dry = ("--dry-run", "--tcti", "none", "--index-set", "1")
    refused(run("provision", "fleet", *dry, cwd=inputs), 2, "this is a fleet: fleet: name one of its hosts with --host")
    for common in ("fleet/common", "fleet/common/", "fleet/../fleet/common"):
        refused(run("provision", common, "--dry-run", "--tcti", "none", cwd=inputs), 3, f"{common}: take one out with 'geolaunch fleet extract'")
    refused(run("provision", "--host", "A", *dry, cwd=inputs), 2, "--host A: give the fleet's directory")
    refused(run("provision", "fleet", "--host", "B", *dry, cwd=inputs), 3, 'no such host: "B"')
    # what is named goes before what the host has
    (inputs / "other.vlp").write_bytes((inputs / "fleet/common/esp/EFI/geolaunch/policy.vlp").read_bytes())
    refused(run("provision", "fleet", "--host", "A", "--vlp", "other.vlp", *dry, cwd=inputs), 3, "the launch would fail: other.vlp demands")
    alone = run("provision", "fleet", "--host", "A", "--vlp", "other.vlp", "--no-geo", *dry, "--json", cwd=inputs)
    assert json.loads(alone.stdout)["indices"][0]["content"] == (inputs / "other.vlp").read_bytes().hex()


@pytest.mark.parametrize("args", [[], ["list"], ["list", "a", "b"], ["show", "a"], ["extract", "a", "b"], ["extract", "a", "b", "-o", ""],
                                  ["what", "a"], ["list", "a", "-o", "x"], ["show", "a", "b", "--force"], ["list", "a", "--what"]])
def test_usage(args):
    refused(run("fleet", *args), 2, "geolaunch fleet: ")


def test_banks_are_those_of_the_manifest(inputs):
    made(inputs, variant(banks=["sha512", "sha1"]), HEAD + "a,DE\n")
    assert [b for b in BANKS if b in records(inputs)[0]["pcrs"]] == ["sha1", "sha512"]


@pytest.mark.parametrize("name", ["fleet/common", "fleet/common/", "fleet/../fleet/common/.", "link"])
def test_common_is_no_host(inputs, name):
    made(inputs, BASE, table_of(TAGS))
    (inputs / "link").symlink_to("fleet/common")
    (inputs / "esp").mkdir()
    refused(run("install", "--esp", "esp", "--removable", name, cwd=inputs), 3, "'geolaunch fleet extract'")
    refused(run("lint", name, cwd=inputs), 3, "'geolaunch fleet extract'")
    assert not list((inputs / "esp").iterdir())


@pytest.mark.parametrize("name", ["fleet/common", "fleet/common/", "fleet/../fleet/common", "link/common"])
def test_common_is_not_replaced(inputs, name):
    """It looks like a host's build, but is part of the fleet, with --force, too."""
    made(inputs, BASE, table_of(TAGS))
    (inputs / "link").symlink_to("fleet")
    before = files_of(inputs / "fleet")
    for args in (["fleet", "extract", "fleet", "A"], ["build", "host.yaml", "--efi", "geolaunch.efi"],
                 ["build", "host.yaml", "--efi", "geolaunch.efi", "--fleet", "hosts.csv"]):
        for more in ([], ["--force"]):
            refused(run(*args, "-o", name, *more, cwd=inputs), 2, "this is what the hosts of a fleet have in common: ")
    assert files_of(inputs / "fleet") == before
    # What only has the name is a build as any.
    extract(inputs, "A", "common")
    assert run("fleet", "extract", "fleet", "A", "-o", "common", "--force", cwd=inputs).returncode == 0


def test_case_of_a_name_does_not_matter(inputs):
    made(inputs, BASE, table_of(TAGS))
    for given, name in (("FRA1-R07-h01", "fra1-r07-h01"), ("a", "A"), ("A.B_C", "a.b_c")):
        shown = run("fleet", "show", "fleet", given, cwd=inputs)
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout == run("fleet", "show", "fleet", name, cwd=inputs).stdout
        assert run("fleet", "extract", "fleet", given, "-o", "one", "--force", cwd=inputs).returncode == 0
        assert json.loads((inputs / "one/expected.json").read_text())["name"] == name
    refused(run("fleet", "show", "fleet", "FRA1-R07-h0", cwd=inputs), 3, "no such host")


def test_list_as_json(inputs):
    made(inputs, BASE, table_of(TAGS))
    p = run("fleet", "list", "fleet", "--json", cwd=inputs)
    assert p.returncode == 0 and json.loads(p.stdout) == sorted(TAGS)
    refused(run("fleet", "show", "fleet", "A", "--json", cwd=inputs), 2, "--json is for 'fleet list' only")

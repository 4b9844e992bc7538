# SPDX-License-Identifier: BSD-3-Clause
"""What is named and not there, everywhere: one line that names it, and 1 as exit code. What is there and lacks something is an input, 3."""

import shutil

import pytest

from build_model import TOP, build, make_inputs, run, variant

IO, INPUT = 1, 3
HASH = "00" * 32
HOSTS = "name,country,subdivision,site,latitude,longitude\nfra1,DE,HE,FRA1,50.1109,8.6821\n"


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """What the commands below need beside the one thing that is missing."""
    folder = tmp_path_factory.mktemp("kit") / "in"
    make_inputs(folder)
    assert build(folder, variant()).returncode == 0
    (folder / "boot").mkdir()
    (folder / "hosts.csv").write_text(HOSTS)
    (folder / "lacking.yaml").write_text((folder / "host.yaml").read_text().replace('"other"', '"none"'))
    shutil.copy(TOP / "tests/data/fuzz/fuzz_eventlog/agile-unknown-alg", folder / "a.log")
    for args in (["build", "host.yaml", "-o", "fleet", "--efi", "geolaunch.efi", "--fleet", "hosts.csv"],
                 ["vlp", "create", "--type", "halt", "a.vlp"], ["vlp", "add", "--num", "0", "--pcr", "19", "--hash", "any", "a.vlp"], ["lcp", "element", "mle", "-o", "a.elt", "--hash", HASH],
                 ["lcp", "element", "stm", "-o", "b.elt", "--hash", HASH],
                 ["lcp", "list", "create", "-o", "a.lst", "a.elt"], ["lcp", "policy", "create", "--type", "any", "-o", "a.pol"],
                 ["vlp", "wrap", "-o", "v.elt", "a.vlp"]):
        result = run(*args, cwd=folder)
        assert result.returncode == 0, (args, result.stderr)
    for name, lacks in (("half", "expected.json"), ("no-policy", "esp/EFI/geolaunch/policy.vlp"), ("no-hosts", "hosts.jsonl")):
        shutil.copytree(folder / ("fleet" if name == "no-hosts" else "out"), folder / name)
        (folder / name / lacks).unlink()
    yield folder
    shutil.rmtree(folder)


# A command line, and what it lacks. The folder is there, or the manifest that names the file: a wrong input.
LACKING = {
    "build lacking.yaml -o new --efi geolaunch.efi": 'cannot use "none" (No such file or directory): lacking.yaml:',
    "vlp create --from-manifest lacking.yaml new": 'cannot use "none" (No such file or directory): lacking.yaml:',
    "fleet list no-hosts": "there is no hosts.jsonl",
    "fleet extract out fra1 -o new": "there is no hosts.jsonl",
    "verify out --host fra1 --pcrs other": "there is no hosts.jsonl",
    "verify out --pcrs other": "this is a directory: out",
    "provision no-policy --index-set 1 --tcti none --dry-run": "there is no esp/EFI/geolaunch/policy.vlp",
    "provision out --host fra1 --tcti none --dry-run": "there is no hosts.jsonl",
    "install --esp boot --no-boot-entry half": "half/expected.json",
    "install --esp boot --no-boot-entry other": "Not a directory",
    "lint half": "there is no expected.json",
    "lint other": "Not a directory",
    "fleet list other": "Not a directory",
    "provision other --tcti none --dry-run": "Not a directory",
}

# A file or folder on the command line that is not there ("none"), or one below a folder that is not there: the system failed.
MISSING = """
build none -o new --efi geolaunch.efi
build host.yaml -o new --efi none
build host.yaml -o new --efi geolaunch.efi --fleet none
build host.yaml -o new --efi geolaunch.efi --sign none --cert other
build host.yaml -o new --efi geolaunch.efi --sign other --cert none
build host.yaml -o none/new --efi geolaunch.efi
build host.yaml -o none/new --efi geolaunch.efi --fleet hosts.csv
fleet list none
fleet show none fra1
fleet extract none fra1 -o new
fleet extract fleet fra1 -o none/new
verify none --pcrs other
verify none --host fra1 --pcrs other
verify out/expected.json --pcrs none
verify out/expected.json --pcrs other --log none
install --esp none out
install --esp boot --no-boot-entry none
provision none --tcti none --dry-run
provision none --host fra1 --tcti none --dry-run
provision --vlp none --index-set 1 --tcti none --dry-run
provision --lcp none --index-set 1 --tcti none --dry-run
provision --geo none --tcti none --dry-run
provision --vlp out/esp/EFI/geolaunch/policy.vlp --sinit none --tcti none --dry-run
geo define --owner-auth none --tcti none
geo lock --owner-auth none --tcti none
lint none
lint out --nv-dump none
lint out --sinit none
lint out --lcp-owner none
lint out --lcp-supplier none
lint out --lcp-owner a.pol --lcp-data none
lint out --tboot none
geo write --file none --tcti none
log none
log a.log --raw-out none/new
acm show none
txt heap none
vlp show none
vlp check none
vlp diff none a.vlp
vlp diff a.vlp none
vlp wrap -o new none
vlp wrap -o none/new a.vlp
vlp unwrap -o new none
vlp unwrap -o none/new v.elt
vlp create --type halt none/new
vlp create --from-manifest none new
vlp create --update --type halt none
vlp add --num 1 --pcr 19 --hash any none
vlp add --num 1 --pcr 19 --image none a.vlp
vlp add --nv-index 0x01c10110 --pcr 22 --content none a.vlp
vlp del --num 1 none
lcp mle-hash none
lcp element mle -o new --hash-file none
lcp element mle -o none/new --hash {hash}
lcp element pconf -o new --pcrs 0 --pcr-file none
lcp element pconf -o new --pcrs 0 --log none
lcp element custom -o new --uuid tboot --data none
lcp list create -o new none
lcp list create -o none/new a.elt
lcp list add none a.elt
lcp list add -o none/new a.lst b.elt
lcp policy create -o new --type list --data none
lcp policy create -o none/new --type any
lcp data create -o new none
lcp data create -o none/new a.lst
lcp show none
lcp sign none --key other
lcp sign a.lst --key none
lcp verify none
lcp verify a.lst --public-key none
lcp evaluate --po none --sinit-version 1
lcp evaluate --po a.pol --po-data none --sinit-version 1
lcp evaluate --ps none --sinit-version 1
lcp evaluate --po a.pol --sinit none
lcp evaluate --po a.pol --sinit-version 1 --mle-file none
lcp evaluate --po a.pol --sinit-version 1 --pcr-file none
lcp evaluate --po a.pol --sinit-version 1 --log none
""".strip().format(hash=HASH).splitlines()


@pytest.mark.parametrize("line", MISSING)
def test_missing(kit, line):
    before = sorted(p.name for p in kit.iterdir())
    result = run(*line.split(), cwd=kit)
    assert result.returncode == IO, (result.returncode, result.stderr)
    assert result.stderr.count("\n") == 1 and "none" in result.stderr and result.stdout == "", result.stderr
    assert "No such file or directory" in result.stderr
    assert sorted(p.name for p in kit.iterdir()) == before


@pytest.mark.parametrize("line", LACKING)
def test_lacking(kit, line):
    before = sorted(p.name for p in kit.iterdir())
    result = run(*line.split(), cwd=kit)
    assert result.returncode == INPUT, (result.returncode, result.stderr)
    assert LACKING[line] in result.stderr and result.stderr.count("\n") == 1 and result.stdout == ""
    assert sorted(p.name for p in kit.iterdir()) == before

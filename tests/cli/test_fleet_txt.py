# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch build --fleet` in mode txt: every host's output is that of a build by itself."""

import pytest

from build_model import build, refused, run
from test_fleet import TAGS, extract, files_of, inputs, made, records, table_of  # noqa: F401  (a fixture is among them)
from txt_model import BIOS, XEN, TxtModel, lcp_files, make_txt_inputs, txt_variant

MANIFESTS = {
    "full": txt_variant(),
    "xen": txt_variant(hypervisor=XEN),
    "sha384": txt_variant(policy={"type": "continue", "hash": "sha384"}),
    "measured only": txt_variant(geo={"tag": {"country": "FR"}, "verify": False}),
    "raw": txt_variant(geo={"kind": "nv_raw", "tag": {"country": "FR"}}),
    "alternatives": txt_variant(platform={"bios_acm": [BIOS, "11" * 32]}),
    "among the stage": txt_variant(geo={"tag": {"country": "FR"}, "pcr": 17}),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_each_host_is_as_if_built_by_itself(inputs, name):
    """Each host has rules of its own for the stage: launch.conf, the stage's entry in the policy and PCR 17 differ, too."""
    make_txt_inputs(inputs)
    manifest = MANIFESTS[name]
    geo = manifest["geo"]
    made(inputs, manifest, table_of(TAGS))
    got = {r["name"]: r for r in records(inputs)}
    for host in ("A", "fra1-r07-h01"):
        alone = {**manifest, "name": host, "geo": {**{k: v for k, v in geo.items() if k != "file"}, "tag": TAGS[host]}}
        assert build(inputs, alone, out=f"alone-{host}").returncode == 0
        extract(inputs, host, f"one-{host}")
        assert files_of(inputs / f"one-{host}") == files_of(inputs / f"alone-{host}")
        model = TxtModel(alone, inputs)
        assert got[host]["policy"] == model.policy.hex()
        assert got[host]["pcrs"] == {b: {str(p): v.hex() for p, v in values.items()} for b, values in model.pcrs.items()}
    conf = [(inputs / f"one-{host}/esp/EFI/geolaunch/launch.conf").read_bytes() for host in ("A", "fra1-r07-h01")]
    assert (conf[0] == conf[1]) == (name == "measured only")


def test_launch_control(inputs):
    """The owner's policy is that of all hosts: extracted, provisioned."""
    make_txt_inputs(inputs)
    manifest = txt_variant()
    lcp_files(inputs, TxtModel(manifest, inputs).mle_hash("sha256"), 0)
    manifest["lcp"] = {"data": "list.dat", "policy": "owner.pol"}
    made(inputs, manifest, table_of(TAGS))
    extract(inputs, "A", "one")
    assert (inputs / "one/lcp.pol").read_bytes() == (inputs / "owner.pol").read_bytes()
    plan = [run("provision", *args, "--dry-run", "--tcti", "none", cwd=inputs) for args in (("one",), ("fleet", "--host", "A"))]
    assert [p.returncode for p in plan] == [0, 0] and plan[0].stdout == plan[1].stdout
    assert "lcp" in plan[0].stdout and "as the SINIT module says" in plan[0].stdout


def test_changed_afterwards(inputs):
    """Another stage, or other rules, below the records."""
    make_txt_inputs(inputs)
    made(inputs, txt_variant(), table_of(TAGS))
    common = inputs / "fleet/common/esp/EFI/geolaunch"
    for name, change in (("stage", lambda b: b + b"x"), ("launch.conf", lambda b: b.replace(b"policy=halt", b"policy=continue"))):
        before = (common / name).read_bytes()
        (common / name).write_bytes(change(before))
        refused(run("fleet", "show", "fleet", "A", cwd=inputs), 3, "make it anew with 'geolaunch build --fleet'")
        (common / name).write_bytes(before)
    assert run("fleet", "show", "fleet", "A", cwd=inputs).returncode == 0

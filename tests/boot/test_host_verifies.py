# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch verify` on the launched host, where less is to be had than its TPM and the whole log. With all of it: test_demo.py."""
import json
import os
import shutil

import launch


def test_without_the_log_of_the_heap(tmp_path, inputs):
    """Under lockdown nobody reads /dev/mem, where the log of a launch by TXT is: the TPM alone is judged, and that is said."""
    sinit, built, state = (str(tmp_path / name) for name in ("sinit.bin", "build", "tpm"))
    for name in ("linux", "initrd", "vmm", "vm.json"):
        launch.place(tmp_path, name, os.path.join(inputs, name))
    shutil.copy(launch.TBOOT, tmp_path / "tboot.gz")
    launch.make_sinit(sinit)
    with open(os.path.join(launch.TOP, "demo/manifest-txt.yaml"), encoding="utf-8") as f:
        manifest = f.read()
    (tmp_path / "manifest.yaml").write_text(manifest.replace("loglevel=3", "loglevel=3 lockdown=integrity"), encoding="utf-8")
    launch.build(str(tmp_path / "manifest.yaml"), built)
    launch.new_tpm(state)
    launch.provision(state, built, sinit)

    r = launch.boot(built, str(tmp_path / "run.json"), "--keep", str(tmp_path / "logs"), *launch.prediction_for_host(built),
                    *launch.txt_options(built, sinit), state=state)
    assert r["ended"] == "poweroff" and r["drtm"], r["notes"]
    code, verdict = launch.host_verdict(r)
    assert (code, verdict["verdicts"], verdict["agree"], verdict["country"]) == (0, ["trusted"], True, "DE")
    assert verdict["explanation"] == [
        "No log was compared: /dev/mem, through which that of the TXT heap is read, cannot be used (Operation not permitted): run as root, "
        "without kernel lockdown, or give --log."]
    # What it judged is what was predicted, in every bank of the module's.
    with open(os.path.join(built, "expected.json"), encoding="utf-8") as f:
        predicted = json.load(f)["pcrs"]
    assert {bank: {pcr: v["tpm"] for pcr, v in pcrs.items()} for bank, pcrs in verdict["pcrs"].items()} == predicted
    assert {v["log"] for pcrs in verdict["pcrs"].values() for v in pcrs.values()} == {None}

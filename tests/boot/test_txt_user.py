# SPDX-License-Identifier: BSD-3-Clause
"""The TXT platform needs no privilege: a boot as nobody, with nothing but files that anybody may read and a folder of its own."""
import json
import os
import pwd
import shutil
import subprocess
import tempfile

import pytest

from txt_boot import GEOLAUNCH, TBOOT, TOP, make_esp

SHORT = [("module0", __file__, "")]
USER = "nobody"


@pytest.fixture
def folder():
    """The tree may lie where nobody cannot read, pytest's folders do: what is needed is copied."""
    path = tempfile.mkdtemp(prefix="geolaunch-user-", dir="/tmp")
    shutil.copytree(os.path.join(TOP, "qemu"), os.path.join(path, "qemu"), ignore=shutil.ignore_patterns("__pycache__"))
    os.makedirs(os.path.join(path, "build/host"))
    for name in ("tpmproxy", "txtplatform"):
        shutil.copy(os.path.join(os.path.dirname(GEOLAUNCH), name), os.path.join(path, "build/host", name))
    shutil.copytree(make_esp(os.path.join(path, "links"), SHORT), os.path.join(path, "esp"))
    shutil.copy(TBOOT, os.path.join(path, "tboot.gz"))
    os.makedirs(os.path.join(path, "own"))
    nobody = pwd.getpwnam(USER)
    os.chown(os.path.join(path, "own"), nobody.pw_uid, nobody.pw_gid)
    subprocess.run(["chmod", "-R", "a+rX", path], check=True, timeout=30)
    yield path
    shutil.rmtree(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="is an ordinary user's already")
def test_as_nobody(folder):
    nobody, own = pwd.getpwnam(USER), os.path.join(folder, "own")
    env = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": own, "TMPDIR": own, "LC_ALL": "C.UTF-8"}
    p = subprocess.run([os.path.join(folder, "qemu/run"), "--platform", "txt", "--esp", os.path.join(folder, "esp"), "--json", os.path.join(own, "out"),
                        "--keep", os.path.join(own, "logs"), "--timeout", "240"], user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[], cwd=own,
                       env=env, capture_output=True, text=True, timeout=300, check=False)
    assert p.returncode == 11, p.stderr         # a module that is no kernel: tboot resets the machine
    with open(os.path.join(own, "out"), encoding="utf-8") as f:
        result = json.load(f)
    assert result["senter"] == "launched" and result["drtm"] and result["ended"] == "reset"
    # All of it was this user's, and only what was to be kept is left.
    assert sorted(os.listdir(own)) == ["logs", "out"] and {os.stat(os.path.join(own, n)).st_uid for n in ("logs", "out")} == {nobody.pw_uid}

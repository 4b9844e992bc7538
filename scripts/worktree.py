# SPDX-License-Identifier: BSD-3-Clause
"""What belongs to the working tree, for scripts/lint and tests."""
import pathlib
import shutil
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[1]


def files():
    """Names of its files, new ones, too, sorted; without git (a release tarball) of those on disk."""
    if shutil.which("git"):
        p = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"], cwd=TOP, stdin=subprocess.DEVNULL,
                           capture_output=True, timeout=120, check=False)
    else:
        p = None
    if p and p.returncode == 0:
        names = [n for n in p.stdout.decode(errors="surrogateescape").split("\0") if n]
    else:
        names = [str(f.relative_to(TOP)) for f in TOP.rglob("*")
                 if not {"build", ".deps", ".git", "__pycache__"} & set(f.relative_to(TOP).parts)]
    return sorted(n for n in names if (TOP / n).is_file())

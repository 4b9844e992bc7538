# SPDX-License-Identifier: BSD-3-Clause
"""Where generators of seeds put them: into the folder of their target below tests/data/fuzz, or below the folder that is named."""
import pathlib
import sys

DEFAULT = pathlib.Path(__file__).resolve().parents[1] / "data/fuzz"


def root():
    return pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT


def write(target, seeds):
    """Seeds are pairs of a name and bytes."""
    folder = root() / f"fuzz_{target}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds:
        (folder / name).write_bytes(data)

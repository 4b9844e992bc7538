#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Mutants of a target's JSON seeds, each with one value of another kind, left out, or too much of it; scripts/fuzz-pick chooses from them.

Usage: tests/fuzz/make_json_mutants.py SEED... OUT   (OUT: a folder)
"""
import copy
import json
import pathlib
import sys

VALUES = (None, True, -1, 1 << 40, "", "x", "zz" * 20, "00" * 32, [], [1], [[]], {}, {"x": "y"}, {"17": 1}, "0x01c10110", "DE", "sha256")


def paths(value, here=()):
    """Ways to all values of a document; of a long list only to the first, second and last."""
    yield here
    if isinstance(value, dict):
        for key in value:
            yield from paths(value[key], here + (key,))
    elif isinstance(value, list):
        for i in sorted({0, 1, len(value) - 1} & set(range(len(value)))):
            yield from paths(value[i], here + (i,))


def changed(document, path, change):
    """A copy in which `change` was applied to the container and key of the path."""
    out = copy.deepcopy(document)
    at = out
    for key in path[:-1]:
        at = at[key]
    change(at, path[-1])
    return out


def mutants(document):
    for path in paths(document):
        if not path:
            yield from VALUES
            continue
        for value in VALUES:
            yield changed(document, path, lambda at, key: at.__setitem__(key, value))
        yield changed(document, path, lambda at, key: at.__delitem__(key))
        yield changed(document, path, lambda at, key: at.append(at[key]) if isinstance(at, list) else at.__setitem__(str(key) + "x", at[key]))
        yield changed(document, path, lambda at, key: at.__setitem__(key, [at[key]] * 1100))


def main():
    out = pathlib.Path(sys.argv[-1])
    out.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:-1]:
        document = json.loads(pathlib.Path(name).read_bytes())
        for n, mutant in enumerate(mutants(document)):
            (out / f"{pathlib.Path(name).name}-{n}").write_text(json.dumps(mutant, separators=(",", ":")))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: BSD-3-Clause
"""What tests leave for docs/RELIABILITY.md."""
import json
import os


def record(kind, row):
    """Adds a line to $GEOLAUNCH_RESULTS/KIND.jsonl, if that is set. One write: lines of several workers do not mix."""
    folder = os.environ.get("GEOLAUNCH_RESULTS")
    if not folder:
        return
    os.makedirs(folder, exist_ok=True)
    fd = os.open(os.path.join(folder, f"{kind}.jsonl"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(fd, (json.dumps(row) + "\n").encode())
    finally:
        os.close(fd)

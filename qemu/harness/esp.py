# SPDX-License-Identifier: BSD-3-Clause
"""A directory as a FAT image, made with mtools (no root, no mount)."""
import os

from . import process
from .process import HarnessError, UsageError

_CLUSTER = 4096
_MIB = 1 << 20
# With 4 KiB clusters FAT16 holds 4085 to 65524 of them, FAT32 more (Microsoft FAT specification 1.03, "FAT type determination").
_FAT16_MIN = 17 * _MIB
_FAT16_MAX = 248 * _MIB
_FAT32_MIN = 264 * _MIB
_FILE_MAX = (1 << 32) - 1
_COPY_SECONDS = 120


def _raise(error):
    raise HarnessError(f"cannot read {error.filename}: {error.strerror}")


def content_size(tree):
    """Bytes that the files and directories of `tree` take in clusters."""
    total = 0
    for folder, folders, names in os.walk(tree, onerror=_raise, followlinks=True):
        total += _CLUSTER * (1 + (len(folders) + len(names)) * 256 // _CLUSTER)
        for name in names:
            path = os.path.join(folder, name)
            try:
                size = os.stat(path).st_size
            except OSError as e:
                raise HarnessError(f"cannot read {path}: {e.strerror}") from e
            if size > _FILE_MAX:
                raise HarnessError(f"{path} is larger than the 4 GiB that a FAT file can have")
            total += -(-size // _CLUSTER) * _CLUSTER
    return total


def image_size(content):
    """Image size in bytes, and whether it must be FAT32, for `content` bytes in clusters."""
    need = content + content // 256 + 2 * _MIB
    need = -(-need // _MIB) * _MIB
    if need <= _FAT16_MAX:
        return max(need, _FAT16_MIN), False
    return max(need, _FAT32_MIN), True


def make_image(tree, image, work):
    """Makes the FAT image file `image` (sparse) with all of `tree`. `work` takes mtools' log."""
    if not os.path.isdir(tree):
        raise UsageError(f"--esp {tree}: not a directory")
    size, fat32 = image_size(content_size(tree))
    log = os.path.join(work, "mtools.log")
    with open(image, "wb") as f:
        f.truncate(size)
    geometry = ["-T", str(size // 512), "-c", str(_CLUSTER // 512), "-h", "64", "-s", "32"]
    # env: no configuration of the user's, no geometry checks that only suit floppies.
    tools = ["env", "MTOOLSRC=/dev/null", f"HOME={work}", "MTOOLS_SKIP_CHECK=1", "LC_ALL=C.UTF-8"]
    _run(tools + ["mformat", "-i", image] + (["-F"] if fat32 else []) + geometry + ["-v", "ESP", "::"], work, log)
    names = sorted(os.listdir(tree))
    if names:
        paths = [os.path.join(os.path.abspath(tree), name) for name in names]
        _run(tools + ["mcopy", "-i", image, "-s", "-Q", *paths, "::/"], work, log)


def _run(argv, work, log):
    process.finish(process.start(argv, work, log), _COPY_SECONDS, log)

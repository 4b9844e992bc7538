# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch vlp` against tboot's tb_polgen: the same calls must give the same bytes and the same reading of them.

What differs on purpose is in the second half: each test there says what the other tool does and why ours does not.
"""

import gzip
import random
import re
import struct
import subprocess

import oracles
import pytest

from vlp_model import (ALGS, ANY, MAX_SIZE, NO_PCR, NV, NV_RAW, TYPES, digest_size, entry, hash_of, module_hash, policy, vlp)

TB_POLGEN = oracles.tool("tb_polgen")
CASES = 260
IMAGE_SIZES = [0, 1, 63, 64, 4096, 70000]


def theirs(*args, code=0):
    result = subprocess.run([TB_POLGEN, *map(str, args)], capture_output=True, timeout=60, check=False)
    assert result.returncode == code, (args, result)
    return result


# ---- one random life of a policy, told to both tools ----

class Pair:
    """The file of each tool."""

    def __init__(self, folder):
        self.folder = folder
        self.theirs, self.ours = folder / "theirs.vlp", folder / "ours.vlp"

    def same(self):
        assert self.ours.read_bytes() == self.theirs.read_bytes()

    def create(self, *options):
        theirs("--create", *options, self.theirs)
        vlp("create", *options, self.ours)

    def update(self, *options):
        theirs("--create", *options, self.theirs)
        vlp("create", "--update", *options, self.ours)

    def add_any(self, module, pcr):
        options = ["--num", word(module, "any"), "--pcr", word(pcr, "none"), "--hash", "any"]
        theirs("--add", *options, self.theirs)
        vlp("add", *options, self.ours)

    def add_images(self, module, pcr, cmdline, images):
        """tb_polgen takes one image a call, we all of them at once."""
        options = ["--num", word(module, "any"), "--pcr", word(pcr, "none"), "--hash", "image"]
        if cmdline is not None:
            options += ["--cmdline", cmdline]
        files = []
        for number, image in enumerate(images):
            files.append(self.folder / f"image{number}")
            files[-1].write_bytes(image)
            theirs("--add", *options, "--image", files[-1], self.theirs)
        vlp("add", *options, *(part for f in files for part in ("--image", f)), self.ours)

    def delete(self, module, pos):
        options = ["--num", word(module, "any"), "--pos", pos]
        theirs("--del", *options, self.theirs)
        vlp("del", *options, self.ours)


def word(number, name):
    return name if number in (ANY, NO_PCR) else str(number)


def packed(dice, image):
    """The image in one of the forms that gzip knows, all of which are hashed unpacked."""
    form = dice.randrange(5)
    if form == 0 or not image:
        return gzip.compress(image, mtime=0)
    if form == 1:
        return gzip.compress(image, compresslevel=0, mtime=0)
    cut = dice.randrange(len(image))
    parts = gzip.compress(image[:cut], mtime=0) + gzip.compress(image[cut:], mtime=0)
    if form == 2:
        return parts
    return parts + (bytes(512) if form == 3 else b"what stands behind is not read")


def random_image(dice):
    # not the magic of gzip by chance
    image = b"I" + dice.randbytes(dice.choice(IMAGE_SIZES)) if dice.randrange(8) else b""
    return packed(dice, image) if dice.randrange(3) == 0 else image


def random_cmdline(dice):
    if dice.randrange(4) == 0:
        return None
    length = dice.choice([0, 1, dice.randrange(200), 255, 256, 1023])
    return "".join(dice.choice("abc =,/.-0\"'\\$") for _ in range(length))


def random_life(number):
    """The steps of case `number`: algorithm, type and control in turn, all else at random but the same each time."""
    dice = random.Random(number)
    alg, kind, control = list(ALGS)[number % 4], TYPES[number % 3], number // 4 % 2
    create = ["--type", kind]
    if alg != "sha256" or dice.randrange(2):
        create += ["--alg", alg]
    if control != 1 or dice.randrange(2):
        create += ["--ctrl", control]
    steps = [("create", *create)]
    room, hashes = MAX_SIZE - 12, {}
    modules = dice.sample(range(128), dice.randrange(1, 5)) + ([ANY] if number % 5 == 0 else [])
    # a module may come up again: further hashes and another PCR
    for module in modules + dice.sample(modules, dice.randrange(2)):
        pcr = dice.choice([NO_PCR, 0, 16, 17, 18, 19, 20, 21, 22, 23])
        count = dice.randrange(4)
        room -= 8 + count * digest_size(alg)
        if room < 0:
            break
        if count == 0 and not hashes.get(module):
            steps.append(("add_any", module, pcr))
        elif count:
            steps.append(("add_images", module, pcr, random_cmdline(dice), [random_image(dice) for _ in range(count)]))
            hashes[module] = hashes.get(module, 0) + count
    # the only entry stays: test_delete_the_only_entry
    entries = {step[1] for step in steps[1:]}
    deletable = [m for m, n in hashes.items() if n > (len(entries) == 1)]
    if deletable and number % 3 != 1:
        module = dice.choice(deletable)
        # removes the entry if it was its only hash
        steps.append(("delete", module, dice.randrange(hashes[module])))
    if number % 7 == 0:
        steps.append(("update", "--type", dice.choice(TYPES), "--ctrl", dice.randrange(2)))
    return steps


def test_enough_variety():
    lives = [random_life(n) for n in range(CASES)]
    assert CASES >= 250 and len({repr(s) for s in lives}) == CASES
    steps = [s for life in lives for s in life]
    assert {s[0] for s in steps} == {"create", "update", "add_any", "add_images", "delete"}
    images = [s for s in steps if s[0] == "add_images"]
    assert {s[1] for s in images} >= {0, 127, ANY} and {s[2] for s in images} >= {NO_PCR, 0, 17, 23}
    assert {len(s[4]) for s in images} == {1, 2, 3}
    assert {None, "", 1023} <= {s[3] if s[3] in (None, "") else len(s[3]) for s in images}
    assert sum(i[:2] == b"\x1f\x8b" for s in images for i in s[4]) > 100
    assert {(a, k, c) for a in ALGS for k in TYPES for c in (0, 1)} == {
        (list(ALGS)[n % 4], TYPES[n % 3], n // 4 % 2) for n in range(CASES)}


@pytest.mark.parametrize("number", range(CASES))
def test_same_bytes(number, tmp_path):
    pair = Pair(tmp_path)
    for step, *args in random_life(number):
        getattr(pair, step)(*args)
    pair.same()
    # each reads the other's file, alike
    assert read_theirs(pair.ours) == read_ours(pair.theirs)
    # decoded and encoded by us, nothing changes
    before = pair.theirs.read_bytes()
    vlp("create", "--update", pair.theirs)
    assert pair.theirs.read_bytes() == before


def read_theirs(path):
    """What tb_polgen --show says, as a header and a list of entries."""
    fields, entries = {}, []
    where = fields
    for line in theirs("--show", path).stdout.decode().splitlines():
        name, _, value = line.strip().partition(":")
        if name.startswith("policy entry["):
            where = {"hashes": []}
            entries.append(where)
        elif name.startswith("hashes["):
            where["hashes"].append(value.replace(" ", ""))
        elif value.strip():
            where[name] = value.strip()
    fields["hash_alg"] = fields["hash_alg"].removeprefix("TB_HALG_").lower()
    fields["policy_control"] = int(fields["policy_control"].split()[0], 16)
    for e in entries:
        e["hash_type"] = e["hash_type"].removeprefix("TB_HTYPE_").lower()
    return fields, entries


def read_ours(path):
    first, *rest = vlp("show", path).stdout.splitlines()
    fields = dict(part.split(" ", 1) for part in first.removeprefix("policy: ").split(", "))
    fields["policy_control"] = int(fields["policy_control"].split()[0], 16)
    entries = []
    for number, line in enumerate(rest):
        assert line.startswith(f"entry {number}: ")
        e = dict(part.split(" ", 1) for part in line.split(": ", 1)[1].split(", "))
        e["num_hashes"], *e["hashes"] = e["num_hashes"].split()
        if "nv_index" in e:
            e["nv_index"] = e["nv_index"].removeprefix("0x")
        entries.append(e)
    return fields, entries


@pytest.mark.parametrize("alg", ALGS)
def test_same_limit(alg, tmp_path):
    """Both fill a policy to the same byte and refuse the same step."""
    pair = Pair(tmp_path)
    pair.create("--type", "halt", "--alg", alg)
    (tmp_path / "image").write_bytes(b"image")
    per_module = 7
    for step in range(200):
        options = ["--num", step // per_module, "--pcr", 19, "--hash", "image", "--image", tmp_path / "image"]
        before = pair.ours.read_bytes()
        if len(before) + digest_size(alg) + (8 if step % per_module == 0 else 0) > MAX_SIZE:
            theirs("--add", *options, pair.theirs, code=1)
            assert "larger than 2124 bytes" in vlp("add", *options, pair.ours, code=3).stderr
            assert pair.ours.read_bytes() == before
            break
        theirs("--add", *options, pair.theirs)
        vlp("add", *options, pair.ours)
        pair.same()
    else:
        pytest.fail("never full")
    assert len(before) > MAX_SIZE - 8 - digest_size(alg)


@pytest.mark.parametrize("options", [
    ["--create", "--type", "maybe"], ["--create", "--type", "halt", "--alg", "md5"], ["--create", "--type", "halt", "--ctrl", "2"],
    ["--create", "--type", "halt", "--ctrl", "1x"], ["--create", "--type", "halt", "--ctrl", "-1"], ["--create"],
    ["--add", "--num", "128", "--pcr", "17", "--hash", "any"], ["--add", "--num", "-1", "--pcr", "17", "--hash", "any"],
    ["--add", "--num", "1", "--pcr", "24", "--hash", "any"], ["--add", "--num", "5", "--hash", "any"],
    ["--add", "--num", "1", "--pcr", "17", "--hash", "image"], ["--add", "--num", "1", "--pcr", "17"],
    ["--add", "--num", "1", "--pcr", "17", "--hash", "any", "--image", "/dev/null"], ["--add", "--pcr", "17", "--hash", "any"],
    ["--add", "--num", "1", "--pcr", "17", "--hash", "image", "--image", "/nonexistent"],
    ["--del", "--num", "9"], ["--del", "--num", "2", "--pos", "2"], ["--del"],
])
def test_both_refuse(options, tmp_path):
    bytes_before = policy(entry(1, 17), entry(2, 17, hashes=[bytes(32), b"\1" * 32]))
    pair = Pair(tmp_path)
    for path in (pair.theirs, pair.ours):
        if options[0] != "--create":
            path.write_bytes(bytes_before)
    theirs(*options, pair.theirs, code=1)
    vlp(options[0].removeprefix("--"), *options[1:], pair.ours, code=refusal(options))
    if options[0] == "--create":
        assert not pair.ours.exists()
    else:
        assert pair.ours.read_bytes() == bytes_before


def refusal(options):
    """A file that is not there, what the policy does not have, else the usage."""
    if "/nonexistent" in options:
        return 1
    return 3 if options[0] == "--del" and len(options) > 1 else 2


# ---- what differs on purpose ----

def both(tmp_path, content):
    pair = Pair(tmp_path)
    pair.theirs.write_bytes(content)
    pair.ours.write_bytes(content)
    return pair


@pytest.mark.parametrize("alg", ALGS)
@pytest.mark.parametrize("module", [NV, NV_RAW])
def test_nv_entries(alg, module, tmp_path):
    """Extra feature: tb_polgen shows NV entries and leaves them alone, but cannot make any."""
    pair = Pair(tmp_path)
    content = b"tag" if module == NV else bytes(range(48))
    (tmp_path / "tag").write_bytes(content)
    vlp("create", "--type", "halt", "--alg", alg, pair.ours)
    raw = ["--nv-raw"] if module == NV_RAW else []
    vlp("add", "--nv-index", "0x01c10110", *raw, "--pcr", 22, "--content", tmp_path / "tag", pair.ours)
    want = content if module == NV_RAW and alg == "sha384" else hash_of(alg, content)
    assert pair.ours.read_bytes() == policy(entry(module, 22, nv_index=0x01C10110, hashes=[want]), alg=ALGS[alg])
    assert read_theirs(pair.ours) == read_ours(pair.ours)
    assert read_theirs(pair.ours)[1][0]["nv_index"] == "01c10110"
    pair.theirs.write_bytes(pair.ours.read_bytes())
    pair.add_any(0, NO_PCR)
    pair.same()
    theirs("--del", "--num", module, pair.theirs, code=1)
    vlp("del", "--nv-index", "0x01c10110", pair.ours)
    assert pair.ours.read_bytes() == policy(entry(0, NO_PCR), alg=ALGS[alg])


def test_create_does_not_touch_a_policy_that_exists(tmp_path):
    """tb_polgen --create on a file that exists changes type and control and says nothing of it (see 'update' in the matrix)."""
    pair = both(tmp_path, policy(entry(1, 17)))
    theirs("--create", "--type", "nonfatal", "--ctrl", 0, pair.theirs)
    assert pair.theirs.read_bytes() == policy(entry(1, 17), kind=0, control=0)
    assert "file exists" in vlp("create", "--type", "nonfatal", "--ctrl", 0, pair.ours, code=2).stderr
    assert pair.ours.read_bytes() == policy(entry(1, 17))
    vlp("create", "--type", "nonfatal", "--ctrl", 0, "--force", pair.ours)
    assert pair.ours.read_bytes() == policy(kind=0, control=0)


def test_update_to_another_algorithm(tmp_path):
    """tb_polgen warns, changes the rest and succeeds; ours refuses, since the caller does not get what was asked for."""
    pair = both(tmp_path, policy(entry(1, 17)))
    assert b"will not be changed" in theirs("--create", "--type", "nonfatal", "--alg", "sha1", pair.theirs).stderr
    assert pair.theirs.read_bytes() == policy(entry(1, 17), kind=0)
    assert "cannot change" in vlp("create", "--update", "--type", "nonfatal", "--alg", "sha1", pair.ours, code=3).stderr
    assert pair.ours.read_bytes() == policy(entry(1, 17))


def test_any_after_hashes(tmp_path):
    """tb_polgen leaves hashes in an entry that became 'any', where they mean nothing; ours removes them."""
    h = bytes(range(32))
    pair = both(tmp_path, policy(entry(0, 17, hashes=[h])))
    pair.add_any(0, 18)
    assert pair.theirs.read_bytes() == policy(entry(0, 18, 0, hashes=[h]))
    assert pair.ours.read_bytes() == policy(entry(0, 18))
    assert "[vlp-hash-count]" in vlp("check", pair.theirs, code=3).stdout
    # read and written as it is, and mended
    vlp("create", "--update", pair.theirs)
    assert pair.theirs.read_bytes() == policy(entry(0, 18, 0, hashes=[h]))
    vlp("add", "--num", 0, "--hash", "any", pair.theirs)
    assert pair.theirs.read_bytes() == policy(entry(0, 18))


def test_entry_behind_any(tmp_path):
    """tb_polgen writes entries that tboot never looks at, a module even twice; ours refuses, and has --at."""
    pair = both(tmp_path, policy(entry(ANY, 19)))
    options = ["--num", 1, "--pcr", 20, "--hash", "any"]
    theirs("--add", *options, pair.theirs)
    theirs("--add", *options, pair.theirs)
    assert pair.theirs.read_bytes() == policy(entry(ANY, 19), entry(1, 20), entry(1, 20))
    assert re.search(r"behind the one for any module.*--at", vlp("add", *options, pair.ours, code=3).stderr)
    assert pair.ours.read_bytes() == policy(entry(ANY, 19))
    vlp("add", *options, "--at", 0, pair.ours)
    assert pair.ours.read_bytes() == policy(entry(1, 20), entry(ANY, 19))
    assert read_theirs(pair.ours) == read_ours(pair.ours)
    # theirs is read, written as it is, reported, and mended step by step
    before = pair.theirs.read_bytes()
    assert "warning" in vlp("create", "--update", pair.theirs).stderr
    assert pair.theirs.read_bytes() == before
    out = vlp("check", pair.theirs, code=3).stdout
    assert "entry 1 (module 1)" in out and "[vlp-shadowed]" in out and "[vlp-duplicate]" in out
    vlp("del", "--num", 1, pair.theirs)
    vlp("del", "--num", 1, pair.theirs)
    assert pair.theirs.read_bytes() == policy(entry(ANY, 19))


def test_delete_what_is_not_there(tmp_path):
    """tb_polgen takes the entry for any module instead, and deletes that."""
    h = bytes(32)
    pair = both(tmp_path, policy(entry(ANY, 19, hashes=[h])))
    theirs("--del", "--num", 5, pair.theirs)
    assert pair.theirs.read_bytes() == policy()
    assert "no entry for module 5" in vlp("del", "--num", 5, pair.ours, code=3).stderr
    assert pair.ours.read_bytes() == policy(entry(ANY, 19, hashes=[h]))


def test_delete_an_entry_of_type_any(tmp_path):
    """tb_polgen cannot: it looks for a hash to delete."""
    pair = both(tmp_path, policy(entry(1, 17), entry(2, 17)))
    assert b"pos does not exist" in theirs("--del", "--num", 1, pair.theirs, code=1).stderr
    vlp("del", "--num", 1, pair.ours)
    assert pair.ours.read_bytes() == policy(entry(2, 17))


def test_delete_without_position(tmp_path):
    """tb_polgen deletes the first hash, though its manual says 'entry'; ours asks which is meant if there are several."""
    a, b = bytes(32), b"\1" * 32
    pair = both(tmp_path, policy(entry(1, 17, hashes=[a, b])))
    theirs("--del", "--num", 1, pair.theirs)
    assert pair.theirs.read_bytes() == policy(entry(1, 17, hashes=[b]))
    assert re.search("--pos.*--all", vlp("del", "--num", 1, pair.ours, code=2).stderr)
    assert pair.ours.read_bytes() == policy(entry(1, 17, hashes=[a, b]))
    pair.ours.write_bytes(policy(entry(0, 17), entry(1, 17, hashes=[a, b])))
    vlp("del", "--num", 1, "--all", pair.ours)
    assert pair.ours.read_bytes() == policy(entry(0, 17))


def test_delete_the_only_entry(tmp_path):
    """tb_polgen leaves a policy without entries, which is none that can be used; ours refuses."""
    h = bytes(32)
    pair = both(tmp_path, policy(entry(1, 17, hashes=[h])))
    theirs("--del", "--num", 1, pair.theirs)
    assert pair.theirs.read_bytes() == policy()
    assert "the only entry" in vlp("del", "--num", 1, pair.ours, code=3).stderr
    assert pair.ours.read_bytes() == policy(entry(1, 17, hashes=[h]))


def damaged(how):
    data = bytearray(gzip.compress(random.Random(1).randbytes(100000), mtime=0))
    if how == "checksum":
        data[-6] ^= 1
    elif how == "length":
        data[-1] ^= 1
    elif how == "middle":
        # in the stream's structure: its first block claims to be of a type that does not exist
        data[10] |= 6
    elif how == "header":
        data[2] = 7
    elif how == "cut":
        del data[50000:]
    elif how == "magic only":
        del data[2:]
    return bytes(data)


@pytest.mark.parametrize("how", ["checksum", "length", "middle", "header", "cut", "magic only"])
def test_damaged_gzip(how, tmp_path):
    """tb_polgen hashes what it gets of a cut off file without a word and runs into wild memory with others. Ours says so."""
    pair = both(tmp_path, policy())
    (tmp_path / "image").write_bytes(damaged(how))
    options = ["--num", 1, "--pcr", 19, "--hash", "image", "--image", tmp_path / "image"]
    theirs("--add", *options, pair.theirs, code=0 if how in ("cut", "magic only") else -11)
    assert re.search("gzip data is damaged.*--no-decompress", vlp("add", *options, pair.ours, code=3).stderr)
    assert pair.ours.read_bytes() == policy()
    vlp("add", *options, "--no-decompress", pair.ours)
    assert pair.ours.read_bytes() == policy(entry(1, 19, hashes=[module_hash("sha256", "", damaged(how))]))
    if how == "magic only":
        assert "[vlp-hash-of-nothing]" in vlp("check", pair.theirs).stdout


@pytest.mark.parametrize("alg", ALGS)
def test_no_decompress(alg, tmp_path):
    """Extra feature, for loaders that do not unpack: `multiboot --nounzip`, our own."""
    packed_image = gzip.compress(b"image", mtime=0)
    (tmp_path / "image").write_bytes(packed_image)
    path = tmp_path / "p"
    vlp("create", "--type", "halt", "--alg", alg, path)
    vlp("add", "--num", 1, "--pcr", 19, "--image", tmp_path / "image", path)
    vlp("add", "--num", 2, "--pcr", 19, "--image", tmp_path / "image", "--no-decompress", path)
    assert path.read_bytes() == policy(entry(1, 19, hashes=[module_hash(alg, "", b"image")]),
                                       entry(2, 19, hashes=[module_hash(alg, "", packed_image)]), alg=ALGS[alg])


def test_long_command_line(tmp_path):
    """tb_polgen ends at 1023 characters; Linux takes 2047."""
    pair = both(tmp_path, policy())
    (tmp_path / "image").write_bytes(b"image")
    options = ["--num", 1, "--pcr", 19, "--hash", "image", "--cmdline", "x" * 2047, "--image", tmp_path / "image"]
    theirs("--add", *options, pair.theirs, code=1)
    vlp("add", *options, pair.ours)
    assert pair.ours.read_bytes() == policy(entry(1, 19, hashes=[module_hash("sha256", "x" * 2047, b"image")]))


@pytest.mark.parametrize("number, read_as", [("010", 8), ("", 0)])
def test_numbers(number, read_as, tmp_path):
    """tb_polgen takes leading zeros as octal and nothing as 0; ours refuses both. Hexadecimal is the same."""
    pair = both(tmp_path, policy())
    theirs("--add", "--num", number, "--pcr", 17, "--hash", "any", pair.theirs)
    assert pair.theirs.read_bytes() == policy(entry(read_as, 17))
    vlp("add", "--num", number, "--pcr", 17, "--hash", "any", pair.ours, code=2)
    assert pair.ours.read_bytes() == policy()
    for path, run in ((pair.theirs, lambda *a: theirs("--add", *a)), (pair.ours, lambda *a: vlp("add", *a))):
        path.write_bytes(policy())
        run("--num", "0x10", "--pcr", "0x11", "--hash", "any", path)
        assert path.read_bytes() == policy(entry(16, 17))


def test_numbers_of_entries_without_word(tmp_path):
    """tb_polgen takes 129 for any and 255 for none, values of the format; ours only the words."""
    pair = both(tmp_path, policy())
    theirs("--add", "--num", 129, "--pcr", 255, "--hash", "any", pair.theirs)
    assert pair.theirs.read_bytes() == policy(entry(ANY, NO_PCR))
    vlp("add", "--num", 129, "--pcr", "none", "--hash", "any", pair.ours, code=2)
    vlp("add", "--num", 1, "--pcr", 255, "--hash", "any", pair.ours, code=2)


def test_control_that_wraps(tmp_path):
    """tb_polgen cuts the value to 32 bits: what was to be refused becomes 0."""
    pair = Pair(tmp_path)
    theirs("--create", "--type", "halt", "--ctrl", 2**32, pair.theirs)
    assert pair.theirs.read_bytes() == policy(control=0)
    vlp("create", "--type", "halt", "--ctrl", 2**32, pair.ours, code=2)


def test_trailing_bytes(tmp_path):
    """tb_polgen reads over what is behind the last entry; ours does not take such a file for a policy."""
    path = tmp_path / "p"
    path.write_bytes(policy(entry(1, 17)) + b"\0")
    assert b"mod_num: 1" in theirs("--show", path).stdout
    assert "behind the last entry" in vlp("show", path, code=3).stderr


def test_sm3_is_refused(tmp_path):
    """tboot 1.10.5 knows SM3 (0x12), we do not; the size of its hashes must not be guessed."""
    path = tmp_path / "sm3.vlp"
    path.write_bytes(policy(entry(0, NO_PCR), alg=0x12))
    assert b"TB_HALG_SM3" in theirs("--show", path).stdout
    assert "hash algorithm" in vlp("show", path, code=3).stderr


# ---- the element of a policy list ----

def element(kind, payload, uuid="410693c3cbe3404fd79127f8b9e25c86", control=0):
    return struct.pack("<III", 12 + 16 + len(payload), kind, control) + bytes.fromhex(uuid) + payload


@pytest.mark.parametrize("control", [None, 0, 1, 5])
def test_same_element(control, tmp_path):
    """lcp2_crtpolelt wraps as we do."""
    path = tmp_path / "p"
    path.write_bytes(policy(entry(0, NO_PCR), entry(1, 19, hashes=[bytes(32)])))
    ctrl = [] if control is None else ["--ctrl", str(control)]
    subprocess.run([oracles.tool("lcp2_crtpolelt"), "--create", "--type", "custom", "--uuid", "tboot", *ctrl,
                    "--out", tmp_path / "theirs.elt", path], capture_output=True, timeout=60, check=True)
    vlp("wrap", *ctrl, "-o", tmp_path / "ours.elt", path)
    assert (tmp_path / "ours.elt").read_bytes() == (tmp_path / "theirs.elt").read_bytes()
    vlp("unwrap", "-o", tmp_path / "back", tmp_path / "theirs.elt")
    assert (tmp_path / "back").read_bytes() == path.read_bytes()


def test_unwrap(tmp_path):
    """tb_polgen --unwrap takes only the legacy element type 3, not the 0x13 that tboot's own tools write; ours takes both."""
    content = policy(entry(0, NO_PCR))
    for kind, code in ((0x03, 0), (0x13, 1)):
        (tmp_path / "elt").write_bytes(element(kind, content))
        theirs("--unwrap", "--elt", tmp_path / "elt", tmp_path / "theirs", code=code)
        vlp("unwrap", "--force", "-o", tmp_path / "ours", tmp_path / "elt")
        assert (tmp_path / "ours").read_bytes() == content
        if code == 0:
            assert (tmp_path / "theirs").read_bytes() == content


def test_unwrap_of_another_element(tmp_path):
    """tb_polgen does not look at the UUID, as its manual admits."""
    (tmp_path / "elt").write_bytes(element(3, policy(entry(0, NO_PCR)), uuid="00" * 16))
    theirs("--unwrap", "--elt", tmp_path / "elt", tmp_path / "theirs")
    assert "no custom element with this UUID" in vlp("unwrap", "-o", tmp_path / "ours", tmp_path / "elt", code=3).stderr
    assert not (tmp_path / "ours").exists()

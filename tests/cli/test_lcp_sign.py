# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch lcp sign` and `lcp verify`: where keys come from, signing elsewhere, and what is refused."""

import json
import os
import subprocess

import pytest
from lcp_model import GEOLAUNCH, lcp, make_keys, make_list, random_elements, refused, run

SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "271828"
SCHEMES = [("2.1", "rsa2048", "rsassa", "sha256"), ("2.0", "rsa3072", "rsassa", "sha384"), ("2.1", "p256", "ecdsa", "sha256"),
           ("2.1", "p384", "ecdsa", "sha384"), ("3.0", "rsa2048", "rsapss", "sha256"), ("3.0", "rsa3072", "rsapss", "sha384"),
           ("3.0", "p256", "ecdsa", "sha256"), ("3.0", "p384", "ecdsa", "sha384"), ("3.0", "rsa2048", "rsassa", "sha256")]


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def unsigned(tmp_path):
    return make_list(tmp_path, "2.1", random_elements(1), "list.lst")


@pytest.fixture(scope="session")
def token(keys, tmp_path_factory):
    """A token with all keys; what a program needs in its environment to find it."""
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "conf").write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    environment = {**os.environ, "SOFTHSM2_CONF": str(folder / "conf"), "PKCS11_MODULE_PATH": SOFTHSM}
    tool = ["softhsm2-util", "--pin", PIN]
    run([*tool, "--init-token", "--free", "--label", "policies", "--so-pin", "314159"], env=environment)
    for number, name in enumerate(("rsa2048", "rsa3072", "p256", "p384"), 1):
        run(["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", keys / f"{name}.pem", "-out", folder / "p8"])
        run([*tool, "--import", folder / "p8", "--token", "policies", "--label", name, "--id", f"0{number}"], env=environment)
    (folder / "pin").write_text(PIN + "\n")
    return environment, folder / "pin"


def in_environment(environment, *arguments, code=0):
    command = [GEOLAUNCH, "lcp", *(str(a) for a in arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert result.returncode == code, (command, result.stdout, result.stderr)
    return result.stderr


def verified_by(path, pub):
    return json.loads(lcp("verify", "--json", "--public-key", pub, path))[0]


@pytest.mark.parametrize("version, key, scheme, alg", SCHEMES)
def test_token(version, key, scheme, alg, keys, token, tmp_path):
    """PKCS#11 by OpenSSL's engine, in front of SoftHSM."""
    environment, pin = token
    path = make_list(tmp_path, version, random_elements(2), "list.lst")
    said = in_environment(environment, "sign", path, "--engine", "pkcs11", "--key", f"pkcs11:token=policies;object={key}", "--passphrase",
                          pin, "--scheme", scheme, "--hash", alg, "--revocation", 7)
    assert said == ""
    verdict = verified_by(path, keys / f"{key}.pub")
    assert verdict["valid"] and verdict["scheme"] == scheme and verdict["hash_alg"] == alg


def test_token_by_pin_in_the_uri(keys, token, unsigned):
    environment, _ = token
    in_environment(environment, "sign", unsigned, "--engine", "pkcs11", "--key", f"pkcs11:token=policies;object=p256;pin-value={PIN}")
    assert verified_by(unsigned, keys / "p256.pub")["valid"]


@pytest.mark.parametrize("uri", ["pkcs11:token=policies;object=p256;pin-value=000000", "pkcs11:token=policies;object=p256",
                                 f"pkcs11:token=policies;object=missing;pin-value={PIN}", f"pkcs11:token=other;object=p256;pin-value={PIN}"])
def test_token_refuses(uri, token, unsigned):
    environment, _ = token
    before = unsigned.read_bytes()
    said = in_environment(environment, "sign", unsigned, "--engine", "pkcs11", "--key", uri, code=3)
    assert said.startswith("geolaunch lcp sign: pkcs11:") and "PIN" in said and said.count("\n") == 1
    assert unsigned.read_bytes() == before


@pytest.mark.parametrize("version, key, scheme, alg", SCHEMES)
def test_signed_elsewhere(version, key, scheme, alg, keys, tmp_path):
    """Data out, openssl signs, signature in: and it is the list that signing at once would have made."""
    path = make_list(tmp_path, version, random_elements(3), "list.lst")
    options = ["--public-key", keys / f"{key}.pub", "--scheme", scheme, "--hash", alg, "--revocation", 300]
    data = tmp_path / "data"
    data.write_bytes(lcp("sign", path, "--print-data", *options))
    before = path.read_bytes()
    pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if scheme == "rsapss" else []
    run(["openssl", "dgst", f"-{alg}", "-sign", keys / f"{key}.pem", *pss, "-out", tmp_path / "signature", data])
    assert path.read_bytes() == before
    lcp("sign", path, "--signature", tmp_path / "signature", *options)
    assert verified_by(path, keys / f"{key}.pub")["valid"]
    assert path.read_bytes().startswith(data.read_bytes())
    again = make_list(tmp_path, version, random_elements(3), "again.lst")
    lcp("sign", again, "--key", keys / f"{key}.pem", "--scheme", scheme, "--hash", alg, "--revocation", 300)
    assert len(again.read_bytes()) == len(path.read_bytes())
    assert (again.read_bytes() == path.read_bytes()) == (scheme == "rsassa")


def test_signature_of_something_else(keys, tmp_path, unsigned):
    before = unsigned.read_bytes()
    data = tmp_path / "data"
    data.write_bytes(lcp("sign", unsigned, "--print-data", "--public-key", keys / "p256.pub") + b"x")
    run(["openssl", "dgst", "-sha256", "-sign", keys / "p256.pem", "-out", tmp_path / "signature", data])
    said = refused("sign", unsigned, "--public-key", keys / "p256.pub", "--signature", tmp_path / "signature")
    assert "the signature is wrong" in said
    (tmp_path / "signature").write_bytes(b"short")
    assert "5 bytes" in refused("sign", unsigned, "--public-key", keys / "p256.pub", "--signature", tmp_path / "signature")
    assert unsigned.read_bytes() == before


def test_print_data_to_a_file(keys, tmp_path, unsigned):
    lcp("sign", unsigned, "--print-data", "--public-key", keys / "p256.pub", "-o", tmp_path / "data")
    assert (tmp_path / "data").read_bytes() == lcp("sign", unsigned, "--print-data", "--key", keys / "p256.pem")


def test_uri_of_a_file(keys, unsigned):
    """OpenSSL's own store, without an engine."""
    lcp("sign", unsigned, "--key", f"file:{keys}/p384.pem")
    assert verified_by(unsigned, keys / "p384.pub")["valid"]


def test_provider(keys, unsigned):
    lcp("sign", unsigned, "--key", keys / "p384.pem", "--provider", "legacy")
    assert verified_by(unsigned, keys / "p384.pub")["valid"]


def test_passphrase(keys, tmp_path, unsigned):
    run(["openssl", "pkey", "-in", keys / "p256.pem", "-aes128", "-passout", "pass:secret", "-out", tmp_path / "locked.pem"])
    (tmp_path / "right").write_text("secret\n")
    (tmp_path / "wrong").write_text("guess\n")
    assert "passphrase" in refused("sign", unsigned, "--key", tmp_path / "locked.pem")
    assert "passphrase" in refused("sign", unsigned, "--key", tmp_path / "locked.pem", "--passphrase", tmp_path / "wrong")
    lcp("sign", unsigned, "--key", tmp_path / "locked.pem", "--passphrase", tmp_path / "right")
    assert verified_by(unsigned, keys / "p256.pub")["valid"]


PHRASES = [("x" * n, end) for n in (65, 1023, 1024) for end in ("", "\n", "\r\n")] + [(p, end) for p in ("abc\r", "\r") for end in ("", "\r\n")]


@pytest.mark.parametrize("phrase, end", PHRASES, ids=range(len(PHRASES)))
def test_passphrase_as_openssl_takes_it(keys, tmp_path, unsigned, phrase, end):
    """A carriage return belongs to the line end only if there is one; the limit is OpenSSL's, not a TPM's."""
    run(["openssl", "pkey", "-in", keys / "p256.pem", "-aes128", "-passout", f"pass:{phrase}", "-out", tmp_path / "locked.pem"])
    (tmp_path / "phrase").write_bytes((phrase + end).encode())
    lcp("sign", unsigned, "--key", tmp_path / "locked.pem", "--passphrase", tmp_path / "phrase")
    assert verified_by(unsigned, keys / "p256.pub")["valid"]


def test_passphrase_too_long(keys, tmp_path, unsigned):
    (tmp_path / "phrase").write_text("x" * 1025)
    assert "at most 1024 bytes" in refused("sign", unsigned, "--key", keys / "p256.pem", "--passphrase", tmp_path / "phrase")


def test_certificate_as_public_key(keys, tmp_path, unsigned):
    run(["openssl", "req", "-x509", "-key", keys / "p256.pem", "-subj", "/CN=policies", "-days", "1", "-out", tmp_path / "cert.pem"])
    lcp("sign", unsigned, "--key", keys / "p256.pem")
    assert verified_by(unsigned, tmp_path / "cert.pem")["valid"]


def test_signing_again_replaces(keys, unsigned):
    lcp("sign", unsigned, "--key", keys / "rsa2048.pem", "--revocation", 1)
    lcp("sign", unsigned, "--key", keys / "p256.pem", "--revocation", 2)
    assert verified_by(unsigned, keys / "p256.pub")["valid"]
    assert not unsigned.with_name("list.lst.tmp").exists()


def test_signing_through_a_link(keys, tmp_path, unsigned):
    """The list behind it is signed, in its place and with its modes."""
    link = tmp_path / "link"
    link.symlink_to(unsigned)
    unsigned.chmod(0o600)
    lcp("sign", link, "--key", keys / "p256.pem")
    assert link.is_symlink() and unsigned.stat().st_mode & 0o7777 == 0o600
    assert verified_by(unsigned, keys / "p256.pub")["valid"]


@pytest.mark.parametrize("options, text", [
    ([], "either --key"), (["--key", "a", "--public-key", "b"], "either --key"), (["--public-key", "b"], "does not sign"),
    (["--key", "a", "--signature", "s"], "goes with --public-key"),
    (["--public-key", "b", "--signature", "s", "--print-data"], "either --print-data"),
    (["--key", "a", "--scheme", "rsa"], "rsassa, rsapss, ecdsa"), (["--key", "a", "--hash", "md5"], "sha256"),
    (["--key", "a", "--revocation", "65536"], "65535"), (["--nonsense"], "--nonsense"), (["--key"], "needs a value"),
])
def test_usage(options, text, unsigned):
    assert text in refused("sign", unsigned, *options, code=2)


@pytest.mark.parametrize("key, options, text", [
    ("p256.pem", ["--scheme", "rsassa"], "does not sign with rsassa"), ("rsa2048.pem", ["--scheme", "rsapss"], "not signed with rsapss"),
    ("rsa2048.pub", [], "no private key in it"),
    ("p256.pem", ["--engine", "nothing"], "no engine nothing"), ("p256.pem", ["--provider", "nothing"], "no provider nothing"),
])
def test_refused(key, options, text, keys, unsigned):
    before = unsigned.read_bytes()
    assert text in refused("sign", unsigned, "--key", keys / key, *options)
    assert unsigned.read_bytes() == before


def test_unsound_list_is_not_signed(keys, tmp_path):
    """Two elements about the same."""
    element = random_elements(1)[0].by_us(tmp_path).read_bytes()
    path = tmp_path / "twice.lst"
    path.write_bytes(b"\x01\x02\x10\x00" + (2 * len(element)).to_bytes(4, "little") + 2 * element)
    assert "D.3.2.1" in refused("sign", path, "--key", keys / "p256.pem")


# ---- verify


def test_verify_data(keys, tmp_path):
    lists = [make_list(tmp_path, "2.1", random_elements(i), f"{i}.lst") for i in range(3)]
    lcp("sign", lists[0], "--key", keys / "rsa2048.pem")
    lcp("sign", lists[2], "--key", keys / "p384.pem")
    data = tmp_path / "data"
    lcp("data", "create", "-o", data, *lists)
    out = json.loads(lcp("verify", "--json", data))
    assert [(v["signed"], v["valid"], v["scheme"]) for v in out] == [(True, True, "rsassa"), (False, False, None), (True, True, "ecdsa")]
    # with a key every list must be by it
    assert "missing or wrong" in refused("verify", "--public-key", keys / "rsa2048.pub", data)
    spoiled = bytearray(data.read_bytes())
    spoiled[-1] ^= 1
    data.write_bytes(spoiled)
    assert "missing or wrong" in refused("verify", data)


def test_verify_says_who(keys, unsigned):
    lcp("sign", unsigned, "--key", keys / "p256.pem")
    assert lcp("verify", unsigned) == b"list 0: ecdsa with 256 bits and sha256: valid\n"
    command = [GEOLAUNCH, "lcp", "verify", "--public-key", keys / "p384.pub", unsigned]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 3 and result.stdout == "list 0: the list was signed with another key\n"


def test_verify_nothing(unsigned):
    assert "nothing in it is signed" in refused("verify", unsigned)
    assert "give one list" in refused("verify", code=2)

# SPDX-License-Identifier: BSD-3-Clause
"""Tables of hosts that `geolaunch build --fleet` refuses: with the line, and nothing is left behind."""

import pytest

from build_model import BASE, refused, run, variant
from test_fleet import HEAD, fleet, inputs  # noqa: F401  (a fixture)

BAD_TABLES = {
    "empty": ("", 1, "no hosts in the table"),
    "columns only": (HEAD, 1, "no hosts in the table"),
    "no name": ("country\nDE\n", 1, 'no column "name"'),
    "unknown column": ("name,contry\na,DE\n", 1, 'unknown column "contry"'),
    "column twice": ("name,country,name\na,DE,b\n", 1, 'column "name" is there twice'),
    "tag and content": ("name,country,content\na,DE,00\n", 1, 'both "content" and columns of a geo tag'),
    "no country": ("name,site\na,X\n", 1, 'no column "country"'),
    "latitude alone": ("name,country,latitude\na,DE,1\n", 1, 'only one of the columns "latitude" and "longitude"'),
    "byte order mark inside": (HEAD + "\ufeffa,DE\n", 2, "printable ASCII"),
    "too few fields": (HEAD + "a,DE\nb\n", 3, "1 fields, but the table has 2 columns"),
    "too many fields": (HEAD + "a,DE,\n", 2, "3 fields, but the table has 2 columns"),
    "empty line": (HEAD + "a,DE\n\nb,DE\n", 3, "empty line"),
    "empty line at the end": (HEAD + "a,DE\n\n", 3, "empty line"),
    "name twice": (HEAD + "a,DE\nb,DE\na,FR\nb,FR\n", 4, 'host "a" is there twice, also on line 2'),
    "name twice but for case": (HEAD + "a,DE\nA,DE\n", 3, 'host "A" is there twice, also on line 2'),
    "empty name": (HEAD + ",DE\n", 2, '"" cannot be a host\'s name'),
    "name with a slash": (HEAD + "a/b,DE\n", 2, '"a/b" cannot be a host\'s name'),
    "name is a dot": (HEAD + ".,DE\n", 2, '"." cannot be a host\'s name'),
    "name is an option": (HEAD + "-a,DE\n", 2, '"-a" cannot be a host\'s name'),
    "name with a blank": (HEAD + "a ,DE\n", 2, '"a " cannot be a host\'s name'),
    "name too long": (HEAD + "x" * 65 + ",DE\n", 2, "cannot be a host's name"),
    "country": (HEAD + "a,DE\nb,de\n", 3, '"country" cannot be "de"'),
    "country too long": (HEAD + "a,DEU\n", 2, '"country" cannot be "DEU"'),
    "country with a blank": (HEAD + "a, DE\n", 2, '"country" cannot be " DE"'),
    "no country here": (HEAD + "a,\n", 2, '"country" cannot be ""'),
    "subdivision": ("name,country,subdivision\na,DE,DE-HE\n", 2, '"subdivision" cannot be "DE-HE"'),
    "site too long": ("name,country,site\na,DE," + "s" * 41 + "\n", 2, '"site" has 41 characters'),
    "degrees": ("name,country,latitude,longitude\na,DE,91,0\n", 2, '"latitude" cannot be "91"'),
    "degrees in words": ("name,country,latitude,longitude\na,DE,1,east\n", 2, '"longitude" cannot be "east"'),
    "decimal comma": ("name,country,latitude,longitude\na,DE,\"1,5\",2\n", 2, '"latitude" cannot be "1,5"'),
    "one degree": ("name,country,latitude,longitude\na,DE,1,\n", 2, "only one of latitude and longitude"),
    "open quote": (HEAD + 'a,"DE\nb,DE\n', 2, "a quoted field that does not end on its line"),
    "quote inside": (HEAD + 'a,D"E\n', 2, "a quote in a field that does not begin with one"),
    "behind the quote": (HEAD + 'a,"DE"x\n', 2, "text behind a closing quote"),
    "not ASCII": ("name,country,site\na,DE,Zürich\n", 2, "field 3, character 7: U+00FC, which is no ASCII: hosts.csv:2: "),
    "tabulator": (HEAD + "a\tDE\n", 2, "field 1, character 2: a tab: "),
    "carriage returns alone": (HEAD + "a,DE\rb,DE\r", 2, "field 2, character 5: byte 0x0d: "),
    "NUL": (HEAD + "a\0,DE\n", 2, "field 1, character 2: byte 0x00: "),
    "long line": (HEAD + "a" * 20000 + ",DE\n", 2, "line of 20003 characters"),
    "many fields": (HEAD + "," * 100 + "\n", 2, "too many fields"),
    "odd content": ("name,content\na,000\n", 2, '"content" is not hexadecimal'),
    "no content": ("name,content\na,\n", 2, '"content" has 0 bytes'),
    "content in words": ("name,content\na,xx\n", 2, '"content" is not hexadecimal'),
    "content too long": ("name,content\na," + "00" * 4097 + "\n", 2, '"content" has 4097 bytes'),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_refused_table(inputs, name):
    table, line, words = BAD_TABLES[name]
    before = sorted(p.name for p in inputs.iterdir())
    result = fleet(inputs, BASE, table)
    refused(result, 3, words)
    assert f": hosts.csv:{line}: " in result.stderr
    assert sorted(p.name for p in inputs.iterdir()) == sorted([*before, "host.yaml", "hosts.csv"])


def test_table_and_manifest_disagree(inputs):
    refused(fleet(inputs, BASE, "name\na\n"), 3, "geo is measured, but no host has a tag: hosts.csv: host.yaml:")
    refused(fleet(inputs, variant(geo=None), HEAD + "a,DE\n"), 3, "the hosts have tags, but nobody measures them: hosts.csv")
    raw = variant(geo={"kind": "nv_raw", "file": "tag-32"})
    refused(fleet(inputs, raw, "name,content\na," + "00" * 32 + "\nb," + "00" * 33 + "\n"), 3,
            '"content" has 33 bytes, but nv_raw content is extended as a digest: hosts.csv:3')
    refused(fleet(inputs, {**BASE, "mode": "indirect"}, HEAD + "a,DE\n"), 3, "host.yaml:")
    refused(run("build", "host.yaml", "-o", "fleet", "--efi", "geolaunch.efi", "--fleet", "nowhere.csv", cwd=inputs), 1, "nowhere.csv")
    assert not (inputs / "fleet").exists()

"""Verifies the DKIM signatures of a message with Debian's python3-dkim.

usage: dkimverify.py ROOT FILE <RECORDS

ROOT is the folder under which usr/ with the packages stands; RECORDS is JSON,
the TXT records by their names. Prints JSON, for each signature from the first
in the message on: true, or the reason why not.

It knows nothing of the program that signed.
"""
import json
import sys

if sys.argv[1] != "/":
    sys.path.insert(0, sys.argv[1] + "/usr/lib/python3/dist-packages")

import dkim

records = json.load(sys.stdin)


def txt(name, timeout=5):
    if isinstance(name, bytes):
        name = name.decode("ascii")
    return records[name.rstrip(".")].encode("ascii")


with open(sys.argv[2], "rb") as f:
    message = f.read()

results = []
signatures = sum(1 for name, _ in dkim.rfc822_parse(message)[0] if name.lower() == b"dkim-signature")
for i in range(signatures):
    d = dkim.DKIM(message, minkey=1024)
    try:
        results.append(d.verify(idx=i, dnsfunc=txt) or "the signature is wrong")
    except dkim.DKIMException as e:
        results.append(str(e))
json.dump(results, sys.stdout)

"""Prints what Python's mailbox module finds in mbox files: JSON, the subjects by file.

usage: mboxes.py FOLDER
"""

import json
import mailbox
import os
import sys

found = {}
for name in sorted(os.listdir(sys.argv[1])):
    box = mailbox.mbox(os.path.join(sys.argv[1], name), create=False)
    found[name] = [str(m["Subject"]) for m in box]
print(json.dumps(found))

"""Reads a delivery status notification with Python's own parser and prints it as JSON.

usage: statusback.py FILE

    defects      what the parser found wrong, in any part: must be empty
    report_type  of the multipart/report
    auto         the value of Auto-Submitted
    kinds        the media types of its parts, in order
    words        the part for people, decoded
    message      the fields about the message; recipients: those about each recipient
    subject      of the message that is reported on, decoded, from its header

It knows nothing of the program that wrote the report.
"""
import email
import email.policy
import json
import sys

with open(sys.argv[1], "rb") as f:
    report = email.message_from_binary_file(f, policy=email.policy.default)
defects = [f"{part.get_content_type()}: {d!r}" for part in report.walk() for d in part.defects]
defects += [f"{name}: {d!r}" for name, value in report.items() for d in value.defects]
words, status, original = report.iter_parts()
groups = [dict(group.items()) for group in status.get_payload()]
header = original.get_payload(decode=True)
json.dump({
    "defects": defects,
    "report_type": report.get_param("report-type"),
    "auto": report["Auto-Submitted"],
    "kinds": [part.get_content_type() for part in (words, status, original)],
    "words": words.get_content(),
    "message": groups[0],
    "recipients": groups[1:],
    "subject": email.message_from_bytes(header, policy=email.policy.default)["Subject"],
}, sys.stdout)

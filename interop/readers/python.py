"""Reads messages with Python's email package: readers.sh says how it is called.

usage: python.py compat32|default FILE...
"""
import email
import email.header
import email.policy
import json
import sys


def subject(message, policy):
    if policy == "default":
        return str(message["subject"])
    unfolded = "".join(message["subject"].splitlines())
    return str(email.header.make_header(email.header.decode_header(unfolded)))


def text(part, policy):
    if part.get_content_maintype() != "text":
        return None
    if policy == "default":
        return part.get_content()
    return part.get_payload(decode=True).decode(part.get_content_charset() or "us-ascii", "replace")


def attached(part, policy):
    if part.get_content_type() == "message/rfc822":
        octets = part.get_payload(0).as_bytes()
    else:
        octets = part.get_payload(decode=True) or b""
    return {
        "name": part.get_filename(),
        "type": part.get_content_type(),
        "charset": part.get_content_charset() or "",
        "octets": octets.hex(),
        "text": text(part, policy),
    }


def parts(message):
    """All parts, but not those of an attached message."""
    if message.get_content_maintype() != "multipart":
        yield message
        return
    for part in message.get_payload():
        yield from parts(part)


def main():
    policy = sys.argv[1]
    for path in sys.argv[2:]:
        with open(path, "rb") as file:
            message = email.message_from_binary_file(file, policy=getattr(email.policy, policy))
        found = [attached(part, policy) for part in parts(message)
                 if str(part.get("content-disposition", "")).startswith("attachment")]
        print(json.dumps({"file": path, "subject": subject(message, policy), "attachments": found}))


main()

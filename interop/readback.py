"""Reads one stored message with Python's own parser and prints it as JSON.

usage: readback.py FILE

    defects      what the parser found wrong, in any part: must be empty
    headers      [name, decoded value] in order, as they stand in the message
    addresses    {header: [[display name, address], ...]} for From, To, Cc ...
    text, html   the bodies, decoded; null when there is none
    attachments  every other part: filename, content_type, content_id,
                 disposition, size, sha256
    longest_line, longest_header_line    in octets, line ends not counted; the
                 trace headers, which servers add, are left out of the latter
    raw_8bit_header    whether a header holds an octet above 127

It knows nothing of the program that composed the message.
"""
import email
import email.policy
import hashlib
import json
import sys

TRACE_HEADERS = (b"received", b"return-path", b"delivered-to", b"x-original-to")
ADDRESS_HEADERS = ("from", "sender", "reply-to", "to", "cc", "bcc")


def attachment(part):
    data = part.get_payload(decode=True) or b""
    return {
        "filename": part.get_filename(),
        "content_type": part.get_content_type(),
        "content_id": part.get("content-id"),
        "disposition": part.get_content_disposition(),
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def defects(message):
    found = []
    for part in message.walk():
        where = part.get_content_type()
        found += [f"{where}: {d!r}" for d in part.defects]
        for name, value in part.items():
            found += [f"{where}: {name}: {d!r}" for d in getattr(value, "defects", ())]
    return found


def body(message, kind):
    for part in message.walk():
        if part.get_content_type() == "text/" + kind and part.get_content_disposition() is None:
            return part
    return None


def header_lines(head):
    """The physical lines of the headers that the sender wrote."""
    trace = False
    for line in head.split(b"\n"):
        if line[:1] not in (b" ", b"\t"):
            trace = line.split(b":", 1)[0].lower() in TRACE_HEADERS
        if not trace:
            yield line.rstrip(b"\r")


def read(path):
    with open(path, "rb") as file:
        raw = file.read()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    text, html = body(message, "plain"), body(message, "html")
    head = raw.split(b"\n\n", 1)[0]
    return {
        "defects": defects(message),
        "headers": [[name, str(value)] for name, value in message.items()],
        "addresses": {
            name: [[a.display_name, a.addr_spec] for a in message[name].addresses]
            for name in ADDRESS_HEADERS if message[name] is not None
        },
        "text": None if text is None else text.get_content(),
        "html": None if html is None else html.get_content(),
        "attachments": [
            attachment(part) for part in message.walk()
            if not part.is_multipart() and part is not text and part is not html
        ],
        "longest_line": max(len(line.rstrip(b"\r")) for line in raw.split(b"\n")),
        "longest_header_line": max(len(line) for line in header_lines(head)),
        "raw_8bit_header": any(octet > 127 for octet in head),
    }


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    json.dump(read(sys.argv[1]), sys.stdout, ensure_ascii=True)


if __name__ == "__main__":
    main()

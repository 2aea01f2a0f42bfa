"""Random address fields of RFC 5322, and what Python's email package reads in them.

usage: addresses.py SEED COUNT

Prints one JSON array on a line for each field: the field, and the list of its
addresses as [local part, domain], or null where Python calls the field invalid.
Obsolete forms (RFC 5322 section 4.4) count as valid.
"""

import json
import random
import sys
from email import policy
from email.errors import InvalidHeaderDefect
from email.parser import BytesParser

PARSER = BytesParser(policy=policy.default)


def read(field):
    try:
        header = PARSER.parsebytes(b"To: " + field.encode() + b"\n\n")["To"]
        if any(isinstance(d, InvalidHeaderDefect) for d in header.defects):
            return None
        return [[a.username, a.domain] for a in header.addresses]
    except Exception:  # its parser has faults of its own
        return None


class Fields:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def pick(self, *choices):
        return self.r.choice(choices)

    def comment(self, depth=0):
        parts = ["(", self.pick("", "x", "his host", "a, b; c", "@", "<>", '"', "example.org")]
        if self.r.random() < 0.3:
            parts.append(self.pick("\\)", "\\(", "\\\\", '\\"'))
        if depth < 3 and self.r.random() < 0.4:
            parts.append(self.comment(depth + 1))
        parts.append(self.pick("", " y", "."))
        return "".join(parts) + ")"

    def cfws(self, often=0.25):
        if self.r.random() > often:
            return ""
        return self.pick(" ", "\t", "  ", self.comment(), " " + self.comment() + " ", self.comment() + self.comment())

    def atom(self):
        return "".join(self.r.choice("abcxyz019!#$%&'*+-/=^_`{|}~") for _ in range(self.r.randint(1, 6)))

    def quoted(self):
        inside = "".join(self.pick("a", "b c", " ", ".", "@", ",", ";", ":", "(", ")", "[", "\\\"", "\\\\", "\\x") for _ in range(self.r.randint(1, 4)))
        return '"' + inside + '"'

    def local(self):
        word = lambda: self.quoted() if self.r.random() < 0.2 else self.atom()
        return (self.cfws() + "." + self.cfws()).join(word() for _ in range(self.pick(1, 1, 2, 3)))

    def domain(self):
        if self.r.random() < 0.1:
            return self.pick("[192.0.2.1]", "[ 192.0.2.7 ]", "[IPv6:2001:db8::1]")
        label = lambda: "".join(self.r.choice("abcxyz019") for _ in range(self.r.randint(1, 6)))
        return (self.cfws() + "." + self.cfws()).join(label() for _ in range(self.pick(1, 2, 2, 3)))

    def address(self):
        return self.local() + self.cfws() + "@" + self.cfws() + self.domain()

    def name(self):
        word = lambda: self.pick(self.atom, self.quoted, lambda: " =?UTF-8?Q?a=2Cb?= ")()
        return " ".join(word() + self.cfws() for _ in range(self.r.randint(1, 3)))

    def mailbox(self):
        if self.r.random() < 0.4:
            return self.cfws() + self.address() + self.cfws()
        route = "@a.test,@b.test:" if self.r.random() < 0.1 else ""
        name = self.name() if self.r.random() < 0.8 else ""
        return self.cfws() + name + self.cfws(0.6) + "<" + self.cfws() + route + self.address() + self.cfws() + ">" + self.cfws()

    def group(self):
        return self.cfws() + self.name() + self.cfws() + ":" + ",".join(self.mailbox() for _ in range(self.pick(0, 1, 2))) + self.cfws() + ";" + self.cfws()

    def field(self):
        members = [self.group() if self.r.random() < 0.1 else self.mailbox() for _ in range(self.pick(1, 1, 1, 2, 3))]
        if self.r.random() < 0.1:
            members.insert(self.r.randrange(len(members)), self.cfws())
        return ",".join(members)


def main():
    fields = Fields(int(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        field = fields.field()
        print(json.dumps([field, read(field)]))


main()

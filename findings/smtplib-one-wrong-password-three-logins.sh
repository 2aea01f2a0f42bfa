#!/bin/sh
# What: smtplib.SMTP.login of CPython against a server that offers CRAM-MD5, PLAIN and LOGIN,
# with one wrong password.
# Expected: one failed login. The server has judged the password (535 5.7.8); another mechanism
# with the same password can only fail again.
# Seen: three failed logins for one call, with CRAM-MD5, PLAIN and LOGIN in turn. The same holds
# for a server that offers PLAIN and LOGIN: two.
# Why it matters: providers count failed logins and lock a mailbox after a handful. A program that
# retries once a minute uses up such a limit in a third of the time, and the account stays locked
# for programs with the right password. A sender should go on to the next mechanism only after a
# reply that judges nothing (500, 502, 504).
# Checked with CPython 3.11.7; smtplib is part of it, so that no package is installed.
# Exits non-zero if the behaviour changes.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/check.py" <<'PY'
import smtplib, socketserver, sys, threading

counts = {}


class Server(socketserver.StreamRequestHandler):
    offered = "CRAM-MD5 PLAIN LOGIN"

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        self.say("220 test")
        for line in self.rfile:
            words = line.decode().split()
            if words[0].upper() == "EHLO":
                self.say("250-test\r\n250 AUTH " + self.offered)
            elif words[0].upper() == "AUTH":
                counts[words[1]] = counts.get(words[1], 0) + 1
                # CRAM-MD5 and LOGIN ask first; PLAIN comes with the command.
                for challenge in {"CRAM-MD5": ["PDFAdGVzdD4="], "LOGIN": ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"]}.get(words[1], [])[len(words) - 2:]:
                    self.say("334 " + challenge)
                    self.rfile.readline()
                self.say("535 5.7.8 wrong password")
            elif words[0].upper() == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


def failures(offered):
    counts.clear()
    handler = type("Handler", (Server,), {"offered": offered})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with smtplib.SMTP("127.0.0.1", server.server_address[1], timeout=20) as client:
            try:
                client.login("me@example.test", "wrong")
                sys.exit("logged in")
            except smtplib.SMTPAuthenticationError:
                pass
        server.shutdown()
    return dict(counts)


print("Python", sys.version.split()[0])
for offered, want in (("PLAIN", 1), ("PLAIN LOGIN", 2), ("CRAM-MD5 PLAIN LOGIN", 3)):
    got = failures(offered)
    print(f"{offered}: {sum(got.values())} failed logins for one call: {got}")
    if sum(got.values()) != want:
        sys.exit("the behaviour has changed")
PY
python3 "$dir/check.py"

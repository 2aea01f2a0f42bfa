#!/bin/sh
# A patch quoted in a mail that mutt saved: two readers of mbox find two messages.
#
# mutt 2.2.12 (2.2.12-0.1~deb12u2) saves a copy of a sent mail in an mbox file and
# gives it a Content-Length; it does not quote lines that begin with "From ". The
# mail quotes the output of git format-patch. formail of procmail 3.22 (3.22-27)
# and mailbox.mbox of Python 3.11 read the file.
#
# Expected: one message to b@example.org.
# Seen: formail finds one message, Python finds two: the text after the quoted
# line is a message to list@example.net, and the first one ends there.
#
# Why it matters to a sender: a script that resends an archive with Python's
# mailbox module sends the patch to its list in its author's name, and the mail
# without its end to its own recipient.
set -eu
export DEBIAN_FRONTEND=noninteractive
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download mutt=2.2.12-0.1~deb12u2 procmail=3.22-27 libgpgme11 libassuan0 libtokyocabinet9 >apt.log 2>&1 || { cat apt.log; exit 2; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
LD_LIBRARY_PATH=$(find "$PWD/root" -name '*.so.*' -exec dirname {} \; | sort -u | paste -sd :)
export LD_LIBRARY_PATH
cat >text <<'TEXT'
Here it is:

From 1234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001
From: Dev <dev@example.net>
To: list@example.net
Subject: [PATCH] fix

---
TEXT
cat >muttrc <<MUTTRC
set record="$work/sent" copy=yes mbox_type=mbox sendmail="/bin/true" from="a@example.com" folder="$work"
MUTTRC
root/usr/bin/mutt -n -F muttrc -s "see below" -- b@example.org <text
grep -q '^Content-Length:' sent
root/usr/bin/formail -s root/usr/bin/formail -zxTo: <sent >formail
python3 -c 'import mailbox
for m in mailbox.mbox("sent"): print(m["To"])' >python
echo "formail: $(paste -sd ' ' formail)"
echo "Python:  $(paste -sd ' ' python)"
[ "$(cat formail)" = "b@example.org" ] && [ "$(paste -sd ' ' python)" = "b@example.org list@example.net" ]

#!/bin/sh
# mblaze ends the name of an attachment at the first quoted pair.
#
# mblaze 1.1 (1.1-1) of Debian 12 lists the parts of a valid message (mshow -t).
#
# Expected: a quoted string may hold a quote as \" (RFC 5322 section 3.2.4, and RFC
# 2045 section 5.1 for parameters), so the attachment is called: say "hi".txt
# Seen: the name is what stands before the quoted pair, with its backslash. The
# same name by RFC 2231 (filename*=) is read whole.
# Output seen: the two lines that the script prints and compares.
#
# Why it matters to a sender: names with quotes are legal on most systems, and all
# that a quoted string is for. By RFC 2231 they reach more readers, although the name
# is ASCII.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download mblaze=1.1-1 >apt.log 2>&1 || { cat apt.log; exit 2; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
MBLAZE="$PWD/state"
PATH="$PWD/root/usr/bin:$PATH"
export MBLAZE PATH LC_ALL=C.UTF-8
mkdir state

message() { # the parameter
	printf 'From: a@example.org\r\nTo: b@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n'
	printf 'Content-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\nContent-Type: text/plain\r\n\r\nhi\r\n--q\r\n'
	printf 'Content-Type: application/pdf\r\nContent-Disposition: attachment; %s\r\n\r\nx\r\n--q--\r\n' "$1"
}
message 'filename="say \"hi\".txt"' >quoted
message "filename*=UTF-8''say%20%22hi%22.txt" >extended
for file in quoted extended; do
	printf '%s: %s\n' "$file" "$(mshow -t "$PWD/$file" | sed -n 's/.*application\/pdf.* name=//p')"
done | tee seen
cat >want <<'WANT'
quoted: "say \"
extended: "say "hi".txt"
WANT
cmp -s want seen || { echo "the behaviour has changed"; exit 1; }

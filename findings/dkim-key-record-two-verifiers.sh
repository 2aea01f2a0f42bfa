#!/bin/sh
# One DKIM key record, two verifiers, two verdicts on a valid signature.
#
# Mail::DKIM 1.20230212 (libmail-dkim-perl 1.20230212-2~deb12u1) and dkimpy
# 1.1.4 (python3-dkim 1.1.4-1), both of Debian 12, read key records that differ
# only in form; the key is the same RSA key of 2048 bits.
#
# Expected: both take a record that RFC 6376 section 3.6.1 and its grammar of tag
# lists (section 3.2) allow, and both refuse one that they forbid.
# Seen:
#   an empty tag (";;", not in the grammar)       Mail::DKIM takes it, dkimpy does not
#   the key as RSAPublicKey (PKCS#1), as the RFC
#     says; SubjectPublicKeyInfo is its erratum   dkimpy takes it, Mail::DKIM does not
#   a list of services, "s=email:x" (allowed)     Mail::DKIM takes it, dkimpy does not
#   p= twice (forbidden)                          Mail::DKIM takes it, dkimpy does not
# Output seen: the table that the script prints and compares.
#
# Why it matters to a sender: "my checker says ok" is not "receivers verify it".
# A key record with an empty tag or in the older form loses DKIM, and often
# DMARC, at some receivers only.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download libmail-dkim-perl=1.20230212-2~deb12u1 python3-dkim=1.1.4-1 libcrypt-openssl-rsa-perl libcrypt-openssl-bignum-perl \
	libcryptx-perl libmailtools-perl libtimedate-perl libnet-dns-perl libmath-random-secure-perl libmail-authenticationresults-perl libjson-perl >apt.log 2>&1 || { cat apt.log; exit 2; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
PERL5LIB=$(find "$PWD/root" -path '*perl5*' -maxdepth 5 -type d | sort | paste -sd :)
export PERL5LIB
openssl genrsa -traditional -out key.pem 2048 2>/dev/null
spki=$(openssl rsa -in key.pem -pubout -outform DER 2>/dev/null | base64 -w 0)
pkcs1=$(openssl rsa -in key.pem -RSAPublicKey_out -outform DER 2>/dev/null | base64 -w 0)
cat >records <<EOF
plain|v=DKIM1; p=$spki
empty tag|v=DKIM1;; p=$spki
RSAPublicKey|v=DKIM1; p=$pkcs1
s=email:x|v=DKIM1; s=email:x; p=$spki
p= twice|v=DKIM1; p=$spki; p=$spki
EOF
perl -MMail::DKIM::PublicKey -e '
	while (<STDIN>) {
		chomp;
		my ($name, $record) = split /\|/, $_, 2;
		my $key = eval { Mail::DKIM::PublicKey->parse($record) };
		print $key && eval { $key->check } ? "good" : "refused", "\n";
	}' <records >maildkim
PYTHONPATH=root/usr/lib/python3/dist-packages python3 - >dkimpy <<'EOF'
import dkim
message = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: x\r\n\r\nhi\r\n"
signature = dkim.sign(message, b"s", b"example.org", open("key.pem", "rb").read())
for line in open("records", "rb"):
    record = line.rstrip(b"\n").split(b"|", 1)[1]
    try:
        good = dkim.DKIM(signature + message).verify(dnsfunc=lambda name, timeout=5: record)
    except Exception:
        good = False
    print("good" if good else "refused")
EOF
cut -d '|' -f 1 records | paste -d '|' - maildkim dkimpy | tee seen
cat >want <<'EOF'
plain|good|good
empty tag|good|refused
RSAPublicKey|refused|good
s=email:x|good|refused
p= twice|good|refused
EOF
diff want seen && echo "as described"

#!/bin/sh
# A DMARC record with one bad value: enforced by one receiver, void for another.
#
# OpenDMARC 1.4.2 (libopendmarc2 1.4.2-2+b1) and Mail::DMARC 1.20211209
# (libmail-dmarc-perl 1.20211209-4), both of Debian 12, are handed the same
# records, each with p=reject and one optional tag of a wrong value.
#
# Expected (RFC 7489 section 6.3: errors in the rest of a record SHOULD be
# discarded in favour of default values): p=reject is enforced by both.
# Seen: Mail::DMARC enforces every one of them. OpenDMARC refuses the whole
# record for ri=, fo=, sp= and pct= out of range, so that nothing is enforced; takes
# pct=abc for 0, which applies the policy to no message; and refuses a record
# that has rua= but no p=, which section 6.6.3 has both read as p=none.
# Output seen: the table that the script prints and compares.
#
# Why it matters to a sender: a typo in an optional tag decides by receiver
# whether spoofed mail is refused. A checker that says "valid" or "ignored"
# is wrong for half of them.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download libopendmarc2=1.4.2-2+b1 libmail-dmarc-perl=1.20211209-4 liburi-perl=5.17-1 libspf2-2=1.2.10-7.2+b1 libbsd0=0.11.7-2 libmd0=1.0.4-2 >apt.log 2>&1 || { cat apt.log; exit 2; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
library=$(find root -name 'libopendmarc.so.2*' -type f)
cat >records <<'EOF'
v=DMARC1; p=reject
v=DMARC1; p=reject; ri=abc
v=DMARC1; p=reject; fo=x
v=DMARC1; p=reject; sp=junk
v=DMARC1; p=reject; pct=150
v=DMARC1; p=reject; pct=abc
v=DMARC1; rua=mailto:a@example.org
EOF
cat >ask.py <<'EOF'
import ctypes, sys
lib = ctypes.CDLL(sys.argv[1])
lib.opendmarc_policy_connect_init.restype = ctypes.c_void_p
for name in ("opendmarc_policy_store_dmarc", "opendmarc_policy_fetch_p", "opendmarc_policy_fetch_pct"):
    getattr(lib, name).argtypes = None
for line in open("records"):
    record = line.rstrip("\n")
    ctx = ctypes.c_void_p(lib.opendmarc_policy_connect_init(b"192.0.2.1", 0))
    status = lib.opendmarc_policy_store_dmarc(ctx, record.encode(), b"example.org", None)
    p, pct = ctypes.c_int(0), ctypes.c_int(0)
    lib.opendmarc_policy_fetch_p(ctx, ctypes.byref(p))
    lib.opendmarc_policy_fetch_pct(ctx, ctypes.byref(pct))
    print("refused" if status else "p=%s pct=%d" % (chr(p.value), pct.value))
EOF
LD_LIBRARY_PATH=$(find root -name "*.so.*" -exec dirname {} + | sort -u | paste -sd :) python3 ask.py "$library" >opendmarc
PERL5LIB=root/usr/share/perl5 perl -MMail::DMARC::Policy -e '
	while (<STDIN>) {
		chomp;
		my $policy = eval { Mail::DMARC::Policy->new($_) };
		print $policy && eval { $policy->is_valid } ? "p=" . $policy->p : "refused", "\n";
	}' <records >maildmarc
paste -d '|' records opendmarc maildmarc | tee seen
cat >want <<'EOF'
v=DMARC1; p=reject|p=r pct=100|p=reject
v=DMARC1; p=reject; ri=abc|refused|p=reject
v=DMARC1; p=reject; fo=x|refused|p=reject
v=DMARC1; p=reject; sp=junk|refused|p=reject
v=DMARC1; p=reject; pct=150|refused|p=reject
v=DMARC1; p=reject; pct=abc|p=r pct=0|p=reject
v=DMARC1; rua=mailto:a@example.org|refused|p=none
EOF
diff want seen && echo "as described"

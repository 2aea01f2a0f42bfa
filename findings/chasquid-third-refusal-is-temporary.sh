#!/bin/sh
# The third refusal on a connection to chasquid is answered as a temporary one.
#
# chasquid 1.11-2+b2 of Debian 12, whose hook refuses every message for good; Python's
# smtplib offers three messages on one connection, each with DATA to its end.
#
# Expected: three times 554, since the server decided three times that it will not
# have the message.
# Seen: 554, 554, and "421 4.5.0 Too many errors, bye" in place of the third 554. An
# unknown recipient as the third error has its 550 replaced in the same way.
# Output seen: "554 554 421" and "550 550 421".
#
# Why it matters to a sender: a reply to the end of a message is about that message,
# and 421 says to try later. A sender that queues tries a message again, and reports to
# its author hours later, that the server had already refused for good; and one that
# takes 421 for a sign of overload slows down for a list with a few wrong addresses.
# The message is to be offered again at once, on another connection: there it gets its 554.
set -eu
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || :; rm -rf "$work"' EXIT
server=
cd "$work"
apt-get -q download chasquid=1.11-2+b2 >apt.log 2>&1 || { cat apt.log; exit 2; }
dpkg-deb -x chasquid_*.deb root
mkdir -p etc/certs/mail.example.test etc/domains/example.test etc/hooks data
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=mail.example.test \
	-addext subjectAltName=DNS:mail.example.test -keyout etc/certs/mail.example.test/privkey.pem \
	-out etc/certs/mail.example.test/fullchain.pem 2>/dev/null
printf 'known: kept@example.test\n' >etc/domains/example.test/aliases
printf '#!/bin/sh\necho not this one\nexit 20\n' >etc/hooks/post-data
chmod 755 etc/hooks/post-data
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >etc/chasquid.conf <<EOF
hostname: "mail.example.test"
smtp_address: "127.0.0.1:$port"
data_dir: "$work/data"
mail_log_path: "$work/mail.log"
EOF
root/usr/bin/chasquid -config_dir="$work/etc" >server.log 2>&1 &
server=$!
python3 - "$port" <<'EOF' || { tail -5 server.log; exit 1; }
import smtplib, sys, time

def connect():
    for _ in range(100):
        try:
            s = smtplib.SMTP('127.0.0.1', int(sys.argv[1]), timeout=10)
            s.ehlo('client.example.test')
            return s
        except OSError:
            time.sleep(0.1)
    sys.exit('the server did not start')

s, late = connect(), []
for _ in range(3):
    s.docmd('MAIL FROM:<me@example.test>')
    s.docmd('RCPT TO:<known@example.test>')
    late.append(s.data('Subject: x\r\n\r\nx\r\n')[0])
s.close()
s, unknown = connect(), []
s.docmd('MAIL FROM:<me@example.test>')
for i in range(3):
    unknown.append(s.docmd('RCPT TO:<nobody%d@example.test>' % i)[0])
print(*late)
print(*unknown)
sys.exit((late, unknown) != ([554, 554, 421], [550, 550, 421]))
EOF

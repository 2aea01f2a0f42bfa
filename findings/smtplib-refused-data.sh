#!/bin/sh
# After a refused DATA, Python's smtplib has the next good message refused.
#
# smtplib of Python 3.11 (Debian 12's python3) sends two messages with sendmail() on one connection to
# OpenSMTPD 6.8.0p2-4+b4 of Debian 12. A filter refuses DATA of the first, as one may that
# judges an envelope as a whole; nothing is wrong with the second.
#
# Expected: SMTPDataError for the first; the second is taken. sendmail() resets the
# transaction when it fails, as its documentation implies ("you may call it again").
# Seen: SMTPDataError with 550; then SMTPSenderRefused for the second, with "503 5.5.1 Invalid
# command: Command not allowed at this point." Only a third call works. sendmail() says RSET after a
# refused MAIL, after refused recipients and after a refused message, but not after a refused DATA
# command, and OpenSMTPD keeps the transaction open (RFC 5321 section 4.1.4 lets it refuse MAIL then).
# Output seen: "SMTPDataError 550", "SMTPSenderRefused 503", "taken".
#
# Why it matters to a sender: 503 is permanent, so that a program takes the sender of a good
# message for refused for good. A client has to say RSET after each transaction that did not
# end with a message, and a person who reads "sender refused: 503" should look one message back.
set -eu
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 2; }
work=$(mktemp -d)
trap 'kill -KILL $server 2>/dev/null || :; rm -rf "$work"' EXIT
server=
cd "$work"
chmod 755 .
apt-get -q download opensmtpd=6.8.0p2-4+b4 libevent-2.1-7 >apt.log 2>&1 || { cat apt.log; exit 2; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >smtpd.conf <<EOF
filter early phase data match mail-from regex { "^refused" } reject "550 not this one"
listen on 127.0.0.1 port $port filter early
action take relay host smtp://127.0.0.1:1
match from any for any action take
EOF
cp /etc/passwd /etc/group .
printf 'opensmtpd:x:9102:9102::/var/lib/opensmtpd/empty:/bin/false\nopensmtpq:x:9103:9103::/var/lib/opensmtpd/empty:/bin/false\n' >>passwd
printf 'opensmtpd:x:9102:\nopensmtpq:x:9103:\n' >>group
# The accounts and the queue exist in namespaces of the server's own only.
unshare --mount --pid --fork --kill-child -- /bin/sh -c '
	[ $$ = 1 ] || exit 70
	mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/group" /etc/group &&
	mount -t tmpfs -o mode=755 lib /var/lib && mkdir -p /var/lib/opensmtpd/empty && chmod -R 755 /var/lib/opensmtpd &&
	mount -t tmpfs -o mode=755 run /run && mount -t tmpfs -o mode=755 spool /var/spool && mkdir -p /var/spool/smtpd && chmod 711 /var/spool/smtpd &&
	mount --bind "$0/root/usr/sbin" /usr/sbin &&
	exec env LD_LIBRARY_PATH="$0/root/usr/lib/x86_64-linux-gnu:$0/root/lib/x86_64-linux-gnu" /usr/sbin/smtpd -d -f "$0/smtpd.conf"' "$work" >server.log 2>&1 &
server=$!
/usr/bin/python3 - "$port" <<'EOF' || { tail -5 server.log; exit 1; }
import smtplib, sys, time
for _ in range(100):
    try:
        s = smtplib.SMTP('127.0.0.1', int(sys.argv[1]), timeout=10)
        break
    except OSError:
        time.sleep(0.1)
else:
    sys.exit('the server did not start')
seen = []
for sender in ('refused@example.test', 'good@example.test', 'good@example.test'):
    try:
        s.sendmail(sender, ['to@example.test'], 'Subject: x\r\n\r\nx\r\n')
        seen.append('taken')
    except smtplib.SMTPResponseException as e:
        seen.append('%s %d' % (type(e).__name__, e.smtp_code))
print(*seen, sep='\n')
sys.exit(seen != ['SMTPDataError 550', 'SMTPSenderRefused 503', 'taken'])
EOF

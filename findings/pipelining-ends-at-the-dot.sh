#!/bin/sh
# Two servers offer PIPELINING and do not take the command that follows a message.
#
# chasquid 1.11-2+b2 of Debian 12 and Haraka 3.3.4 of npm list PIPELINING. A client
# writes the end of a message and the next MAIL at once, as RFC 2920 section 3.1 allows:
# the end of DATA is no command after which a client has to wait, and a server must
# keep its input buffer when it has taken a message.
#
# Expected: the reply to the message, then 250 to MAIL.
# Seen:
#   chasquid  250 to the message, and no reply to MAIL, which is gone
#   Haraka    250 to the message, and 503 "pipelined after end of DATA" to MAIL
# MAIL, RCPT and DATA in one write are answered by both.
# Output seen: "chasquid: 250 then nothing" and "Haraka: 250 then 503".
#
# Why it matters to a sender: one that pipelines as the RFC allows waits for minutes at
# the first, and takes a good message for refused for good at the second. Only the
# envelope may be pipelined unless it is known that the server does more.
set -eu
work=$(mktemp -d)
trap 'kill $servers 2>/dev/null || :; rm -rf "$work"' EXIT
servers=
cd "$work"
apt-get -q download chasquid=1.11-2+b2 >apt.log 2>&1 || { cat apt.log; exit 2; }
dpkg-deb -x chasquid_*.deb root
npm install --silent --ignore-scripts --no-audit --no-fund Haraka@3.3.4 >npm.log 2>&1 || { cat npm.log; exit 2; }
ports=$(python3 -c '
import socket
a, b = socket.socket(), socket.socket()
a.bind(("127.0.0.1", 0)); b.bind(("127.0.0.1", 0))
print(a.getsockname()[1], b.getsockname()[1])')
chasquid=${ports% *} haraka=${ports#* }

mkdir -p etc/certs/mail.example.test etc/domains/example.test data
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=mail.example.test \
	-addext subjectAltName=DNS:mail.example.test -keyout etc/certs/mail.example.test/privkey.pem \
	-out etc/certs/mail.example.test/fullchain.pem 2>/dev/null
printf 'known: kept@example.test\n' >etc/domains/example.test/aliases
printf 'hostname: "mail.example.test"\nsmtp_address: "127.0.0.1:%s"\ndata_dir: "%s/data"\nmail_log_path: "%s/mail.log"\nmail_delivery_agent_bin: "/bin/true"\n' \
	"$chasquid" "$work" "$work" >etc/chasquid.conf
root/usr/bin/chasquid -config_dir="$work/etc" >chasquid.log 2>&1 &
servers=$!

mkdir -p haraka/config haraka/plugins
cp -r node_modules/Haraka/config/. haraka/config/
printf 'mail.example.test\n' >haraka/config/me
printf 'take\n' >haraka/config/plugins
printf 'listen=127.0.0.1:%s\n' "$haraka" >haraka/config/smtp.ini
cat >haraka/plugins/take.js <<'EOF'
exports.hook_rcpt = (next) => next(OK)
exports.hook_queue = (next) => next(OK)
EOF
node node_modules/Haraka/bin/haraka -c "$work/haraka" >haraka.log 2>&1 &
servers="$servers $!"

python3 - "$chasquid" "$haraka" <<'EOF' || { tail -n 5 chasquid.log haraka.log; exit 1; }
import socket, sys, time

def talk(port):
    for _ in range(300):
        try:
            s = socket.create_connection(('127.0.0.1', port))
            break
        except OSError:
            time.sleep(0.1)
    else:
        sys.exit('port %d did not open' % port)
    s.settimeout(5)
    f = s.makefile('rb')
    def reply():
        while True:
            line = f.readline().decode()
            if line[3:4] != '-':
                return line
    reply()
    s.sendall(b'EHLO client.example.test\r\n')
    offered = b''
    while True:
        line = f.readline()
        offered += line
        if line[3:4] != b'-':
            break
    assert b'PIPELINING' in offered, offered
    s.sendall(b'MAIL FROM:<me@example.test>\r\nRCPT TO:<known@example.test>\r\nDATA\r\n')
    codes = [reply()[:3] for _ in range(3)]
    assert codes == ['250', '250', '354'], codes
    s.sendall(b'Subject: x\r\n\r\nx\r\n.\r\nMAIL FROM:<me@example.test>\r\n')
    first = reply()[:3]
    try:
        return '%s then %s' % (first, reply()[:3])
    except TimeoutError:
        return '%s then nothing' % first

seen = [talk(int(port)) for port in sys.argv[1:]]
print('chasquid: %s\nHaraka: %s' % tuple(seen))
sys.exit(seen != ['250 then nothing', '250 then 503'])
EOF

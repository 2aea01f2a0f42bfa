#!/bin/sh
# GNU mail says nothing when the server refuses one of two recipients.
#
# mail of GNU Mailutils 3.15 (mailutils 1:3.15-4) of Debian 12 sends a message to two
# recipients through an SMTP server ("set sendmail=smtp://..."). The server refuses one of
# them with 550 and takes the message for the other.
#
# Expected: a line that names the refused address, a status other than 0, or a
# dead.letter; with one recipient, who is refused, it prints an error and exits with 1.
# s-nail and mutt refuse to send to either, and say why.
# Seen: exit status 0, and no output. The message goes to the other recipient only, with
# the refused one still in its To field.
# Output seen: the two lines that the script prints and compares.
#
# Why it matters: a cron job that mails a report to two people tells its author
# nothing when one address has died, and the other recipient sees both names. A program
# that hands over mail by SMTP must look at the reply to each RCPT; one that relays may rather refuse
# the whole transaction than rely on clients of this kind.
set -eu
work=$(mktemp -d)
trap 'kill $server 2>/dev/null || :; rm -rf "$work"' EXIT
server=
cd "$work"
apt-get -q download mailutils=1:3.15-4 libmailutils9=1:3.15-4 mailutils-common=1:3.15-4 libmariadb3 libgc1 guile-3.0-libs >apt.log 2>&1 || { cat apt.log; exit 2; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
cat >server.py <<'EOS'
import socket, threading
s = socket.create_server(('127.0.0.1', 0))
print(s.getsockname()[1], flush=True)
def talk(c):
    f = c.makefile('rwb')
    def say(text):
        f.write(text + b'\r\n'); f.flush()
    say(b'220 server.example.test ESMTP')
    for line in f:
        verb = line[:4].upper()
        if verb == b'RCPT' and b'gone@' in line:
            say(b'550 5.1.1 no such user here')
        elif verb == b'DATA':
            say(b'354 go ahead')
            while f.readline() not in (b'.\r\n', b''):
                pass
            print('taken', flush=True)
            say(b'250 taken')
        elif verb == b'QUIT':
            say(b'221 bye'); break
        else:
            say(b'250 server.example.test')
    c.close()
while True:
    threading.Thread(target=talk, args=s.accept()[:1], daemon=True).start()
EOS
python3 server.py >log &
server=$!
while ! [ -s log ]; do sleep 0.1; done
port=$(head -1 log)
export HOME="$work" LC_ALL=C.UTF-8 LD_LIBRARY_PATH="$work/root/usr/lib/x86_64-linux-gnu:$work/root/usr/lib/x86_64-linux-gnu/mailutils"
try() {
	status=0
	echo hello | root/usr/bin/mail.mailutils -E "set sendmail=smtp://127.0.0.1:$port" -r me@example.org -s x "$@" >out 2>&1 || status=$?
	printf 'status %s, %s lines, messages taken: %s\n' "$status" "$(grep -c . out || :)" "$(grep -c taken log || :)"
}
{
	try gone@example.org
	try kept@example.org gone@example.org
} | tee seen
cat >want <<'WANT'
status 1, 1 lines, messages taken: 0
status 0, 0 lines, messages taken: 1
WANT
cmp -s want seen || { cat out; echo "the behaviour has changed"; exit 1; }

#!/bin/sh
# Django: a message whose connection was lost once can never be sent again.
#
# Django 3.2.25 (python3-django 3:3.2.25-0+deb12u7) of Debian 12 sends an EmailMessage. The
# server ends the connection in the place of its reply to the message, once; after that it works.
# The program calls send() of the same object again, as a job queue or a loop does.
#
# Expected: the second call opens a connection, as the first did, and the message is taken.
# Seen: the second call and all later ones raise SMTPServerDisconnected "please run connect()
# first", without a connection to the server. A new EmailMessage with the same content
# is taken. The message keeps its backend, and the backend keeps the dead connection: send_messages()
# closes only after success.
# Output seen: the three lines that the script prints and compares.
#
# Why it matters: the first failure leaves it open whether the message was taken; all
# others say "not connected", which reads like a server that is down, so that the retries of a
# mail that was lost once are used up in vain. A program that retries has to make a new
# object, or call message.connection.close() first; and then the Message-ID is another one.
set -eu
work=$(mktemp -d)
trap 'kill $server 2>/dev/null || :; rm -rf "$work"' EXIT
server=
cd "$work"
apt-get -q download python3-django=3:3.2.25-0+deb12u7 python3-asgiref python3-sqlparse python3-tz >apt.log 2>&1 || { cat apt.log; exit 2; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
cat >server.py <<'EOS'
import socket
s = socket.create_server(('127.0.0.1', 0))
print(s.getsockname()[1], flush=True)
lost = False
while True:
    c = s.accept()[0]
    f = c.makefile('rwb')
    def say(text):
        f.write(text + b'\r\n'); f.flush()
    say(b'220 server.example.test ESMTP')
    for line in f:
        verb = line[:4].upper()
        if verb == b'DATA':
            say(b'354 go ahead')
            while f.readline() not in (b'.\r\n', b''):
                pass
            if not lost:
                lost = True
                break
            say(b'250 taken')
        elif verb == b'QUIT':
            say(b'221 bye'); break
        else:
            say(b'250 server.example.test')
    f.close(); c.close()
EOS
python3 server.py >port &
server=$!
while ! [ -s port ]; do sleep 0.1; done
PYTHONPATH=root/usr/lib/python3/dist-packages /usr/bin/python3 - "$(cat port)" >seen 2>error.log <<'EOS' || :
import smtplib, sys
from django.conf import settings
settings.configure(EMAIL_HOST='127.0.0.1', EMAIL_PORT=int(sys.argv[1]), EMAIL_TIMEOUT=10)
from django.core.mail import EmailMessage
def new():
    return EmailMessage('x', 'x', 'a@example.org', ['b@example.org'])
def send(m):
    try:
        return '%d taken' % m.send()
    except smtplib.SMTPException as e:
        return '%s: %s' % (type(e).__name__, e)
m = new()
print('first:', send(m))
print('again:', send(m))
print('new object:', send(new()))
EOS
cat seen
cat >want <<'WANT'
first: SMTPServerDisconnected: Connection unexpectedly closed
again: SMTPServerDisconnected: please run connect() first
new object: 1 taken
WANT
cmp -s want seen || { cat error.log; echo "the behaviour has changed"; exit 1; }

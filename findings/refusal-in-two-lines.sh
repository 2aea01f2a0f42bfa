#!/bin/sh
# A refusal of two lines: one client shows the first line only, another the last.
#
# mutt 2.2.12 (2.2.12-0.1~deb12u2) and Ruby's net-smtp 0.3.1 (libruby3.1
# 3.1.7+really3.1.2-0+deb12u1), both of Debian 12, hand a message to a server that refuses the
# sender in two lines: what is wrong, and what to do about it (RFC 5321 section 4.2.1).
#
# Expected: the user reads both lines, as with Python's smtplib, Go's net/smtp, nodemailer,
# Symfony Mailer and msmtp.
# Seen: Ruby's exception has the first line, with the hyphen of "550-"; mutt prints the last.
# Output seen: the two lines that the script prints and compares.
#
# Why it matters: a server that explains in a second line reaches some users with only
# half of it, and which half depends on their program. All that a user has to know must be
# in one line; longer explanations belong into a document that this line names.
set -eu
work=$(mktemp -d)
trap 'kill $server 2>/dev/null || :; rm -rf "$work"' EXIT
server=
cd "$work"
apt-get -q download mutt=2.2.12-0.1~deb12u2 libgpgme11 libassuan0 \
	ruby3.1=3.1.7+really3.1.2-0+deb12u1 libruby3.1=3.1.7+really3.1.2-0+deb12u1 >apt.log 2>&1 || { cat apt.log; exit 2; }
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
        if verb == b'MAIL':
            say(b'550-5.7.1 you may not use this sender\r\n550 5.7.1 ask for it at help.example.test')
        elif verb == b'QUIT':
            say(b'221 bye'); break
        else:
            say(b'250 server.example.test')
    c.close()
while True:
    threading.Thread(target=talk, args=s.accept()[:1], daemon=True).start()
EOS
python3 server.py >port &
server=$!
while ! [ -s port ]; do sleep 0.1; done
port=$(cat port)
export HOME="$work" LC_ALL=C.UTF-8 LD_LIBRARY_PATH="$work/root/usr/lib/x86_64-linux-gnu"
{
	printf 'Ruby: '
	root/usr/bin/ruby3.1 -I root/usr/lib/ruby/gems/3.1.0/gems/net-smtp-0.3.1/lib -I root/usr/lib/ruby/3.1.0 \
		-I root/usr/lib/x86_64-linux-gnu/ruby/3.1.0 --disable-gems -e '
		require "net/smtp"
		begin Net::SMTP.start("127.0.0.1", ARGV[0].to_i) { |s| s.send_message "Subject: x\r\n\r\nx\r\n", "a@example.org", "b@example.org" }
		rescue => e
			puts e.message
		end' "$port" 2>ruby.log
	printf 'mutt: '
	echo x | root/usr/bin/mutt -n -F /dev/null -e "set from=a@example.org ssl_force_tls=no smtp_url=smtp://127.0.0.1:$port/" -s x b@example.org 2>&1 |
		sed -n 's/^SMTP session failed: //p'
} | tee seen
cat >want <<'WANT'
Ruby: 550-5.7.1 you may not use this sender
mutt: 550 5.7.1 ask for it at help.example.test
WANT
cmp -s want seen || { cat ruby.log; echo "the behaviour has changed"; exit 1; }

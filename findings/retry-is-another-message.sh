#!/bin/sh
# The same object, sent again after a lost reply, is another message for three libraries.
#
# nodemailer 10.6.1 of npm; PHPMailer 6.6.3 (libphp-phpmailer 6.6.3-1), Symfony Mailer 5.4.53
# (php-symfony-mailer 5.4.53+dfsg-0+deb12u1) and Ruby's mail 2.7.1 (ruby-mail 2.7.1+dfsg1-2), these of
# Debian 12. Each sends one message without setting a Message-ID. The server takes it, but the
# connection ends before its 250 arrives; the program sends the same object once more.
#
# Expected: the second try has the Message-ID of the first. The message is the same
# version of the same message (RFC 5322 section 3.6.4), and nobody changed a field.
# Seen: only Ruby's mail keeps it. The other three make a new Message-ID at each try,
# so that the recipient has two different messages.
# Output seen: the four lines that the script prints and compares.
#
# Why it matters: mailboxes and relays that drop duplicates compare the Message-ID. A job queue
# that tries again after a lost connection, as they all do, gets no help from that unless
# the program sets a Message-ID itself before the first try. None of the four says that the
# result is unknown rather than failed.
set -eu
work=$(mktemp -d)
trap 'kill $server 2>/dev/null || :; rm -rf "$work"' EXIT
server=
cd "$work"
apt-get -q download php8.2-cli=8.2.36-1~deb12u1 php8.2-common=8.2.36-1~deb12u1 php8.2-mbstring=8.2.36-1~deb12u1 php8.2-intl=8.2.36-1~deb12u1 libicu72 libonig5 \
	libargon2-1 libsodium23 libphp-phpmailer=6.6.3-1 php-symfony-mailer=5.4.53+dfsg-0+deb12u1 php-symfony-mime php-email-validator \
	php-doctrine-lexer php-doctrine-deprecations php-psr-event-dispatcher php-psr-log php-psr-container php-symfony-deprecation-contracts \
	php-symfony-event-dispatcher php-symfony-event-dispatcher-contracts php-symfony-service-contracts \
	ruby3.1=3.1.7+really3.1.2-0+deb12u1 libruby3.1=3.1.7+really3.1.2-0+deb12u1 ruby-mail=2.7.1+dfsg1-2 ruby-mini-mime >apt.log 2>&1 || { cat apt.log; exit 2; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
npm install --silent --ignore-scripts --no-audit --no-fund nodemailer@10.6.1 >npm.log 2>&1 || { cat npm.log; exit 2; }
cat >server.py <<'EOS'
import socket
s = socket.create_server(('127.0.0.1', 0))
print(s.getsockname()[1], flush=True)
ids = []
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
            for line in iter(f.readline, b'.\r\n'):
                if line.lower().startswith(b'message-id:'):
                    ids.append(line)
            if len(ids) % 2:
                break # the message is kept, and its 250 lost
            say(b'250 taken')
            print('the same' if ids[-1] == ids[-2] else 'another', flush=True)
        elif verb == b'QUIT':
            say(b'221 bye'); break
        else:
            say(b'250 server.example.test')
    f.close(); c.close()
EOS
python3 server.py >log &
server=$!
while ! [ -s log ]; do sleep 0.1; done
PORT=$(head -1 log)
export PORT HOME="$work" LC_ALL=C.UTF-8 LD_LIBRARY_PATH="$work/root/usr/lib/x86_64-linux-gnu:$work/root/lib/x86_64-linux-gnu"
cat >nodemailer.js <<'EOS'
const t = require('nodemailer').createTransport({ host: '127.0.0.1', port: Number(process.env.PORT) })
const message = { from: 'a@example.org', to: 'b@example.org', subject: 'x', text: 'x' }
t.sendMail(message).catch(() => t.sendMail(message))
EOS
cat >phpmailer.php <<'EOS'
<?php
foreach (['Exception', 'SMTP', 'PHPMailer'] as $file) require "root/usr/share/php/libphp-phpmailer/src/$file.php";
$m = new PHPMailer\PHPMailer\PHPMailer(true);
$m->isSMTP(); $m->Host = '127.0.0.1'; $m->Port = getenv('PORT');
$m->setFrom('a@example.org'); $m->addAddress('b@example.org'); $m->Subject = 'x'; $m->Body = 'x';
try { $m->send(); } catch (Exception $e) { $m->send(); }
EOS
cat >symfony.php <<'EOS'
<?php
set_include_path('root/usr/share/php');
require 'Symfony/Component/Mailer/autoload.php';
$t = Symfony\Component\Mailer\Transport::fromDsn('smtp://127.0.0.1:' . getenv('PORT'));
$m = (new Symfony\Component\Mime\Email())->from('a@example.org')->to('b@example.org')->subject('x')->text('x');
try { $t->send($m); } catch (Exception $e) { $t->send($m); }
EOS
cat >mail.rb <<'EOS'
require 'mail'
m = Mail.new(from: 'a@example.org', to: 'b@example.org', subject: 'x', body: 'x')
m.delivery_method :smtp, address: '127.0.0.1', port: ENV['PORT'].to_i
begin m.deliver!; rescue EOFError; m.deliver!; end
EOS
modules=$(echo root/usr/lib/php/2*)
php() { root/usr/bin/php8.2 -n -d extension_dir="$work/$modules" -d extension=ctype -d extension=iconv -d extension=mbstring -d extension=intl "$@"; }
gems=root/usr/lib/ruby
mini=$(echo root/usr/share/rubygems-integration/all/gems/mini_mime-*/lib)
node nodemailer.js 2>error.log
php phpmailer.php 2>>error.log
php symfony.php 2>>error.log
root/usr/bin/ruby3.1 --disable-gems \
	-I $gems/gems/3.1.0/gems/net-smtp-0.3.1/lib -I $gems/3.1.0 -I root/usr/lib/x86_64-linux-gnu/ruby/3.1.0 \
	-I $gems/vendor_ruby -I "$mini" mail.rb 2>>error.log
printf 'nodemailer\nPHPMailer\nSymfony Mailer\nRuby mail\n' >names
tail -n +2 log | paste -d : names - | tee seen
cat >want <<'WANT'
nodemailer:another
PHPMailer:another
Symfony Mailer:another
Ruby mail:the same
WANT
cmp -s want seen || { cat error.log; echo "the behaviour has changed"; exit 1; }

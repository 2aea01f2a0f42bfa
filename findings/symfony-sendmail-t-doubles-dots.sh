#!/bin/sh
# Symfony Mailer's "sendmail -t" doubles dots, and only the original sendmail takes that back.
#
# Symfony Mailer 5.4.53 (php-symfony-mailer 5.4.53+dfsg-0+deb12u1) with the transport
# sendmail://default?command=/usr/sbin/sendmail%20-t; as sendmail, sendmail 8.17.1 (sendmail-bin
# 8.17.1.9-2+deb12u2) and nullmailer 2.2 (1:2.2-4), all of Debian 12. The text has the lines
# "." and ".hidden".
#
# Expected: the text is queued as it was given. The command has no -i, so that a line of
# a single dot ends the message at the original sendmail; Symfony doubles a dot at
# the start of each line, as in SMTP.
# Seen: the original sendmail removes one dot of two, and has the right text. nullmailer, which
# never ends a message at a dot, keeps both: ".." and "..hidden".
# Output seen: the two lines that the script prints and compares.
#
# Why it matters: on a machine that does not run the original sendmail, a list of
# ".gitignore" files or a diff arrives changed, and nothing fails; no sendmail can tell a text that
# was doubled from one that was not. With "-t -i" the text is right at both.
set -eu
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
chmod 755 .
apt-get -q download sendmail-bin=8.17.1.9-2+deb12u2 sendmail-cf=8.17.1.9-2+deb12u2 sendmail-base=8.17.1.9-2+deb12u2 m4 liblockfile1 libsasl2-2 libwrap0 nullmailer=1:2.2-4 \
	php8.2-cli=8.2.36-1~deb12u1 php8.2-common=8.2.36-1~deb12u1 php8.2-mbstring=8.2.36-1~deb12u1 php8.2-intl=8.2.36-1~deb12u1 libicu72 libonig5 \
	libargon2-1 libsodium23 php-symfony-mailer=5.4.53+dfsg-0+deb12u1 php-symfony-mime php-email-validator \
	php-doctrine-lexer php-doctrine-deprecations php-psr-event-dispatcher php-psr-log php-psr-container php-symfony-deprecation-contracts \
	php-symfony-event-dispatcher php-symfony-event-dispatcher-contracts php-symfony-service-contracts >apt.log 2>&1 || { cat apt.log; exit 2; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
cat >send.php <<'EOS'
<?php
require '/usr/share/php/Symfony/Component/Mailer/autoload.php';
Symfony\Component\Mailer\Transport::fromDsn('sendmail://default?command=' . rawurlencode($argv[1]))->send(
	(new Symfony\Component\Mime\Email())->from('a@example.org')->to('b@example.org')->subject('x')->text("one\n.\n.hidden\nend\n"));
EOS
cat >inside.sh <<'EOS'
mount -t tmpfs scratch "$0/scratch"
for folder in usr etc var; do
	mkdir "$0/scratch/$folder" "$0/scratch/work-$folder"
	mount -t overlay overlay -o "lowerdir=$0/root/$folder:/$folder,upperdir=$0/scratch/$folder,workdir=$0/scratch/work-$folder" "/$folder"
done
export LD_LIBRARY_PATH="$0/root/lib/x86_64-linux-gnu"
echo host.example.test >/etc/mailname
printf '127.0.0.1 localhost host.example.test\n' >/etc/hosts
printf 'hosts: files\npasswd: files\ngroup: files\n' >/etc/nsswitch.conf
printf 'smmta:x:9104:\nsmmsp:x:9105:\n' >>/etc/group
printf 'smmta:x:9104:9104::/:/bin/false\nsmmsp:x:9105:9105::/:/bin/false\n' >>/etc/passwd
mkdir -p "$0/queue" /etc/nullmailer /var/spool/nullmailer/queue /var/spool/nullmailer/tmp
mkfifo /var/spool/nullmailer/trigger
chown -R mail /var/spool/nullmailer
cat >"$0/queue.mc" <<EOT
OSTYPE(\`linux')dnl
define(\`confDOMAIN_NAME', \`host.example.test')dnl
define(\`QUEUE_DIR', \`$0/queue')dnl
define(\`STATUS_FILE', \`')dnl
define(\`ALIAS_FILE', \`')dnl
define(\`confCW_FILE', \`')dnl
define(\`confREFUSE_LA', \`1000')dnl
define(\`confDELIVERY_MODE', \`queueonly')dnl
FEATURE(\`nocanonify')dnl
MAILER(\`smtp')dnl
EOT
m4 -D_CF_DIR_=/usr/share/sendmail/cf/ /usr/share/sendmail/cf/m4/cf.m4 "$0/queue.mc" >"$0/queue.cf"
send() { php8.2 -n -d error_reporting=0 -d extension=ctype -d extension=iconv -d extension=mbstring -d extension=intl "$0/send.php" "$1"; }
text() { sed -n '/^one/,/^end/p' "$@" | tr -d '\r' | tr '\n' ' '; }
send "/usr/libexec/sendmail/sendmail -C $0/queue.cf -t"
echo "sendmail: $(text "$0"/queue/df*)"
send '/usr/sbin/sendmail -t'
echo "nullmailer: $(text /var/spool/nullmailer/queue/*)"
EOS
mkdir scratch
unshare --mount --uts --pid --fork --kill-child -- /bin/sh -c '. "$0/inside.sh"' "$work" >seen 2>error.log </dev/null || :
cat seen
cat >want <<'WANT'
sendmail: one . .hidden end 
nullmailer: one .. ..hidden end 
WANT
cmp -s want seen || { cat error.log; echo "the behaviour has changed"; exit 1; }

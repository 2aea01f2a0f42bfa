#!/bin/sh
# Makes the machine of callers_test.go, and runs a command in it:
#
#	world.sh ROOT FOLDER COMMAND...
#
# ROOT is the folder that fetch.sh printed, FOLDER a new one for everything that is
# written. The command runs in mount and process namespaces of its own: ROOT's
# packages are over /usr, /etc and /var there, with a scratch layer above, and no
# other process sees that. FOLDER/bin/sendmail is /usr/sbin/sendmail there.
# When the command ends, the kernel ends every process of the machine.
#
# The users are mia, who calls the programs, www-data, and the yan of yan serve.
set -eu

if [ "$1" != inside ]; then
	exec unshare --mount --uts --pid --fork --kill-child --mount-proc -- /bin/sh "$0" inside "$@"
fi
# Mounts that were made outside would be everybody's.
[ $$ = 1 ] || { echo "world.sh: not in a namespace of its own" >&2; exit 70; }
shift
root=$1 DIR=$2
shift 2

scratch=$DIR/scratch
mkdir -p "$scratch"
mount -t tmpfs -o mode=755 scratch "$scratch"
for folder in usr etc var; do
	mkdir -p "$scratch/$folder" "$scratch/work-$folder"
	mount -t overlay overlay -o "lowerdir=$root/root/$folder:/$folder,upperdir=$scratch/$folder,workdir=$scratch/work-$folder" "/$folder"
done
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs -o mode=755 home /home
mount -t tmpfs -o mode=700 root /root

hostname host.example.test
printf '127.0.0.1 localhost host.example.test host\n' >/etc/hosts
printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' >/etc/resolv.conf # answers "no" at once
printf 'hosts: files\npasswd: files\ngroup: files\nshadow: files\n' >/etc/nsswitch.conf
printf 'host.example.test\n' >/etc/mailname
rm -f /etc/aliases /etc/msmtprc /etc/mail.rc /etc/cron.allow /etc/at.allow
rm -rf /etc/cron.d /etc/cron.hourly /etc/cron.daily /etc/crontab
ln -sf /usr/bin/bsd-mailx /usr/bin/mail
account() { # NAME ID HOME
	printf '%s:x:%s:\n' "$1" "$2" >>/etc/group
	printf '%s:x:%s:%s:%s:%s:/bin/sh\n' "$1" "$2" "$2" "${4-}" "$3" >>/etc/passwd
	printf '%s:*:19000:0:99999:7:::\n' "$1" >>/etc/shadow
	mkdir -p "$3" && chown "$2:$2" "$3"
}
grep -q '^crontab:' /etc/group || printf 'crontab:x:9103:\n' >>/etc/group
account mia 9101 /home/mia Mia
account yan 9102 /var/lib/yan
chmod 700 /var/lib/yan
mkdir -p /run/yan /etc/yan /var/spool/yan/drop && chown yan:yan /run/yan /etc/yan /var/spool/yan/drop
chmod 3733 /var/spool/yan/drop
cp "$DIR/config.toml" /etc/yan/ && chown yan:yan /etc/yan/config.toml && chmod 600 /etc/yan/config.toml

for name in sbin/sendmail lib/sendmail bin/mailq bin/newaliases; do
	rm -f "/usr/$name"
	ln -s "$DIR/bin/sendmail" "/usr/$name"
done
ln -sf "$DIR/bin/yan" /usr/bin/yan

# What the packages' own scripts would have done.
chown root:crontab /var/spool/cron/crontabs && chmod 1730 /var/spool/cron/crontabs
chown daemon:daemon /usr/bin/at /var/spool/cron/atjobs /var/spool/cron/atspool
chmod 6755 /usr/bin/at
chmod 4755 /usr/bin/sudo
chmod 1770 /var/spool/cron/atjobs /var/spool/cron/atspool
install -o daemon -g daemon -m 600 /dev/null /var/spool/cron/atjobs/.SEQ

printf 'Defaults mail_always, mailto = "sudo@example.org"\nmia ALL = NOPASSWD: /bin/true\n' >/etc/sudoers
chmod 440 /etc/sudoers
printf 'MAILTO=cron@example.org\n@reboot cat /home/mia/text\n' >/var/spool/cron/crontabs/mia
chown mia:crontab /var/spool/cron/crontabs/mia && chmod 600 /var/spool/cron/crontabs/mia
printf 'one\n.\n..two\n\344\275\240\345\245\275\n' >/home/mia/text
exec "$@"

#!/bin/sh
# dma says that a message is queued before the disk has its name.
#
# dma 0.13 (0.13-1+b1) and nullmailer 2.2 (1:2.2-4) of Debian 12 take the same message as
# /usr/sbin/sendmail; strace 6.1 (6.1-0.1) lists the calls of each that make it durable.
#
# Expected: the file is synced, then given its name in the queue, then the folder is synced,
# and only then exit status 0: after fsync of a file its name "is not necessarily on disk;
# for that an explicit fsync on the directory is needed" (fsync(2)). nullmailer does this.
# Seen: dma syncs the text under a temporary name and the envelope under its own, then makes a
# hard link from the temporary name to the final one, removes the temporary one, and ends
# with 0. Nothing is synced after the link.
# Output seen: the two lines that the script prints and compares.
#
# Why it matters: with power lost in the seconds until the file system writes its
# journal, the envelope is in the queue and the text has no name there. The caller, cron for instance,
# has long been told that the message is kept. A queue of files has to sync the folder after
# the last change of a name, and "fsync is called" does not mean that it does.
set -eu
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
chmod 755 .
apt-get -q download dma=0.13-1+b1 nullmailer=1:2.2-4 strace=6.1-0.1 libunwind8 >apt.log 2>&1 || { cat apt.log; exit 2; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
cat >inside.sh <<'EOS'
mount -t tmpfs scratch "$0/scratch"
for folder in usr etc var; do
	mkdir "$0/scratch/$folder" "$0/scratch/work-$folder"
	mount -t overlay overlay -o "lowerdir=$0/root/$folder:/$folder,upperdir=$0/scratch/$folder,workdir=$0/scratch/work-$folder" "/$folder"
done
export LD_LIBRARY_PATH="$0/root/usr/lib/x86_64-linux-gnu"
echo host.example.test >/etc/mailname
printf 'hosts: files\npasswd: files\ngroup: files\n' >/etc/nsswitch.conf
rm -rf /var/spool/nullmailer /var/spool/dma
mkdir -p /etc/dma /var/spool/dma /etc/nullmailer /var/spool/nullmailer/queue /var/spool/nullmailer/tmp
printf 'DEFER\nMAILNAME /etc/mailname\n' >/etc/dma/dma.conf
: >/etc/dma/auth.conf
mkfifo /var/spool/nullmailer/trigger
chown -R mail /var/spool/nullmailer
chown root:mail /var/spool/dma
chmod 2775 /var/spool/dma
take() {
	name=$1
	shift
	printf 'From: a@example.org\nTo: b@example.org\nSubject: x\n\nhi\n' |
		"$root/usr/bin/strace" -f -y -o "$trace" -e trace=fsync,fdatasync,link,linkat,rename,renameat,exit_group "$@" || echo "exit status $?"
	printf '%s:' "$name"
	grep -e '/var/spool' -e 'exit_group' "$trace" | sed -e 's/^[0-9]* *//' -e 's/^exit_group.*/exit/' -e 's/(.*//' | uniq | tr '\n' ' '
	echo
}
root=$0/root trace=$0/trace
take nullmailer /usr/bin/nullmailer-inject -h b@example.org # which /usr/sbin/sendmail is
take dma /usr/sbin/dma -i b@example.org
EOS
mkdir scratch
unshare --mount --pid --fork --kill-child -- /bin/sh -c '. "$0/inside.sh"' "$work" >seen 2>error.log </dev/null || :
cat seen
cat >want <<'WANT'
nullmailer:fsync link fsync exit 
dma:fsync link exit 
WANT
cmp -s want seen || { cat error.log; echo "the behaviour has changed"; exit 1; }

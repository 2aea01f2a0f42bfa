# Debian's Courier: what it takes stays in its queue, DIR/courier/msgs, since the
# daemon that would deliver it does not run.
account courier 9107 /var/lib/courier
mkdir -p "$DIR/courier" "$DIR/log" /run/courier
chown courier "$DIR/log"
cp -a /var/lib/courier/. "$DIR/courier/"
mount --bind "$DIR/courier" /var/lib/courier
for folder in allfilters filters msgq msgs track tmp; do mkdir -p "/var/lib/courier/$folder"; done
chown -R courier:courier /var/lib/courier /run/courier
chmod 755 /var/lib/courier
chmod 4755 /usr/lib/courier/courier/submitmkdir
chown courier:courier /usr/lib/courier/courier/submitmkdir
cd /etc/courier
printf 'peer.example.test\n' >me
printf 'example.test\n' >defaultdomain
printf 'localhost\nexample.test\n' >locals
printf 'postmaster@example.test\n' >dsnfrom
printf 'good: kept@elsewhere.example\n' >aliases/system
printf 'example.test\n' >esmtpacceptmailfor
/usr/sbin/makealiases
mkdir -p /run/courier/authdaemon
chown -R courier /run/courier
sed -i 's/^authmodulelist=.*/authmodulelist="authuserdb"/' authdaemonrc
: >userdb
chmod 600 userdb
/usr/sbin/makeuserdb
/usr/sbin/authdaemond start
port=$PORT
prefix=/usr exec_prefix=/usr sysconfdir=/etc/courier sbindir=/usr/sbin
set -a
. /etc/courier/esmtpd
BOFHCHECKDNS=0 TARPIT=0
unset TCPDOPTS ADDRESS
set +a
exec /usr/sbin/couriertcpd -address=127.0.0.1 -maxprocs=40 -maxperip=40 -maxperc=40 -stderr="$DIR/log/courier.log" -noidentlookup -nodnslookup \
	-user=courier -group=courier "$port" /usr/sbin/courieresmtpd

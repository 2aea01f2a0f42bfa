# Debian's OpenSMTPD: what it takes becomes files in the Maildir DIR/box.
account opensmtpd 9102 /var/lib/opensmtpd/empty
account opensmtpq 9103 /var/lib/opensmtpd/empty
mkdir -p /var/lib/opensmtpd/empty "$DIR/box"
chown nobody "$DIR/box"
mkdir -p /var/spool/smtpd
chmod 711 /var/spool/smtpd
printf '@: nobody\n' >"$DIR/virtual"
cat >"$DIR/smtpd.conf" <<EOF
table anyone file:$DIR/virtual
queue ttl 1h
filter refused phase rcpt-to match rcpt-to regex { "^reject-" } reject "550 no such user here"
filter late phase commit match mail-from regex { "^late-" } reject "550 this message is refused"
filter all chain { refused, late }
listen on 127.0.0.1 port $PORT filter all
action keep maildir "$DIR/box" virtual <anyone>
match from any for any action keep
EOF
exec /usr/sbin/smtpd -d -f "$DIR/smtpd.conf"

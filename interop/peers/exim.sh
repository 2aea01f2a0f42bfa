# Debian's Exim: what it takes stays in its queue, DIR/spool/input.
account Debian-exim 9101 /var/spool/exim4
mkdir -p "$DIR/spool" "$DIR/log"
chown -R Debian-exim:Debian-exim "$DIR/spool" "$DIR/log"
cat >"$DIR/exim.conf" <<EOF
primary_hostname = peer.example.test
local_interfaces = 127.0.0.1
daemon_smtp_ports = $PORT
spool_directory = $DIR/spool
log_file_path = $DIR/log/%slog
pid_file_path = $DIR/exim.pid
exim_user = Debian-exim
exim_group = Debian-exim
queue_only
rfc1413_hosts = :
host_lookup = :
acl_smtp_rcpt = rcpt
acl_smtp_data = data
chunking_advertise_hosts = ${CHUNKING-*}
begin acl
rcpt:
  deny  local_parts = ^reject-
        message     = no such user here
  defer local_parts = ^defer-
        message     = try again later
  accept
data:
  deny  condition = \${if def:h_X-Refuse:}
        message   = this message is refused
  accept
begin routers
keep:
  driver = redirect
  data = :blackhole:
begin transports
EOF
exec /usr/sbin/exim4 -C "$DIR/exim.conf" -bdf

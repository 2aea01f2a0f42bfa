# A server of go-smtp: a file of each message, in DIR/box.
mkdir -p "$DIR/box"
exec "$root/gosmtp" "$PORT" "$DIR/box"

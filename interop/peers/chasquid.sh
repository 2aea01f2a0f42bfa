# Debian's chasquid: what it takes is given to deliver, which makes files of it in
# DIR/box.
account chasquid 9106
mkdir -p "$DIR/etc/certs/peer.example.test" "$DIR/etc/domains/example.test" "$DIR/etc/hooks" "$DIR/data" "$DIR/box"
cp "$here/chasquid-deliver.sh" "$DIR/deliver"
chmod 755 "$DIR/deliver"
for file in fullchain privkey; do # the file that Yan's tests made holds both
	cp "$DIR/certificates/good.pem" "$DIR/etc/certs/peer.example.test/$file.pem"
done
printf 'good: keep@example.test\n' >"$DIR/etc/domains/example.test/aliases"
cat >"$DIR/etc/hooks/post-data" <<'EOF'
#!/bin/sh
# Only the header: what may say so in the body is not asked.
if sed '/^\r*$/q' | grep -qi '^X-Refuse:'; then echo 'this message is refused'; exit 20; fi
EOF
chmod 755 "$DIR/etc/hooks/post-data"
cat >"$DIR/etc/chasquid.conf" <<EOF
hostname: "peer.example.test"
smtp_address: "127.0.0.1:$PORT"
data_dir: "$DIR/data"
mail_delivery_agent_bin: "$DIR/deliver"
mail_delivery_agent_args: "$DIR/box"
mail_log_path: "$DIR/mail.log"
EOF
exec /usr/bin/chasquid -config_dir="$DIR/etc"

# nodemailer's smtp-server, of npm: a file of each message, in DIR/box.
mkdir -p "$DIR/box"
ln -s "$root/node_modules" "$DIR/node_modules"
cp "$here/smtp-server/serve.js" "$DIR/"
exec node "$DIR/serve.js" "$PORT" "$DIR/box"

# Debian's sendmail: what it takes stays in its queue, DIR/queue.
account smmta 9104
account smmsp 9105
mkdir -p "$DIR/queue" "$DIR/etc"
chmod 700 "$DIR/queue"
cat >"$DIR/sendmail.mc" <<EOF
OSTYPE(\`linux')dnl
define(\`confCF_VERSION', \`peer')dnl
define(\`confDOMAIN_NAME', \`peer.example.test')dnl
define(\`QUEUE_DIR', \`$DIR/queue')dnl
define(\`confPID_FILE', \`$DIR/sendmail.pid')dnl
define(\`STATUS_FILE', \`')dnl
define(\`ALIAS_FILE', \`')dnl
define(\`confCW_FILE', \`')dnl
define(\`confREFUSE_LA', \`1000')dnl
define(\`confDELIVERY_MODE', \`queueonly')dnl
define(\`confTO_IDENT', \`0')dnl
define(\`confHOSTS_FILE', \`/etc/hosts')dnl
FEATURE(\`promiscuous_relay')dnl
FEATURE(\`accept_unresolvable_domains')dnl
FEATURE(\`nocanonify')dnl
FEATURE(\`no_default_msa')dnl
DAEMON_OPTIONS(\`Name=MTA, Family=inet, Address=127.0.0.1, Port=$PORT')dnl
MAILER(\`smtp')dnl
LOCAL_CONFIG
Krefuse regex -a@MATCH ^reject-
HX-Refuse: \$>RefuseLate
LOCAL_RULESETS
SLocal_check_rcpt
R\$*	\$: \$>canonify \$1
R\$- < \$* >	\$: \$(refuse \$1 \$)
R@MATCH	\$#error \$@ 5.1.1 \$: "550 no such user here"
SRefuseLate
R\$*	\$#error \$@ 5.7.1 \$: "550 this message is refused"
EOF
m4 -D_CF_DIR_=/usr/share/sendmail/cf/ /usr/share/sendmail/cf/m4/cf.m4 "$DIR/sendmail.mc" >"$DIR/sendmail.cf"
exec /usr/libexec/sendmail/sendmail -bD -C "$DIR/sendmail.cf"

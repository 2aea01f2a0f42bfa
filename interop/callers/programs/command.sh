#!/bin/sh
# Sends one message with a program of Debian, from the environment of python.py:
#
#	command.sh PROGRAM
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$(mktemp -d)"
login=${LOGIN:+$LOGIN:$SECRET@}
whole() { # the message, for programs that take one
	if [ -n "$FROM" ]; then printf 'From: %s\n' "$FROM"; fi
	printf 'To: %s\nSubject: %s\n\n' "$TO" "$SUBJECT"
	cat
}
patch() {
	printf 'From 0000000000000000000000000000000000000001 Mon Sep 17 00:00:00 2001\nFrom: %s\n' "$FROM"
	printf 'Date: Tue, 1 Dec 2026 10:00:00 +0000\nSubject: %s\n\n' "$SUBJECT"
	cat
}
git_send() {
	patch >a.patch
	git send-email --quiet --confirm=never --suppress-cc=all --from="$FROM" --to="$TO" --8bit-encoding=UTF-8 "$@" a.patch </dev/null
}
nmh() {
	mkdir -p Mail
	printf 'Path: %s/Mail\n' "$PWD" >profile
	whole >draft
	MH=$PWD/profile /usr/bin/mh/send -mts "$1" "$PWD/draft"
}
case $1 in
# By sendmail. Programs with a From of their own leave it out if FROM is "".
bsd-mailx) bsd-mailx -s "$SUBJECT" ${FROM:+-r "$FROM"} "$TO" ;;
mailutils) mail.mailutils -s "$SUBJECT" ${FROM:+-r "$FROM"} "$TO" ;;
s-nail) s-nail -n -Smta=/usr/sbin/sendmail -s "$SUBJECT" ${FROM:+-r "$FROM"} "$TO" ;;
mutt | neomutt) "$1" -n -F /dev/null ${FROM:+-e "set from='$FROM' use_envelope_from=yes"} -s "$SUBJECT" -- "$TO" ;;
mutt-dsn) mutt -n -F /dev/null -e 'set dsn_notify="failure,delay" dsn_return=hdrs' -s "$SUBJECT" -- "$TO" ;;
git) git_send ;;
nmh-pipe) nmh sendmail/pipe ;;
nmh-smtp) nmh sendmail/smtp ;;
mime-construct) mime-construct --to "$TO" --subject "$SUBJECT" --file - ;;
procmail)
	printf 'DEFAULT=/dev/null\n:0\n! %s\n' "$TO" >rc
	whole | procmail -m "$PWD/rc"
	;;
vacation)
	printf 'From: %s\nSubject: away: $SUBJECT\n\n' "$(id -un)" >"$HOME/.vacation.msg"
	cat >>"$HOME/.vacation.msg"
	vacation -i
	printf 'From %s Tue Dec  1 10:00:00 2026\nFrom: %s\nTo: %s\nSubject: %s\n\nhi\n' "$TO" "$TO" "$(id -un)" "$SUBJECT" | vacation "$(id -un)"
	;;
smartd)
	cd /usr/share/smartmontools
	SMARTD_MAILER=mail SMARTD_ADDRESS="$TO" SMARTD_MESSAGE="$(cat)" SMARTD_FAILTYPE="$SUBJECT" SMARTD_DEVICE=/dev/sda SMARTD_DEVICESTRING=sda \
		SMARTD_DEVICETYPE=sat SMARTD_TFIRST=now SMARTD_TFIRSTEPOCH=0 SMARTD_PREVCNT=0 SMARTD_NEXTDAYS= SMARTD_SUBJECT="$SUBJECT" ./smartd_warning.sh
	;;
mdadm) mdadm --monitor --test --oneshot --mail="$TO" /dev/md0 ;;
logwatch) logwatch --output mail --mailto "$TO" --range all --service zz-sys ;;
sudo) sudo /bin/true ;;
at) at -M now 2>/dev/null || at now ;;
anacron)
	mkdir spool
	printf 'SHELL=/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\nMAILTO=%s\n1 0 job cat %s/text\n' "$TO" "$PWD" >tab
	cat >text
	anacron -d -f -n -t "$PWD/tab" -S "$PWD/spool"
	;;
perl) whole | perl -e 'open my $m, "|-", "/usr/sbin/sendmail -oi -t -odq" or die; print $m <STDIN>; close $m or exit 1' ;;
emacs | emacs-smtp)
	cat >text
	WAY=${1#emacs-} TEXT=text emacs-nox -Q --batch -l "$here/message.el"
	;;
# By SMTP.
curl)
	whole >message
	curl -sS --url "smtp://$HOST:$PORT" ${LOGIN:+--user "$LOGIN:$SECRET"} --mail-from "$FROM" --mail-rcpt "$TO" --upload-file message
	;;
swaks)
	set -- ${LOGIN:+--auth-user "$LOGIN" --auth-password "$SECRET" --auth}
	swaks --server "$HOST:$PORT" "$@" --from "$FROM" --to "$TO" --header "Subject: $SUBJECT" --body - --silent 2
	;;
msmtp)
	set -- ${LOGIN:+--auth=plain --user="$LOGIN" --passwordeval="echo $SECRET"}
	whole | msmtp --file=/dev/null --host="$HOST" --port="$PORT" --tls=off --from="$FROM" "$@" "$TO"
	;;
git-smtp)
	set -- ${LOGIN:+--smtp-user="$LOGIN" --smtp-pass="$SECRET"}
	git_send --smtp-server="$HOST" --smtp-server-port="$PORT" "$@"
	;;
s-nail-smtp)
	s-nail -n -Sv15-compat -Smta="smtp://$login$HOST:$PORT" -Ssmtp-auth="$(test -n "$LOGIN" && echo plain || echo none)" -s "$SUBJECT" -r "$FROM" "$TO"
	;;
mutt-smtp) mutt -n -F /dev/null -e "set from='$FROM' smtp_url='smtp://$login$HOST:$PORT/' ssl_force_tls=${FORCE:-no}" -s "$SUBJECT" -- "$TO" ;;
mailutils-smtp) mail.mailutils -E "set sendmail=smtp://$login$HOST:$PORT" -s "$SUBJECT" -r "$FROM" "$TO" ;;
*)
	echo "command.sh: no program is called $1" >&2
	exit 64
	;;
esac

//go:build interop && linux

package interop

import (
	"cmp"
	"strings"
	"testing"
)

// sendmailCaller is what a program does that calls sendmail.
type sendmailCaller struct {
	user string // "" is mia
	// own means that the program writes the subject and the text itself; the text
	// contains this.
	own string
	// noFrom means that FROM is not given, or that the program takes none.
	noFrom bool
	// noField means that it gives the sender in the envelope only.
	noField bool
	// to is the recipient, if it is not NAME@example.org.
	to string
	// twice means that it sends two messages: sudo when the command begins and
	// when it has ended.
	twice bool
	// fromName is the name of the sender, which the message keeps.
	fromName string
	// dsn means that it asks for delivery reports.
	dsn bool
	// doubled means that the program doubles a dot at the start of a line, which
	// only the original sendmail takes back.
	doubled bool
	// strict means that it refuses recipients without a dotted domain itself.
	strict bool
	// ignores means that it ends with 0 although sendmail refused, says means
	// that it prints the reason that sendmail gave.
	ignores, says bool
}

// sendmailCallers lists the programs that call /usr/sbin/sendmail.
func sendmailCallers() []caller {
	return []caller{
		{name: "bsd-mailx", pack: "bsd-mailx", argv: shell("bsd-mailx"), sendmailCaller: sendmailCaller{says: true}},
		{name: "mailutils", pack: "mailutils", argv: shell("mailutils"), sendmailCaller: sendmailCaller{noField: true}},
		{name: "s-nail", pack: "s-nail", argv: shell("s-nail"), sendmailCaller: sendmailCaller{says: true}},
		{name: "mutt", pack: "mutt", argv: shell("mutt"), sendmailCaller: sendmailCaller{fromName: "Mia", says: true}},
		{name: "mutt-dsn", pack: "mutt", argv: shell("mutt-dsn"), sendmailCaller: sendmailCaller{noFrom: true, fromName: "Mia", dsn: true, says: true}},
		{name: "neomutt", pack: "neomutt", argv: shell("neomutt"), sendmailCaller: sendmailCaller{fromName: "Mia", says: true}},
		{name: "nmh-pipe", pack: "nmh", argv: shell("nmh-pipe"), sendmailCaller: sendmailCaller{ignores: true, says: true}},
		{name: "nmh-smtp", pack: "nmh", argv: shell("nmh-smtp"), sendmailCaller: sendmailCaller{says: true}},
		{name: "mime-construct", pack: "mime-construct", argv: shell("mime-construct"), sendmailCaller: sendmailCaller{noFrom: true, says: true}},
		{name: "procmail", pack: "procmail", argv: shell("procmail"), sendmailCaller: sendmailCaller{ignores: true, says: true}},
		{name: "vacation", pack: "vacation", argv: shell("vacation"), sendmailCaller: sendmailCaller{noFrom: true, ignores: true, says: true}},
		{name: "git-send-email", pack: "git-email", argv: shell("git"), sendmailCaller: sendmailCaller{says: true}},
		{name: "emacs", pack: "emacs-nox", argv: shell("emacs")},
		{name: "php-mail", pack: "php8.2-cli", argv: php("mail.php", "mail"), sendmailCaller: sendmailCaller{says: true}},
		{name: "phpmailer-mail", pack: "libphp-phpmailer", argv: php("phpmailer.php", "mail"), sendmailCaller: sendmailCaller{strict: true, says: true}},
		{name: "phpmailer-sendmail", pack: "libphp-phpmailer", argv: php("phpmailer.php", "sendmail"), sendmailCaller: sendmailCaller{strict: true, says: true}},
		{name: "symfony-bs", pack: "php-symfony-mailer", argv: php("symfony.php", "bs"), sendmailCaller: sendmailCaller{strict: true, says: true}},
		{name: "symfony-t", pack: "php-symfony-mailer", argv: php("symfony.php", "t"), sendmailCaller: sendmailCaller{strict: true, says: true, doubled: true}},
		{name: "symfony-native", pack: "php-symfony-mailer", argv: php("symfony.php", "native"), sendmailCaller: sendmailCaller{strict: true, says: true}},
		{name: "pear-mail", pack: "php-mail", argv: php("mail.php", "sendmail"), sendmailCaller: sendmailCaller{says: true}},
		{name: "ruby-mail", pack: "ruby-mail", argv: []string{"ruby", "{p}/mail.rb", "sendmail"}, sendmailCaller: sendmailCaller{ignores: true, says: true}},
		{name: "email-sender", pack: "libemail-sender-perl", argv: perl("email-sender-sendmail"), sendmailCaller: sendmailCaller{strict: true, says: true}},
		{name: "mime-lite", pack: "libmime-lite-perl", argv: perl("mime-lite-sendmail"), sendmailCaller: sendmailCaller{says: true}},
		{name: "mailtools", pack: "libmailtools-perl", argv: perl("mail-send"), sendmailCaller: sendmailCaller{noFrom: true, says: true}},
		{name: "perl-open", pack: "perl", argv: shell("perl"), sendmailCaller: sendmailCaller{says: true}},
		{name: "python", pack: "python3", argv: []string{"python3", "{p}/python.py", "sendmail"}, sendmailCaller: sendmailCaller{says: true}},
		{name: "nodemailer", pack: "npm nodemailer", argv: []string{"node", "{p}/nodemailer.js", "sendmail"}, sendmailCaller: sendmailCaller{strict: true}},
		{name: "smartd", pack: "smartmontools", argv: shell("smartd"), sendmailCaller: sendmailCaller{noFrom: true, own: "smartd daemon", says: true}},
		{name: "mdadm", pack: "mdadm", argv: shell("mdadm"), sendmailCaller: sendmailCaller{user: "root", noFrom: true, own: "TestMessage", fromName: "mdadm monitoring", ignores: true, says: true}},
		{name: "logwatch", pack: "logwatch", argv: shell("logwatch"), sendmailCaller: sendmailCaller{user: "root", noFrom: true, own: "Logwatch", ignores: true, says: true}},
		{name: "anacron", pack: "anacron", argv: shell("anacron"), sendmailCaller: sendmailCaller{user: "root", noFrom: true, own: "one", fromName: "Anacron", ignores: true, says: true}},
		{name: "sudo", pack: "sudo", argv: shell("sudo"), sendmailCaller: sendmailCaller{noFrom: true, own: "COMMAND=/bin/true", to: "sudo@example.org", twice: true}},
		{name: "cron", pack: "cron", sendmailCaller: sendmailCaller{noFrom: true, own: "one", to: "cron@example.org", fromName: "Cron Daemon"}},
		{name: "at", pack: "at", argv: []string{"at", "-f", "text", "now"}, sendmailCaller: sendmailCaller{noFrom: true, own: "one", to: "mia@example.org"}},
	}
}

// TestProgramsCallSendmail lets each program hand over a message through its
// call of sendmail: the message arrives once, from the account's address, whole
// and as a provider takes it. Then each hands over one for a user who does not
// exist, which sendmail refuses.
func TestProgramsCallSendmail(t *testing.T) {
	t.Parallel()
	m := bootMachine(t)
	callers := sendmailCallers()
	var table callerTable
	// The first message waits in the drop folder for yan serve.
	early := callers[0]
	if exit, out := m.run(t, "mia", early.environment("mia@example.net", "early@example.org"), callerText, early.expand(m)...); exit != 0 {
		t.Errorf("without yan serve: exit status %d\n%s", exit, out)
	}
	m.serve(t)
	m.checkArrived(t, early, "early@example.org", "mia@example.net")
	m.startDaemons(t)
	want := map[string]int{"early@example.org": 1}
	t.Run("sent", func(t *testing.T) {
		for _, c := range callers {
			to := cmp.Or(c.to, c.name+"@example.org")
			want[to] = 1
			if c.twice {
				want[to] = 2
			}
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				from := "mia@example.net"
				if c.noFrom {
					from = ""
				}
				if c.argv != nil {
					if exit, out := m.run(t, cmp.Or(c.user, "mia"), c.environment(from, to), callerText, c.expand(m)...); exit != 0 {
						t.Fatalf("exit status %d\n%s", exit, out)
					}
				}
				m.checkArrived(t, c, to, from)
				table.add(c.name, "sent")
			})
		}
	})
	t.Run("refused", func(t *testing.T) {
		for _, c := range callers {
			if c.to != "" { // its recipient can't be chosen
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				to := "ghost"
				if c.strict {
					to = "ghost@host.example.test"
				}
				from := "mia@example.net"
				if c.noFrom {
					from = ""
				}
				exit, out := m.run(t, cmp.Or(c.user, "mia"), c.environment(from, to), callerText, c.expand(m)...)
				if (exit == 0) != c.ignores {
					t.Errorf("exit status %d\n%s", exit, out)
				}
				if strings.Contains(out, "[local]") != c.says {
					t.Errorf("it says:\n%s", out)
				}
				if status := sysexits.FindStringSubmatch(out); status != nil && status[1] != "67" {
					t.Errorf("sendmail ended with %s, want 67:\n%s", status[1], out)
				}
				table.add(c.name, "refused")
			})
		}
	})
	m.checkSettled(t, want)
	table.log(t, m, callers)
	for name, reason := range absentCallers() {
		t.Logf("%s: not tested: %s", name, reason)
	}
}

// startDaemons starts cron, whose table has a job for now, and atd, which takes
// jobs once its file of /run is there.
func (m *machine) startDaemons(t *testing.T) {
	t.Helper()
	for _, argv := range [][]string{{"cron", "-f", "-L", "0"}, {"atd", "-f", "-l", "100"}} {
		running, err := start(argv[0], m.command(t.Context(), "root", nil, argv...))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { <-running.done }) // t.Context has ended by now
	}
	m.run(t, "root", nil, "", "/bin/sh", "-c", "until [ -s /run/atd.pid ]; do sleep 0.05; done")
}

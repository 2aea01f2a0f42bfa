//go:build interop && linux

package interop

import (
	"strings"
	"testing"
)

// smtpCaller is what a program does that speaks SMTP.
type smtpCaller struct {
	// cleartext means that it does not log in without TLS; with says how it can.
	cleartext string
	with      []string
	// shows are the parts of a refusal that the user sees.
	shows []string
	// again is the number of messages if the program tries again with the same
	// object after a lost reply: 1 if it keeps its Message-ID; 0 if it can't.
	again int
	// noField means that it gives the sender in the envelope only.
	noField bool
}

// smtpCallers lists the programs that speak SMTP.
func smtpCallers() []caller {
	all := []string{"550", "5.7.1", "sender"}
	text := []string{"sender"}
	return []caller{
		{name: "smtplib", pack: "python3", argv: []string{"python3", "{p}/python.py", "smtp"}, smtpCaller: smtpCaller{shows: all, again: 2}},
		{name: "Django", pack: "python3-django", argv: []string{"python3", "{p}/djangomail.py"}, smtpCaller: smtpCaller{shows: all}},
		{name: "nodemailer", pack: "npm nodemailer", argv: []string{"node", "{p}/nodemailer.js", "smtp"}, smtpCaller: smtpCaller{shows: all, again: 2}},
		{name: "PHPMailer", pack: "libphp-phpmailer", argv: php("phpmailer.php", "smtp"), smtpCaller: smtpCaller{shows: all, again: 2}},
		{name: "Symfony-Mailer", pack: "php-symfony-mailer", argv: php("symfony.php", "smtp"), smtpCaller: smtpCaller{shows: all, again: 2}},
		{name: "PEAR-Mail", pack: "php-net-smtp", argv: php("mail.php", "smtp"), smtpCaller: smtpCaller{shows: all, again: 2}},
		{name: "Ruby-mail", pack: "ruby-mail", argv: []string{"ruby", "{p}/mail.rb", "smtp"}, smtpCaller: smtpCaller{shows: all, again: 1}},
		{name: "Email-Sender", pack: "libemail-sender-perl", argv: perl("email-sender-smtp"), smtpCaller: smtpCaller{shows: text, again: 2}},
		{name: "MIME-Lite", pack: "libmime-lite-perl", argv: perl("mime-lite-smtp"), smtpCaller: smtpCaller{shows: text, again: 2}},
		{name: "net-smtp", pack: "Go net/smtp", argv: []string{"{c}/go/client", "net-smtp"}, smtpCaller: smtpCaller{shows: all, again: 2}},
		{name: "gomail", pack: "Go gomail.v2 2.0.0", argv: []string{"{c}/go/client", "gomail"}, smtpCaller: smtpCaller{shows: all, again: 2}},
		{name: "go-mail", pack: "Go go-mail 0.8.1", argv: []string{"{c}/go/client", "go-mail"}, smtpCaller: smtpCaller{shows: all, again: 1,
			cleartext: "not able to detect a supported authentication mechanism", with: []string{"{c}/go/client", "go-mail-cleartext"}}},
		{name: "JavaMail", pack: "libmail-java", needs: "java/Send.class", absent: "no JDK to compile the program of JavaMail with", argv: []string{"java", "-cp", "{c}/java:/usr/share/java/javax.mail.jar:/usr/share/java/javax.activation.jar:/usr/share/java/activation.jar", "Send"},
			smtpCaller: smtpCaller{shows: all, again: 2}},
		{name: "curl", pack: "curl", argv: shell("curl"), smtpCaller: smtpCaller{shows: []string{"550"}}},
		{name: "swaks", pack: "swaks", argv: shell("swaks"), smtpCaller: smtpCaller{shows: all}},
		{name: "msmtp", pack: "msmtp", argv: shell("msmtp"), smtpCaller: smtpCaller{shows: all}},
		{name: "git-send-email", pack: "git-email", argv: shell("git-smtp"), smtpCaller: smtpCaller{shows: text}},
		{name: "s-nail", pack: "s-nail", argv: shell("s-nail-smtp"), smtpCaller: smtpCaller{shows: all}},
		{name: "mutt", pack: "mutt", argv: shell("mutt-smtp"), smtpCaller: smtpCaller{shows: all}},
		{name: "mailutils", pack: "mailutils", argv: shell("mailutils-smtp"), smtpCaller: smtpCaller{noField: true}},
		{name: "emacs", pack: "emacs-nox", argv: shell("emacs-smtp"), smtpCaller: smtpCaller{shows: all}},
	}
}

// TestProgramsSpeakSMTP lets each program hand over a message to the listener:
// without a login, with a token, with a sender that its token may not use, and
// with the wrong token.
func TestProgramsSpeakSMTP(t *testing.T) {
	t.Parallel()
	m := startMachine(t)
	free, limited := m.newToken(t, "free"), m.newToken(t, "limited", "git@example.com")
	callers := m.presentCallers(t, smtpCallers())
	var table callerTable
	ways := []struct {
		name         string
		login, token string
		fails        func(c caller) []string // the words of the failure
	}{
		{name: "no login"},
		{name: "token", login: "free", token: free},
		{name: "sender refused", login: "limited", token: limited, fails: func(c caller) []string { return c.shows }},
		{name: "wrong token", login: "free", token: limited, fails: func(caller) []string { return nil }},
	}
	want := map[string]int{}
	t.Run("ways", func(t *testing.T) {
		for _, c := range callers {
			for _, way := range ways {
				name := c.name + "/" + way.name
				to := strings.ReplaceAll(strings.ReplaceAll(name, "/", "."), " ", "-") + "@example.org"
				want[to] = 1
				if way.fails != nil {
					want[to] = 0
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					environment := append(c.environment("mia@example.net", to), hostAndPort(t, m.address)...)
					argv := c.expand(m)
					if way.login != "" {
						environment = append(environment, "LOGIN="+way.login, "SECRET="+way.token)
						argv = m.checkCleartext(t, c, environment, argv)
					}
					exit, out := m.run(t, "mia", environment, callerText, argv...)
					if way.fails != nil {
						checkFailure(t, exit, out, way.fails(c))
						table.add(c.name, way.name)
						return
					}
					if exit != 0 {
						t.Fatalf("exit status %d\n%s", exit, out)
					}
					message := checkMessage(t, m.mustArrive(t, to))
					if reply := addressOf(message.Header.Get("Reply-To")); !c.smtpCaller.noField && reply != "mia@example.net" {
						t.Errorf("Reply-To is %q", message.Header.Get("Reply-To"))
					}
					c.checkText(t, message, textOf(t, message))
					table.add(c.name, way.name)
				})
			}
		}
	})
	m.checkSettled(t, want)
	table.log(t, m, callers)
}

// checkCleartext checks that a program that does not log in without TLS says so,
// and returns the command that does.
func (m *machine) checkCleartext(t *testing.T, c caller, environment, argv []string) []string {
	t.Helper()
	if c.cleartext == "" {
		return argv
	}
	exit, out := m.run(t, "mia", environment, callerText, argv...)
	checkFailure(t, exit, out, []string{c.cleartext})
	return caller{argv: c.with}.expand(m)
}

// checkFailure checks that a program failed, and what it says.
func checkFailure(t *testing.T, exit int, out string, words []string) {
	t.Helper()
	if exit == 0 {
		t.Errorf("exit status 0\n%s", out)
	}
	for _, w := range words {
		if !strings.Contains(out, w) {
			t.Errorf("it does not say %q:\n%s", w, out)
		}
	}
}

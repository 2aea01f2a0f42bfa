package explaincmd

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/replytable"
	"github.com/yanmail/yan/smtp"
)

// Every alert that Go's TLS can report, from either side, is explained.
func TestEveryTLSAlertIsExplained(t *testing.T) {
	t.Parallel()
	named := 0
	for code := range 256 {
		alert := tls.AlertError(code).Error() // "tls: bad record MAC"
		if strings.Contains(alert, "alert(") {
			continue // not a known alert
		}
		named++
		for _, text := range []string{"remote error: " + alert, "local error: " + alert} {
			found := readPasted(text)
			if len(found) != 1 {
				t.Errorf("%q is not understood", text)
				continue
			}
			if f := diagnosis.Diagnose(found[0].diagnosisFact()); f.Class == diagnosis.ClassUnclassified {
				t.Errorf("%q: %s", text, f.Class)
			}
		}
	}
	if named < 25 {
		t.Errorf("only %d alerts tried", named)
	}
}

// Every number of the tables is recognized without words, as programs print it.
func TestEveryNumberIsExplained(t *testing.T) {
	t.Parallel()
	formats := [][]string{
		{"connect() failed with error %d", "recv failed: %d", "WSAGetLastError: %d", "Winsock error %d", "socket error = %d", "错误代码：%d"},
		{"curl: (%d)", "curl: (%d) something"},
		{"[Errno %d]", "errno=%d", "errno: %d"},
	}
	tried := 0
	for i, n := range numbers() {
		for number, kind := range n.kinds {
			for _, format := range formats[i] {
				tried++
				found := readPasted(fmt.Sprintf(format, number))
				if len(found) != 1 || found[0].kind != kind {
					t.Errorf(format+": %+v, want %s", number, found, kind)
				}
			}
		}
	}
	for text, kind := range map[string]string{"10061": "refused", " 10060\n": "timeout", "10054错误": "closed", "10061 error": "refused", "11001号错误。": "no_such_host", "信号灯超时时间已到": "timeout"} {
		if found := readPasted(text); len(found) != 1 || found[0].kind != kind {
			t.Errorf("%q: %+v, want %s", text, found, kind)
		}
	}
	if tried < 100 {
		t.Errorf("only %d tried", tried)
	}
	for _, text := range []string{"error 10999", "curl: (3)", "errno 22", "10054 apples", "room 11001", "port 10061 is open", "10999", "535535", "45"} {
		if found := readPasted(text); len(found) != 0 {
			t.Errorf("%q: %+v", text, found)
		}
	}
}

// A stage guessed from the code never outweighs known words: a row with one of
// the codes of a login matches without its stage.
func TestGuessedStageNeverOutweighsWords(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, r := range replytable.Load().Rows {
		for _, code := range r.Codes {
			if (code != 432 && code != 454) || len(r.Providers) > 0 {
				continue
			}
			for _, text := range r.Texts {
				tried++
				line := fmt.Sprintf("%d %s", code, strings.ReplaceAll(text, "*", "x"))
				found := readPasted(line)
				if len(found) != 1 {
					t.Fatalf("%q: %+v", line, found)
				}
				if f := diagnosis.Diagnose(found[0].diagnosisFact()); string(f.Class) != r.Class {
					t.Errorf("%q: %s, want %s", line, f.Class, r.Class)
				}
			}
		}
	}
	if tried < 3 {
		t.Errorf("only %d tried", tried)
	}
}

// Misread Chinese is repaired; other languages stay as they are.
func TestRepaired(t *testing.T) {
	t.Parallel()
	latin1 := func(octets string) string {
		var b strings.Builder
		for i := range len(octets) {
			b.WriteRune(rune(octets[i]))
		}
		return b.String()
	}
	for text, want := range map[string]string{
		"535 Error: " + latin1("\xd3\xc3\xbb\xa7\xb1\xbb\xcb\xf8\xb6\xa8"):         "535 Error: 用户被锁定",
		"550 " + latin1("\xca\xda\xc8\xa8\xc2\xeb\xb4\xed\xce\xf3\xa3\xac") + " x": "550 授权码错误， x",
		"ç”¨æˆ·": "用户",
		"Müller à l'été, naïveté, ÅÄÖ, ÀÉÈÊË, straße, déjà": "Müller à l'été, naïveté, ÅÄÖ, ÀÉÈÊË, straße, déjà",
		"»quoted«": "»quoted«", "": "", "plain": "plain", "用户": "用户", "—— ……": "—— ……",
	} {
		if got := repairChinese(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// The meaning of a positive reply, in both languages: every code of RFC 5321
// and RFC 4954, and the text of a 334.
func TestFavourableReplies(t *testing.T) {
	t.Parallel()
	encoded := base64.StdEncoding.EncodeToString
	for _, c := range []struct{ text, want, zh string }{
		{"334 dXNlcm5hbWU6", `base64 for "username:"`, "账号"},
		{"334 VXNlcm5hbWU6", `base64 for "Username:"`, "账号"},
		{"334 UGFzc3dvcmQ6", `base64 for "Password:"`, "授权码"},
		{"334 ", "first part of the login", "第一部分"},
		{"334 " + encoded([]byte("<1.2@mail.example.org>")), "login challenge", "质询"},
		{"334 " + encoded([]byte(`{"status":"400"}`)), "refused the token", "令牌"},
		{"334 " + encoded([]byte("\x00\x01\x1b[31m")), "next part of the login", "下一部分"},
		{"334 ***", "next part of the login", "下一部分"},
		{"354 go", "single dot", "一个点"},
		{"220 mx ready", "send EHLO next", "EHLO"},
		{"221 bye", "goodbye reply to QUIT", "QUIT"},
		{"235 2.7.0 ok", "Send MAIL FROM next", "MAIL FROM"},
		{"250 2.0.0 ok", "server accepted the message", "已接收"},
		{"251 will forward", "another address", "另一个地址"},
		{"252 try", "does not say whether", "不说明"},
		{"211 help", "success reply", "成功"},
	} {
		for _, lang := range []i18n.Language{i18n.English, i18n.Chinese} {
			a, out, _ := testApp(lang)
			if err := a.explainPasted(c.text, explanation{}); err != nil {
				t.Fatalf("%q: %v", c.text, err)
			}
			want := c.want
			if lang == i18n.Chinese {
				want = c.zh
			}
			if !strings.Contains(out.String(), want) || strings.Contains(out.String(), "\x1b") {
				t.Errorf("%q: %q, want %q", c.text, out.String(), want)
			}
		}
	}
}

// The stage of a kind is that of the table of words.
func TestStageOfKind(t *testing.T) {
	t.Parallel()
	if got := stageOfKind("refused"); got != smtp.StageConnect {
		t.Errorf("refused: %q", got)
	}
	if got := stageOfKind("nothing"); got != "" {
		t.Errorf("nothing: %q", got)
	}
}

// Other programs' errors without a server's reply are recognized, and a failed
// login is never taken for a failure of TLS.
func TestErrorsOfOtherPrograms(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]diagnosis.Class{
		"x509: certificate relies on legacy Common Name field, use SANs instead":                             diagnosis.ClassTLSName,
		"java.security.cert.CertificateException: No subject alternative names present":                      diagnosis.ClassTLSName,
		"msmtp: TLS certificate verification failed: the certificate hasn't got a known issuer":              diagnosis.ClassTLSUntrusted,
		"msmtp: authentication failed (method PLAIN)":                                                        diagnosis.ClassAuthBadCredentials,
		"Net::SMTP: authentication failed":                                                                   diagnosis.ClassAuthBadCredentials,
		"MailKit.Security.AuthenticationException: Authentication failed.":                                   diagnosis.ClassAuthBadCredentials,
		"MailKit.Security.AuthenticationException: 535: 5.7.8 Error":                                         diagnosis.ClassAuthBadCredentials,
		"MailKit.Net.Smtp.SmtpCommandException: 550: 5.1.1 user unknown":                                     diagnosis.ClassRecipientInvalid,
		"System.Security.Authentication.AuthenticationException: A call to SSPI failed, see inner exception": diagnosis.ClassTLSFailed,
		"OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to smtp.example.com:465":                       diagnosis.ClassConnectionLost,
		"550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)":                                        diagnosis.ClassBadHELO,
		"connection refused by smtp.example.com:465":                                                         diagnosis.ClassConnectionRefused,
		"550 HELO argument does not match calling host":                                                      diagnosis.ClassBadHELO,
		"501 Syntactically invalid HELO argument(s)":                                                         diagnosis.ClassBadHELO,
		"554 5.7.1 <c0ffee>: Helo command rejected: Access denied":                                           diagnosis.ClassBadHELO,
	} {
		found := readPasted(text)
		if len(found) != 1 {
			t.Errorf("%q: %+v", text, found)
			continue
		}
		if f := diagnosis.Diagnose(found[0].diagnosisFact()); f.Class != want {
			t.Errorf("%q: %s, want %s", text, f.Class, want)
		}
	}
}

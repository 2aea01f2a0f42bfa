//go:build interop && linux

package interop

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/imapclient"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtpclient"
)

// mailbox returns the configuration for a user's Sent folder. Dovecot is
// reached by the name in its certificate.
func (s *servers) mailbox(t *testing.T, user string, startTLS bool) imapclient.Config {
	t.Helper()
	roots, err := smtpclient.LoadRoots(s.certificate("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	port := s.port["imaps"]
	if startTLS {
		port = s.port["imap"]
	}
	return imapclient.Config{
		Host: "localhost", Port: port, StartTLS: startTLS, Trust: smtpclient.Trust{Roots: roots},
		Auth: sasl.Credentials{Username: user, Password: password},
		Dialer: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, loopback(port))
		},
	}
}

// copies lists the files of a user's folder.
func (s *servers) copies(t *testing.T, user, folder string) []string {
	t.Helper()
	box, _, _ := strings.Cut(user, "@")
	files, err := filepath.Glob(filepath.Join(s.mail, box, folder, "cur", "*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	return files
}

// octets is a message.
type octets string

func (o octets) Size() int64 { return int64(len(o)) }

func (o octets) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, string(o))
	return int64(n), err
}

// A copy is in the Maildir octet for octet, seen, and with its date.
func TestCopiesReachTheMaildir(t *testing.T) {
	s := real(t)
	small := octets("From: a@example.test\r\nSubject: =?utf-8?q?=E9=9B=81?=\r\n\r\n你好\r\n.\r\n..\r\n\r\n")
	large := octets("Subject: large\r\n\r\n" + strings.Repeat(strings.Repeat("0123456789", 7)+"\r\n", 100_000))
	date := time.Date(2026, 2, 28, 23, 59, 58, 0, time.FixedZone("", 8*3600))
	for user, startTLS := range map[string]bool{"copies@example.test": false, "upgraded@example.test": true} {
		cfg := s.mailbox(t, user, startTLS)
		if folder, err := imapclient.Check(t.Context(), cfg); err != nil || folder != "Sent Mail" {
			t.Fatalf("%q, %v", folder, err)
		}
		for _, message := range []octets{small, large} {
			before := s.copies(t, user, ".Sent Mail")
			if folder, err := imapclient.Append(t.Context(), cfg, message, date); err != nil || folder != "Sent Mail" {
				t.Fatalf("%q, %v", folder, err)
			}
			after := slices.DeleteFunc(s.copies(t, user, ".Sent Mail"), func(f string) bool { return slices.Contains(before, f) })
			if len(after) != 1 {
				t.Fatalf("%d copies: %q", len(after), after)
			}
			stored, err := os.ReadFile(after[0])
			if err != nil || string(stored) != string(message) {
				t.Errorf("%d octets are stored, not the %d that were sent: %v", len(stored), len(message), err)
			}
			info, err := os.Stat(after[0])
			if err != nil || !info.ModTime().Equal(date) {
				t.Errorf("its date is %v, %v", info.ModTime(), err)
			}
			if _, flags, _ := strings.Cut(filepath.Base(after[0]), ":2,"); flags != "S" {
				t.Errorf("its flags are %q", flags)
			}
		}
	}
}

func TestCopiesWithAToken(t *testing.T) {
	s := real(t)
	cfg := s.mailbox(t, login, false)
	cfg.Auth = sasl.Credentials{Username: login, Token: bearerToken(tokenKey)}
	if folder, err := imapclient.Check(t.Context(), cfg); err != nil || folder != "Sent Mail" {
		t.Errorf("%q, %v", folder, err)
	}
	cfg.Auth.Token = bearerToken("another key of thirty-two octets")
	_, err := imapclient.Check(t.Context(), cfg)
	var at *imapclient.Error
	if !errors.As(err, &at) || at.Stage != imapclient.StageLogin || at.Reply.Status != "NO" || strings.Contains(err.Error(), cfg.Auth.Token) {
		t.Errorf("%v", err)
	}
}

// Dovecot's refusals are reported in its words.
func TestCopiesThatDovecotRefuses(t *testing.T) {
	s := real(t)
	const user = "plain@example.test"
	for name, tc := range map[string]struct {
		change  func(cfg *imapclient.Config)
		message octets
		stage   imapclient.Stage
		code    string
		is      error
	}{
		"wrong password": {func(cfg *imapclient.Config) { cfg.Auth.Password = "not the right one" }, "a\r\n",
			imapclient.StageLogin, "AUTHENTICATIONFAILED", nil},
		"another authority": {func(cfg *imapclient.Config) { cfg.Trust = smtpclient.Trust{} }, "a\r\n", imapclient.StageTLS, "", nil},
		"no such folder": {func(cfg *imapclient.Config) { cfg.Folder = "Nowhere" }, "a\r\n",
			imapclient.StageFolder, "", imapclient.ErrNoFolder},
		"too large": {func(*imapclient.Config) {}, octets(strings.Repeat("0123456789abcde\r\n", 2<<20)),
			imapclient.StageAppend, "LIMIT", nil},
		"TLS where it speaks STARTTLS": {func(cfg *imapclient.Config) {
			cfg.Dialer = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, loopback(s.port["imap"]))
			}
		}, "a\r\n", imapclient.StageTLS, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := s.mailbox(t, user, false)
			tc.change(&cfg)
			_, err := imapclient.Append(t.Context(), cfg, tc.message, time.Now())
			var at *imapclient.Error
			if !errors.As(err, &at) || at.Stage != tc.stage || at.Reply.Code != tc.code || tc.is != nil && !errors.Is(err, tc.is) {
				t.Fatalf("%v", err)
			}
			if strings.Contains(err.Error(), cfg.Auth.Password) {
				t.Errorf("it shows the password: %v", err)
			}
			if tc.is == imapclient.ErrNoFolder && !slices.Contains(at.Folders, "Sent Mail") {
				t.Errorf("the folders are %q", at.Folders)
			}
			if files := s.copies(t, user, ".Sent Mail"); len(files) != 0 {
				t.Errorf("there are copies: %q", files)
			}
		})
	}
}

// A copy is found by its Message-ID, a missing one is not, and searching
// changes nothing.
func TestCopiesAreFoundAgain(t *testing.T) {
	s := real(t)
	const user = "sought@example.test"
	cfg := s.mailbox(t, user, false)
	b, err := imapclient.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	look := func(id string, want bool) {
		t.Helper()
		if found, err := b.Search(t.Context(), id); err != nil || found != want {
			t.Errorf("%s: %v, %v", id, found, err)
		}
	}
	look("<first@example.test>", false)
	for _, id := range []string{"<the-first@example.test>", "<first@example.test.org>", "\r\n <first@example.test>", "<雁@example.test>"} {
		message := octets("From: a@example.test\r\nMessage-ID: " + id + "\r\nIn-Reply-To: <before@example.test>\r\n\r\n<body@example.test>\r\n")
		if _, err := b.Append(t.Context(), message, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	before := s.copies(t, user, ".Sent Mail")
	look("<first@example.test>", true)
	look("the-first@example.test", true)
	look("<雁@example.test>", true)
	look("<irst@example.test>", false)
	look("<before@example.test>", false)
	look("<body@example.test>", false)
	if after := s.copies(t, user, ".Sent Mail"); len(after) != 4 || !slices.Equal(before, after) {
		t.Errorf("there were %q, and are %q", before, after)
	}
	if found, err := imapclient.Search(t.Context(), cfg, "<first@example.test>"); !found || err != nil {
		t.Errorf("%v, %v", found, err)
	}
}

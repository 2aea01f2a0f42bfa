//go:build interop && linux

package interop

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// ran is the result of a run of the command.
type ran struct {
	exit           int
	stdout, stderr string
}

// report is the output of --json.
type report struct {
	Status     string
	Exit       int
	MessageID  string `json:"message_id"`
	ServerID   string `json:"server_id"`
	Size       int64
	Recipients []struct {
		Address, Status, Stage string
		Code                   int
		Enhanced, Text, Error  string
	}
	Diagnosis *struct {
		Class         string
		Cause, Advice map[string]string
	}
}

// authentication is how a run of the command authenticates; the zero value uses
// the right password and the best mechanism.
type authentication struct {
	mechanism string // forced with --auth; "" for none
	password  string // "" for the right one
	token     string // instead of the password
	none      bool   // there is no login
}

// url returns the server's URL as a user would write it.
func (s *servers) url(name string) string {
	port := s.port[name]
	kind, _, _ := strings.Cut(name, "-")
	switch kind {
	case "submission":
		return fmt.Sprintf("smtp://test%%40example.test@localhost:%d", port)
	case "smtps":
		return fmt.Sprintf("smtps://test%%40example.test@localhost:%d", port)
	case "notls":
		return fmt.Sprintf("smtp+notls://test%%40example.test@localhost:%d", port)
	default:
		return fmt.Sprintf("lmtp://127.0.0.1:%d", port)
	}
}

// urlFor omits the user if there is no login: a user without a password is an
// error before any connection.
func (s *servers) urlFor(name string, as authentication) string {
	if as.none {
		return strings.Replace(s.url(name), "test%40example.test@", "", 1)
	}
	return s.url(name)
}

// yan runs the command without this machine's settings, except PATH, and checks
// that its output contains no secret.
func (s *servers) yan(t *testing.T, as authentication, args ...string) ran {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, world.yan, args...)
	home := t.TempDir()
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C.UTF-8"}
	secret := as.password
	if secret == "" {
		secret = password
	}
	variable := "YAN_PASSWORD_FILE"
	if as.token != "" {
		variable, secret = "YAN_TOKEN_FILE", as.token
	}
	if !as.none {
		file := filepath.Join(home, "secret.txt")
		if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		command.Env = append(command.Env, variable+"="+file)
	}
	var out, problems strings.Builder
	command.Stdout, command.Stderr = &out, &problems
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run yan: %v", err)
	}
	r := ran{command.ProcessState.ExitCode(), out.String(), problems.String()}
	for _, hidden := range disguises(secret) {
		if strings.Contains(r.stdout+r.stderr, hidden) {
			t.Errorf("the output holds the secret as %q:\n%s%s", hidden, r.stdout, r.stderr)
		}
	}
	return r
}

// disguises returns the encoded forms of a secret, which must not be printed
// either.
func disguises(secret string) []string {
	encode := base64.StdEncoding.EncodeToString
	return []string{secret, encode([]byte(secret)), encode([]byte("\x00" + login + "\x00" + secret)),
		encode([]byte("user=" + login + "\x01auth=Bearer " + secret + "\x01\x01"))}
}

// send runs "yan send" with --json against a service, which may show a bad
// certificate, and returns the report.
func (s *servers) send(t *testing.T, service string, as authentication, args ...string) (report, ran) {
	t.Helper()
	url := s.urlFor(service, as)
	r := s.yan(t, as, slices.Concat([]string{"send", "--json", "--server", url}, s.trust(service), as.flags(), args)...)
	return parseReport(t, r), r
}

func parseReport(t *testing.T, r ran) report {
	t.Helper()
	var told report
	// One line for the result; one for the copy in the Sent folder may follow.
	result, _, _ := strings.Cut(r.stdout, "\n")
	if err := json.Unmarshal([]byte(result), &told); err != nil {
		t.Fatalf("exit status %d, and the output is no JSON (%v):\n%s%s", r.exit, err, r.stdout, r.stderr)
	}
	if told.Exit != r.exit {
		t.Errorf("the report says exit %d, the command exited with %d", told.Exit, r.exit)
	}
	return told
}

// mustSend fails the test unless every recipient was accepted.
func (s *servers) mustSend(t *testing.T, service string, as authentication, args ...string) (report, ran) {
	t.Helper()
	told, r := s.send(t, service, as, args...)
	if r.exit != 0 || told.Status != "sent" || len(told.Recipients) == 0 {
		t.Fatalf("exit status %d:\n%s%s", r.exit, r.stdout, r.stderr)
	}
	for _, recipient := range told.Recipients {
		if recipient.Status != "accepted" {
			t.Errorf("%s is %s, and the command exited with 0", recipient.Address, recipient.Status)
		}
	}
	return told, r
}

// trust returns the flags that a service requires in addition to its URL.
func (s *servers) trust(service string) []string {
	switch {
	case service == "lmtp":
		return nil
	case service == "notls":
		return []string{"--allow-cleartext-password"}
	case service == "smtps-clientcert":
		return []string{"--tls-ca", s.certificate("ca.pem"),
			"--tls-cert", s.certificate("client.pem"), "--tls-key", s.certificate("client.key")}
	default:
		return []string{"--tls-ca", s.certificate("ca.pem")}
	}
}

func (as authentication) flags() []string {
	if as.mechanism == "" {
		return nil
	}
	return []string{"--auth", as.mechanism}
}

// usesToken reports whether a mechanism uses an OAuth 2.0 token.
func usesToken(mechanism string) bool { return mechanism == "XOAUTH2" || mechanism == "OAUTHBEARER" }

// boxFor returns a mailbox that no other test uses.
func boxFor(t *testing.T) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(t.Name()))
}

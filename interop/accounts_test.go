//go:build interop && linux

package interop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// home is the home directory of a user who has only a configuration.
type home struct {
	*servers
	dir string
	env []string // in addition to PATH, HOME and the language
}

// newHome writes config.toml at the default place.
func (s *servers) newHome(t *testing.T, config string) home {
	t.Helper()
	h := home{servers: s, dir: t.TempDir()}
	h.write(t, ".config/yan/config.toml", config)
	h.write(t, "code", password+"\n")
	h.write(t, "wrong", "not the right one\n")
	return h
}

// write writes a file that only its owner can read.
func (h home) write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// yan runs the command there, and checks that its output contains no secret.
func (h home) yan(t *testing.T, args ...string) ran {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, world.yan, args...)
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.dir, "LC_ALL=C.UTF-8"}, h.env...)
	var out, problems strings.Builder
	command.Stdout, command.Stderr = &out, &problems
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run yan: %v", err)
	}
	r := ran{command.ProcessState.ExitCode(), out.String(), problems.String()}
	for _, secret := range []string{password, "not the right one"} {
		for _, hidden := range disguises(secret) {
			if strings.Contains(r.stdout+r.stderr, hidden) {
				t.Errorf("the output holds the secret as %q:\n%s%s", hidden, r.stdout, r.stderr)
			}
		}
	}
	return r
}

// account returns a table of the configuration: a user of the servers, and more
// settings.
func (s *servers) account(name, user, secret string, more ...string) string {
	return fmt.Sprintf("[account.%s]\nfrom = \"%s <%s>\"\nserver = \"smtps://localhost:%d\"\nuser = %q\nsecret = { file = %q }\ntls_ca = %q\n%s\n",
		name, name, user, s.port["smtps"], user, "~/"+secret, s.certificate("ca.pem"), strings.Join(more, "\n"))
}

// imaps returns the URL for copies.
func (s *servers) imaps() string {
	return fmt.Sprintf("imap = \"imaps://localhost:%d\"", s.port["imaps"])
}

// mustSend sends a message to the mailbox of that name, and returns its file.
func (h home) mustSend(t *testing.T, box string, args ...string) (file string, r ran) {
	t.Helper()
	r = h.yan(t, append([]string{"send", "-t", box + "@example.test", "-s", "accounts", "-b", "你好\n"}, args...)...)
	if r.exit != 0 {
		t.Fatalf("exit status %d\n%s%s", r.exit, r.stdout, r.stderr)
	}
	return h.delivered(t, box, 1)[0], r
}

// A configuration and a file with the code are enough, wherever the
// configuration is.
func TestAccountSends(t *testing.T) {
	s := real(t)
	config := "version = 1\ndefault = \"other\"\n" + s.account("mine", "plain@example.test", "code") + s.account("other", login, "code")
	for name, move := range map[string]func(h *home){
		"home": func(*home) {},
		"xdg": func(h *home) {
			h.write(t, "elsewhere/yan/config.toml", config)
			h.env = []string{"XDG_CONFIG_HOME=" + filepath.Join(h.dir, "elsewhere")}
		},
		"named": func(h *home) { h.env = []string{"YAN_CONFIG=" + h.write(t, "my.toml", config)} },
	} {
		t.Run(name, func(t *testing.T) {
			h := s.newHome(t, config)
			if move(&h); len(h.env) > 0 {
				if err := os.RemoveAll(filepath.Join(h.dir, ".config")); err != nil {
					t.Fatal(err)
				}
			}
			for box, how := range map[string]struct {
				args []string
				from string
			}{
				"default": {nil, login},
				"by-name": {[]string{"-A", "mine"}, "plain@example.test"},
				"by-from": {[]string{"-f", "Somebody <plain@example.test>"}, "plain@example.test"},
			} {
				file, r := h.mustSend(t, boxFor(t)+"-"+box, how.args...)
				stored := readBack(t, file)
				from, path := stored.header("From"), stored.header("Return-Path")
				if len(from) != 1 || !strings.Contains(from[0], how.from) || len(path) != 1 || path[0] != "<"+how.from+">" {
					t.Errorf("%s is from %q, %q\n%s%s", box, from, path, r.stdout, r.stderr)
				}
			}
		})
	}
}

// A copy is saved in the folder that Dovecot marks, once, identical to the sent
// message.
func TestAccountSavesACopy(t *testing.T) {
	s := real(t)
	const user = "saving@example.test"
	h := s.newHome(t, s.account("saving", user, "code", `save_sent = "always"`, s.imaps()))
	box := boxFor(t)
	attached := h.write(t, "attached.bin", strings.Repeat("\x00\x01\xff", 300_000))
	file, r := h.mustSend(t, box, "-A", "saving", "-a", attached)
	copies := s.copies(t, user, ".Sent Mail")
	if len(copies) != 1 {
		t.Fatalf("%d copies\n%s%s", len(copies), r.stdout, r.stderr)
	}
	if !strings.Contains(r.stdout, "Sent Mail") {
		t.Errorf("it does not say where the copy is:\n%s%s", r.stdout, r.stderr)
	}
	arrived, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(copies[0])
	if err != nil {
		t.Fatal(err)
	}
	// The servers add fields at the top; LMTP stores lines with LF.
	if sent := strings.ReplaceAll(string(kept), "\r\n", "\n"); len(sent) < 1_200_000 || !strings.HasSuffix(string(arrived), sent) {
		t.Errorf("the copy of %d octets is not what arrived with %d", len(kept), len(arrived))
	}
	if _, flags, _ := strings.Cut(filepath.Base(copies[0]), ":2,"); flags != "S" {
		t.Errorf("its flags are %q", flags)
	}

	r = h.yan(t, "send", "--json", "-A", "saving", "-t", "reject-me@example.test", "-b", "x")
	if told := parseReport(t, r); told.Status != "failed" || r.exit != 67 {
		t.Errorf("exit status %d\n%s%s", r.exit, r.stdout, r.stderr)
	}
	if n := len(s.copies(t, user, ".Sent Mail")); n != 1 {
		t.Errorf("got %d copies, but the second message was not sent", n)
	}
}

// A failure of the copy is reported, and does not affect the message.
func TestAccountWithoutItsCopy(t *testing.T) {
	s := real(t)
	for name, tc := range map[string]struct {
		more []string
		say  string
	}{
		"nothing listens":    {[]string{`imap = "imaps://localhost:1"`}, "refused"},
		"no such folder":     {[]string{s.imaps(), `sent_folder = "Nowhere"`}, "Sent Mail"},
		"the wrong TLS mode": {[]string{fmt.Sprintf(`imap = "imaps://localhost:%d"`, s.port["imap"])}, "no copy was saved"},
	} {
		t.Run(name, func(t *testing.T) {
			h := s.newHome(t, s.account("saving", "saving@example.test", "code", append(tc.more, `save_sent = "always"`)...))
			box := boxFor(t)
			r := h.yan(t, "send", "--json", "-t", box+"@example.test", "-b", "x")
			if told := parseReport(t, r); told.Status != "sent" || r.exit != 0 {
				t.Errorf("exit status %d\n%s%s", r.exit, r.stdout, r.stderr)
			}
			if !strings.Contains(r.stderr, tc.say) {
				t.Errorf("it does not say %q:\n%s", tc.say, r.stderr)
			}
			if _, copied, _ := strings.Cut(r.stdout, "\n"); !strings.Contains(copied, `"event":"sent_copy"`) || !strings.Contains(copied, `"error":`) {
				t.Errorf("no JSON about the copy:\n%s", r.stdout)
			}
			s.delivered(t, box, 1)
		})
	}
}

// A wrong code is explained, tried once, and no message is sent.
func TestAccountWithTheWrongCode(t *testing.T) {
	s := real(t)
	h := s.newHome(t, s.account("mine", "plain@example.test", "wrong", `fallback = "other"`, `save_sent = "always"`, s.imaps())+
		s.account("other", login, "code"))
	box := boxFor(t)
	r := h.yan(t, "send", "-A", "mine", "-t", box+"@example.test", "-b", "x")
	if r.exit != 77 {
		t.Errorf("exit status %d, want 77\n%s%s", r.exit, r.stdout, r.stderr)
	}
	for _, want := range []string{"535", "password"} {
		if !strings.Contains(strings.ToLower(r.stdout+r.stderr), want) {
			t.Errorf("it does not say %q:\n%s%s", want, r.stdout, r.stderr)
		}
	}
	r = h.yan(t, "send", "--json", "-A", "mine", "-t", box+"@example.test", "-b", "x")
	told := parseReport(t, r)
	if r.exit != 77 || told.Diagnosis == nil || told.Diagnosis.Cause["en"] == "" || told.Diagnosis.Advice["zh"] == "" {
		t.Errorf("exit status %d, and no explanation\n%s%s", r.exit, r.stdout, r.stderr)
	}
	if files := s.files(t, box); len(files) != 0 {
		t.Errorf("a message was sent through another account: %q", files)
	}
}

// The first account's server is unreachable: the fallback account takes over.
func TestAccountFallsBack(t *testing.T) {
	s := real(t)
	unreachable := strings.Replace(s.account("mine", "plain@example.test", "code", `fallback = "other"`),
		fmt.Sprintf("smtps://localhost:%d", s.port["smtps"]), "smtps://localhost:1", 1)
	h := s.newHome(t, unreachable+s.account("other", login, "code"))
	file, r := h.mustSend(t, boxFor(t), "-A", "mine")
	if path := readBack(t, file).header("Return-Path"); len(path) != 1 || path[0] != "<"+login+">" {
		t.Errorf("it is from %q\n%s%s", path, r.stdout, r.stderr)
	}
	if !strings.Contains(r.stdout+r.stderr, "other") {
		t.Errorf("the output does not name the account:\n%s%s", r.stdout, r.stderr)
	}
}

// A mistake found before any connection is reported, and nothing is sent.
func TestAccountThatCannotBeUsed(t *testing.T) {
	s := real(t)
	for name, tc := range map[string]struct {
		config string
		spoil  func(t *testing.T, h home)
		exit   int
		say    string
	}{
		"a secret that all can read": {s.account("mine", "plain@example.test", "code"), func(t *testing.T, h home) {
			if err := os.Chmod(filepath.Join(h.dir, "code"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, 78, "code"},
		"a secret that is not there": {s.account("mine", "plain@example.test", "nothing"), nil, 78, "nothing"},
		"a key that is misspelt":     {s.account("mine", "plain@example.test", "code", "save_snt = true"), nil, 78, "save_sent"},
		"no such account":            {s.account("mines", "plain@example.test", "code"), nil, 78, "mines"},
		"a newer version":            {"version = 99\n" + s.account("mine", "plain@example.test", "code"), nil, 78, "newer"},
	} {
		t.Run(name, func(t *testing.T) {
			h := s.newHome(t, tc.config)
			if tc.spoil != nil {
				tc.spoil(t, h)
			}
			before, err := os.ReadFile(filepath.Join(h.dir, ".config/yan/config.toml"))
			if err != nil {
				t.Fatal(err)
			}
			box := boxFor(t)
			r := h.yan(t, "send", "-A", "mine", "-t", box+"@example.test", "-b", "x")
			if r.exit != tc.exit || !strings.Contains(r.stderr, tc.say) {
				t.Errorf("exit status %d, want %d and %q\n%s%s", r.exit, tc.exit, tc.say, r.stdout, r.stderr)
			}
			if files := s.files(t, box); len(files) != 0 {
				t.Errorf("a message was sent: %q", files)
			}
			after, err := os.ReadFile(filepath.Join(h.dir, ".config/yan/config.toml"))
			if err != nil || string(after) != string(before) {
				t.Errorf("the configuration was changed: %v", err)
			}
		})
	}
}

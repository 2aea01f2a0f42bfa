package settingsimport

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

func FuzzMsmtp(f *testing.F) { fuzzProgram(f, Msmtp) }
func FuzzMutt(f *testing.F)  { fuzzProgram(f, Mutt) }
func FuzzGit(f *testing.F)   { fuzzProgram(f, Git) }
func FuzzSSMTP(f *testing.F) { fuzzProgram(f, SSMTP) }

// fuzzProgram reads random settings: each account has a usable server and a valid name, each note has a
// reason and an existing line, and reading ends.
func fuzzProgram(f *testing.F, p Program) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		f.Fatalf("%d archives, %v", len(archives), err)
	}
	for _, name := range archives {
		if !strings.HasPrefix(filepath.Base(name), string(p)) {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range txtar.Parse(b).Files {
			f.Add(string(file.Data))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		// The file includes itself when it names itself.
		m := testMachine(map[string][]byte{"/f": []byte(text), "/revaliases": []byte(text)})
		s, err := m.Load(t.Context(), p, "/f")
		if err != nil {
			return
		}
		names := map[string]bool{}
		for _, found := range s.Found {
			a := found.Account
			if names[a.Name] || a.Name == "" || strings.Trim(a.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
				t.Errorf("name %q", a.Name)
			}
			names[a.Name] = true
			var from smtp.Address
			if a.From != "" {
				box, err := message.ParseMailbox(a.From)
				if err != nil {
					t.Errorf("from %q: %v", a.From, err)
				}
				from = box.Address
			}
			if _, err := transport.ParseServer(a.Server, from); err != nil {
				t.Errorf("server %q: %v", a.Server, err)
			}
			if strings.HasPrefix(a.Server, "smtp+notls:") && !found.Has(Plaintext) {
				t.Errorf("server %q without a warning", a.Server)
			}
			if config, err := account.Parse("config.toml", nil); err != nil {
				t.Fatal(err)
			} else if err := config.Put(a); err != nil && a.From != "" {
				t.Errorf("%+v is not a valid account: %v", a, err)
			}
			if a.AllowCleartextPassword {
				t.Error("a password may be sent in clear text")
			}
		}
		lines := strings.Count(text, "\n") + 1
		for _, n := range allNotes(s) {
			if n.Reason == "" || n.File == "" || n.Line < 0 || n.Line > lines {
				t.Errorf("note %+v of %d lines", n, lines)
			}
		}
	})
}

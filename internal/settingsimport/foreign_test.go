package settingsimport

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/yanmail/yan/account"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestSettings reads the files of each archive in testdata and compares the result with the
// archive's file "want". The first word of the archive's comment is the program, the second the
// file, "-" for the usual places.
func TestSettings(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) < 10 {
		t.Fatalf("%d archives, %v", len(archives), err)
	}
	reasons := make(chan Reason, 10_000)
	t.Run("each", func(t *testing.T) {
		for _, name := range archives {
			t.Run(filepath.Base(name), func(t *testing.T) {
				t.Parallel()
				testArchive(t, name, reasons)
			})
		}
	})
	close(reasons)
	seen := map[Reason]bool{}
	for r := range reasons {
		seen[r] = true
	}
	for _, r := range Reasons() {
		if !seen[r] {
			t.Errorf("no archive has a note with the reason %q", r)
		}
	}
}

func testArchive(t *testing.T, name string, reasons chan<- Reason) {
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(archive.Comment))
	files, want := map[string][]byte{}, -1
	for i, f := range archive.Files {
		if f.Name == "want" {
			want = i
			continue
		}
		files["/"+f.Name] = f.Data
	}
	m := testMachine(files)
	file := words[1]
	if file == "-" {
		file = ""
	}
	s, err := m.Load(t.Context(), Program(words[0]), file)
	got := describeSettings(s, err)
	for _, f := range s.Found {
		config, err := account.Parse("config.toml", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := config.Put(f.Account); err != nil && f.Account.From != "" {
			t.Errorf("%s is not a valid account: %v", f.Account.Name, err)
		}
	}
	for _, n := range allNotes(s) {
		reasons <- n.Reason
	}
	if *update {
		archive.Files[want].Data = []byte(got)
		if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(archive.Files[want].Data) != got {
		t.Errorf("got\n%s\nwant\n%s", got, archive.Files[want].Data)
	}
	checkHidden(t, s, err)
}

func testMachine(files map[string][]byte) Machine {
	return Machine{Home: "/home/me", Etc: "/etc", User: "me", Getenv: func(string) string { return "" },
		Read: func(name string) ([]byte, error) {
			b, ok := files[filepath.ToSlash(name)]
			if !ok {
				return nil, &fs.PathError{Op: "open", Path: filepath.ToSlash(name), Err: fs.ErrNotExist}
			}
			if string(b) == "(forbidden)\n" {
				return nil, &fs.PathError{Op: "open", Path: filepath.ToSlash(name), Err: fs.ErrPermission}
			}
			return b, nil
		}}
}

func allNotes(s Settings) []Note {
	all := s.Notes
	for _, f := range s.Found {
		all = append(all, f.Notes...)
	}
	return all
}

// marker is part of every password in testdata.
const marker = "hunter2"

// checkHidden looks for passwords in all printable forms.
func checkHidden(t *testing.T, s Settings, err error) {
	t.Helper()
	encoded, jsonErr := json.Marshal(s)
	if jsonErr != nil {
		t.Fatal(jsonErr)
	}
	shown := []string{string(encoded), fmt.Sprint(err)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		shown = append(shown, fmt.Sprintf(verb, s))
	}
	for _, text := range shown {
		if strings.Contains(text, marker) || strings.Contains(text, fmt.Sprintf("%x", marker)) {
			t.Errorf("a password is shown: %s", text)
		}
	}
}

// describeSettings returns all settings as the golden files show them.
func describeSettings(s Settings, err error) string {
	var b strings.Builder
	if err != nil {
		fmt.Fprintf(&b, "error: %v\n", err)
	}
	note := func(indent string, n Note) {
		fmt.Fprintf(&b, "%s%s %s", indent, n.Place(), n.Reason)
		if n.Setting != "" {
			fmt.Fprintf(&b, " setting=%s", n.Setting)
		}
		if n.Detail != "" {
			fmt.Fprintf(&b, " detail=%q", n.Detail)
		}
		if n.Count > 0 {
			fmt.Fprintf(&b, " count=%d", n.Count)
		}
		b.WriteByte('\n')
	}
	for _, f := range s.Found {
		fmt.Fprintf(&b, "account at %s:%d", f.File, f.Line)
		if f.Default {
			b.WriteString(" (default)")
		}
		b.WriteByte('\n')
		v := reflect.ValueOf(f.Account)
		for i := range v.NumField() {
			if !v.Field(i).IsZero() {
				fmt.Fprintf(&b, "  %s: %+v\n", v.Type().Field(i).Name, v.Field(i).Interface())
			}
		}
		if !f.Password.IsZero() {
			fmt.Fprintf(&b, "  password of %d characters, begins with %q\n", len(f.Password.Reveal()), f.Password.Reveal()[:1])
		}
		for _, n := range f.Notes {
			note("  ! ", n)
		}
	}
	for _, n := range s.Notes {
		note("- ", n)
	}
	return b.String()
}

func TestPasswordHidesItself(t *testing.T) {
	t.Parallel()
	p := Password{marker}
	holder := struct{ P Password }{p}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{p, &p, holder, []Password{p}} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, marker) || strings.Contains(text, fmt.Sprintf("%x", marker)) {
				t.Errorf("%s of %T shows it: %s", verb, v, text)
			}
		}
	}
	encoded, err := json.Marshal(holder)
	if err != nil || strings.Contains(string(encoded), marker) {
		t.Errorf("JSON shows it: %s, %v", encoded, err)
	}
	if p.Reveal() != marker || p.IsZero() || !(Password{}).IsZero() {
		t.Error("Reveal or IsZero is wrong")
	}
}

func TestGuess(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]Program{
		"/home/me/.msmtprc": Msmtp, "msmtp/config": Msmtp, "C.muttrc": Mutt, ".config/neomutt/neomuttrc": Mutt, ".mutt/x": Mutt,
		".gitconfig": Git, "repo/.git/config": Git, "git/config": Git, "/etc/ssmtp/ssmtp.conf": SSMTP, "revaliases": SSMTP, "x.conf": "",
	} {
		if got, ok := Guess(filepath.FromSlash(file)); got != want || ok != (want != "") {
			t.Errorf("Guess(%q) = %q, %v; want %q", file, got, ok, want)
		}
	}
}

func TestNothingThere(t *testing.T) {
	t.Parallel()
	m := Machine{Home: t.TempDir()}
	for _, p := range Programs() {
		if len(m.UsualPlaces(p)) == 0 && p != SSMTP {
			t.Errorf("%s has no usual place", p)
		}
		if _, err := m.Load(t.Context(), p, ""); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", p, err)
		}
		if _, err := m.Load(t.Context(), p, filepath.Join(m.Home, "missing")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", p, err)
		}
	}
}

// TestUnreadable checks that directories, binary files and large files are refused.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	m := Machine{Home: dir}
	for _, tt := range []struct {
		file string
		want FileProblem
	}{
		{dir, NotRegular},
		{write("large", strings.Repeat("#\n", maxFile)), TooLarge},
		{write("nul", "host \x00"), NotText},
		{write("latin1", "from \xe9@example.org"), NotText},
	} {
		for _, p := range Programs() {
			_, err := m.Load(context.Background(), p, tt.file)
			var problem *ProblemError
			if !errors.As(err, &problem) || problem.Problem != tt.want || problem.File != tt.file {
				t.Errorf("%s as %s: %v, want %q", tt.file, p, err, tt.want)
			}
		}
	}
	if _, err := m.Load(t.Context(), "pine", write("x", "")); err == nil {
		t.Error("an unknown program is accepted")
	}
}

// TestNetrc checks that the password of a login is found in the netrc.
func TestNetrc(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{
		".netrc":   "machine smtp.example.org login me password " + marker + "\n",
		".msmtprc": "account a\nhost smtp.example.org\ntls on\nauth on\nuser me\nfrom me@example.org\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Machine{Home: dir}.Load(t.Context(), Msmtp, "")
	if err != nil || len(s.Found) != 1 {
		t.Fatalf("%d accounts, %v", len(s.Found), err)
	}
	if f := s.Found[0]; f.Account.Secret.Netrc != "default" || len(f.Notes) != 0 {
		t.Errorf("netrc %q, notes %v", f.Account.Secret.Netrc, f.Notes)
	}
}

// TestIncludesEnd checks that ten files may include each other and further ones are noted.
func TestIncludesEnd(t *testing.T) {
	t.Parallel()
	for p, format := range map[Program]string{Mutt: "source /f%d\n", Git: "[include]\npath = /f%d\n"} {
		files := map[string][]byte{}
		for i := range 20 {
			files[fmt.Sprintf("/f%d", i)] = fmt.Appendf(nil, format, i+1)
		}
		s, err := testMachine(files).Load(t.Context(), p, "/f0")
		if err != nil || len(s.Files) != maxDepth {
			t.Errorf("%s: read %q, %v", p, s.Files, err)
		}
		deep := 0
		for _, n := range s.Notes {
			if n.Reason == TooDeep && n.Detail == fmt.Sprintf("/f%d", maxDepth) {
				deep++
			}
		}
		if deep != 1 {
			t.Errorf("%s: noted %v", p, s.Notes)
		}
	}
}

// TestNotesPointAtLines checks that each note about a file with an error in each line has the
// number of its line.
func TestNotesPointAtLines(t *testing.T) {
	t.Parallel()
	for p, line := range map[Program]string{Msmtp: "nonsense %d", Mutt: "set smtp_nonsense=%d", SSMTP: "Nonsense=%d"} {
		var b strings.Builder
		for i := range 50 {
			fmt.Fprintf(&b, line+"\n", i)
		}
		m := testMachine(map[string][]byte{"/f": []byte(b.String())})
		s, err := m.Load(t.Context(), p, "/f")
		if err != nil {
			t.Fatal(err)
		}
		lines := map[int]bool{}
		for _, n := range s.Notes {
			if n.Reason == Unknown {
				lines[n.Line] = true
			}
		}
		for i := 1; i <= 50; i++ {
			if !lines[i] {
				t.Errorf("%s: no note for line %d", p, i)
			}
		}
	}
}

package settingsimport

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/secret"
)

// Bounds on the input. Settings have a few kilobytes; files that include each other in a loop must
// end.
const (
	maxFile  = 1 << 20 // octets
	maxFiles = 64
	maxDepth = 10 // git's own bound
)

// Machine is the environment in which settings are looked up.
type Machine struct {
	// Home is the user's home directory; "" means none.
	Home string
	// Etc is the directory of system-wide settings; "" means none.
	Etc string
	// User is the login name on this machine, from which ssmtp builds an address.
	User string
	// Getenv returns environment variables; nil means none are set.
	Getenv func(string) string
	// Read reads a file; nil reads from the disk, up to a bound.
	Read func(name string) ([]byte, error)
}

// UsualPlaces lists the places of a program's settings in the order in which the program reads them.
func (m Machine) UsualPlaces(p Program) []string {
	config := m.getenv("XDG_CONFIG_HOME")
	if config == "" && m.Home != "" {
		config = filepath.Join(m.Home, ".config")
	}
	var places []string
	under := func(dir string, names ...string) {
		for _, name := range names {
			if dir != "" {
				places = append(places, filepath.Join(dir, filepath.FromSlash(name)))
			}
		}
	}
	switch p {
	case Msmtp:
		under(m.Etc, "msmtprc")
		under(m.Home, ".msmtprc")
		under(config, "msmtp/config")
		under(m.getenv("APPDATA"), "msmtprc.txt")
	case Mutt:
		under(m.Home, ".neomuttrc", ".neomutt/neomuttrc")
		under(config, "neomutt/neomuttrc")
		under(m.Home, ".muttrc", ".mutt/muttrc")
		under(config, "mutt/muttrc")
	case Git:
		under(m.Etc, "gitconfig")
		under(config, "git/config")
		under(m.Home, ".gitconfig")
	case SSMTP:
		under(m.Etc, "ssmtp/ssmtp.conf")
	}
	return places
}

// Load reads the settings of a program from a file, or from its usual places if file is "". The
// error is fs.ErrNotExist if there are none, a [*ProblemError], or a system error.
func (m Machine) Load(ctx context.Context, p Program, file string) (Settings, error) {
	r := &reading{Machine: m, usual: file == "", ctx: ctx, settings: Settings{Program: p}, names: map[string]bool{}, noted: map[Note]bool{}}
	files := []string{file}
	if file == "" {
		files = r.existingPlaces(p)
	}
	if len(files) == 0 {
		return r.settings, fs.ErrNotExist
	}
	var err error
	switch p {
	case Msmtp:
		err = r.readMsmtp(files)
	case Mutt:
		err = r.readMutt(files[0]) // the first existing one
	case Git:
		err = r.readGit(files)
	case SSMTP:
		err = r.readSsmtp(files[0])
	default:
		err = errors.New("not a program whose settings can be read")
	}
	slices.SortStableFunc(r.settings.Notes, r.byPlace)
	return r.settings, err
}

// byPlace orders notes by file and line.
func (r *reading) byPlace(a, b Note) int {
	return cmp.Or(cmp.Compare(slices.Index(r.settings.Files, a.File), slices.Index(r.settings.Files, b.File)), cmp.Compare(a.Line, b.Line))
}

// existingPlaces returns the usual places that exist, even those that may not be read. Of the user's own
// files, msmtp reads only the first.
func (r *reading) existingPlaces(p Program) []string {
	var files []string
	own := false
	for _, file := range r.UsualPlaces(p) {
		if _, err := r.read(file); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		mine := r.Etc == "" || !strings.HasPrefix(file, r.Etc+string(filepath.Separator))
		if p == Msmtp && mine && own {
			continue
		}
		own = own || mine
		files = append(files, file)
	}
	return files
}

// reading is the state of one call of Look.
type reading struct {
	Machine
	ctx      context.Context
	settings Settings
	names    map[string]bool // of the accounts found
	noted    map[Note]bool
	files    int  // number of files read
	usual    bool // no file was named
}

func (m Machine) getenv(name string) string {
	if m.Getenv == nil {
		return ""
	}
	return m.Getenv(name)
}

// readText reads a file of settings and records that it was read.
func (r *reading) readText(file string) (string, error) {
	b, err := r.read(file)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(b) || strings.ContainsRune(string(b), 0) {
		return "", &ProblemError{File: file, Problem: NotText}
	}
	r.files++
	r.settings.Files = append(r.settings.Files, file)
	return strings.ReplaceAll(strings.TrimPrefix(string(b), "\ufeff"), "\r\n", "\n"), nil
}

func (m Machine) read(file string) ([]byte, error) {
	if m.Read != nil {
		return m.Read(file)
	}
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular(): // reading a pipe would wait for a writer
		return nil, &ProblemError{File: file, Problem: NotRegular}
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read: closing it can't lose data
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if err := atomicfile.Trusted(file, info); err != nil {
		return nil, &ProblemError{File: file, Problem: Untrusted}
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = &ProblemError{File: file, Problem: TooLarge}
	}
	return b, err
}

// readInclude reads a file that another file includes. It notes a file that can't be read.
func (r *reading) readInclude(n Note, file string, depth int) (text string, ok bool) {
	n.Detail = file
	if depth > maxDepth || r.files >= maxFiles {
		n.Reason = TooDeep
		r.addNote(n)
		return "", false
	}
	text, err := r.readText(file)
	if err != nil {
		n.Reason = Unreadable
		n.Detail = err.Error()
		r.addNote(n)
		return "", false
	}
	return text, true
}

// path resolves a file name found in another file: ~ is the home directory, and a relative name is
// relative to that other file.
func (m Machine) path(name, beside string) string {
	if rest, ok := strings.CutPrefix(name, "~/"); ok && m.Home != "" {
		return filepath.Join(m.Home, rest)
	}
	if name == "" || filepath.IsAbs(name) || strings.HasPrefix(name, "/") {
		return name
	}
	return filepath.Join(filepath.Dir(beside), name)
}

// addNote adds a note unless the same note exists: accounts inherit lines.
func (r *reading) addNote(n Note) {
	if r.noted[n] {
		return
	}
	r.noted[n] = true
	r.settings.Notes = append(r.settings.Notes, n)
}

// inNetrc reports whether the user's netrc has a password for a login.
func (r *reading) inNetrc(host, user string) bool {
	if r.Home == "" || host == "" {
		return false
	}
	v := secret.Vault{Home: r.Home, Getenv: r.getenv}
	_, err := v.Get(r.ctx, secret.Source{Kind: secret.Netrc}, secret.Key{Host: host, User: user})
	return err == nil
}

package mailfiles

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/mbox"
	"github.com/yanmail/yan/message"
)

// What may be wrong with a path, beside what the system says.
var (
	// ErrEmptyMaildir is a Maildir without a message.
	ErrEmptyMaildir = errors.New("the Maildir holds no message")
	// ErrNoMail is a folder that is no Maildir and holds no .eml file.
	ErrNoMail = errors.New("the folder is no Maildir and holds no .eml file")
	// ErrMarked is a Maildir or an mbox file in which every message is left out,
	// because of its mark.
	ErrMarked = errors.New("all messages are marked as deleted or as drafts")
	// ErrEmpty is a file without an octet.
	ErrEmpty = errors.New("the file is empty")
	// ErrNotRegular is a pipe or a device, which can be read only once.
	ErrNotRegular = errors.New("neither a file nor a folder")
	// ErrChanged is a file that is not what it was when it was first read.
	ErrChanged = errors.New("the file changed after it was checked")
)

// Message is where a message lies.
type Message struct {
	// Path is the file.
	Path string
	// Number is the place of the message in an mbox file, from 1; 0 for a file
	// that is one message.
	Number int

	part  mbox.Part
	known state
	raw   message.Raw
}

// Options say how to read files and folders. The zero Options are the careful
// ones.
type Options struct {
	// FromLines is the rule for mbox files that are ambiguous.
	FromLines mbox.Rule
	// Raw says how messages are read when they are opened.
	Raw message.Raw
	// Marked finds messages that are marked as deleted or as drafts, too.
	Marked bool
}

// Found is what a file or folder holds.
type Found struct {
	Messages []Message
	// Deleted and Drafts count the messages that were left out because of their
	// marks, Internal those in which a mail server keeps data of its own.
	Deleted, Drafts, Internal int
}

// add adds a message, or counts it if it is left out.
func (f *Found) add(m Message, mark mbox.Mark, o Options) {
	switch {
	case mark == mbox.Internal:
		f.Internal++
	case mark == mbox.Live || o.Marked:
		f.Messages = append(f.Messages, m)
	case mark == mbox.Deleted:
		f.Deleted++
	case mark == mbox.Draft:
		f.Drafts++
	}
}

// state tells a file from what it became.
type state struct {
	size     int64
	modified time.Time
}

func stateOf(info fs.FileInfo) state { return state{info.Size(), info.ModTime()} }

// Find lists the messages of a file or a folder in a stable order. There is at
// least one, or an error; with ErrMarked the counts are there, too. What can be
// read only once, like a pipe, is ErrNotRegular: read it with message.ReadRaw.
func Find(path string, o Options) (found Found, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return Found{}, err
	}
	switch {
	case info.IsDir() && isFolder(filepath.Join(path, "cur")) && isFolder(filepath.Join(path, "new")):
		found, err = maildir(path, o)
	case info.IsDir():
		found.Messages, err = folder(path)
	case !info.Mode().IsRegular():
		return Found{}, ErrNotRegular
	case info.Size() == 0:
		return Found{}, ErrEmpty
	default:
		found, err = file(path, o)
	}
	for i := range found.Messages {
		found.Messages[i].raw = o.Raw
	}
	if err == nil && len(found.Messages) == 0 {
		err = ErrMarked
	}
	return found, err
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// maildir lists new and cur by their unique names, which begin with the time
// of delivery.
func maildir(path string, o Options) (found Found, err error) {
	var all []Message
	for _, sub := range []string{"new", "cur"} {
		some, err := list(filepath.Join(path, sub), "")
		if err != nil {
			return found, err
		}
		all = append(all, some...)
	}
	if len(all) == 0 {
		return found, ErrEmptyMaildir
	}
	slices.SortStableFunc(all, func(a, b Message) int {
		return cmp.Compare(uniqueName(a.Path), uniqueName(b.Path))
	})
	for _, m := range all {
		found.add(m, markOf(m.Path), o)
	}
	return found, nil
}

// markOf reads the flags in the name of a Maildir's file: T for trashed, D for
// draft.
func markOf(path string) mbox.Mark {
	flags := filepath.Base(path)[len(uniqueName(path)):]
	switch {
	case strings.Contains(flags, "T"):
		return mbox.Deleted
	case strings.Contains(flags, "D"):
		return mbox.Draft
	}
	return mbox.Live
}

// uniqueName is the name of a Maildir's file without its flags: what stands
// before ":2,". Windows can't have a colon, and programs write others there.
func uniqueName(path string) string {
	name := filepath.Base(path)
	for _, info := range []string{":2,", ";2,", "!2,"} {
		if at := strings.LastIndex(name, info); at >= 0 {
			return name[:at]
		}
	}
	return name
}

func folder(path string) ([]Message, error) {
	all, err := list(path, ".eml")
	if err == nil && len(all) == 0 {
		err = ErrNoMail
	}
	return all, err
}

// list gives the files of a folder that end with suffix, by name. What a link
// points to is not looked at before it is opened.
func list(path, suffix string) ([]Message, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var all []Message
	for _, e := range entries {
		plain := e.Type().IsRegular() || e.Type()&fs.ModeSymlink != 0
		if plain && !strings.HasPrefix(e.Name(), ".") && strings.HasSuffix(strings.ToLower(e.Name()), suffix) {
			all = append(all, Message{Path: filepath.Join(path, e.Name())})
		}
	}
	return all, nil
}

// file is one message, or an mbox file.
func file(path string, o Options) (found Found, err error) {
	f, err := os.Open(path)
	if err != nil {
		return found, err
	}
	defer f.Close() // only read from: closing it can't lose anything
	info, err := f.Stat()
	if err != nil {
		return found, err
	}
	parts, err := mbox.Split(f, o.FromLines)
	if err != nil {
		return found, err
	}
	if len(parts) == 0 {
		found.Messages = []Message{{Path: path}}
	}
	for i, p := range parts {
		found.add(Message{Path: path, Number: i + 1, part: p, known: stateOf(info)}, p.Mark, o)
	}
	return found, nil
}

// Content is a message that is ready to be sent. Close closes its file, too.
type Content struct {
	*message.Content
	file *os.File // nil where the message is in memory
}

// Close may be called twice.
func (c *Content) Close() error {
	err := c.Content.Close()
	if c.file != nil {
		err = errors.Join(err, c.file.Close())
		c.file = nil
	}
	return err
}

// inMemory is the size up to which an open message has no file open, in
// octets.
const inMemory = 64 << 10

// Open reads a message and makes it ready to be sent, as message.Raw does.
// The first Open of a message that is a whole file notes what file that is;
// later ones, and all of an mbox file, give ErrChanged for another.
func (m *Message) Open() (*Content, error) {
	f, err := os.Open(m.Path)
	if err != nil {
		return nil, err
	}
	c, err := m.read(f)
	if err != nil || c.file == nil {
		_ = f.Close() // only read from: closing it can't lose anything
	}
	return c, err
}

// Fits reports whether a message that can't be opened can be with message.Raw.Fit.
func (m *Message) Fits() bool {
	other := *m
	if other.raw.Fit {
		return false
	}
	other.raw.Fit = true
	c, err := other.Open()
	return err == nil && c.Close() == nil
}

func (m *Message) read(f *os.File) (*Content, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, ErrNotRegular
	case m.known == state{}:
		m.known = stateOf(info)
	case m.known != stateOf(info):
		return nil, ErrChanged
	}
	where := m.part
	if m.Number == 0 {
		where.End = info.Size()
	}
	section := io.NewSectionReader(f, where.Start, where.End-where.Start)
	switch {
	case where.Quoted:
		return m.ready(unquote(section), nil)
	case section.Size() > inMemory:
		return m.ready(section, f)
	}
	b := make([]byte, section.Size())
	if _, err := io.ReadFull(section, b); err != nil {
		return nil, fmt.Errorf("reading: %w", err)
	}
	return m.ready(bytes.NewReader(b), nil)
}

func (m *Message) ready(in io.Reader, file *os.File) (*Content, error) {
	c, err := m.raw.Read(in)
	if err != nil {
		return nil, err
	}
	return &Content{c, file}, nil
}

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

	"github.com/yanmail/yan/internal/mailfiles/mbox"
	"github.com/yanmail/yan/message"
)

// Errors of a path, besides system errors.
var (
	// ErrEmptyMaildir is a Maildir without a message.
	ErrEmptyMaildir = errors.New("the Maildir holds no message")
	// ErrNoMail is a directory that is not a Maildir and has no .eml file.
	ErrNoMail = errors.New("the folder is no Maildir and holds no .eml file")
	// ErrMarked is a Maildir or an mbox file whose messages are all skipped because of their marks.
	ErrMarked = errors.New("all messages are marked as deleted or as drafts")
	// ErrEmpty is a file of no octets.
	ErrEmpty = errors.New("the file is empty")
	// ErrNotRegular is a pipe or a device, which can be read only once.
	ErrNotRegular = errors.New("neither a file nor a folder")
	// ErrChanged is a file that has changed since it was first read.
	ErrChanged = errors.New("the file changed after it was checked")
)

// MessageRef is the place of a message.
type MessageRef struct {
	// Path is the file.
	Path string
	// Number is the index of the message in an mbox file, from 1; 0 for a file that is one message.
	Number int

	part  mbox.Part
	known fileVersion
	raw   message.Raw
}

// Options say how to read files and directories. The zero value is the most careful.
type Options struct {
	// FromLines is the rule for ambiguous mbox files.
	FromLines mbox.Rule
	// Raw says how messages are read when they are opened.
	Raw message.Raw
	// Marked also returns messages marked as deleted or as drafts.
	Marked bool
}

// FoundMessages are the messages of a file or directory.
type FoundMessages struct {
	Messages []MessageRef
	// Deleted and Drafts count the messages skipped because of their marks, Internal those in which
	// a mail server keeps its own data.
	Deleted, Drafts, Internal int
}

// add adds a message, or counts it if it is skipped.
func (f *FoundMessages) add(m MessageRef, mark mbox.Mark, o Options) {
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

// fileVersion identifies the version of a file.
type fileVersion struct {
	size     int64
	modified time.Time
}

func fileVersionOf(info fs.FileInfo) fileVersion { return fileVersion{info.Size(), info.ModTime()} }

// Find lists the messages of a file or directory in a stable order. It returns at least one message
// or an error; with ErrMarked the counts are set, too. For files that can be read only once, such
// as pipes, it returns ErrNotRegular: read these with message.ReadRaw.
func Find(path string, o Options) (found FoundMessages, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return FoundMessages{}, err
	}
	switch {
	case info.IsDir() && isFolder(filepath.Join(path, "cur")) && isFolder(filepath.Join(path, "new")):
		found, err = listMaildir(path, o)
	case info.IsDir():
		found.Messages, err = listFolder(path)
	case !info.Mode().IsRegular():
		return FoundMessages{}, ErrNotRegular
	case info.Size() == 0:
		return FoundMessages{}, ErrEmpty
	default:
		found, err = listFile(path, o)
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

// listMaildir lists new and cur by unique name, which begins with the time of delivery.
func listMaildir(path string, o Options) (found FoundMessages, err error) {
	var all []MessageRef
	for _, sub := range []string{"new", "cur"} {
		some, err := listDirectory(filepath.Join(path, sub), "")
		if err != nil {
			return found, err
		}
		all = append(all, some...)
	}
	if len(all) == 0 {
		return found, ErrEmptyMaildir
	}
	slices.SortStableFunc(all, func(a, b MessageRef) int {
		return cmp.Compare(uniqueName(a.Path), uniqueName(b.Path))
	})
	for _, m := range all {
		found.add(m, markOf(m.Path), o)
	}
	return found, nil
}

// markOf returns the mark in the name of a Maildir's file: T for trashed, D for draft.
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

// uniqueName returns the name of a Maildir's file without its flags: the part before ":2,". On
// Windows a name can't contain a colon, and programs write other characters.
func uniqueName(path string) string {
	name := filepath.Base(path)
	for _, info := range []string{":2,", ";2,", "!2,"} {
		if at := strings.LastIndex(name, info); at >= 0 {
			return name[:at]
		}
	}
	return name
}

func listFolder(path string) ([]MessageRef, error) {
	all, err := listDirectory(path, ".eml")
	if err == nil && len(all) == 0 {
		err = ErrNoMail
	}
	return all, err
}

// listDirectory returns the files of a directory that end with suffix, by name. It does not follow links.
func listDirectory(path, suffix string) ([]MessageRef, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var all []MessageRef
	for _, e := range entries {
		plain := e.Type().IsRegular() || e.Type()&fs.ModeSymlink != 0
		if plain && !strings.HasPrefix(e.Name(), ".") && strings.HasSuffix(strings.ToLower(e.Name()), suffix) {
			all = append(all, MessageRef{Path: filepath.Join(path, e.Name())})
		}
	}
	return all, nil
}

// listFile lists the messages of an mbox file, or the file itself as one message.
func listFile(path string, o Options) (found FoundMessages, err error) {
	f, err := os.Open(path)
	if err != nil {
		return found, err
	}
	defer f.Close() // only read: closing it can't lose data
	info, err := f.Stat()
	if err != nil {
		return found, err
	}
	parts, err := mbox.Split(f, o.FromLines)
	if err != nil {
		return found, err
	}
	if len(parts) == 0 {
		found.Messages = []MessageRef{{Path: path}}
	}
	for i, p := range parts {
		found.add(MessageRef{Path: path, Number: i + 1, part: p, known: fileVersionOf(info)}, p.Mark, o)
	}
	return found, nil
}

// OpenContent is a message ready to be sent. Close also closes its file.
type OpenContent struct {
	*message.Content
	file *os.File // nil if the message is in memory
}

// Close may be called twice.
func (c *OpenContent) Close() error {
	err := c.Content.Close()
	if c.file != nil {
		err = errors.Join(err, c.file.Close())
		c.file = nil
	}
	return err
}

// inMemory is the size, in octets, up to which an open message is held in memory without an open
// file.
const inMemory = 64 << 10

// Open reads a message and prepares it for sending, as message.Raw does. The first Open of a
// message that is a whole file records the file's version; a later one, and every one of an mbox
// file, returns ErrChanged if the version differs.
func (m *MessageRef) Open() (*OpenContent, error) {
	f, err := os.Open(m.Path)
	if err != nil {
		return nil, err
	}
	c, err := m.read(f)
	if err != nil || c.file == nil {
		_ = f.Close() // only read: closing it can't lose data
	}
	return c, err
}

// Fits reports whether a message that can't be opened can be opened with message.Raw.Fit.
func (m *MessageRef) Fits() bool {
	other := *m
	if other.raw.Fit {
		return false
	}
	other.raw.Fit = true
	c, err := other.Open()
	return err == nil && c.Close() == nil
}

func (m *MessageRef) read(f *os.File) (*OpenContent, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, ErrNotRegular
	case m.known == fileVersion{}:
		m.known = fileVersionOf(info)
	case m.known != fileVersionOf(info):
		return nil, ErrChanged
	}
	where := m.part
	if m.Number == 0 {
		where.End = info.Size()
	}
	section := io.NewSectionReader(f, where.Start, where.End-where.Start)
	switch {
	case where.Quoted:
		return m.prepare(newUnquoter(section), nil)
	case section.Size() > inMemory:
		return m.prepare(section, f)
	}
	b := make([]byte, section.Size())
	if _, err := io.ReadFull(section, b); err != nil {
		return nil, fmt.Errorf("reading: %w", err)
	}
	return m.prepare(bytes.NewReader(b), nil)
}

func (m *MessageRef) prepare(in io.Reader, file *os.File) (*OpenContent, error) {
	c, err := m.raw.Read(in)
	if err != nil {
		return nil, err
	}
	return &OpenContent{c, file}, nil
}

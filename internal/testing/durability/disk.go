package durability

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Disk computes what may be on a disk after a power cut, from the system calls of a process. Only
// synced data is certain to survive.
//
// A write or a change of a file's length is certain once a sync of the file that began after it has
// ended. Before that it may survive or not, independently of other changes, and of a write any
// sector may survive. A name is certain once its directory was synced in the same way; before that,
// the names of a directory survive in their order.
type Disk struct {
	root  string // the directory that existed before
	calls []Call
	// Ignores makes syncs have no effect, for control tests; nil ignores none.
	Ignores func(Call) bool
}

// NewDisk returns the Disk of calls below root, which was empty before them.
func NewDisk(root string, calls []Call) *Disk { return &Disk{root: root, calls: calls} }

// Lines returns the number of lines of the trace.
func (d *Disk) Lines() int {
	last := 0
	for _, c := range d.calls {
		last = max(last, c.End)
	}
	return last
}

// fileChange is a change of a file: a write or a new length.
type fileChange struct {
	data   []byte
	offset int64
	length bool // offset is the new length
	end    int
	sure   bool
}

type simulatedFile struct {
	changes []fileChange
	size    int64 // as the process sees it
}

// dirEntry is a change of a directory: a name was added or removed.
type dirEntry struct {
	name string
	file *simulatedFile // nil: removed
	dir  string         // the directory of that name
	end  int
	sure bool
}

// diskState is the state of the disk at one moment.
type diskState struct {
	names   map[string]*simulatedFile // as the process sees it
	folders map[string][]dirEntry
}

// at replays the calls up to a line. Calls that had begun by then but not ended may have taken
// effect.
func (d *Disk) at(line int) (*diskState, error) {
	w := &diskState{names: map[string]*simulatedFile{}, folders: map[string][]dirEntry{}}
	for _, c := range d.calls {
		if c.Begin > line || !strings.HasPrefix(c.Path, d.root+"/") && c.Path != d.root {
			continue
		}
		if err := d.play(w, c, c.End <= line); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *diskState) give(path string, f *simulatedFile, dir string, end int) {
	folder := filepath.Dir(path)
	w.folders[folder] = append(w.folders[folder], dirEntry{name: filepath.Base(path), file: f, dir: dir, end: end})
	if f == nil {
		delete(w.names, path)
		return
	}
	w.names[path] = f
}

// play replays one call; over reports whether it had ended.
func (d *Disk) play(w *diskState, c Call, over bool) error {
	f := w.names[c.Path]
	switch c.Name {
	case "read":
	case "open", "openat", "creat":
		if f == nil && (strings.Contains(c.Flags, "O_CREAT") || c.Name == "creat") {
			f = &simulatedFile{}
			w.give(c.Path, f, "", c.End)
		}
		if f != nil && strings.Contains(c.Flags, "O_TRUNC") && f.size > 0 {
			f.changes, f.size = append(f.changes, fileChange{length: true, end: c.End}), 0
		}
	case "mkdir", "mkdirat":
		w.folders[c.Path] = nil
		w.give(c.Path, &simulatedFile{}, c.Path, c.End)
		delete(w.names, c.Path)
	case "write", "pwrite64":
		if f == nil {
			return nil // it has no name any more
		}
		offset := c.Offset
		if offset < 0 {
			offset = f.size // these writers only append
		}
		f.changes = append(f.changes, fileChange{data: c.Data, offset: offset, end: c.End})
		f.size = max(f.size, offset+int64(len(c.Data)))
	case "ftruncate":
		if f != nil {
			f.changes, f.size = append(f.changes, fileChange{length: true, offset: c.Offset, end: c.End}), c.Offset
		}
	case "fsync", "fdatasync":
		if over && (d.Ignores == nil || !d.Ignores(c)) {
			w.sync(c, f)
		}
	case "rename", "renameat", "renameat2", "link", "linkat":
		w.give(c.To, f, "", c.End)
		if strings.HasPrefix(c.Name, "rename") {
			w.give(c.Path, nil, "", c.End)
		}
	case "unlink", "unlinkat":
		w.give(c.Path, nil, "", c.End)
	default:
		return fmt.Errorf("line %d of the trace: %s of %s is not known here", c.End, c.Name, c.Path)
	}
	return nil
}

func (w *diskState) sync(c Call, f *simulatedFile) {
	if f == nil {
		entries := w.folders[c.Path]
		for i := range entries {
			entries[i].sure = entries[i].sure || entries[i].end < c.Begin
		}
		return
	}
	for i := range f.changes {
		f.changes[i].sure = f.changes[i].sure || f.changes[i].end < c.Begin
	}
}

// Way says how much of the uncertain data a disk holds after a power cut.
type Way string

// The ways: none of it, all of it, the oldest part, any of it, any sectors of it.
const (
	Nothing Way = "nothing"
	All     Way = "all"
	First   Way = "what came first"
	Any     Way = "any"
	Torn    Way = "any, torn"
)

// Ways lists all ways.
func Ways() []Way { return []Way{Nothing, All, First, Any, Torn} }

// Cut is a power cut at a line of the trace.
type Cut struct {
	Line int
	Way  Way
	// Sector is the size, in octets, of a block that is written whole or not at all.
	Sector int
	Random *rand.Rand
}

// Leave writes the disk's content after a cut into an empty directory. It leaves out files whose
// name ends in one of without: files that are recreated.
func (d *Disk) Leave(folder string, cut Cut, without ...string) error {
	w, err := d.at(cut.Line)
	if err != nil {
		return err
	}
	return d.leave(w, d.root, folder, cut, without)
}

func (d *Disk) leave(w *diskState, from, to string, cut Cut, without []string) error {
	names := map[string]dirEntry{}
	entries := w.folders[from]
	first := cut.choose(len(entries))
	for i, e := range entries {
		kept := e.sure
		switch cut.Way {
		case All:
			kept = true
		case First, Any, Torn:
			kept = kept || i < first
		}
		if kept {
			names[e.name] = e
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		e := names[name]
		if e.file == nil || slices.ContainsFunc(without, func(end string) bool { return strings.HasSuffix(name, end) }) {
			continue
		}
		path := filepath.Join(to, name)
		if e.dir != "" {
			if err := os.Mkdir(path, 0o700); err != nil {
				return err
			}
			if err := d.leave(w, e.dir, path, cut, without); err != nil {
				return err
			}
			continue
		}
		if err := os.WriteFile(path, cut.content(e.file), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// choose returns how many of the n oldest changes survive.
func (c Cut) choose(n int) int { return c.Random.IntN(n + 1) }

// content returns the content of a file after the cut.
func (c Cut) content(f *simulatedFile) []byte {
	var data []byte
	first := c.choose(len(f.changes))
	for i, ch := range f.changes {
		whole := ch.sure || c.Way == All || c.Way == First && i < first ||
			(c.Way == Any || c.Way == Torn) && c.Random.IntN(2) == 0
		switch {
		case ch.length && whole:
			data = resize(data, ch.offset)
		case ch.length:
		case whole:
			data = putAt(data, ch.data, ch.offset)
		case c.Way == Torn:
			for at := 0; at < len(ch.data); {
				// Sectors are aligned in the file.
				end := min(len(ch.data), at+c.Sector-int(ch.offset+int64(at))%c.Sector)
				if c.Random.IntN(2) == 0 {
					data = putAt(data, ch.data[at:end], ch.offset+int64(at))
				}
				at = end
			}
		}
	}
	return data
}

func putAt(data, piece []byte, offset int64) []byte {
	if end := offset + int64(len(piece)); end > int64(len(data)) {
		data = resize(data, end)
	}
	copy(data[offset:], piece)
	return data
}

func resize(data []byte, size int64) []byte {
	if size <= int64(len(data)) {
		return data[:size:size]
	}
	return append(data, make([]byte, size-int64(len(data)))...)
}

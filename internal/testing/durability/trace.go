package durability

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
)

// Calls returns the system calls that strace must show for ParseTrace: all that change files, and
// read.
func Calls() string {
	return "read,?open,openat,?creat,write,writev,pwrite64,pwritev,ftruncate,fallocate,fsync,fdatasync,sync_file_range,sync,syncfs,msync," +
		"?rename,?renameat,renameat2,?unlink,unlinkat,?link,linkat,?mkdir,mkdirat,?rmdir,copy_file_range,sendfile"
}

// StraceFlags returns the flags of strace whose output ParseTrace parses. The caller appends the
// name of the output file and the command.
func StraceFlags() []string {
	return []string{"-f", "-y", "-xx", "-s", "16777216", "-e", "signal=none", "-e", "trace=" + Calls(), "-o"}
}

// Call is a system call that succeeded.
type Call struct {
	Name string
	// Begin and End are lines of the trace. A call whose End is before another's Begin happened
	// before it.
	Begin, End int
	FD         int    // of the first argument; -1 if that is no descriptor
	Path       string // the file of FD, or the first path argument
	To         string // the second path argument
	Data       []byte // the written octets
	Offset     int64  // of pwrite64; the length for ftruncate; -1 for the file position
	Flags      string
}

// ParseTrace parses the output of strace. cwd is the process's working directory at the start.
func ParseTrace(r io.Reader, cwd string) ([]Call, error) {
	in := bufio.NewReaderSize(r, 1<<20)
	open := map[string]*unfinishedCall{} // by process
	var calls []Call
	for number := 1; ; number++ {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			return calls, nil
		}
		if err != nil {
			return nil, err
		}
		pid, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		text = strings.TrimLeft(text, " ")
		begin := number
		switch {
		case strings.HasPrefix(text, "+++") || strings.HasPrefix(text, "---"):
			continue
		case strings.HasSuffix(text, " <unfinished ...>"):
			open[pid] = &unfinishedCall{number, strings.TrimSuffix(text, " <unfinished ...>")}
			continue
		case strings.HasPrefix(text, "<... "):
			o := open[pid]
			_, rest, found := strings.Cut(text, " resumed>")
			if o == nil || !found {
				return nil, fmt.Errorf("line %d of the trace: nothing to resume: %.80q", number, text)
			}
			delete(open, pid)
			begin, text = o.line, o.text+rest
		}
		call, ok, err := parseCall(text, cwd)
		if err != nil {
			return nil, fmt.Errorf("line %d of the trace: %w: %.200q", number, err, text)
		}
		if ok {
			call.Begin, call.End = begin, number
			calls = append(calls, call)
		}
	}
}

// unfinishedCall is a call that had not ended when another one was printed.
type unfinishedCall struct {
	line int
	text string
}

// parseCall parses name(arguments) = result; ok is false for a call that failed.
func parseCall(text, cwd string) (c Call, ok bool, err error) {
	at, equals := strings.LastIndex(text, ") "), strings.LastIndex(text, " = ")
	name, rest, found := strings.Cut(text, "(")
	if !found || at < len(name) || equals < at {
		return c, false, errors.New("no call")
	}
	c = Call{Name: name, FD: -1, Offset: -1}
	result := text[equals+3:]
	if strings.HasPrefix(result, "-") || strings.HasPrefix(result, "?") {
		return c, false, nil
	}
	args := strings.Split(rest[:at-len(name)-1], ", ") // all strings are in hexadecimal
	if err := c.arguments(args, cwd); err != nil {
		return c, false, err
	}
	if strings.Contains(name, "write") {
		written, err := strconv.Atoi(strings.Fields(result)[0])
		if err != nil {
			return c, false, err
		}
		if written > len(c.Data) {
			return c, false, fmt.Errorf("%d octets were written, and %d are shown", written, len(c.Data))
		}
		c.Data = c.Data[:written]
	}
	if name == "pwrite64" || name == "ftruncate" {
		c.Offset, err = strconv.ParseInt(args[len(args)-1], 10, 64)
	}
	return c, err == nil, err
}

// arguments parses the arguments that matter.
func (c *Call) arguments(args []string, cwd string) error {
	base := cwd
	var paths []string
	for i, arg := range args {
		text, quoted := strings.CutPrefix(arg, `"`)
		_, vector, isVector := strings.Cut(arg, `iov_base="`)
		number, file, described := strings.Cut(arg, "<")
		switch {
		case isVector:
			text, quoted = vector, true
			fallthrough
		case quoted:
			text, _, _ = strings.Cut(text, `"`)
			octets, err := hexDecode(text)
			if err != nil {
				return err
			}
			if c.Name == "read" || strings.Contains(c.Name, "write") {
				c.Data = append(c.Data, octets...)
				continue
			}
			paths = append(paths, resolvePath(base, string(octets)))
			base = cwd
		case described:
			file, _, _ = strings.Cut(file, ">")
			base = file // of a socket or a pipe
			if path, err := hexDecode(file); err == nil {
				base = string(path)
			}
			if i == 0 && number != "AT_FDCWD" {
				var err error
				if c.FD, err = strconv.Atoi(number); err != nil {
					return err
				}
				paths = append(paths, base)
			}
		case strings.HasPrefix(arg, "O_"):
			c.Flags = arg
		}
	}
	// A path next to a directory descriptor is relative to it.
	if c.FD >= 0 && len(paths) > 1 {
		paths = paths[1:]
	}
	if len(paths) > 0 {
		c.Path = paths[0]
	}
	if len(paths) > 1 {
		c.To = paths[1]
	}
	return nil
}

func resolvePath(base, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(base, path)
}

// hexDecode decodes \x6f\x6b.
func hexDecode(s string) ([]byte, error) {
	return hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
}

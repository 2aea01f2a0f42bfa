package command

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	encoding "golang.org/x/text/encoding/unicode"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

// Mistakes in the user's input are reported here in the user's language, with the flag or variable
// and the value, before any connection. The packages below check the same again, and more; their
// English error is appended if it adds something.

// Name returns how the user set a flag: "--to", or "YAN_TO".
func (a *Context) Name(flag string) string {
	if from, ok := a.Origin[flag]; ok {
		return from
	}
	return "--" + flag
}

// Address checks the value of a flag that takes addresses.
func (a *Context) Address(flag, v string) error {
	if file, looks := strings.CutPrefix(v, "@"); (looks && file != "" || v == "-") && slices.Contains([]string{"to", "cc", "bcc"}, flag) {
		if v == "-" {
			file = v
		}
		return Fail(ExitUsage, errors.New(a.T("%s %q: not a valid address", a.Name(flag), v)),
			a.T("To read addresses from a file: %s", "--"+flag+"-file "+QuoteName(file)))
	}
	return a.AddressIn(a.Name(flag), v)
}

// AddressIn is Address for a value from another place, like a line of a file.
func (a *Context) AddressIn(name, v string) error {
	switch {
	case strings.TrimSpace(v) == "":
		return a.Wrongf("%s is empty: want an address like friend@example.com", name)
	case strings.ContainsFunc(v, unicode.IsControl):
		return a.Wrongf("%s %q: contains a line break or another control character", name, v)
	case strings.ContainsRune(v, '＠'):
		return a.Wrongf("%s %q: type the half-width @ instead of the full-width ＠", name, v)
	case strings.Contains(strings.ToLower(v), "mailto:"):
		return a.Wrongf("%s %q: write the address without mailto:", name, v)
	case !strings.Contains(v, "@"):
		return a.Wrongf("%s %q: want an address like friend@example.com", name, v)
	}
	boxes, err := message.ParseMailboxList(v)
	if err != nil {
		return a.Wrongf("%s: not a valid recipient address: %v", name, err)
	}
	if strings.ContainsFunc(v, smtp.IsInvisible) {
		a.Hint(a.T("%s: removed invisible characters around an address", name))
	}
	for _, box := range boxes {
		if len(box.Address.Local()) > 64 {
			a.Hint(a.T("%s: %s has more than 64 octets before the @, which some servers refuse", name, QuoteName(box.Address.String())))
		}
	}
	return nil
}

// OneLine checks a value that becomes a line of the header.
func (a *Context) OneLine(name, v string) error {
	switch {
	case !utf8.ValidString(v):
		return a.Dataf("%s: the text is not UTF-8", name)
	case strings.ContainsAny(v, "\r\n"):
		return a.Dataf("%s %q: line breaks are not allowed here", name, console.ClipText(v))
	case strings.ContainsFunc(v, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }):
		return a.Dataf("%s %q: control characters are not allowed here", name, console.ClipText(v))
	}
	return nil
}

// Text checks the text or HTML of a message; where is its source.
func (a *Context) Text(where, v string) error {
	if !utf8.ValidString(v) {
		return a.notUTF8(where)
	}
	if strings.ContainsRune(v, 0) {
		return a.Dataf("%s: contains a NUL character; use -a to attach files that are not text", where)
	}
	return nil
}

// notUTF8 is the error for a text in an unknown encoding.
func (a *Context) notUTF8(where string) error {
	hint := a.T("Name its charset: %s. Or save it as UTF-8, with \"Save as\" in an editor.", "--charset gbk")
	if where == a.Name("body") || where == a.Name("html") {
		hint = ""
	}
	return Fail(ExitData, errors.New(a.T("%s: the text is not UTF-8", where)), hint)
}

// NoneEmpty refuses a flag with an empty value, as "$KEY" has in a script that did not set
// it: it would select more messages than are meant, or send a message twice.
func NoneEmpty(a *Context, cmd *cobra.Command, flags ...string) error {
	for _, flag := range flags {
		f := cmd.Flags().Lookup(flag)
		if f == nil || !f.Changed || a.Origin[flag] != "" {
			continue
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		if slices.ContainsFunc(values, func(v string) bool { return strings.TrimSpace(v) == "" }) {
			return a.Wrongf("%s is empty; omit it if you don't need it", a.Name(flag))
		}
	}
	return nil
}

// ComposeFailure explains an error of package message that the checks here did not
// find.
func (a *Context) ComposeFailure(err error) error {
	if errors.Is(err, context.Canceled) {
		return a.Interrupted()
	}
	code := ExitData
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		code = ExitNoInput
	}
	return Fail(code, localerr.Errorf("%s: %w", a.T("the message can't be sent"), err), "")
}

// FileFailure explains a problem with a file. The parameter what is the flag or variable that named it.
func (a *Context) FileFailure(what, name string, err error) *Failure {
	shown := strings.TrimSpace(what + " " + QuoteName(name))
	var long *atomicfile.TooLongError
	switch {
	case errors.As(err, &long):
		return Fail(ExitData, errors.New(a.T("%s: larger than %s, the limit for this file", shown, console.Size(long.Most))), "")
	case errors.Is(err, atomicfile.ErrFolder):
		return Fail(ExitNoInput, errors.New(a.T("%s: this is a folder, not a file", shown)), "")
	case errors.Is(err, fs.ErrNotExist):
		return Fail(ExitNoInput, errors.New(a.T("%s: there is no such file", shown)), "")
	case errors.Is(err, fs.ErrPermission):
		return Fail(ExitNoInput, errors.New(a.T("%s: no permission to read this file", shown)), "")
	case errors.Is(err, context.Canceled):
		return a.Interrupted()
	}
	return Fail(ExitIO, errors.New(a.T("%s: can't be read: %v", shown, err)), "")
}

// QuoteName quotes a name that would be misread, or could control the terminal.
func QuoteName(name string) string {
	odd := func(r rune) bool { return r == ' ' || r == '"' || r == utf8.RuneError || !unicode.IsPrint(r) }
	if name == "" || strings.ContainsFunc(name, odd) {
		return strconv.Quote(name)
	}
	return name
}

// The limits of a text and of a list of recipients, in octets. No server
// accepts a text of this size; a device may never end.
const (
	MaxText       = 64_000_000
	MaxRecipients = 16_000_000
)

// ReadText reads a text file: UTF-8, or UTF-16 with a byte order mark as
// PowerShell and Notepad write it.
func (a *Context) ReadText(name string, most int64) (string, error) {
	b, err := atomicfile.Read(a.Ctx, name, most)
	if err != nil {
		return "", err
	}
	return decodeText(b), nil
}

// ReadStdin reads all of standard input as text.
func (a *Context) ReadStdin(what string, most int64) (string, error) {
	b, err := atomicfile.ReadAll(a.Stdin, most)
	if err != nil {
		return "", a.FileFailure(what, "-", err)
	}
	return decodeText(b), nil
}

// decodeText removes a byte order mark and decodes the encoding that it
// announces. Any other text stays as it is, and is refused later if it is not
// UTF-8.
func decodeText(b []byte) string {
	s := string(b)
	if strings.HasPrefix(s, "\xff\xfe") || strings.HasPrefix(s, "\xfe\xff") {
		if decoded, err := encoding.UTF16(encoding.LittleEndian, encoding.ExpectBOM).NewDecoder().String(s); err == nil {
			return decoded
		}
	}
	return strings.TrimPrefix(s, "\ufeff")
}

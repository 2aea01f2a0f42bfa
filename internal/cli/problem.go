package cli

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	encoding "golang.org/x/text/encoding/unicode"

	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/internal/wholefile"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

// What is wrong with the user's input is said here in the user's language,
// with the flag or variable and the value, before anything is connected. The
// packages below check the same things again, and more; their English stands
// behind ours where it says something ours does not.

// usage is for command lines that make no sense; the help says what would.
func (a *app) usage(err error) *failure {
	return fail(exitUsage, err, a.T("See '%s --help'.", a.command))
}

// usagef is usage for a sentence of our own.
func (a *app) usagef(english string, args ...any) *failure {
	return a.usage(errors.New(a.T(english, args...)))
}

// wrongf is for a value that can't be used, where the sentence says what would
// be right.
func (a *app) wrongf(english string, args ...any) *failure {
	return fail(exitUsage, errors.New(a.T(english, args...)), "")
}

// dataf is for a message that can't be sent as it is.
func (a *app) dataf(english string, args ...any) *failure {
	return fail(exitData, errors.New(a.T(english, args...)), "")
}

// configf is for settings and secrets that can't be used.
func (a *app) configf(english string, args ...any) *failure {
	return fail(exitConfig, errors.New(a.T(english, args...)), "")
}

// file says what is wrong with a file; what is the flag or variable that
// named it.
func (a *app) file(what, name string, err error) *failure {
	shown := strings.TrimSpace(what + " " + printable(name))
	var long *wholefile.TooLongError
	switch {
	case errors.As(err, &long):
		return fail(exitData, errors.New(a.T("%s: holds more than %s, the most that is read here", shown, size(long.Most))), "")
	case errors.Is(err, wholefile.ErrFolder):
		return fail(exitNoInput, errors.New(a.T("%s: this is a folder, not a file", shown)), "")
	case errors.Is(err, fs.ErrNotExist):
		return fail(exitNoInput, errors.New(a.T("%s: there is no such file", shown)), "")
	case errors.Is(err, fs.ErrPermission):
		return fail(exitNoInput, errors.New(a.T("%s: no permission to read this file", shown)), "")
	case errors.Is(err, context.Canceled):
		return a.interrupted()
	}
	return fail(exitIO, errors.New(a.T("%s: can't be read: %v", shown, err)), "")
}

// printable quotes a name that would be misread, or could play tricks.
func printable(name string) string {
	odd := func(r rune) bool { return r == ' ' || r == '"' || r == utf8.RuneError || !unicode.IsPrint(r) }
	if name == "" || strings.ContainsFunc(name, odd) {
		return strconv.Quote(name)
	}
	return name
}

// What a text and a list of recipients may hold, in octets. No server takes a text of
// this size; more would be read from a device that never ends.
const (
	maxText       = 64_000_000
	maxRecipients = 16_000_000
)

// readText reads a file of text: UTF-8, or UTF-16 with a byte order mark as
// PowerShell and Notepad write it.
func (a *app) readText(name string, most int64) (string, error) {
	b, err := wholefile.Read(a.ctx, name, most)
	if err != nil {
		return "", err
	}
	return decodeText(b), nil
}

// readStdin reads all of standard input as text.
func (a *app) readStdin(what string, most int64) (string, error) {
	b, err := wholefile.ReadAll(a.Stdin, most)
	if err != nil {
		return "", a.file(what, "-", err)
	}
	return decodeText(b), nil
}

// decodeText takes a byte order mark off and decodes what it announces.
// Anything else stays as it is, to be refused later if it is not UTF-8.
func decodeText(b []byte) string {
	s := string(b)
	if strings.HasPrefix(s, "\xff\xfe") || strings.HasPrefix(s, "\xfe\xff") {
		if decoded, err := encoding.UTF16(encoding.LittleEndian, encoding.ExpectBOM).NewDecoder().String(s); err == nil {
			return decoded
		}
	}
	return strings.TrimPrefix(s, "\ufeff")
}

// address checks the value of a flag that takes addresses.
func (a *app) address(flag, v string) error {
	if file, looks := strings.CutPrefix(v, "@"); (looks && file != "" || v == "-") && slices.Contains([]string{"to", "cc", "bcc"}, flag) {
		if v == "-" {
			file = v
		}
		return fail(exitUsage, errors.New(a.T("%s %q: not an address", a.name(flag), v)),
			a.T("To read addresses from a file: %s", "--"+flag+"-file "+printable(file)))
	}
	return a.addressIn(a.name(flag), v)
}

// addressIn is address for what stands somewhere, like a line of a file.
func (a *app) addressIn(name, v string) error {
	switch {
	case strings.TrimSpace(v) == "":
		return a.wrongf("%s is empty: want an address like friend@example.com", name)
	case strings.ContainsFunc(v, unicode.IsControl):
		return a.wrongf("%s %q: holds a line break or another control character", name, v)
	case strings.ContainsRune(v, '＠'):
		return a.wrongf("%s %q: type the half-width @ instead of the full-width ＠", name, v)
	case strings.Contains(strings.ToLower(v), "mailto:"):
		return a.wrongf("%s %q: write the address without mailto:", name, v)
	case !strings.Contains(v, "@"):
		return a.wrongf("%s %q: want an address like friend@example.com", name, v)
	}
	boxes, err := message.ParseMailboxList(v)
	if err != nil {
		return a.wrongf("%s: not an address that mail can be sent to: %v", name, err)
	}
	if strings.ContainsFunc(v, smtp.IsInvisible) {
		a.hint(a.T("%s: invisible characters around an address were left out", name))
	}
	for _, box := range boxes {
		if len(box.Address.Local()) > 64 {
			a.hint(a.T("%s: %s has more than 64 octets before the @, which some servers refuse", name, printable(box.Address.String())))
		}
	}
	return nil
}

// oneLine checks a value that becomes a line of the header.
func (a *app) oneLine(name, v string) error {
	switch {
	case !utf8.ValidString(v):
		return a.dataf("%s: the text is not UTF-8", name)
	case strings.ContainsAny(v, "\r\n"):
		return a.dataf("%s %q: a line break can't stand here", name, clipped(v))
	case strings.ContainsFunc(v, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }):
		return a.dataf("%s %q: a control character can't stand here", name, clipped(v))
	}
	return nil
}

// text checks the text or HTML of a message; where says what it came from.
func (a *app) text(where, v string) error {
	if !utf8.ValidString(v) {
		return a.notUTF8(where)
	}
	if strings.ContainsRune(v, 0) {
		return a.dataf("%s: holds a NUL character; attach files that are not text with -a", where)
	}
	return nil
}

// composing is what package message found that the checks here did not.
func (a *app) composing(err error) error {
	if errors.Is(err, context.Canceled) {
		return a.interrupted()
	}
	code := exitData
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		code = exitNoInput
	}
	return fail(code, sentence.Errorf("%s: %w", a.T("the message can't be sent like this"), err), "")
}

func clipped(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

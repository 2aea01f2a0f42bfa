package sendcmd

import (
	"errors"
	"strings"
	"unicode"

	"github.com/yanmail/yan/internal/cli/command"
)

// A flag that takes a text or an address never reads a file, because a script may pass on text from
// strangers. Only flags named *-file read files, and only there does - mean standard input.

// addressFiles returns the flags that name files of recipients, each with the flag whose values
// they extend.
func (s *sendFlags) addressFiles() []addressFile {
	return []addressFile{{"to-file", s.toFile, &s.to}, {"cc-file", s.ccFile, &s.cc}, {"bcc-file", s.bccFile, &s.bcc}}
}

type addressFile struct {
	flag  string
	files []string
	to    *[]string
}

// readNamedFiles reads the files of recipients and the file of the HTML.
func (c *composer) readNamedFiles(args []string) error {
	if n := c.s.wantsStdin(args); n > 1 {
		return c.Usagef("standard input (-) is used %d times, but can be read only once", n)
	}
	for _, f := range c.s.addressFiles() {
		for _, file := range f.files {
			found, err := c.recipientsIn(f.flag, file)
			if err != nil {
				return err
			}
			*f.to = append(*f.to, found...)
		}
	}
	if c.s.htmlFile == "" {
		return nil
	}
	var err error
	if c.s.html, err = c.readText("html-file", c.s.htmlFile); err != nil {
		return err
	}
	c.s.html, err = c.decodeHTML(c.Name("html-file")+" "+command.QuoteName(c.s.htmlFile), c.s.html)
	return err
}

// recipientsIn reads a file with one address, or several separated by commas, on each line.
func (c *composer) recipientsIn(flag, file string) ([]string, error) {
	text, err := c.fileText(flag, file, command.MaxRecipients)
	if err == nil {
		text, err = c.decodeText(c.Name(flag)+" "+command.QuoteName(file), text, file == "-")
	}
	if err != nil {
		return nil, err
	}
	var list []string
	number := 0
	for line := range strings.Lines(text) {
		number++
		if line = strings.TrimRight(strings.TrimSpace(line), ", "); line == "" {
			continue
		}
		if err := c.AddressIn(c.T("%s %s, line %d", c.Name(flag), command.QuoteName(file), number), line); err != nil {
			var wrong *command.Failure
			if errors.As(err, &wrong) {
				wrong.Code = command.ExitData
			}
			return nil, err
		}
		list = append(list, line)
	}
	if len(list) == 0 {
		return nil, c.Dataf("%s %s: this file contains no address", c.Name(flag), command.QuoteName(file))
	}
	return list, nil
}

// readText returns the text of the file that a flag names; - is standard input.
func (c *composer) readText(flag, file string) (string, error) {
	return c.fileText(flag, file, command.MaxText)
}

func (c *composer) fileText(flag, file string, most int64) (string, error) {
	if file == "-" {
		return c.ReadStdin(c.Name(flag), most)
	}
	text, err := c.ReadText(file, most)
	if err != nil {
		return "", c.FileFailure(c.Name(flag), file, err)
	}
	return text, nil
}

// wantsStdin counts the values that read standard input.
func (s *sendFlags) wantsStdin(args []string) int {
	n := 0
	for _, list := range [][]string{s.toFile, s.ccFile, s.bccFile, s.attach, s.inline, {s.bodyFile, s.htmlFile, s.inviteFile}} {
		for _, v := range list {
			if v == "-" || strings.HasPrefix(v, "-;") {
				n++
			}
		}
	}
	for _, name := range args {
		if s.raw && name == "-" {
			n++
		}
	}
	if s.raw && len(args) == 0 {
		n++
	}
	return n
}

// noteFileNames prints a hint if a text looks like a file name, since other programs, and early
// versions of this one, read the file.
func (c *composer) noteFileNames() {
	for _, f := range []struct{ flag, value, other string }{{"body", c.s.body, "--body-file"}, {"html", c.s.html, "--html-file"}} {
		file, looks := looksLikeFile(f.value)
		if !c.changed(f.flag) || !looks || c.s.quiet {
			continue
		}
		c.Errf("%s\n", c.T("%s: the text is %q; to send the contents of a file, write %s.", c.Name(f.flag), f.value, f.other+" "+command.QuoteName(file)))
	}
}

// looksLikeFile reports whether value looks like a file name: @notes.txt, @/tmp/notes and -, but not
// @everybody.
func looksLikeFile(value string) (file string, looks bool) {
	if value == "-" {
		return "-", true
	}
	file, looks = strings.CutPrefix(value, "@")
	odd := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r > '~' }
	return file, looks && strings.ContainsAny(file, `./\`) && !strings.ContainsFunc(file, odd)
}

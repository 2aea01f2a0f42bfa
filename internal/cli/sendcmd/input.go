package sendcmd

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/text/charset"
)

type addressFile struct {
	flag  string
	files []string
	to    *[]string
}

// A flag that takes a text or an address never reads a file, because a script may pass on text from
// strangers. Only flags named *-file read files, and only there does - mean standard input.

// addressFiles returns the flags that name files of recipients, each with the flag whose values
// they extend.
func (s *sendFlags) addressFiles() []addressFile {
	return []addressFile{{"to-file", s.toFile, &s.to}, {"cc-file", s.ccFile, &s.cc}, {"bcc-file", s.bccFile, &s.bcc}}
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

// decodeText returns text in UTF-8; where is its source. --charset applies to files and standard
// input. Piped text that is not UTF-8 is in the charset of the console or the locale, if that is
// known.
func (c *composer) decodeText(where, text string, piped bool) (string, error) {
	if c.s.charset != "" {
		return c.decodeChecked(where, func() (string, error) { return charset.Decode(text, c.s.charset) })
	}
	if piped && !utf8.ValidString(text) {
		if name := charset.OfInput(c.Getenv); name != "" {
			if decoded, err := charset.Decode(text, name); err == nil {
				c.Hint(c.T("%s was read as %s; use --charset if that is wrong.", where, name))
				text = decoded
			}
		}
	}
	return text, c.Text(where, text)
}

// decodeHTML is readable for an HTML page, which may declare its own charset.
func (c *composer) decodeHTML(where, page string) (string, error) {
	return c.decodeChecked(where, func() (string, error) { return charset.HTML(page, c.s.charset) })
}

func (c *composer) decodeChecked(where string, decode func() (string, error)) (string, error) {
	text, err := decode()
	if err != nil {
		return "", c.Dataf("%s: %v", where, err)
	}
	return text, c.Text(where, text)
}

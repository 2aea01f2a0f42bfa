package sendcmd

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/message"
)

func (c *composer) openAttachments() ([]message.Attachment, error) {
	if len(c.s.inline) > 0 && c.s.html == "" {
		return nil, c.Wrongf("%s needs --html with <img src=\"cid:FILENAME\"> to show the image", c.Name("inline"))
	}
	var list []message.Attachment
	for _, l := range []struct {
		flag  string
		files []string
	}{{"attach", c.s.attach}, {"inline", c.s.inline}} {
		for _, value := range l.files {
			spec := parseAttachSpec(value)
			att, err := c.openAttachment(l.flag, spec.file)
			if err != nil {
				return nil, err
			}
			att = spec.withOptions(att)
			att.Inline = l.flag == "inline"
			list = append(list, att)
		}
	}
	return list, nil
}

// openAttachment returns a file to attach. It reads pipes and devices here, because reading them can
// block and package message takes no context.
func (c *composer) openAttachment(flag, file string) (message.Attachment, error) {
	if file == "-" {
		return message.Reader("attachment", c.Stdin), nil
	}
	if err := c.checkAttachable(flag, file); err != nil {
		return message.Attachment{}, err
	}
	if info, err := os.Stat(file); err != nil || info.Mode().IsRegular() {
		return message.File(file), nil
	}
	opened, err := atomicfile.Open(c.Ctx, file)
	if err != nil {
		return message.Attachment{}, c.FileFailure(c.Name(flag), file, err)
	}
	return message.Reader(filepath.Base(file), opened), nil
}

// checkAttachable returns an error that names the flag if file can't be attached. message.Compose checks
// again, but knows only header fields.
func (c *composer) checkAttachable(flag, file string) error {
	if err := atomicfile.CheckReadable(file); err != nil {
		return c.FileFailure(c.Name(flag), file, err)
	}
	base := filepath.Base(file)
	if !utf8.ValidString(base) || strings.ContainsFunc(base, unicode.IsControl) {
		return command.Fail(command.ExitData, errors.New(c.T("%s %q: can't attach a file with this name", c.Name(flag), file)),
			c.T("Rename the file: its name contains a line break or is not UTF-8."))
	}
	return nil
}

// attachSpec is a parsed value of --attach or --inline: the file, and the name, type and charset
// that the recipient sees.
type attachSpec struct{ file, name, contentType, charset string }

// parseAttachSpec parses FILE;name=NAME;type=TYPE;charset=CHARSET, the options in any order. The
// file is the longest prefix of value that exists, so that a file whose own name holds ";name="
// needs options only to be sent under another name.
func parseAttachSpec(value string) attachSpec {
	spec := attachSpec{file: value}
	for !fileExists(spec.file) {
		at := strings.LastIndexByte(spec.file, ';')
		if at < 0 {
			return spec
		}
		key, option, _ := strings.Cut(spec.file[at+1:], "=")
		to := map[string]*string{"name": &spec.name, "type": &spec.contentType, "charset": &spec.charset}[strings.ToLower(strings.TrimSpace(key))]
		if to == nil {
			return attachSpec{file: value}
		}
		if *to == "" { // the last option of a kind counts
			*to = strings.TrimSpace(option)
		}
		spec.file = spec.file[:at]
	}
	return spec
}

func fileExists(file string) bool {
	if file == "-" {
		return true
	}
	_, err := os.Lstat(file)
	return err == nil
}

// withOptions returns att with the name, type and charset of the options.
func (spec attachSpec) withOptions(att message.Attachment) message.Attachment {
	if spec.name != "" {
		att.Name = spec.name
	}
	att.ContentType = spec.contentType
	if spec.charset != "" {
		if att.ContentType == "" {
			att.ContentType = message.TypeByName(att.Name)
		}
		if att.ContentType == "" {
			att.ContentType = "text/plain"
		}
		att.ContentType += "; charset=" + spec.charset
	}
	return att
}

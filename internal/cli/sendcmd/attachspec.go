package sendcmd

import (
	"os"
	"strings"

	"github.com/yanmail/yan/message"
)

// attachSpec is the value of --attach and --inline: a file, and what its recipient
// is told of it.
type attachSpec struct{ file, name, contentType, charset string }

// parseAttachSpec reads FILE;name=NAME;type=TYPE;charset=CHARSET, the options in
// any order. A file whose own name holds ";name=" is found as well: the longest
// beginning of the value that is a file is one, so that it needs options of its
// own only to be sent under another name.
func parseAttachSpec(value string) attachSpec {
	spec := attachSpec{file: value}
	for !exists(spec.file) {
		at := strings.LastIndexByte(spec.file, ';')
		if at < 0 {
			return spec
		}
		key, option, _ := strings.Cut(spec.file[at+1:], "=")
		to := map[string]*string{"name": &spec.name, "type": &spec.contentType, "charset": &spec.charset}[strings.ToLower(strings.TrimSpace(key))]
		if to == nil {
			return attachSpec{file: value}
		}
		if *to == "" { // the last one counts
			*to = strings.TrimSpace(option)
		}
		spec.file = spec.file[:at]
	}
	return spec
}

func exists(file string) bool {
	if file == "-" {
		return true
	}
	_, err := os.Lstat(file)
	return err == nil
}

// described is an attachment as its recipient is to see it.
func (spec attachSpec) described(att message.Attachment) message.Attachment {
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

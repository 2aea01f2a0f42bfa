// Package dropfolder hands messages over to yan serve while it is down, and between users: a folder
// in which every user may create files, and none can list, read, change or remove those of others.
// The owner of a file is the sender of its message. No program needs setuid or setgid for it.
//
// [Write] creates a file whole: it has its final name only when all of it is on the disk. [Reader]
// takes the files in, at the side of the daemon. It opens nothing but regular files with one name,
// follows no link, and removes a file only after its message has been committed.
//
// A file is one line of JSON, the [Envelope], and then the octets of the message.
package dropfolder

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/smtp"
)

// version is that of the format of a file.
const version = 1

// maxLine limits the line of the envelope, in octets: smtp.MaxRecipients addresses fit.
const maxLine = 32 << 20

// maxCommas limits what is decoded, which takes more memory than the line: a list of empty addresses
// would have ten million.
const maxCommas = 2*smtp.MaxRecipients + 100

// Names of files. A file with another name is left alone.
const (
	tempPrefix    = "tmp-" // being written
	messagePrefix = "msg-" // whole
	refusedSuffix = ".refused"
)

// Envelope says how to hand over a message.
type Envelope struct {
	// Version is set by Write.
	Version int `json:"yan_drop"`
	// From is the envelope sender as in MAIL FROM, "" for the null sender; a login name may be
	// without a domain.
	From string `json:"from"`
	// To are the recipients, each once; a local name is without a domain.
	To []string `json:"to"`
	// Notify, Return and EnvelopeID are those of smtp.DSN; Notify holds for every recipient.
	Notify     string `json:"notify,omitempty"`
	Return     string `json:"ret,omitempty"`
	EnvelopeID string `json:"envid,omitempty"`
	// Key makes one message of two files, and of a file and a message over the socket. If it is
	// "", the name of the file is the key.
	Key string `json:"key,omitempty"`
	// Size is the number of octets of the message; Write sets it.
	Size int64 `json:"size"`
}

// DSN returns the request for delivery reports, without Notify.
func (e Envelope) DSN() smtp.DSN { return smtp.DSN{Return: e.Return, EnvelopeID: e.EnvelopeID} }

// appendTo appends the line of the envelope.
func (e Envelope) appendTo(b []byte) ([]byte, error) {
	line, err := json.Marshal(e)
	if err != nil {
		return b, err
	}
	if len(line) >= maxLine {
		return b, localerr.Errorf("%d recipients are too many for one message", len(e.To))
	}
	return append(append(b, line...), '\n'), nil
}

var errForm = localerr.New("it is not a file of this folder's format")

// readEnvelope reads the line of the envelope from a reader whose buffer ends after the line; size is that
// of the whole file.
func readEnvelope(r lineReader, size int64) (Envelope, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if err == nil {
			break
		}
		if len(line) >= maxLine || len(part) == 0 {
			return Envelope{}, errForm
		}
	}
	if bytes.Count(line, []byte(",")) > maxCommas {
		return Envelope{}, errForm
	}
	var e Envelope
	decoder := json.NewDecoder(bytes.NewReader(line))
	if err := decoder.Decode(&e); err != nil || e.Version == 0 {
		return Envelope{}, errForm
	}
	switch {
	case e.Version != version:
		return Envelope{}, localerr.Errorf("version %d of the format is not known; update yan", e.Version)
	case e.Size != size-int64(len(line)):
		return Envelope{}, localerr.Errorf("the file has %d octets of a message of %d", size-int64(len(line)), e.Size)
	case len(e.To) == 0:
		return Envelope{}, localerr.New("it has no recipients")
	}
	return e, nil
}

// lineReader is the part of bufio.Reader that readEnvelope uses.
type lineReader interface {
	ReadSlice(delim byte) ([]byte, error)
}

// Content is the octets of a message, see smtpclient.Content.
type Content interface {
	Size() int64
	io.WriterTo
}

// isMessageName reports whether a name is that of a whole message which waits.
func isMessageName(name string) bool {
	return strings.HasPrefix(name, messagePrefix) && !strings.HasSuffix(name, refusedSuffix)
}

package sendcmd

import (
	"crypto/sha256"
	"errors"
	"io"
	"time"

	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/mailfiles"
	"github.com/yanmail/yan/internal/sendlog"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

// job is one message with its envelope.
type job struct {
	name   string // the file, or "" for a composed message
	number int    // its place in an mbox file, from 1; else 0
	// file is where the message is read again; nil for what can be read once,
	// like standard input, and for composed messages.
	file *mailfiles.Message
	// content is open from the check on where file is nil or there is one
	// message only, else while it is being sent.
	content content
	// message is what was composed, nil for a whole message: another account sends
	// it in its own name.
	message   *message.Message
	envelope  smtp.Envelope
	size      int64
	messageID string

	// With --log:
	hash sendlog.Hash
	// former is what an older version of yan had in the log for it; zero if that is
	// the same.
	former sendlog.Hash
	// date is what --fit gave the message if it had none, now or when the log was begun;
	// zero without --log.
	date time.Time
	// entry is what the log is told of: those who are to get the message now.
	entry *sendlog.Entry
	// logged has, by recipient, what became of them in an earlier run; the
	// status is "" for those who are to get the message now. nil where all are.
	logged []smtp.Outcome

	// Where another account takes over (see round):
	// via has, by recipient, in whose name the message went where what stands in
	// logged was decided in this run.
	via []*verdict.SentAs
	// earlier is what became of those who wait for the next account, or wait no
	// longer; nil for nobody.
	earlier *earlier
	// answers is where answers to a composed message go, whoever sends it.
	answers []string
	// waits is set while it waits.
	waits bool
	// copies are to be saved once the message is reported.
	copies []dueCopy
	// insteadOf has for each account that another took over for why it did.
	insteadOf []verdict.Handover

	// told is set when the user knows what became of it.
	told bool

	// taken is set when the message was handed to the sender, failed when it
	// could not be; safe when the log has an attempt at it on the disk, and begun
	// when an octet of it may have reached the wire, or never will.
	taken, failed, safe, begun bool
}

// content is a message that is ready to be sent.
type content interface {
	Size() int64
	EightBit() bool
	NeedsSMTPUTF8() bool
	io.WriterTo
	io.Closer
	MessageID() string
	From() (smtp.Address, error)
	Recipients() ([]smtp.Address, error)
	Fingerprint() ([sha256.Size]byte, error)
	FormerFingerprint() ([sha256.Size]byte, bool, error)
	SevenBit() (*message.Content, bool)
	Redate(time.Time)
}

var (
	_ content = (*message.Content)(nil)
	_ content = (*mailfiles.Content)(nil)
)

// errReadOnce is why a message from standard input is not opened again.
var errReadOnce = errors.New("the message can be read once only")

// open makes the message ready where it is not.
func (j *job) open() error {
	if j.content != nil {
		return nil
	}
	if j.file == nil {
		return errReadOnce
	}
	c, err := j.file.Open()
	if err != nil {
		return err
	}
	// What the log calls sent has to be what was sent.
	if !j.hash.IsZero() {
		hash, err := hashOf(c)
		if err == nil && hash != j.hash {
			err = mailfiles.ErrChanged
		}
		if err != nil {
			_ = c.Close() // the error that matters is err
			return err
		}
	}
	j.content = c
	j.redate()
	return nil
}

// redate gives a message that has no date that of the first attempt.
func (j *job) redate() {
	if j.content != nil && !j.date.IsZero() {
		j.content.Redate(j.date)
		j.messageID = j.content.MessageID()
	}
}

// close may be called for one that is not open. The error would be about
// temporary files of ours.
func (j *job) close() {
	if j.content != nil {
		_ = j.content.Close()
		j.content = nil
	}
}

// handOverContent makes room for another content. The present one stays open if a copy of
// it has to be saved.
func (j *job) handOverContent() {
	kept := false
	for i := range j.copies {
		if j.copies[i].content == nil {
			j.copies[i].content, kept = j.content, true
		}
	}
	if kept {
		j.content = nil
	}
	j.close()
}

// dropCopies forgets the copies that are to be saved.
func (j *job) dropCopies() {
	for _, c := range j.copies {
		if c.content != nil {
			_ = c.content.Close() // the error would be about temporary files of ours
		}
	}
	j.copies = nil
}

func closeAll(jobs []*job) {
	for _, j := range jobs {
		j.close()
		j.dropCopies()
	}
}

// hashOf names a message by its octets as they are sent, or would be without --fit.
func hashOf(c content) (sendlog.Hash, error) {
	sum, err := c.Fingerprint()
	return sendlog.Hash(sum), err
}

// pending are the places of the recipients who are to get the message now.
func (j *job) pending() []int {
	var places []int
	for i := range j.envelope.Len() {
		if j.logged == nil || j.logged[i].Status == "" {
			places = append(places, i)
		}
	}
	return places
}

// now is the envelope of those who are to get the message now.
func (j *job) now() smtp.Envelope {
	if j.logged == nil {
		return j.envelope
	}
	return j.envelope.Only(j.pending()...)
}

// outcomes joins what became of the recipients now with what the log knows of
// the others.
func (j *job) outcomes(now []smtp.Outcome) []smtp.Outcome {
	if j.logged == nil {
		return now
	}
	all := append([]smtp.Outcome(nil), j.logged...)
	for i, place := range j.pending() {
		all[place] = now[i]
	}
	return all
}

// isLogged reports whether a recipient's outcome is from the log.
func (j *job) isLogged(i int) bool {
	return j.logged != nil && j.logged[i].Status != "" && (j.via == nil || j.via[i] == nil)
}

// jobName is a message as the user finds it again.
func (a *runner) jobName(j *job) string { return a.MessageName(j.name, j.number) }

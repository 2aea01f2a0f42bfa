package admission

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/repair"
	"github.com/yanmail/yan/internal/spool"
	"github.com/yanmail/yan/internal/submission"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// repeatTime is how long the same octets are the same message.
const repeatTime = 24 * time.Hour

// maxKey is the longest key that a program may choose, in octets. Its peer's tag comes before it.
const maxKey = outbox.MaxKey - outbox.MaxTag - len("/")

// messageKey is the key of a message in the outbox.
type messageKey struct {
	text   string            // "" for none
	daily  bool              // it counts for a day
	octets [sha256.Size]byte // the hash of the message as it was handed over, if there is a key
}

// keyOf returns the key of a message. Keys of different peers are different, so that one can't occupy
// another's.
func (t *Transaction) keyOf(text *spool.File, m *repair.Message, e smtp.Envelope) (messageKey, error) {
	chosen := cmp.Or(m.Key(), t.key)
	own := !slices.Contains(m.Changes(), repair.MessageID)
	if chosen == "" && (t.a.o.Repeat || !own) {
		return messageKey{}, nil
	}
	var k messageKey
	sum := sha256.New()
	if _, err := io.CopyBuffer(sum, io.NewSectionReader(text, 0, text.Size()), make([]byte, min(text.Size()+1, 32<<10))); err != nil {
		return k, &spool.DiskError{Err: err}
	}
	sum.Sum(k.octets[:0])
	if chosen != "" {
		if len(chosen) > maxKey || !outbox.IsText(chosen) {
			return k, NewRefusal("content", 554, "5.6.0", localerr.Errorf("Yan-Key must be 1 to %d octets of text without control characters", maxKey), nil)
		}
		k.text = t.peer.Tag() + "/" + chosen
		return k, nil
	}
	k.text, k.daily = "same/"+t.sameness(k.octets, e), true
	return k, nil
}

// sameness identifies peer, envelope and octets, which contain the Message-ID.
func (t *Transaction) sameness(octets [sha256.Size]byte, e smtp.Envelope) string {
	h := sha256.New()
	_, _ = h.Write(octets[:]) // a hash returns no errors
	d := e.DSN()
	for _, s := range []string{"yan same 1", t.peer.Tag(), t.grant.Account, e.From().String(), d.Return, d.EnvelopeID} {
		writeText(h, s)
	}
	for _, s := range d.Notify {
		writeText(h, s)
	}
	for _, a := range e.To() {
		writeText(h, a.String())
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// writeText writes a text after its length, so that no two sequences are equal.
func writeText(h hash.Hash, s string) {
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s))))
	_, _ = h.Write([]byte(s))
}

// maxRepeats limits the messages of one sameness that the outbox still keeps: one a day.
const maxRepeats = 1000

// enqueue stores the message. A key that counts for a day is followed by a number: the next is used when
// the message of the last is older. Two that come at once choose the same number, and the store keeps
// one of them.
func (k messageKey) enqueue(ctx context.Context, a *Admission, p *submission.PreparedMessage, o submission.Order) (outbox.EnqueueResult, error) {
	for n := range maxRepeats {
		o.Key = k.text
		if n > 0 {
			o.Key += "/" + strconv.Itoa(n)
		}
		result, err := p.Enqueue(ctx, a.o.Store, o)
		if err != nil || !result.Duplicate || !k.daily {
			return result, err
		}
		page, err := a.o.Store.List(ctx, queue.Filter{IDs: []queue.ID{result.ID}, Limit: 1})
		if err != nil {
			return outbox.EnqueueResult{}, err
		}
		if len(page.Entries) == 0 || a.o.Now().Sub(page.Entries[0].Created) < repeatTime {
			return result, nil
		}
	}
	return outbox.EnqueueResult{}, queue.ErrConflict
}

// keyedContent is a repaired message for package submission. Its fingerprint is that of the message as it
// was handed over: what the repair adds, such as a date, differs each time.
type keyedContent struct {
	*repair.Message
	octets [sha256.Size]byte
}

// Fingerprint returns the hash of the message as it was handed over.
func (c keyedContent) Fingerprint() ([sha256.Size]byte, error) { return c.octets, nil }

// SevenBit returns no other form: the repair has chosen it.
func (c keyedContent) SevenBit() (*message.Content, bool) { return nil, false }

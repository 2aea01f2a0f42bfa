package sqlite

import (
	"bytes"
	"io"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtpclient"
)

// preparedBody is a body that was read: its octets, or a file in the spool that has no final name
// yet.
type preparedBody struct {
	size   int64
	form   int64
	inline []byte
	spool  *spoolFile
}

func (l *preparedBody) discard() {
	if l.spool != nil {
		l.spool.discard()
	}
}

// readContent reads the content of a message if the disk has room for it.
func (s *sqliteStore) readContent(m outbox.NewMessage) (*preparedBody, error) {
	if m.Envelope.Len() == 0 {
		return nil, localerr.New("envelope: no recipients")
	}
	if m.Content == nil {
		return nil, localerr.New("the message has no content")
	}
	l := &preparedBody{size: m.Content.Size()}
	if s.options.MinFree >= 0 {
		if left := s.harness.free(s.path); left >= 0 && left-l.size < s.options.MinFree {
			return nil, queue.ErrFull
		}
	}
	if m.Content.EightBit() {
		l.form |= eightBit
	}
	if m.Content.NeedsSMTPUTF8() {
		l.form |= utf8
	}
	if b, ok := m.Content.(smtpclient.BinaryContent); ok && b.IsBinary() {
		l.form |= binary
	}
	var err error
	if l.size > s.options.InlineBytes {
		l.spool, err = s.spoolBody(m.Content)
	} else {
		inline := bytes.NewBuffer(make([]byte, 0, l.size))
		err = copyContent(inline, m.Content)
		l.inline = inline.Bytes()
	}
	if err != nil {
		return nil, s.classifyError(err)
	}
	return l, nil
}

// copyContent copies a message, exactly its size.
func copyContent(w io.Writer, c smtpclient.Content) error {
	bounded := &boundedWriter{w: w, left: c.Size()}
	if _, err := c.WriteTo(bounded); err != nil {
		return localerr.Errorf("reading the message: %w", err)
	}
	if bounded.left != 0 {
		return localerr.Errorf("the message is %d octets shorter than its declared size", bounded.left)
	}
	return nil
}

type boundedWriter struct {
	w    io.Writer
	left int64
}

func (b *boundedWriter) Write(p []byte) (int, error) {
	if int64(len(p)) > b.left {
		return 0, localerr.New("the message is longer than its declared size")
	}
	n, err := b.w.Write(p)
	b.left -= int64(n)
	return n, err
}

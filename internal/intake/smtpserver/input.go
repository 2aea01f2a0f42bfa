package smtpserver

import (
	"bytes"
	"errors"
	"io"
	"net"
	"time"
)

const (
	// maxLine bounds a command line. RFC 4954 section 4 asks for 12,288 octets in an AUTH exchange;
	// other commands need 512 and their parameters (RFC 5321 section 4.5.3.1.4).
	maxLine = 12_290
	// smallBuffer is what an idle connection costs; largeBuffer is used while more arrives.
	smallBuffer = 512
	largeBuffer = 32 << 10
)

// inputBuffer reads the lines and the message octets of a client. The octets that wait are
// data[first:last].
type inputBuffer struct {
	session     *clientSession
	small       [smallBuffer]byte
	large       *[]byte
	data        []byte
	first, last int
}

// release gives a large buffer back.
func (b *inputBuffer) release() {
	if b.large != nil {
		b.session.server.buffers.Put(b.large)
	}
	b.large, b.data, b.first, b.last = nil, nil, 0, 0
}

// grow makes room for more octets.
func (b *inputBuffer) grow() {
	if b.large != nil {
		return
	}
	large := b.session.server.largeBuffer()
	b.last = copy(*large, b.data[b.first:b.last])
	b.large, b.data, b.first = large, *large, 0
}

// fill reads from the client once. Before that, replies that wait are written, so that pipelined
// commands share a write of their replies.
func (b *inputBuffer) fill(deadline time.Time) error {
	switch {
	case b.data == nil:
		b.data = b.small[:]
	case b.first == b.last:
		b.first, b.last = 0, 0
	case b.last == len(b.data):
		b.last = copy(b.data, b.data[b.first:b.last])
		b.first = 0
	}
	c := b.session
	if err := c.out.flush(); err != nil {
		return err
	}
	if err := c.setReadDeadline(deadline); err != nil {
		return err
	}
	n, err := c.conn.Read(b.data[b.last:])
	b.last += n
	if n > 0 {
		return nil // an error comes again
	}
	return c.explainRead(err)
}

// explainRead names the reason why a read failed.
func (c *clientSession) explainRead(err error) error {
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
		if c.stopping.Load() {
			return errStopping
		}
		return errSlow
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// line returns the next command without its line end, which may be a bare LF. It is valid until
// the next read.
func (b *inputBuffer) line() ([]byte, error) {
	if b.first == b.last {
		b.release() // the client is idle
	}
	if b.session.stopping.Load() {
		return nil, errStopping
	}
	deadline := b.session.commandDeadline()
	for seen := 0; ; {
		waiting := b.data[b.first:b.last]
		if len(waiting) > 0 && waiting[0] == 0x16 && !b.session.secure { // a TLS handshake record
			return nil, errClientTLS
		}
		if at := bytes.IndexByte(waiting[seen:], '\n'); at >= 0 {
			line := waiting[:seen+at]
			b.first += len(line) + 1
			if len(line) > maxLine {
				return nil, errLongLine
			}
			return bytes.TrimSuffix(line, []byte{'\r'}), nil
		}
		if len(waiting) > maxLine {
			return nil, errLongLine
		}
		seen = len(waiting)
		if b.data != nil && seen == len(b.data) {
			b.grow()
		}
		if err := b.fill(deadline); err != nil {
			return nil, err
		}
	}
}

// message returns octets of a message that have arrived, reading if there are none. The caller
// advances first.
func (b *inputBuffer) message(deadline time.Time) ([]byte, error) {
	if b.first == b.last {
		if b.data == nil {
			b.data = b.small[:]
		}
		b.grow()
		if err := b.fill(deadline); err != nil {
			return nil, err
		}
	}
	return b.data[b.first:b.last], nil
}

package message

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// outputBlock is the size of one write, two TLS records; with inputBlock it is all the memory
// that streaming needs.
const outputBlock = 32 << 10

// worthCopying is the length up to which a text is copied next to the header, and not a segment
// of its own.
const worthCopying = 512

// inputBlock is the size of a read from a source to be encoded: as many whole base64 lines as fit
// into outputBlock.
const inputBlock = outputBlock / (base64Line + 2) * base64Group

// smallBlock is the initial capacity of buf.
const smallBlock = 1 << 10

// maxStep is the maximum that a segment appends in steps that it does not measure beforehand.
const maxStep = qpMaxStep

// errSize: a source has other octets than when it was measured.
var errSize = errors.New("the content of the message changed since it was measured")

// output collects small pieces into large writes, and guarantees Size: it writes the last octets
// only when it is certain that nothing is missing or left over.
type output struct {
	w io.Writer
	// strings is w if it accepts strings and buffers small writes itself: then nothing is copied
	// unnecessarily.
	strings io.StringWriter
	buf     []byte
	written int64
	size    int64
	input   []byte // for reading a source; see readBuffer
}

// makeRoom makes room for n more octets in buf, n > 0. buf grows to about outputBlock and is then
// written.
func (o *output) makeRoom(n int) error {
	switch need := len(o.buf) + n; {
	case need <= cap(o.buf):
		return nil
	case o.written+int64(len(o.buf)) >= o.size:
		return errSize
	case need <= outputBlock+maxStep:
		o.buf = slices.Grow(o.buf, max(n, int(min(o.size-o.written, smallBlock))))
		return nil
	}
	err := o.flushBlock()
	o.buf = slices.Grow(o.buf, n)
	return err
}

func (o *output) flushBlock() error {
	err := o.write(o.buf)
	o.buf = o.buf[:0]
	return err
}

func (o *output) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	n, err := o.w.Write(p)
	o.written += int64(max(n, 0))
	if err == nil && n != len(p) {
		err = io.ErrShortWrite
	}
	return err
}

// writeWhole writes octets that stay in memory. Pieces large enough for a write of their own are not
// copied.
func (o *output) writeWhole(p []byte) error {
	if left := o.size - o.written - int64(len(o.buf)); int64(len(p)) > left {
		return errSize
	} else if o.strings != nil || len(p) >= outputBlock/2 || int64(len(p)) == o.size {
		if err := o.flushBlock(); err != nil {
			return err
		}
		return o.write(p)
	}
	if err := o.makeRoom(len(p)); err != nil {
		return err
	}
	o.buf = append(o.buf, p...)
	return nil
}

// writeText is writeWhole for a string, if w accepts strings.
func (o *output) writeText(s string) error {
	if int64(len(s)) > o.size-o.written-int64(len(o.buf)) {
		return errSize
	}
	if err := o.flushBlock(); err != nil {
		return err
	}
	n, err := o.strings.WriteString(s)
	o.written += int64(max(n, 0))
	if err == nil && n != len(s) {
		err = io.ErrShortWrite
	}
	return err
}

func (o *output) finishOutput() error {
	if have := o.written + int64(len(o.buf)); have != o.size {
		return fmt.Errorf("%w: %d octets instead of %d", errSize, have, o.size)
	}
	return o.flushBlock()
}

// readBuffer returns the one block of n octets into which sources are read.
func (o *output) readBuffer(n int) []byte {
	if len(o.input) < n {
		o.input = make([]byte, n)
	}
	return o.input[:n]
}

// literal is a segment in its final form.
type literal []byte

func (l literal) size() int64 { return int64(len(l)) }

func (l literal) emitTo(o *output) error { return o.writeWhole(l) }

// plainText is a segment: an unencoded text, too long to be copied next to the header.
type plainText string

func (t plainText) size() int64 { return int64(len(t)) }

func (t plainText) emitTo(o *output) error {
	if o.strings != nil {
		return o.writeText(string(t))
	}
	for len(t) > 0 {
		n := min(len(t), outputBlock)
		if err := o.makeRoom(n); err != nil {
			return err
		}
		o.buf = append(o.buf, t[:n]...)
		t = t[n:]
	}
	return nil
}

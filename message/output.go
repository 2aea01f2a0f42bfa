package message

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// outputBlock is what is gathered for one write, two TLS records, and with
// inputBlock all the memory that streaming costs.
const outputBlock = 32 << 10

// worthCopying is the longest text that is copied beside the header, rather than
// being a segment of its own.
const worthCopying = 512

// inputBlock is what is read from a source at once to be encoded: as many whole
// base64 lines as outputBlock has room for.
const inputBlock = outputBlock / (base64Line + 2) * base64Group

// smallBlock is what buf has room for at first.
const smallBlock = 1 << 10

// maxStep is the most that a segment appends in steps which it does not
// measure beforehand.
const maxStep = qpMaxStep

// errSize means that a source yields other octets than it was measured by.
var errSize = errors.New("the content of the message changed since it was measured")

// output gathers what segments emit into large writes, and guards the promise
// of Size: the last octets are written only when it is certain that all is
// there and nothing is left over.
type output struct {
	w io.Writer
	// strings is w if it takes strings, and so gathers small writes itself:
	// nothing is then copied that need not be.
	strings io.StringWriter
	buf     []byte
	written int64
	size    int64
	input   []byte // for whoever reads a source; see readBuffer
}

// reserve makes room for n more octets in buf, n > 0. buf grows up to about
// outputBlock and is then written.
func (o *output) reserve(n int) error {
	switch need := len(o.buf) + n; {
	case need <= cap(o.buf):
		return nil
	case o.written+int64(len(o.buf)) >= o.size:
		return errSize
	case need <= outputBlock+maxStep:
		o.buf = slices.Grow(o.buf, max(n, int(min(o.size-o.written, smallBlock))))
		return nil
	}
	err := o.flush()
	o.buf = slices.Grow(o.buf, n)
	return err
}

func (o *output) flush() error {
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

// whole takes octets that are in memory to stay. What is worth a write of its
// own is not copied.
func (o *output) whole(p []byte) error {
	if left := o.size - o.written - int64(len(o.buf)); int64(len(p)) > left {
		return errSize
	} else if o.strings != nil || len(p) >= outputBlock/2 || int64(len(p)) == o.size {
		if err := o.flush(); err != nil {
			return err
		}
		return o.write(p)
	}
	if err := o.reserve(len(p)); err != nil {
		return err
	}
	o.buf = append(o.buf, p...)
	return nil
}

// text is whole for a string, given to what takes strings.
func (o *output) text(s string) error {
	if int64(len(s)) > o.size-o.written-int64(len(o.buf)) {
		return errSize
	}
	if err := o.flush(); err != nil {
		return err
	}
	n, err := o.strings.WriteString(s)
	o.written += int64(max(n, 0))
	if err == nil && n != len(s) {
		err = io.ErrShortWrite
	}
	return err
}

func (o *output) finish() error {
	if have := o.written + int64(len(o.buf)); have != o.size {
		return fmt.Errorf("%w: %d octets instead of %d", errSize, have, o.size)
	}
	return o.flush()
}

// readBuffer is the one block of n octets that sources are read into.
func (o *output) readBuffer(n int) []byte {
	if len(o.input) < n {
		o.input = make([]byte, n)
	}
	return o.input[:n]
}

// literal is a segment that is already as it will be sent.
type literal []byte

func (l literal) size() int64 { return int64(len(l)) }

func (l literal) emit(o *output) error { return o.whole(l) }

// plainText is a segment: a text that goes as it is, too long to be copied
// beside the header.
type plainText string

func (t plainText) size() int64 { return int64(len(t)) }

func (t plainText) emit(o *output) error {
	if o.strings != nil {
		return o.text(string(t))
	}
	for len(t) > 0 {
		n := min(len(t), outputBlock)
		if err := o.reserve(n); err != nil {
			return err
		}
		o.buf = append(o.buf, t[:n]...)
		t = t[n:]
	}
	return nil
}

package message

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
)

// A base64 line holds 57 octets in 76 characters (RFC 2045 section 6.8).
const (
	base64Group = 57
	base64Line  = 76
)

// base64Size returns the length of n octets in base64, with the CRLF of every line.
func base64Size(n int64) int64 {
	lines := (n + base64Group - 1) / base64Group
	return (n+2)/3*4 + 2*lines
}

// base64Pairs has the two characters of each twelve bits, the first in the low
// octet. The table takes 8 KiB and stays in the L1 cache. See decision 10.
var base64Pairs = func() (table [1 << 12]uint16) {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range table {
		table[i] = uint16(digits[i>>6]) | uint16(digits[i&63])<<8
	}
	return table
}()

// appendBase64 appends src in lines, each with its CRLF. Lines are full if every block except the
// last is a multiple of base64Group. A full line is nine times six octets, each read as the upper
// part of eight, and three more.
func appendBase64(dst, src []byte) []byte {
	dst = slices.Grow(dst, int(base64Size(int64(len(src)))))
	for ; len(src) >= base64Group; src = src[base64Group:] {
		at := len(dst)
		dst = dst[:at+base64Line+2]
		group, line := (*[base64Group]byte)(src), (*[base64Line + 2]byte)(dst[at:])
		for i := range 9 {
			eight := eightCharacters(binary.BigEndian.Uint64(group[6*i : 6*i+8]))
			binary.LittleEndian.PutUint64(line[8*i:8*i+8], eight)
		}
		last := uint32(group[54])<<16 | uint32(group[55])<<8 | uint32(group[56])
		binary.LittleEndian.PutUint16(line[72:], base64Pairs[last>>12])
		binary.LittleEndian.PutUint16(line[74:], base64Pairs[last&0xfff])
		line[76], line[77] = '\r', '\n'
	}
	if len(src) > 0 {
		dst = append(base64.StdEncoding.AppendEncode(dst, src), '\r', '\n')
	}
	return dst
}

// eightCharacters encodes the upper six octets of v; the first character is in the lowest octet.
func eightCharacters(v uint64) uint64 {
	return uint64(base64Pairs[v>>52]) |
		uint64(base64Pairs[v>>40&0xfff])<<16 |
		uint64(base64Pairs[v>>28&0xfff])<<32 |
		uint64(base64Pairs[v>>16&0xfff])<<48
}

// base64Body is a segment: a source encoded in base64.
type base64Body struct{ src *source }

func (b base64Body) size() int64 { return base64Size(b.src.size) }

func (b base64Body) emitTo(o *output) error {
	if b.src.encoded != nil {
		return o.writeWhole(b.src.encoded)
	}
	return b.src.eachBlock(o, inputBlock, func(block []byte) error {
		if err := o.makeRoom(int(base64Size(int64(len(block))))); err != nil {
			return err
		}
		o.buf = appendBase64(o.buf, block)
		return nil
	})
}

// base64Text is a segment: a text in base64, too long to be encoded at once.
type base64Text string

func (t base64Text) size() int64 { return base64Size(int64(len(t))) }

func (t base64Text) emitTo(o *output) error {
	for len(t) > 0 {
		block := t[:min(inputBlock, len(t))]
		t = t[len(block):]
		if err := o.makeRoom(int(base64Size(int64(len(block))))); err != nil {
			return err
		}
		o.buf = appendBase64(o.buf, []byte(block)) // no copy: the text is immutable
	}
	return nil
}

// binaryBody is a segment: a source without encoding, for servers with BINARYMIME.
type binaryBody struct{ src *source }

func (b binaryBody) size() int64 { return b.src.size }

func (b binaryBody) emitTo(o *output) error { return b.src.eachBlock(o, outputBlock, o.writeWhole) }

package dkim

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Sign reads the message once and returns its DKIM-Signature fields, one per signer and each with
// its line end, to be prepended. The message must have CRLF line ends and be sent unchanged. Sign
// holds its header in memory, but not its body. at is the time of signing.
func Sign(message io.WriterTo, at time.Time, signers ...*Signer) ([]byte, error) {
	for _, s := range signers {
		if err := s.Check(); err != nil {
			return nil, err
		}
	}
	if len(signers) == 0 {
		return nil, nil
	}
	p := pass{body: relaxedBody{hash: sha256.New()}}
	if _, err := message.WriteTo(&p); err != nil {
		return nil, fmt.Errorf("dkim: read the message: %w", err)
	}
	fields := splitHeader(p.header)
	bodyHash := p.body.sum()
	var all []byte
	for _, s := range signers {
		signature, err := s.sign(fields, bodyHash, at)
		if err != nil {
			return nil, err
		}
		all = append(all, signature...)
	}
	return all, nil
}

// pass separates header and body of a message as it is written.
type pass struct {
	header []byte // with its last line end
	inBody bool
	body   relaxedBody
}

func (p *pass) Write(b []byte) (int, error) {
	if p.inBody {
		return p.body.Write(b)
	}
	seen := max(0, len(p.header)-len("\r\n\r"))
	p.header = append(p.header, b...)
	end := bytes.Index(p.header[seen:], []byte("\r\n\r\n"))
	if end < 0 {
		return len(b), nil
	}
	p.inBody = true
	end += seen + len("\r\n")
	_, err := p.body.Write(p.header[end+len("\r\n"):])
	p.header = p.header[:end]
	return len(b), err
}

// sign returns one DKIM-Signature field.
func (s *Signer) sign(fields []field, bodyHash []byte, at time.Time) ([]byte, error) {
	if !slices.ContainsFunc(fields, func(f field) bool { return f.name == "from" }) {
		return nil, errors.New("dkim: the message has no From, without which a signature says nothing")
	}
	names := s.names(fields)
	unsigned, err := s.unsigned(names, bodyHash, at)
	if err != nil {
		return nil, err
	}
	digest := headerHash(sha256.New(), fields, names, unsigned)
	// Ed25519 signs the hash as its message (RFC 8463 section 3).
	var how crypto.SignerOpts = crypto.SHA256
	if _, ok := s.Key.Public().(ed25519.PublicKey); ok {
		how = crypto.Hash(0)
	}
	signature, err := s.Key.Sign(rand.Reader, digest, how)
	if err != nil {
		return nil, fmt.Errorf("dkim: sign for %s: %w", s.Domain, err)
	}
	// The value of b= is not part of the signed text, nor are its blanks.
	f := tagFolder{buf: unsigned, col: len(" b=")}
	for encoded := base64.StdEncoding.EncodeToString(signature); encoded != ""; {
		n := min(len(encoded), foldAt-f.col)
		f.buf = append(f.buf, encoded[:n]...)
		if encoded = encoded[n:]; encoded != "" {
			f.fold()
		}
	}
	return append(f.buf, "\r\n"...), nil
}

// headerHash returns the hash that is signed (RFC 6376 section 3.7): for each name the last
// remaining field of that name, then the signature's own field with an empty b=. A name without a
// field adds nothing.
func headerHash(h hash.Hash, fields []field, names []string, signature []byte) []byte {
	left := slices.Clone(fields)
	var line []byte
	for _, name := range names {
		for i := len(left) - 1; i >= 0; i-- {
			if left[i].name == name {
				line = append(left[i].relaxed(line[:0]), "\r\n"...)
				h.Write(line)
				left = slices.Delete(left, i, i+1)
				break
			}
		}
	}
	h.Write(field{"dkim-signature", signature}.relaxed(line[:0]))
	return h.Sum(nil)
}

// shownFields are signed once more than they occur: an added one would change the message for its reader.
func shownFields() []string {
	return []string{"from", "reply-to", "subject", "date", "to", "cc", "message-id",
		"mime-version", "content-type", "content-transfer-encoding"}
}

// addedFields are signed as often as they occur; mailing lists and servers may add more.
func addedFields() []string {
	return []string{"sender", "in-reply-to", "references", "auto-submitted", "list-id", "list-help", "list-owner",
		"list-post", "list-subscribe", "list-unsubscribe", "list-unsubscribe-post"} // the last two by RFC 8058 section 4
}

// completedFields are added by a submission server if they are missing (RFC 6409 section 8):
// signing their absence would make the server break the signature.
func completedFields() []string { return []string{"date", "message-id"} }

// names returns the list of h= for a message.
func (s *Signer) names(fields []field) []string {
	shown, added := shownFields(), addedFields()
	if s.Headers != nil {
		shown, added = []string{"from"}, nil
		for _, name := range s.Headers {
			if name = strings.ToLower(name); !slices.Contains(shown, name) {
				shown = append(shown, name)
			}
		}
	}
	count := map[string]int{}
	for _, f := range fields {
		count[f.name]++
	}
	var names []string
	for _, name := range shown {
		if count[name] == 0 && s.Headers == nil && slices.Contains(completedFields(), name) {
			continue
		}
		names = append(names, slices.Repeat([]string{name}, count[name]+1)...)
	}
	for _, name := range added {
		names = append(names, slices.Repeat([]string{name}, count[name])...)
	}
	return names
}

// unsigned returns the field up to its b=.
func (s *Signer) unsigned(names []string, bodyHash []byte, at time.Time) ([]byte, error) {
	algorithm, err := s.algorithm()
	if err != nil {
		return nil, err
	}
	const name = "DKIM-Signature:"
	f := tagFolder{buf: []byte(name), col: len(name)}
	f.piece(" ", "v=1;")
	f.piece(" ", "a="+algorithm+";")
	f.piece(" ", "c=relaxed/relaxed;")
	f.piece(" ", "d="+s.Domain+";")
	f.piece(" ", "s="+s.Selector+";")
	f.piece(" ", "t="+strconv.FormatInt(at.Unix(), 10)+";")
	before := " h="
	for i, name := range names {
		end := ":"
		if i == len(names)-1 {
			end = ";"
		}
		f.piece(before, name+end)
		before = ""
	}
	f.piece(" ", "bh="+base64.StdEncoding.EncodeToString(bodyHash)+";")
	f.fold()
	return append(f.buf, "b="...), nil
}

// foldAt is the line length to keep to, if the words allow it.
const foldAt = 76

// tagFolder writes a field of tags. Blanks are allowed around a colon and within base64 (RFC 6376
// sections 3.2 and 3.5).
type tagFolder struct {
	buf []byte
	col int
}

// piece appends an unbreakable text, and folds before it if necessary.
func (f *tagFolder) piece(before, s string) {
	if f.col+len(before)+len(s) > foldAt {
		f.fold()
		before = strings.TrimPrefix(before, " ")
	}
	f.buf = append(append(f.buf, before...), s...)
	f.col += len(before) + len(s)
}

func (f *tagFolder) fold() {
	f.buf = append(f.buf, "\r\n "...)
	f.col = 1
}

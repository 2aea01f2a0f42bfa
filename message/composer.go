package message

import (
	"container/list"
	"hash/maphash"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Composer composes many messages and encodes an attachment that they share
// once. The zero value is ready; it is safe for concurrent use and needs no
// closing.
//
// What is kept is the base64 of files and of Data. A file is the same as long as
// its path, size, time of modification and identity are, and one that was
// modified within the last two seconds is not kept, because its clock may not
// tell the next change from that one. Data is the same if its octets are,
// wherever they stand: a buffer that was filled anew is another attachment.
// Readers are encoded each time, and so is what is too large to keep; those are
// streamed as [Compose] does it.
type Composer struct {
	// MaxAttachment is the size in octets, before encoding, up to which an
	// attachment is kept; 0 means 4 MiB, less than 0 keeps nothing.
	MaxAttachment int64
	// MaxTotal is how many octets are kept altogether, encoded; 0 means
	// 16 MiB, less than 0 keeps nothing. What was used last stays. Contents
	// that are not closed yet may hold what was dropped since.
	MaxTotal int64

	now func() time.Time // for tests; nil is time.Now

	seeding sync.Once
	seed    maphash.Seed

	mu        sync.Mutex
	kept      map[encodedKey]*list.Element
	byUse     list.List // of *encodedForm, the last used in front
	total     int64
	encodings int // how many attachments were encoded to be kept
}

// encodedKey tells attachments apart: a file by its path, anything else by a
// hash. It has the randomness of a secret seed, so nobody can aim for another's.
type encodedKey struct {
	path     string
	size     int64
	modified int64 // ns since 1970
	hash     uint64
}

// encodedForm is an attachment in base64.
type encodedForm struct {
	key  encodedKey
	info fs.FileInfo // nil for Data

	once   sync.Once
	octets []byte // never written to after once; nil if they could not be had

	mu      sync.Mutex
	looked  bool   // charset is known
	charset string // of a text
}

// Compose is [Compose] with what this Composer keeps.
func (c *Composer) Compose(m *Message) (*Content, error) { return composeBy(c, m) }

func (c *Composer) time() time.Time {
	if c == nil || c.now == nil {
		return time.Now()
	}
	return c.now()
}

// encode gives src its encoded form, if it is one to keep. An error is that of
// reading it.
func (c *Composer) encode(src *source) error {
	if c == nil || src.size == 0 || src.size > c.maxAttachment() || base64Size(src.size) > c.maxTotal() {
		return nil
	}
	if src.info == nil && src.data == nil || src.info != nil && c.isFresh(src.info) {
		return nil
	}
	form := c.find(c.keyOf(src), src.info)
	var err error
	form.once.Do(func() { err = c.fill(form, src) })
	if form.octets != nil { // nil after another's failure: then it is streamed
		src.encoded, src.form = form.octets, form
	}
	return err
}

func (c *Composer) keyOf(src *source) encodedKey {
	if src.info != nil {
		return encodedKey{path: src.path, size: src.size, modified: src.info.ModTime().UnixNano()}
	}
	c.seeding.Do(func() { c.seed = maphash.MakeSeed() })
	return encodedKey{size: src.size, hash: maphash.Bytes(c.seed, src.data)}
}

// isFresh tells a file that may yet change without its time of modification
// changing: FAT counts in two seconds, other file systems in milliseconds.
func (c *Composer) isFresh(info fs.FileInfo) bool {
	return c.time().Sub(info.ModTime()) < 2*time.Second
}

// find is the form kept under key, or an empty one that is kept from now on.
func (c *Composer) find(key encodedKey, info fs.FileInfo) *encodedForm {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.kept[key]; ok {
		form := e.Value.(*encodedForm)
		if info == nil || os.SameFile(form.info, info) {
			c.byUse.MoveToFront(e)
			return form
		}
		c.remove(e)
	}
	if c.kept == nil {
		c.kept = map[encodedKey]*list.Element{}
	}
	form := &encodedForm{key: key, info: info}
	c.kept[key] = c.byUse.PushFront(form)
	c.total += base64Size(key.size)
	for c.total > c.maxTotal() {
		c.remove(c.byUse.Back())
	}
	return form
}

// remove is called with mu held.
func (c *Composer) remove(e *list.Element) {
	form := c.byUse.Remove(e).(*encodedForm)
	delete(c.kept, form.key)
	c.total -= base64Size(form.key.size)
}

// fill encodes src. What could not be read, or changed meanwhile, is not kept.
func (c *Composer) fill(form *encodedForm, src *source) error {
	encoded := make([]byte, 0, base64Size(src.size))
	var o output // only its block to read into is used
	err := src.blocks(&o, inputBlock, func(block []byte) error {
		encoded = appendBase64(encoded, block)
		return nil
	})
	if err == nil && src.unchanged() {
		form.octets = encoded
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.encodings++
	if e, ok := c.kept[form.key]; ok && form.octets == nil && e.Value == form {
		c.remove(e)
	}
	return err
}

// unchanged reports whether a file still is what it was when it was opened.
func (s *source) unchanged() bool {
	if s.info == nil {
		return true
	}
	info, err := s.file.Stat()
	return err == nil && info.Size() == s.info.Size() && info.ModTime().Equal(s.info.ModTime())
}

func (c *Composer) maxAttachment() int64 {
	if c.MaxAttachment == 0 {
		return 4 << 20
	}
	return c.MaxAttachment
}

func (c *Composer) maxTotal() int64 {
	if c.MaxTotal == 0 {
		return 16 << 20
	}
	return c.MaxTotal
}

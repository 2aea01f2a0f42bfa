package message

import (
	"container/list"
	"hash/maphash"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Composer composes many messages and encodes an attachment that they share once. The zero value
// is ready; it is safe for concurrent use and needs no closing.
//
// It caches the base64 of files and of Data. A file counts as unchanged while its path, size,
// modification time and identity are the same; a file modified within the last two seconds is not
// cached, because its clock may be too coarse to show the next change. Data is the same if its
// octets are, at whatever address: a refilled buffer is a new attachment. Readers are encoded
// each time, and so are attachments too large for the cache; they are streamed as in [Compose].
type Composer struct {
	// MaxAttachment is the maximum size of a cached attachment, in octets before encoding; 0
	// means 4 MiB, a negative value disables the cache.
	MaxAttachment int64
	// MaxTotal is the maximum size of the cache, in encoded octets; 0 means 16 MiB, a negative
	// value disables the cache. The least recently used attachments are dropped first. Open
	// Contents may still hold dropped ones.
	MaxTotal int64

	now func() time.Time // for tests; nil is time.Now

	seeding sync.Once
	seed    maphash.Seed

	mu        sync.Mutex
	kept      map[encodedKey]*list.Element
	byUse     list.List // of *encodedForm, the most recently used first
	total     int64
	encodings int // number of attachments encoded for the cache
}

// encodedKey identifies an attachment: a file by its path, others by a hash. The hash has a
// random secret seed, so that no attacker can construct a collision.
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
	octets []byte // immutable after once; nil after an error

	mu      sync.Mutex
	looked  bool   // charset is set
	charset string // of a text
}

// Compose is [Compose] with this Composer's cache.
func (c *Composer) Compose(m *Message) (*Content, error) { return composeBy(c, m) }

func (c *Composer) currentTime() time.Time {
	if c == nil || c.now == nil {
		return time.Now()
	}
	return c.now()
}

// encodeSource sets the encoded form of src if it can be cached. The error is one of reading src.
func (c *Composer) encodeSource(src *source) error {
	if c == nil || src.size == 0 || src.size > c.maxAttachment() || base64Size(src.size) > c.maxTotal() {
		return nil
	}
	if src.info == nil && src.data == nil || src.info != nil && c.isFresh(src.info) {
		return nil
	}
	form := c.findForm(c.keyOf(src), src.info)
	var err error
	form.once.Do(func() { err = c.encodeForm(form, src) })
	if form.octets != nil { // nil after another caller's error: then src is streamed
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

// isFresh reports whether a file may still change without a change of its modification time: FAT
// counts in two seconds, other file systems in milliseconds.
func (c *Composer) isFresh(info fs.FileInfo) bool {
	return c.currentTime().Sub(info.ModTime()) < 2*time.Second
}

// findForm returns the cached form, or adds an empty one.
func (c *Composer) findForm(key encodedKey, info fs.FileInfo) *encodedForm {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.kept[key]; ok {
		form := e.Value.(*encodedForm)
		if info == nil || os.SameFile(form.info, info) {
			c.byUse.MoveToFront(e)
			return form
		}
		c.dropForm(e)
	}
	if c.kept == nil {
		c.kept = map[encodedKey]*list.Element{}
	}
	form := &encodedForm{key: key, info: info}
	c.kept[key] = c.byUse.PushFront(form)
	c.total += base64Size(key.size)
	for c.total > c.maxTotal() {
		c.dropForm(c.byUse.Back())
	}
	return form
}

// dropForm drops a form. The caller holds mu.
func (c *Composer) dropForm(e *list.Element) {
	form := c.byUse.Remove(e).(*encodedForm)
	delete(c.kept, form.key)
	c.total -= base64Size(form.key.size)
}

// encodeForm encodes src. A source that can't be read, or that changed meanwhile, is dropped.
func (c *Composer) encodeForm(form *encodedForm, src *source) error {
	encoded := make([]byte, 0, base64Size(src.size))
	var o output // only its read buffer is used
	err := src.eachBlock(&o, inputBlock, func(block []byte) error {
		encoded = appendBase64(encoded, block)
		return nil
	})
	if err == nil && src.isUnchanged() {
		form.octets = encoded
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.encodings++
	if e, ok := c.kept[form.key]; ok && form.octets == nil && e.Value == form {
		c.dropForm(e)
	}
	return err
}

// isUnchanged reports whether a file is the same as when it was opened.
func (s *source) isUnchanged() bool {
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

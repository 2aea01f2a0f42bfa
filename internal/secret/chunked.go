package secret

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// chunkedKeyring is a keyring that splits secrets longer than most octets into several entries.
//
// The main entry of a split secret is its head, "yan-pieces a 3 SHA256"; the pieces are the entries
// NAME#a1 to NAME#a3. The next secret of that name uses the pieces NAME#b1 and so on, and the head
// is written last. So an interruption at any point leaves either the old secret or the new one
// whole.
type chunkedKeyring struct {
	Keyring
	most int
}

const chunkIndexMark = "yan-pieces "

type chunkIndex struct {
	set   string // a or b
	count int
	sum   string // of the whole secret, in hexadecimal
}

func (h chunkIndex) String() string {
	return fmt.Sprintf("%s%s %d %s", chunkIndexMark, h.set, h.count, h.sum)
}

func (h chunkIndex) chunkName(user string, i int) string {
	return fmt.Sprintf("%s#%s%d", user, h.set, i)
}

// mostChunks bounds the number of pieces that a damaged head can name.
const mostChunks = 1000

// parseChunkIndex parses a head; ok is false if the entry is itself the secret.
func parseChunkIndex(entry string) (h chunkIndex, ok bool, err error) {
	if !strings.HasPrefix(entry, chunkIndexMark) {
		return chunkIndex{}, false, nil
	}
	n, err := fmt.Sscanf(strings.TrimPrefix(entry, chunkIndexMark), "%1s %d %64s", &h.set, &h.count, &h.sum)
	if err != nil || n != 3 || h.set != "a" && h.set != "b" || h.count < 1 || h.count > mostChunks || h.String() != entry {
		return chunkIndex{}, true, fmt.Errorf("%w: not the head of a cut secret", ErrDamaged)
	}
	return h, true, nil
}

func (p chunkedKeyring) Get(service, user string) (string, error) {
	entry, err := p.Keyring.Get(service, user)
	if err != nil {
		return "", err
	}
	h, cut, err := parseChunkIndex(entry)
	switch {
	case err != nil:
		return "", err
	case !cut:
		return entry, nil
	}
	var whole strings.Builder
	for i := range h.count {
		piece, err := p.Keyring.Get(service, h.chunkName(user, i+1))
		switch {
		case errors.Is(err, ErrNotFound):
			return "", fmt.Errorf("%w: piece %d of %d is missing", ErrDamaged, i+1, h.count)
		case err != nil:
			return "", err
		}
		whole.WriteString(piece)
	}
	if hexSHA256(whole.String()) != h.sum {
		return "", fmt.Errorf("%w: the pieces are not those of one secret", ErrDamaged)
	}
	return whole.String(), nil
}

func (p chunkedKeyring) Set(service, user, secret string) error {
	before, cut, err := p.currentIndex(service, user)
	if err != nil {
		return err
	}
	entry := secret
	// A secret that looks like a head is split even if it is short.
	if len(secret) > p.most || strings.HasPrefix(secret, chunkIndexMark) {
		h := chunkIndex{set: "a", count: (len(secret) + p.most - 1) / p.most, sum: hexSHA256(secret)}
		if before.set == "a" {
			h.set = "b"
		}
		if h.count > mostChunks {
			return ErrTooLong
		}
		for i := range h.count {
			piece := secret[i*p.most : min((i+1)*p.most, len(secret))]
			if err := p.Keyring.Set(service, h.chunkName(user, i+1), piece); err != nil {
				return err
			}
		}
		entry = h.String()
	}
	if err := p.Keyring.Set(service, user, entry); err != nil {
		return err
	}
	if cut {
		return p.deleteChunks(service, user, before)
	}
	return nil
}

func (p chunkedKeyring) Delete(service, user string) error {
	before, cut, err := p.currentIndex(service, user)
	if err != nil {
		return err
	}
	// The pieces first: without the head they could not be found.
	if cut {
		if err := p.deleteChunks(service, user, before); err != nil {
			return err
		}
	}
	return p.Keyring.Delete(service, user)
}

// currentIndex returns the head of the current entry; cut is false if it is not split. A damaged head is
// replaced or deleted like any entry.
func (p chunkedKeyring) currentIndex(service, user string) (h chunkIndex, cut bool, err error) {
	entry, err := p.Keyring.Get(service, user)
	switch {
	case errors.Is(err, ErrNotFound):
		return chunkIndex{}, false, nil
	case err != nil:
		return chunkIndex{}, false, err
	}
	h, cut, err = parseChunkIndex(entry)
	return h, cut && err == nil, nil
}

func (p chunkedKeyring) deleteChunks(service, user string, h chunkIndex) error {
	for i := range h.count {
		if err := p.Keyring.Delete(service, h.chunkName(user, i+1)); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

func hexSHA256(s string) string {
	digest := sha256.Sum256([]byte(s))
	return hex.EncodeToString(digest[:])
}

package secret

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// pieces is a keyring that splits secrets longer than most octets into several entries.
//
// The main entry of a split secret is its head, "yan-pieces a 3 SHA256"; the pieces are the entries
// NAME#a1 to NAME#a3. The next secret of that name uses the pieces NAME#b1 and so on, and the head
// is written last. So an interruption at any point leaves either the old secret or the new one
// whole.
type pieces struct {
	Keyring
	most int
}

const headMark = "yan-pieces "

type head struct {
	set   string // a or b
	count int
	sum   string // of the whole secret, in hexadecimal
}

func (h head) String() string { return fmt.Sprintf("%s%s %d %s", headMark, h.set, h.count, h.sum) }

func (h head) piece(user string, i int) string { return fmt.Sprintf("%s#%s%d", user, h.set, i) }

// mostPieces bounds the number of pieces that a damaged head can name.
const mostPieces = 1000

// headOf parses a head; ok is false if the entry is itself the secret.
func headOf(entry string) (h head, ok bool, err error) {
	if !strings.HasPrefix(entry, headMark) {
		return head{}, false, nil
	}
	n, err := fmt.Sscanf(strings.TrimPrefix(entry, headMark), "%1s %d %64s", &h.set, &h.count, &h.sum)
	if err != nil || n != 3 || h.set != "a" && h.set != "b" || h.count < 1 || h.count > mostPieces || h.String() != entry {
		return head{}, true, fmt.Errorf("%w: not the head of a cut secret", ErrDamaged)
	}
	return h, true, nil
}

func (p pieces) Get(service, user string) (string, error) {
	entry, err := p.Keyring.Get(service, user)
	if err != nil {
		return "", err
	}
	h, cut, err := headOf(entry)
	switch {
	case err != nil:
		return "", err
	case !cut:
		return entry, nil
	}
	var whole strings.Builder
	for i := range h.count {
		piece, err := p.Keyring.Get(service, h.piece(user, i+1))
		switch {
		case errors.Is(err, ErrNotFound):
			return "", fmt.Errorf("%w: piece %d of %d is missing", ErrDamaged, i+1, h.count)
		case err != nil:
			return "", err
		}
		whole.WriteString(piece)
	}
	if sum(whole.String()) != h.sum {
		return "", fmt.Errorf("%w: the pieces are not those of one secret", ErrDamaged)
	}
	return whole.String(), nil
}

func (p pieces) Set(service, user, secret string) error {
	before, cut, err := p.before(service, user)
	if err != nil {
		return err
	}
	entry := secret
	// A secret that looks like a head is split even if it is short.
	if len(secret) > p.most || strings.HasPrefix(secret, headMark) {
		h := head{set: "a", count: (len(secret) + p.most - 1) / p.most, sum: sum(secret)}
		if before.set == "a" {
			h.set = "b"
		}
		if h.count > mostPieces {
			return ErrTooLong
		}
		for i := range h.count {
			piece := secret[i*p.most : min((i+1)*p.most, len(secret))]
			if err := p.Keyring.Set(service, h.piece(user, i+1), piece); err != nil {
				return err
			}
		}
		entry = h.String()
	}
	if err := p.Keyring.Set(service, user, entry); err != nil {
		return err
	}
	if cut {
		return p.drop(service, user, before)
	}
	return nil
}

func (p pieces) Delete(service, user string) error {
	before, cut, err := p.before(service, user)
	if err != nil {
		return err
	}
	// The pieces first: without the head they could not be found.
	if cut {
		if err := p.drop(service, user, before); err != nil {
			return err
		}
	}
	return p.Keyring.Delete(service, user)
}

// before returns the head of the current entry; cut is false if it is not split. A damaged head is
// replaced or deleted like any entry.
func (p pieces) before(service, user string) (h head, cut bool, err error) {
	entry, err := p.Keyring.Get(service, user)
	switch {
	case errors.Is(err, ErrNotFound):
		return head{}, false, nil
	case err != nil:
		return head{}, false, err
	}
	h, cut, err = headOf(entry)
	return h, cut && err == nil, nil
}

func (p pieces) drop(service, user string, h head) error {
	for i := range h.count {
		if err := p.Keyring.Delete(service, h.piece(user, i+1)); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

func sum(s string) string {
	digest := sha256.Sum256([]byte(s))
	return hex.EncodeToString(digest[:])
}

package secret_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/testing/secrettest"
)

func TestKeyringsConform(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]secret.Keyring{
		"memory": secrettest.New(), "pieces": secret.ChunkedKeyring(secrettest.New(), 2400), "crumbs": secret.ChunkedKeyring(secrettest.New(), 9),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secrettest.Conform(t, k)
		})
	}
}

func names(k *secrettest.Keyring) []string { return slices.Sorted(maps.Keys(k.Entries())) }

func TestPiecesLeaveNothing(t *testing.T) {
	t.Parallel()
	ring := secrettest.New()
	k := secret.ChunkedKeyring(ring, 10)
	steps := []struct {
		secret string
		want   string
	}{
		{strings.Repeat("a", 10), "u"},
		{strings.Repeat("b", 11), "u u#a1 u#a2"},
		{strings.Repeat("c", 35), "u u#b1 u#b2 u#b3 u#b4"},
		{strings.Repeat("d", 20), "u u#a1 u#a2"},
		{"e", "u"},
	}
	for _, step := range steps {
		if err := k.Set("yan", "u", step.secret); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(names(ring), " "); got != step.want {
			t.Errorf("%d octets: the entries are %q, want %q", len(step.secret), got, step.want)
		}
		for name, piece := range ring.Entries() {
			if name != "u" && len(piece) > 10 {
				t.Errorf("%s has %d octets", name, len(piece))
			}
		}
	}
	if err := k.Set("yan", "u", strings.Repeat("f", 30)); err != nil {
		t.Fatal(err)
	}
	if err := k.Delete("yan", "u"); err != nil || len(ring.Entries()) != 0 {
		t.Errorf("Delete: %v; left are %v", err, names(ring))
	}
}

// failAfter is a keyring whose writes fail after the first few.
type failAfter struct {
	*secrettest.Keyring
	left int
}

func (f *failAfter) write() error {
	if f.left--; f.left < 0 {
		return errors.New("power failure")
	}
	return nil
}

func (f *failAfter) Set(service, user, s string) error {
	if err := f.write(); err != nil {
		return err
	}
	return f.Keyring.Set(service, user, s)
}

func (f *failAfter) Delete(service, user string) error {
	if err := f.write(); err != nil {
		return err
	}
	return f.Keyring.Delete(service, user)
}

func TestPiecesAreNeverTorn(t *testing.T) {
	t.Parallel()
	before, after := strings.Repeat("old ", 10), strings.Repeat("new ", 12)
	seen := map[string]int{}
	for n := range 20 {
		ring := secrettest.New()
		if err := secret.ChunkedKeyring(ring, 10).Set("yan", "u", before); err != nil {
			t.Fatal(err)
		}
		err := secret.ChunkedKeyring(&failAfter{ring, n}, 10).Set("yan", "u", after)
		got, getErr := secret.ChunkedKeyring(ring, 10).Get("yan", "u")
		if getErr != nil || got != before && got != after || err == nil && got != after {
			t.Fatalf("cut short after %d writes (%v): %q, %v", n, err, got, getErr)
		}
		seen[got]++
	}
	if len(seen) != 2 {
		t.Errorf("seen %v, want both", seen)
	}
}

func TestDamagedPieces(t *testing.T) {
	t.Parallel()
	const long = "a secret of thirty-five characters."
	for name, spoil := range map[string]func(k *secrettest.Keyring) error{
		"piece lost":    func(k *secrettest.Keyring) error { return k.Delete("yan", "u#a2") },
		"piece changed": func(k *secrettest.Keyring) error { return k.Set("yan", "u#a2", "something") },
		"head":          func(k *secrettest.Keyring) error { return k.Set("yan", "u", "yan-pieces c") },
		"head too long": func(k *secrettest.Keyring) error {
			return k.Set("yan", "u", "yan-pieces a 1000000000 "+strings.Repeat("0", 64))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ring := secrettest.New()
			k := secret.ChunkedKeyring(ring, 10)
			if err := k.Set("yan", "u", long); err != nil {
				t.Fatal(err)
			}
			if err := spoil(ring); err != nil {
				t.Fatal(err)
			}
			if got, err := k.Get("yan", "u"); !errors.Is(err, secret.ErrDamaged) || got != "" {
				t.Errorf("Get: %q, %v", got, err)
			}
			if err := k.Set("yan", "u", long); err != nil {
				t.Errorf("Set: %v", err)
			}
			if got, err := k.Get("yan", "u"); err != nil || got != long {
				t.Errorf("Get: %q, %v", got, err)
			}
		})
	}
}

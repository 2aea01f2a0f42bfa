package excerpt_test

import (
	"testing"

	"github.com/yanmail/yan/internal/text/excerpt"
)

func TestRunes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{{"", 0, ""}, {"abc", 3, "abc"}, {"abcd", 3, "abc…"}, {"邮箱地址", 4, "邮箱地址"}, {"邮箱地址", 3, "邮箱地…"}, {"a", 0, "…"}, {"\xff\xff\xff", 2, "\xff\xff…"}} {
		if got := excerpt.Runes(c.s, c.n); got != c.want {
			t.Errorf("Runes(%q, %d) = %q, want %q", c.s, c.n, got, c.want)
		}
	}
}

func TestOctets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{{"", 0, ""}, {"abc", 3, "abc"}, {"abcd", 3, "abc…"}, {"邮箱", 6, "邮箱"}, {"邮箱", 5, "邮…"}, {"邮箱", 3, "邮…"}, {"邮箱", 2, "…"}} {
		if got := excerpt.Octets(c.s, c.n); got != c.want {
			t.Errorf("Octets(%q, %d) = %q, want %q", c.s, c.n, got, c.want)
		}
	}
}

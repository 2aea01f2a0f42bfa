package outbox

import (
	"strings"
	"testing"
)

func TestIsPostgres(t *testing.T) {
	t.Parallel()
	for where, want := range map[string]bool{
		"postgres://db/mail": true, "postgresql://db/mail": true, "POSTGRES://db": true,
		"": false, "outbox.db": false, "postgres": false, "/postgres:/x": false, "file://postgres://": false,
	} {
		if got := IsPostgres(where); got != want {
			t.Errorf("%q: %v", where, got)
		}
	}
}

// No form of a URL shows its password.
func TestDescribeHidesThePassword(t *testing.T) {
	t.Parallel()
	for where, want := range map[string]string{
		"/var/lib/yan/outbox.db":                             "/var/lib/yan/outbox.db",
		"postgres://me:secret@db.example.com:5432/mail":      "postgres://me@db.example.com:5432/mail",
		"postgres://db/mail?password=secret&sslmode=require": "postgres://db/mail",
		"postgres://me:sec%ret@db/mail":                      "postgres://...",
		"postgres://me:secret@db:port/mail":                  "postgres://...",
		"host=db password=secret":                            "...",
	} {
		if got := DescribeName(where); got != want || strings.Contains(got, "secret") {
			t.Errorf("%q: %q, want %q", where, got, want)
		}
	}
}

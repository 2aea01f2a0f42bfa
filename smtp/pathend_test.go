package smtp_test

import (
	"testing"

	"github.com/yanmail/yan/smtp"
)

func TestPathEnd(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]int{
		"<>":              1,
		"<a@b> SIZE=1":    4,
		`<"a>b"@c>`:       8,
		`<"a\">b"@c> X=>`: 10,
		"<a@b":            -1,
		`<"a@b>`:          -1,
		"":                -1,
	} {
		if got := smtp.PathEnd(path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}

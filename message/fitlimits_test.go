package message_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yanmail/yan/message"
)

// A message that would take memory or time far beyond its size is refused; real ones are far below the
// limits.
func TestFitLimits(t *testing.T) {
	t.Parallel()
	const head = "From: a@b.example\nDate: Tue, 1 Dec 2026 07:00:00 +0000\nMessage-ID: <1@b.example>\nMIME-Version: 1.0\n"
	const multipart = head + "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
	nested := func(depth int) string {
		var b strings.Builder
		b.WriteString(head)
		for i := range depth {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d-\n\n--b%d-\n", i, i)
		}
		return b.String() + "\n\xe4\xb8\xad\n"
	}
	for name, tt := range map[string]struct {
		in   string
		want string // part of the error; "" is none
	}{
		"lines of a part":           {multipart + strings.Repeat("a: b\n", 2_000_000) + "\n\xe4\xb8\xad\n", "lines of header of a part"},
		"folded lines of a part":    {multipart + "a: b\n" + strings.Repeat(" b\n", 2_000_000) + "\n\xe4\xb8\xad\n", "lines of header of a part"},
		"octets of a part":          {multipart + "a:" + strings.Repeat(strings.Repeat(" b", 400)+"\n", 2000) + "\n\xe4\xb8\xad\n", "octets of header"},
		"parts":                     {multipart + strings.Repeat("\n\xe4\xb8\xad\n--b\n", 200_000), "parts of a message"},
		"parts without a header":    {multipart + strings.Repeat("\xe4\xb8\xad\n--b\n", 200_000), "parts of a message"},
		"messages in messages":      {head + strings.Repeat("Content-Type: message/rfc822\n\n", 200_000) + "\n\xe4\xb8\xad\n", "parts of a message"},
		"levels":                    {nested(200) + strings.Repeat("--\n", 100_000), "levels of parts"},
		"many lines, parts, levels": {nested(90) + strings.Repeat("--b3-\n"+strings.Repeat("a: b\n", 90)+"\n\xe4\xb8\xad\n", 1000), ""},
	} {
		_, err := message.Raw{Fit: true, Repair: true}.Read(strings.NewReader(tt.in))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %.300v, want %q", name, err, tt.want)
		}
	}
}

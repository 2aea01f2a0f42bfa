package settingsimport

import (
	"testing"

	"github.com/yanmail/yan/account"
)

// An account writes From in the same cases as msmtp.
func TestSetFromOfMsmtp(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, value, want string }{
		{"set_from_header", "on", account.SetFromAlways},
		{"set_from_header", "auto", account.SetFromMissing},
		{"set_from_header", "off", ""},
		{"set_from_header", "perhaps", ""},
		{"add_missing_from_header", "on", account.SetFromMissing},
		{"add_missing_from_header", "off", ""},
		{"tls", "on", ""},
	} {
		r := &reading{noted: map[Note]bool{}}
		b := &msmtpSection{settings: map[string]setting{tt.name: {name: tt.name, value: tt.value}}}
		if got := r.fromPolicy(b); got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.name, tt.value, got, tt.want)
		}
	}
}

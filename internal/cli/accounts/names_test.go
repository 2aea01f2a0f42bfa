package accounts

import (
	"strings"
	"testing"
)

// IsAccountName accepts the names that the configuration accepts.
func TestIsAccountName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"qq": true, "a-B_9": true, "": false, "a.b": false, "a b": false, "工作": false, `x"`: false,
		strings.Repeat("x", 64): true, strings.Repeat("x", 65): false} {
		if got := IsAccountName(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

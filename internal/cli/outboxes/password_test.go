package outboxes

import (
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/i18n"
)

// Other users can see the command line, so no form of a password is accepted there.
func TestNoFormOfAPasswordIsTakenInAFlag(t *testing.T) {
	t.Parallel()
	a, _, _ := testApp(i18n.English)
	for _, where := range []string{"postgres://u:secret@h/db", "postgres://h/db?password=secret", "postgresql://h/db?sslmode=require&sslpassword=secret", "host=h password=secret"} {
		if err := a.noPasswordInFlag(where); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", where, err)
		}
	}
	for _, where := range []string{"", "/var/lib/yan/outbox.db", "postgres://u@h/db?sslmode=require"} {
		if err := a.noPasswordInFlag(where); err != nil {
			t.Errorf("%s: %v", where, err)
		}
	}
}

package accountroute_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/accountroute"
	"github.com/yanmail/yan/internal/secret"
)

// The outbox that is named counts before that of the variable, that before the one of the
// configuration, and the user's own file is the last. Name never runs password_command.
func TestWhichOutboxIsMeant(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	const shared = "[outbox]\nurl = \"postgres://me@db/mail\"\npassword_command = \"echo p@ss\"\n"
	for _, test := range []struct {
		config, named, variable string
		find, name              string
	}{
		{"", "", "", home + "/.local/share/yan/outbox.db", ""},
		{shared, "", "", "postgres://me:p%40ss@db/mail", "postgres://me@db/mail"},
		{shared, "", "~/var.db", home + "/var.db", ""},
		{shared, "/named.db", "/var.db", "/named.db", ""},
		{"", "postgres://h/db", "", "postgres://h/db", ""},
	} {
		r := router(t, test.config)
		p := accountroute.Place{Named: test.named, Settings: r.File.Outbox(), Secrets: r.Secrets, Getenv: func(name string) string {
			return map[string]string{"YAN_OUTBOX": test.variable, "HOME": home, "XDG_DATA_HOME": home + "/.local/share"}[name]
		}}
		if test.name == "" {
			test.name = test.find
		}
		if !strings.Contains(test.find, "://") {
			test.find, test.name = absolutePath(t, test.find), absolutePath(t, test.name)
		}
		find, err := p.Find(t.Context())
		name, nameErr := p.Name()
		if err != nil || nameErr != nil || find != test.find || name != test.name {
			t.Errorf("%+v: %q, %v; named %q, %v", test, find, err, name, nameErr)
		}
	}
}

func absolutePath(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNoOutboxIsMeantWithoutItsPassword(t *testing.T) {
	t.Parallel()
	r := router(t, "[outbox]\nurl = \"postgres://me@db/mail\"\npassword_command = \"exit 3 hunter2\"\n")
	_, err := accountroute.Place{Settings: r.File.Outbox(), Secrets: r.Secrets, Getenv: func(string) string { return "" }}.Find(t.Context())
	var password *accountroute.PasswordError
	var secretErr *secret.Error
	if !errors.As(err, &password) || !errors.As(err, &secretErr) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
}

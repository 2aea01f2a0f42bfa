package homedir_test

import (
	"path/filepath"
	"testing"

	"github.com/yanmail/yan/internal/files/homedir"
)

func TestFind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{}, ""},
		{map[string]string{"HOME": "/h"}, "/h"},
		{map[string]string{"USERPROFILE": `C:\Users\li`}, `C:\Users\li`},
		{map[string]string{"HOME": `D:\li`, "USERPROFILE": `C:\Users\li`}, `D:\li`}, // as Git and msmtp do
	} {
		if got := homedir.Find(func(name string) string { return c.env[name] }); got != c.want {
			t.Errorf("%v: got %q, want %q", c.env, got, c.want)
		}
	}
}

func TestExpandAndAbbreviate(t *testing.T) {
	t.Parallel()
	home := filepath.Join("home", "li")
	mail := filepath.Join(home, "mail")
	for path, want := range map[string]string{"~": home, "~/mail": mail, "~wang/mail": "~wang/mail", "mail~": "mail~", "": ""} {
		if got := homedir.Expand(path, home); got != want {
			t.Errorf("%q became %q, want %q", path, got, want)
		}
	}
	short := "~" + string(filepath.Separator) + "mail"
	for path, want := range map[string]string{mail: short, home + "x": home + "x", home: home, "": ""} {
		if got := homedir.Abbreviate(path, home); got != want {
			t.Errorf("%q became %q, want %q", path, got, want)
		}
	}
	if got := homedir.Abbreviate("/mail", "/"); got != "/mail" {
		t.Errorf("below a home of / it became %q", got)
	}
}

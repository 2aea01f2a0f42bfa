package secret_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/secret"
)

// allProblems returns the problems declared in secret.go.
func allProblems(t *testing.T) map[secret.Problem]bool {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), "secret.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := map[secret.Problem]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); ok && of.Name == "Problem" {
			for _, value := range spec.Values {
				word, err := strconv.Unquote(value.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				all[secret.Problem(word)] = true
			}
		}
		return true
	})
	if len(all) < 11 {
		t.Fatalf("secret.go has only the problems %v", all)
	}
	return all
}

const hidden = "hunter2-Ω"

// provoked returns, for each problem, the cases that cause it. Each case handles the secret and
// could leak it.
func provoked() map[secret.Problem]map[string]func(t *testing.T, m *testMachine) error {
	ctx := context.Background()
	get := func(m *testMachine, s secret.Source) error {
		_, err := m.Get(ctx, s, password)
		return err
	}
	set := func(m *testMachine) error {
		_, err := m.Set(ctx, password, hidden)
		return err
	}
	file := func(text string, mode os.FileMode) func(t *testing.T, m *testMachine) error {
		return func(t *testing.T, m *testMachine) error {
			write(t, filepath.Join(m.Home, "file"), text, mode)
			return get(m, secret.Source{Kind: secret.File, Value: "~/file"})
		}
	}
	sealed := func(then func(t *testing.T, m *testMachine) error) func(t *testing.T, m *testMachine) error {
		return func(t *testing.T, m *testMachine) error {
			m.Keyring = nil
			m.set(t, password, hidden, secret.InFile)
			m.renew(m.File)
			m.Keyring = nil
			return then(t, m)
		}
	}
	inFile := func(text string) func(t *testing.T, m *testMachine) error {
		return sealed(func(t *testing.T, m *testMachine) error {
			data, err := secret.Seal(map[string]string{}, phrase, 4)
			if text != "" {
				data, err = []byte(text), nil
			}
			if err != nil {
				t.Fatal(err)
			}
			write(t, m.File, string(data), 0o600)
			return get(m, kept)
		})
	}
	return map[secret.Problem]map[string]func(t *testing.T, m *testMachine) error{
		secret.NotFound: {
			"kept": func(_ *testing.T, m *testMachine) error { return get(m, kept) },
			"file": func(_ *testing.T, m *testMachine) error {
				return get(m, secret.Source{Kind: secret.File, Value: "~/none"})
			},
			"netrc": func(t *testing.T, m *testMachine) error {
				write(t, filepath.Join(m.Home, ".netrc"), "machine other.example password "+hidden, 0o600)
				return get(m, secret.Source{Kind: secret.Netrc})
			},
			"nothing sealed": inFile(""),
		},
		secret.Empty: {
			"file": file(" \n", 0o600),
			"set": func(_ *testing.T, m *testMachine) error {
				_, err := m.Set(ctx, password, "\u200b")
				return err
			},
		},
		secret.SeveralLines: {"file": file(hidden+"\n"+hidden+"\n", 0o600)},
		secret.Readable:     {"file": file(hidden, 0o644)},
		secret.Unreadable: {
			"file": file(hidden+"\x00", 0o600),
			"folder": func(_ *testing.T, m *testMachine) error {
				return get(m, secret.Source{Kind: secret.File, Value: "~"})
			},
			"sealed": sealed(func(t *testing.T, m *testMachine) error {
				if err := errors.Join(os.Remove(m.File), os.Mkdir(m.File, 0o700)); err != nil {
					t.Fatal(err)
				}
				return get(m, kept)
			}),
		},
		secret.Stuck: {
			"a command that waits": func(t *testing.T, m *testMachine) error {
				m.Waits(50 * time.Millisecond)
				return get(m, secret.Source{Kind: secret.Command, Value: "echo " + hidden + "; sleep 600"})
			},
		},
		secret.CommandFailed: {
			"command": func(_ *testing.T, m *testMachine) error {
				return get(m, secret.Source{Kind: secret.Command, Value: "echo " + hidden + "&& echo " + hidden + " 1>&2 && exit 1"})
			},
			"none": func(_ *testing.T, m *testMachine) error { return get(m, secret.Source{Kind: secret.Command}) },
		},
		secret.Locked: {
			"get": func(_ *testing.T, m *testMachine) error { m.ring.Fail(secret.ErrLocked); return get(m, kept) },
			"set": func(_ *testing.T, m *testMachine) error { m.ring.Fail(secret.ErrLocked); return set(m) },
		},
		secret.Unavailable: {
			"nowhere": func(_ *testing.T, m *testMachine) error {
				m.Keyring, m.File = nil, ""
				return set(m)
			},
			"nobody": func(_ *testing.T, m *testMachine) error {
				m.Keyring, m.Passphrase = nil, nil
				return set(m)
			},
			"keyring gives the secret away": func(_ *testing.T, m *testMachine) error {
				m.ring.Fail(errors.New("can't keep " + hidden))
				m.File = ""
				return set(m)
			},
			"no answer": func(_ *testing.T, m *testMachine) error {
				m.Keyring = nil
				m.Passphrase = func(context.Context, bool) (string, error) { return "", errors.New("end of input") }
				return set(m)
			},
			"get": func(_ *testing.T, m *testMachine) error {
				m.ring.Fail(errors.New("D-Bus broke"))
				return get(m, kept)
			},
		},
		secret.Passphrase: {
			"wrong": sealed(func(_ *testing.T, m *testMachine) error { m.typed = "wrong"; return get(m, kept) }),
			"empty": sealed(func(_ *testing.T, m *testMachine) error { m.typed = ""; return get(m, kept) }),
		},
		secret.Damaged: {
			"sealed": inFile("no age file"),
			"netrc": func(t *testing.T, m *testMachine) error {
				write(t, filepath.Join(m.Home, ".netrc"), "machine smtp.qq.com password two "+hidden, 0o600)
				return get(m, secret.Source{Kind: secret.Netrc})
			},
			"keyring": func(_ *testing.T, m *testMachine) error { m.ring.Fail(secret.ErrDamaged); return get(m, kept) },
		},
		secret.OtherLogin: {
			"kept for nothing": func(t *testing.T, m *testMachine) error {
				m.set(t, password, hidden, secret.InKeyring)
				return getFor(m, "me@qq.com (qq)")
			},
			"kept for another": func(t *testing.T, m *testMachine) error {
				m.set(t, forLogin("me@163.com (netease)"), hidden, secret.InKeyring)
				return getFor(m, "me@qq.com (qq)")
			},
			"in the file": func(t *testing.T, m *testMachine) error {
				m.ring.Fail(secret.ErrNoKeyring)
				m.set(t, forLogin("me@163.com (netease)"), hidden, secret.InFile)
				return getFor(m, "me@qq.com (qq)")
			},
		},
		secret.Unwritable: {
			"lock": func(t *testing.T, m *testMachine) error {
				m.Keyring = nil
				mkdir(t, m.File+".lock")
				return set(m)
			},
			"names": func(t *testing.T, m *testMachine) error {
				m.Keyring = nil
				mkdir(t, m.File+".names")
				return set(m)
			},
		},
	}
}

// forLogin returns the key of the password with a login.
func forLogin(login string) secret.Key {
	k := password
	k.For = login
	return k
}

func getFor(m *testMachine, login string) error {
	_, err := m.Get(context.Background(), secret.Source{}, forLogin(login))
	return err
}

// A secret stored for one login is returned for that login only, from every place and with every
// content. An entry of a newer program is refused.
func TestKeptForOneLogin(t *testing.T) {
	t.Parallel()
	for _, ring := range []error{nil, secret.ErrNoKeyring} {
		for _, text := range []string{hidden, `{"yan":1,"for":"x","secret":"y"}`, "<&>\u2028 授权码", strings.Repeat("long ", 700) + "x"} {
			m := newMachine(t)
			m.ring.Fail(ring)
			key := forLogin("me <me@qq.com> (qq)")
			if _, err := m.Set(t.Context(), key, " "+text+"\n"); err != nil {
				t.Fatal(err)
			}
			got, err := m.Get(t.Context(), secret.Source{}, key)
			if got != text || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, text)
			}
		}
	}
	m := newMachine(t)
	if _, err := m.Set(t.Context(), forLogin("x"), " \n"); err == nil {
		t.Error("an empty secret was stored")
	}
	m.set(t, password, `{"yan":2,"for":"x","secret":"`+hidden+`"}`, secret.InKeyring)
	if e, ok := errors.AsType[*secret.Error](getFor(m, "x")); !ok || e.Problem != secret.Damaged {
		t.Errorf("of a newer program: %v", e)
	}
}

func TestEveryProblemIsProvoked(t *testing.T) {
	t.Parallel()
	all, ways := allProblems(t), provoked()
	for problem := range all {
		if len(ways[problem]) == 0 {
			t.Errorf("no case causes %q", problem)
		}
	}
	texts := map[string]secret.Problem{}
	for problem, by := range ways {
		if !all[problem] {
			t.Errorf("%q is not a declared problem", problem)
		}
		for name, provoke := range by {
			if !onUnix && problem == secret.Readable {
				continue // see private_windows.go
			}
			m := newMachine(t)
			err := provoke(t, m)
			e, ok := errors.AsType[*secret.Error](err)
			if !ok || e.Problem != problem {
				t.Errorf("%s, %s: %v", problem, name, err)
				continue
			}
			if e.Key.Account != password.Account || e.Key.Item != password.Item {
				t.Errorf("%v does not name the secret: %+v", err, e.Key)
			}
			text := e.Error()
			if strings.HasSuffix(text, string(problem)) && strings.Contains(string(problem), "_") || strings.ContainsAny(text, "\n\r") {
				t.Errorf("%q is not a readable sentence", text)
			}
			texts[text] = problem
			leaks(t, name+": the error", err)
			leaks(t, name+": the vault", m.Vault)
		}
	}
	if len(texts) < len(all) {
		t.Errorf("only %d different texts", len(texts))
	}
	if testing.Verbose() {
		for _, text := range slices.Sorted(func(yield func(string) bool) {
			for text := range texts {
				if !yield(text) {
					return
				}
			}
		}) {
			t.Log(text)
		}
	}
}

// leaks looks for the secret and the passphrase in every way that fmt can print a value.
func leaks(t *testing.T, what string, value any) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%+q", "%x", "% X", "%d", "%T %[1]p", "%10.40v"} {
		for _, v := range []any{value, []any{value}, struct{ Inner any }{value}, &value} {
			text := fmt.Sprintf(verb, v)
			for _, s := range []string{hidden, "hunter2", phrase} {
				for _, form := range []string{s, hex.EncodeToString([]byte(s)), fmt.Sprintf("% X", s), fmt.Sprint([]byte(s)), strings.Trim(fmt.Sprintf("%+q", s), `"`)} {
					if strings.Contains(text, form) {
						t.Errorf("%s: %s gives the secret away: %s", what, verb, text)
					}
				}
			}
		}
	}
}

func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.set(t, password, hidden, secret.InKeyring)
	m.ring.Fail(secret.ErrNoKeyring)
	m.set(t, token, hidden, secret.InFile) // the passphrase and the list are known now
	m.ring.Fail(nil)
	leaks(t, "the vault", m.Vault)
	leaks(t, "a copy of the vault", reflect.ValueOf(m.Vault).Elem().Interface())
	leaks(t, "the keyring", m.ring)
	leaks(t, "a keyring that cuts", secret.ChunkedKeyring(m.ring, 5))
	leaks(t, "the keyring of the system", secret.System())
	if text := fmt.Sprintf("%+v", m.Vault); !strings.Contains(text, m.File) {
		t.Errorf("%s does not even name the file", text)
	}
	if text := fmt.Sprintf("%v %d", struct{ Inner any }{[]byte(hidden)}, []byte(hidden)); !strings.Contains(text, fmt.Sprint([]byte(hidden))) {
		t.Error("the search does not find a secret that is there")
	}
}

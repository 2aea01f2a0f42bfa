package account_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/account"
)

const revised = `version = 1

# the one
[account.qq]
from = "me@qq.com" # me
secret = { command = "pass show mail" }
oauth2 = { client_id = "id", scopes = ["a"] }
signature = "x"
`

func TestSetAndUnset(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		key, value string // a key that begins with - is unset
		want       string // must be in the file afterwards
		gone       string
		fault      account.Fault
		near       string
	}{
		{key: "from", value: "Me <me@qq.com>", want: `from = "Me <me@qq.com>" # me`},
		{key: "server", value: "gopher://x", fault: account.FaultValue},
		{key: "server", value: "qq", want: `server = "qq"`},
		{key: "pipelining", value: "false", want: "pipelining = false"},
		{key: "pipelining", value: "perhaps", fault: account.FaultValue},
		{key: "pipeline_messages", value: "always", want: `pipeline_messages = "always"`},
		{key: "pipeline_messages", value: "true", fault: account.FaultValue},
		{key: "connections", value: "3", want: "connections = 3"},
		{key: "match", value: `["*@corp.example"]`, want: `match = ["*@corp.example"]`},
		{key: "save_sent", value: "auto", want: `save_sent = "auto"`},
		{key: "save_sent", value: "true", want: "save_sent = true"},
		{key: "secret.file", value: "~/code", want: `secret = { file = "~/code" }`, gone: "pass show"},
		{key: "secret.keyring", value: "true", want: `secret = { keyring = true }`, gone: "pass show"},
		{key: "oauth2.tenant", value: "t", want: `oauth2 = { client_id = "id", scopes = ["a"], tenant = "t" }`},
		{key: "headers.X-Site", value: "home", want: `headers.X-Site = "home"`},
		{key: "signature_file", value: "s", want: `signature_file = "s"`, gone: `signature = "x"`},
		{key: "signature", value: "\xff", fault: account.FaultValue},
		{key: "connections", value: "3\n[account.evil]\nfrom = \"e@qq.com\"", fault: account.FaultValue},
		{key: "connections", value: "", fault: account.FaultValue},
		{key: "connections", value: "3 # c", want: "connections = 3\n"},
		{key: "form", value: "x", fault: account.FaultUnknownKey, near: "from"},
		{key: "password", value: "x", fault: account.FaultSecret},
		{key: "secret.comand", value: "x", fault: account.FaultUnknownKey, near: "command"},
		{key: "-signature", gone: "signature"},
		{key: "-secret.command", gone: "secret"},
		{key: "-secret", gone: "secret"},
		{key: "-oauth2.scopes", want: `oauth2 = { client_id = "id" }`, gone: "scopes"},
		{key: "-secret.file", want: `secret = { command = "pass show mail" }`},
		{key: "-timeout", want: "signature"},
		{key: "-from", fault: account.FaultValue},
		{key: "-form", fault: account.FaultUnknownKey, near: "from"},
	} {
		f, err := account.Parse("config.toml", []byte(revised))
		if err != nil {
			t.Fatal(err)
		}
		if key, unset := strings.CutPrefix(tt.key, "-"); unset {
			err = f.Unset("qq", key)
		} else {
			err = f.Set("qq", key, tt.value)
		}
		if tt.fault != "" {
			var wrong *account.ParseError
			if !errors.As(err, &wrong) || wrong.Fault != tt.fault || wrong.Near != tt.near {
				t.Errorf("%s: %v, want the fault %s near %q", tt.key, err, tt.fault, tt.near)
			}
			if string(f.Bytes()) != revised {
				t.Errorf("%s: it is an error, and the file is changed", tt.key)
			}
			continue
		}
		text := string(f.Bytes())
		if err != nil || !strings.Contains(text, tt.want) || tt.gone != "" && strings.Contains(text, tt.gone) || !strings.Contains(text, "# the one\n") {
			t.Errorf("%s: %v, got\n%s", tt.key, err, text)
		}
	}
	f, err := account.Parse("config.toml", []byte(revised))
	if err != nil {
		t.Fatal(err)
	}
	var unknown *account.UnknownAccountError
	if err := f.Set("q", "from", "x"); !errors.As(err, &unknown) {
		t.Errorf("an account that there is not: %v", err)
	}
	if line, column := f.Position("qq", "secret"); line != 6 || column != 1 {
		t.Errorf("secret is at %d:%d", line, column)
	}
	for _, key := range []string{"from", "secret.command", "oauth2.client_id", "timeout"} {
		if !slices.Contains(account.Keys(), key) {
			t.Errorf("%q lacks %s", account.Keys(), key)
		}
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	f, err := account.Parse("config.toml", []byte(revised))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Replace([]byte("version = 1\nfrom")); err == nil || string(f.Bytes()) != revised {
		t.Errorf("nonsense: %v", err)
	}
	if err := f.Replace([]byte("version = 1\n")); err != nil || len(f.Accounts()) != 0 {
		t.Errorf("%v, %d accounts", err, len(f.Accounts()))
	}
}

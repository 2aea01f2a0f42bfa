package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
)

// accountShown has an account for each group of keys that exclude each other. Every value occurs
// only once.
const accountShown = `version = 1
default = "a"

[account.a]
from = "Ann <ann@example.com>"
server = "smtps://mail.example.com:1465"
user = "ann-user"
auth = "plain"
secret = { command = "pass show ann" }
match = ["*@match.example"]
fallback = "b"
signature = "ann-signature"
reply_to = "replies@example.com"
headers = { Organization = "Ann Ltd" }
save_sent = "always"
imap = "imaps://imap.example.com"
sent_folder = "Ann sent"
tls_ca = "ann-ca.pem"
tls_cert = "ann-cert.pem"
tls_key = "ann-key.pem"
tls_name = "ann.tls.example"
tls_rsa_key_exchange = true
proxy = "socks5://proxy.example:1081"
local_name = "ann.local.example"
pipelining = false
connections = 7
pace = "61/m"
in_doubt = "retry"
timeout = "77s"
dkim_selector = "ann-dkim"
set_from = "missing"

[account.b]
from = "bob@example.com"
server = "smtp+notls://mail.example.com:1025"
signature_file = "bob-signature.txt"
pipeline_messages = "never"
tls_pin = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
allow_cleartext_password = true

[account.b.oauth2]
client_id = "bob-client"
auth_url = "https://sso.example/authorize"
token_url = "https://sso.example/token"
scopes = ["smtp"]
`

// TestAccountShowHasEveryKey sets every key of an account. yan account show must print each, as
// text and as JSON.
func TestAccountShowHasEveryKey(t *testing.T) {
	t.Parallel()
	shown := map[string]string{"from": "ann@example.com", "server": "mail.example.com:1465", "user": "ann-user", "auth": "PLAIN", "secret": "pass show ann",
		"oauth2": "bob-client", "match": "*@match.example", "fallback": "b", "signature": "ann-signature", "signature_file": "bob-signature.txt",
		"reply_to": "replies@example.com", "headers": "Ann Ltd", "save_sent": "imap.example.com", "imap": "imap.example.com", "sent_folder": "Ann sent",
		"tls_ca": "ann-ca.pem", "tls_pin": "sha256:0000", "tls_cert": "ann-cert.pem", "tls_key": "ann-key.pem", "tls_name": "ann.tls.example",
		"tls_rsa_key_exchange": "forward secrecy", "allow_cleartext_password": "in clear", "proxy": "proxy.example:1081",
		"local_name": "ann.local.example", "pipelining": "one command at a time", "pipeline_messages": "never", "connections": "7", "pace": "61/m",
		"in_doubt": "retry", "timeout": "1 min 17 s", "dkim_selector": "ann-dkim", "set_from": "missing"}
	inJSON := map[string]string{"pipelining": "no_pipelining", "timeout": "timeout_seconds"}
	text, fields := "", map[string]any{}
	for _, name := range []string{"a", "b"} {
		w, out, errs, _ := machineWith(t, accountShown, "", nil)
		if code := Run(t.Context(), []string{"account", "show", name}, w); code != command.ExitOK {
			t.Fatalf("exit status %d: %s", code, errs)
		}
		text += out.String()
		w, out, errs, _ = machineWith(t, accountShown, "", nil)
		if code := Run(t.Context(), []string{"account", "show", name, "--json"}, w); code != command.ExitOK {
			t.Fatalf("exit status %d: %s", code, errs)
		}
		if err := json.Unmarshal(out.Bytes(), &fields); err != nil {
			t.Fatal(err)
		}
	}
	keys := accountKeys(t)
	for _, key := range keys {
		if shown[key] == "" || !strings.Contains(text, shown[key]) {
			t.Errorf("account show has no %s (%q):\n%s", key, shown[key], text)
		}
		name := key
		if inJSON[key] != "" {
			name = inJSON[key]
		}
		if _, ok := fields[name]; !ok {
			t.Errorf("account show --json has no %s", name)
		}
	}
}

// accountKeys returns the keys of an account from the table that parses them.
func accountKeys(t *testing.T) []string {
	t.Helper()
	var keys []string
	for _, s := range new(account.File).Settings(account.Account{}) {
		keys = append(keys, s.Key)
	}
	if len(keys) < 30 {
		t.Fatalf("found %d keys", len(keys))
	}
	return keys
}

package cli

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/sandboxtest"
)

// partly returns a configuration with an account that keeps copies, and a fallback account for the
// recipients that its server defers.
func partly(t *testing.T, one, two *sandboxtest.Server, m *mailbox, keys string) map[string]string {
	t.Helper()
	env := keepsCopies(t, one, m, "save_sent = \"always\"\nfallback = \"two\"\n[account.two]\nfrom = \"two@example.org\"\n"+keys)
	path := env["YAN_CONFIG"]
	config, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("{two}", "server = \""+two.URL()+"\"\nuser = \""+two.Login()+"\"\ntls_ca = \""+two.CAFile()+"\"\nsecret = { file = \"two.code\" }").Replace(string(config))
	for name, text := range map[string]string{path: text, filepath.Join(filepath.Dir(path), "two.code"): two.Password() + "\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return env
}

// If some recipients have the message and others wait for the next account, the outcome is also
// printed before the copy is saved, whatever the other account does.
func TestResultBeforeSentCopyOfAPart(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections and never replies
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	raw := filepath.Join(t.TempDir(), "m.eml")
	if err := os.WriteFile(raw, []byte("From: one@example.org\r\nTo: a@example.org, rcpt-450@example.org\r\n\r\nx\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	closed := "server = \"smtp://127.0.0.1:1\"\nauth = \"none\"\n"
	for name, c := range map[string]struct {
		keys  string // of the fallback account
		fault string // of its server
		args  []string
	}{
		"taken over":        {keys: "{two}", args: []string{"-t", "a@example.org", "-t", "rcpt-450@example.org", "-b", "x"}},
		"a file":            {keys: "{two}\nmatch = [\"one@example.org\"]", args: []string{"--raw", raw}},
		"refused there":     {keys: "{two}", fault: "mail-554", args: []string{"-t", "a@example.org", "-t", "rcpt-450@example.org", "-b", "x"}},
		"came to nothing":   {keys: closed, args: []string{"-t", "a@example.org", "-t", "rcpt-450@example.org", "-b", "x"}},
		"a file, nothing":   {keys: closed + "match = [\"one@example.org\"]", args: []string{"--raw", raw}},
		"can't get":         {keys: "server = \"smtps://x@127.0.0.1:1\"\nsecret = { file = \"missing.code\" }", args: []string{"-t", "a@example.org", "-t", "rcpt-450@example.org", "-b", "x"}},
		"does not serve it": {keys: "{two}", args: []string{"--raw", raw}},
	} {
		for _, format := range []string{"", "--json"} {
			t.Run(name+format, func(t *testing.T) {
				t.Parallel()
				one, two := sandboxtest.Start(t, "plain"), sandboxtest.Start(t, "plain")
				if c.fault != "" {
					two = sandboxtest.Start(t, "plain", sandboxtest.WithFault(c.fault))
				}
				env := partly(t, one, two, &mailbox{url: "imaps://" + silent.Addr().String()}, c.keys)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				w, _, errs := testEnv(env)
				printed, tooLate := &waitedFor{text: "rcpt-450@example.org"}, false
				printed.found = func() {
					tooLate = tooLate || ctx.Err() == nil && (strings.Contains(errs.String(), "no copy") || strings.Contains(printed.String(), "sent_copy")) // not saved
					cancel()                                                                                                                                 // Ctrl-C once it is printed
				}
				w.Stdout = printed
				args := append([]string{"send", "-A", "one", "--to-policy", "any"}, c.args...)
				if format != "" {
					args = append(args, format)
				}
				Run(ctx, args, w)
				if ctx.Err() == nil || tooLate || !strings.Contains(printed.String(), "a@example.org") {
					t.Errorf("the result is not printed before the copy is tried\n%s%s", printed, errs)
				}
			})
		}
	}
}

// The copy in an account's Sent folder is the message that this account sent, even if another
// account sent one in its own name meanwhile.
func TestSentCopyOfAPart(t *testing.T) {
	t.Parallel()
	one, two := sandboxtest.Start(t, "plain"), sandboxtest.Start(t, "plain")
	m := startMailbox(t, one.Login(), one.Password())
	env := partly(t, one, two, m, "{two}\nimap = \""+m.url+"\"\nsave_sent = \"never\"\nsignature = \"a line more\"\n")
	code, out, errs := run(t.Context(), env, "send", "-A", "one", "--json", "--to-policy", "any", "-t", "a@example.org", "-t", "rcpt-450*1@example.org", "-b", "x")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var copied jsonout.SentCopy
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &copied); err != nil || len(lines) != 2 || !strings.Contains(lines[0], `"status":`) {
		t.Fatalf("exit status %d, %v\n%s%s", code, err, out, errs)
	}
	sent := one.WaitMessages(1)[0]
	if copied.Event != "sent_copy" || copied.Account != "one" || copied.Folder != "Sent" || copied.Error != "" || copied.MessageID != sent.Header("Message-ID") {
		t.Errorf("the copy: %+v, want that of %s", copied, sent.Header("Message-ID"))
	}
	data, err := m.user.Status("Sent", &imap.StatusOptions{NumMessages: true, Size: true})
	if err != nil {
		t.Fatal(err)
	}
	if *data.NumMessages != 1 || *data.Size != int64(len(sent.Data)) {
		t.Errorf("%d copies of %d octets, want one of %d", *data.NumMessages, *data.Size, len(sent.Data))
	}
}

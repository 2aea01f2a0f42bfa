package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/mailfiles"
	"github.com/yanmail/yan/internal/sending/sendlog"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtp"
)

// threeAccounts has three accounts that fall back to one another.
const threeAccounts = `default = "one"
[account.one]
from = "one@example.org"
fallback = "two"
{one}
[account.two]
from = "two@example.org"
match = ["one@example.org"]
fallback = "three"
{two}
[account.three]
from = "three@example.org"
match = ["one@example.org"]
{three}
`

// TestFallbackKeepsTheLedger checks that, with any fault at any account, each message is reported
// once, each recipient got it as often as reported, the log agrees, and running the command again
// sends nothing twice.
func TestFallbackKeepsTheLedger(t *testing.T) {
	t.Parallel()
	faults := []string{"", "", "greeting-421", "auth-454-4.7.0", "auth-535", "mail-451", "rcpt-450*1", "rcpt-450*3", "rcpt-550*1", "data-451*2",
		"body-451", "body-451*2", "body-554*1", "body-cut*1", "data-cut-10*1", "mail-cut*1", "rcpt-421*1", "body-421*1"}
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			servers := map[string]*sandboxtest.Server{}
			var story []string
			for _, name := range []string{"one", "two", "three"} {
				var options []sandboxtest.Option
				if fault := faults[r.IntN(len(faults))]; fault != "" {
					options = append(options, sandboxtest.WithFault(fault))
					story = append(story, name+": "+fault)
				}
				servers[name] = sandboxtest.Start(t, []string{"plain", "gmail"}[r.IntN(2)], options...)
			}
			course := ledgerCourse{env: clitest.WriteConfig(t, threeAccounts, servers), servers: servers, dir: t.TempDir(), messages: 1 + r.IntN(9),
				recipients: 1 + r.IntN(3), args: []string{"--to-policy", []string{"all", "any"}[r.IntN(2)]}}
			if r.IntN(2) == 0 {
				course.log = filepath.Join(t.TempDir(), "run.log")
				course.args = append(course.args, "--log", course.log)
			}
			course.write(t)
			first := course.run(t)
			course.check(t, first, story)
			if course.log == "" {
				return
			}
			course.checkLog(t, first)
			course.check(t, course.run(t), append(story, "once more"))
		})
	}
}

// ledgerCourse is a schedule of faults.
type ledgerCourse struct {
	env                  map[string]string
	servers              map[string]*sandboxtest.Server
	dir, log             string
	messages, recipients int
	args                 []string
}

func (c *ledgerCourse) write(t *testing.T) {
	t.Helper()
	for i := range c.messages {
		var to []string
		for k := range c.recipients {
			to = append(to, fmt.Sprintf("r%d@example.org", k))
		}
		text := fmt.Sprintf("From: one@example.org\r\nTo: %s\r\nSubject: %d.eml\r\n\r\nx\r\n", strings.Join(to, ", "), i)
		if err := os.WriteFile(filepath.Join(c.dir, fmt.Sprintf("%d.eml", i)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// run returns the report of each message, by file.
func (c *ledgerCourse) run(t *testing.T) map[string]jsonout.SendReport {
	t.Helper()
	_, out, errs := run(t.Context(), c.env, append([]string{"send", "--raw", c.dir, "--json"}, c.args...)...)
	reports := map[string]jsonout.SendReport{}
	for line := range strings.Lines(out) {
		var rep jsonout.SendReport
		if err := json.Unmarshal([]byte(line), &rep); err != nil {
			t.Fatalf("%v\n%s%s", err, out, errs)
		}
		name := filepath.Base(rep.File)
		if _, twice := reports[name]; twice {
			t.Errorf("%s is reported twice", name)
		}
		reports[name] = rep
	}
	if len(reports) != c.messages {
		t.Errorf("%d messages of %d are reported\n%s", len(reports), c.messages, errs)
	}
	return reports
}

// check compares the reports with the messages on the servers.
func (c *ledgerCourse) check(t *testing.T, reports map[string]jsonout.SendReport, story []string) {
	t.Helper()
	copies := map[string]int{}
	for _, s := range c.servers {
		for _, m := range s.Messages() {
			for _, to := range m.To {
				copies[m.Header("Subject")+" "+to]++
			}
		}
	}
	for name, rep := range reports {
		if len(rep.Recipients) != c.recipients {
			t.Errorf("%s: %d recipients", name, len(rep.Recipients))
		}
		for _, o := range rep.Recipients {
			n := copies[name+" "+o.Address]
			ok := n == 0
			switch smtp.Status(o.Status) {
			case smtp.Accepted:
				ok = n == 1
			case smtp.Unknown:
				ok = n <= 1
			}
			if !ok {
				t.Errorf("%s: %s is %s and has %d copies (%q, %q)", name, o.Address, o.Status, n, c.args, story)
			}
		}
	}
}

// checkLog compares the reports with the log.
func (c *ledgerCourse) checkLog(t *testing.T, reports map[string]jsonout.SendReport) {
	t.Helper()
	log, err := sendlog.Open(c.log, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for i := range c.messages {
		name := fmt.Sprintf("%d.eml", i)
		found, err := mailfiles.Find(filepath.Join(c.dir, name), mailfiles.Options{})
		if err != nil {
			t.Fatal(err)
		}
		content, err := found.Messages[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		sum, err := content.Fingerprint()
		_ = content.Close() // opened for reading only
		hash := sendlog.Hash(sum)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range reports[name].Recipients {
			logged, known := log.State(sendlog.RecipientKey{Hash: hash, Recipient: o.Address, Copy: 1})
			same := string(logged.Status) == o.Status || !known && o.Status == string(smtp.NotTried)
			if !same {
				t.Errorf("%s: %s was reported as %s and is %s in the log", name, o.Address, o.Status, logged.Status)
			}
		}
	}
}

// Replies to a message that another account sends go to the original address.
func TestFallbackKeepsWhereAnswersGo(t *testing.T) {
	t.Parallel()
	for keys, want := range map[string]string{
		"reply_to = \"answers@example.org\"\n": "<answers@example.org>",
		"":                                     "一 <one@example.org>",
	} {
		servers := clitest.TwoServers(t, sandboxtest.WithFault("body-451"))
		env := clitest.WriteConfig(t, strings.Replace(clitest.TwoAccounts, "reply_to = \"answers@example.org\"\n", keys, 1), servers)
		if code, _, errs := run(t.Context(), env, "send", "-t", "a@example.org", "-b", "x"); code != command.ExitOK {
			t.Fatalf("exit status %d\n%s", code, errs)
		}
		m := servers["two"].Messages()[0]
		if got := m.Header("Reply-To"); got != want || m.Header("From") != "<two@example.org>" {
			t.Errorf("Reply-To %q, From %q, want %q", got, m.Header("From"), want)
		}
	}
	given := []string{"-t", "a@example.org", "-b", "x", "--reply-to", "given@example.org"}
	servers := clitest.TwoServers(t, sandboxtest.WithFault("body-451"))
	run(t.Context(), clitest.WriteConfig(t, clitest.TwoAccounts, servers), append([]string{"send"}, given...)...)
	if got := servers["two"].Messages()[0].Header("Reply-To"); got != "<given@example.org>" {
		t.Errorf("Reply-To %q", got)
	}
}

// After Ctrl-C between two accounts, the outcome at the first server is final.
func TestInterruptBetweenAccounts(t *testing.T) {
	t.Parallel()
	servers := clitest.TwoServers(t, sandboxtest.WithFault("body-451+Later"))
	env := clitest.WriteConfig(t, clitest.TwoAccounts, servers)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w, out, errs := testEnv(env)
	w.Stderr = &cancelAt{Writer: errs, text: "using fallback account", cancel: cancel}
	code := Run(ctx, []string{"send", "-t", "a@example.org", "-b", "x"}, w)
	if code != command.ExitTemporary || !strings.Contains(out.String(), "451 Later") || len(servers["two"].Messages()) != 0 {
		t.Errorf("exit status %d\n%s%s", code, out, errs)
	}
}

// cancelAt cancels a context when a text is written.
type cancelAt struct {
	Writer interface{ Write([]byte) (int, error) }
	text   string
	cancel context.CancelFunc
}

func (c *cancelAt) Write(p []byte) (int, error) {
	if strings.Contains(string(p), c.text) {
		c.cancel()
	}
	return c.Writer.Write(p)
}

// In JSON each recipient has its outcome and the account that decided.
func TestFallbackInJSON(t *testing.T) {
	t.Parallel()
	servers := clitest.TwoServers(t)
	env := clitest.WriteConfig(t, clitest.TwoAccounts, servers)
	_, out, errs := run(t.Context(), env, "send", "--json", "-b", "x", "-t", "a@example.org", "-t", "rcpt-450@example.org", "--to-policy", "any")
	var rep jsonout.SendReport
	if err := json.Unmarshal([]byte(out), &rep); err != nil {
		t.Fatalf("%v\n%s%s", err, out, errs)
	}
	one, two := servers["one"].Messages(), servers["two"].Messages()
	if len(one) != 1 || len(two) != 0 {
		t.Fatalf("%d and %d messages\n%s%s", len(one), len(two), out, errs)
	}
	a := rep.Recipients[0]
	if a.Account != "one" || a.From != "one@example.org" || a.MessageID != one[0].Header("Message-ID") || a.ServerID != one[0].ID {
		t.Errorf("the one that was served: %+v", a)
	}
	if rep.Account != "two" || rep.From != "two@example.org" || rep.MessageID == a.MessageID || rep.Recipients[1].Account != "" {
		t.Errorf("the message of the other: %+v", rep)
	}
}

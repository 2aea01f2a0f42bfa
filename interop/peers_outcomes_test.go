//go:build interop && linux

package interop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// accepted counts the messages that were accepted for any recipient.
func (t *trial) accepted() int {
	n := 0
	for _, m := range t.messages {
		if slices.ContainsFunc(m.outcomes, func(o smtp.Outcome) bool { return o.Status == smtp.Accepted }) {
			n++
		}
	}
	return n
}

func (t *trial) first(status smtp.Status) smtp.Outcome {
	for _, m := range t.messages {
		for _, o := range m.outcomes {
			if o.Status == status {
				return o
			}
		}
	}
	return smtp.Outcome{}
}

// settled returns the server's messages as soon as they are at least as many as
// Yan reports, because some servers deliver a moment after their reply.
func (p *runningPeer) settled(t *testing.T, sent *trial) []string {
	t.Helper()
	want := sent.accepted()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var stored []string
	err := poll(ctx, func() (_ bool, err error) {
		if stored, err = p.stored(); err != nil {
			return false, err
		}
		here := 0
		for _, text := range stored {
			if strings.Contains(text, "\nbegin "+sent.id+"-") || strings.HasPrefix(text, "begin "+sent.id+"-") {
				here++
			}
		}
		if here < want {
			return false, fmt.Errorf("%d of %d: %w", here, want, errNotYet)
		}
		return true, nil
	})
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	return stored
}

func sendAll(ctx context.Context, t *testing.T, p *runningPeer, sent *trial, options yan.Options) func() {
	transactions := sent.transactions(t)
	return func() { deliverAll(ctx, t, p, sent, transactions, options) }
}

func deliverAll(ctx context.Context, t *testing.T, p *runningPeer, sent *trial, transactions []yan.Transaction, options yan.Options) {
	client, err := yan.Open(p.server(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for result := range client.SendTransactions(ctx, slices.Values(transactions)) {
		sent.messages[result.Index].outcomes = result.Recipients
		sent.messages[result.Index].serverID = result.ServerID
	}
}

// sendRun continues on another connection as long as there is progress.
func sendRun(ctx context.Context, t *testing.T, p *runningPeer, sent *trial, options yan.Options) func() {
	server, err := transport.ParseServer(p.server(), smtp.Address{})
	if err != nil {
		t.Fatal(err)
	}
	config, err := options.Config(server)
	if err != nil {
		t.Fatal(err)
	}
	transactions := sent.transactions(t)
	var left []int
	for i := range transactions {
		left = append(left, i)
	}
	return func() {
		for connections := 0; len(left) > 0 && connections < 50 && ctx.Err() == nil; connections++ {
			left = runOnce(ctx, t, config, transactions, left, sent)
		}
	}
}

// runOnce returns the messages to try on another connection: those before which
// the connection was lost, those not tried, and those whose MAIL the server
// deferred because of a limit.
func runOnce(ctx context.Context, t *testing.T, config smtpclient.Config, transactions []yan.Transaction, which []int, sent *trial) (left []int) {
	conn, err := smtpclient.Dial(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Quit(ctx)
	messages := iter.Seq[smtpclient.Transaction](func(yield func(smtpclient.Transaction) bool) {
		for _, i := range which {
			if !yield(transactions[i]) {
				return
			}
		}
	})
	told := 0
	for result := range conn.Run(ctx, messages) {
		i := which[told]
		told++
		if put := result.Outcomes[0]; result.Lost || put.Status == smtp.Deferred && put.Stage == smtp.StageMail {
			left = append(left, i)
		}
		sent.messages[i].outcomes = result.Outcomes
		sent.messages[i].serverID = transport.ServerID(result.Reply)
	}
	return append(left, which[told:]...)
}

// sendCommand runs "yan send --raw" with a directory of messages.
func sendCommand(_ context.Context, t *testing.T, p *runningPeer, sent *trial, options yan.Options) func() {
	folder := t.TempDir()
	for i, m := range sent.messages {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%03d.eml", i)), []byte(m.text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"send", "--json", "--server", p.server(), "--to-policy", "any", "--timeout", patience.String()}
	if options.NoPipelining {
		args = append(args, "--no-pipelining") // also disables CHUNKING
	}
	args = append(args, "--raw", folder)
	return func() {
		sent.told(t, (*servers)(nil).yan(t, authentication{none: true}, args...))
	}
}

// told records the command's outcome of each message.
func (sent *trial) told(t *testing.T, r ran) {
	t.Helper()
	for line := range strings.Lines(r.stdout) {
		var told struct {
			report
			File string
		}
		if err := json.Unmarshal([]byte(line), &told); err != nil {
			t.Fatalf("%v: %s%s", err, line, r.stderr)
		}
		m := &sent.messages[mustNumber(strings.TrimSuffix(filepath.Base(told.File), ".eml"))]
		m.serverID = told.ServerID
		for _, o := range told.Recipients {
			m.outcomes = append(m.outcomes, smtp.Outcome{Recipient: mustAddress(t, o.Address), Status: smtp.Status(o.Status), Stage: smtp.Stage(o.Stage),
				Reply: smtp.Reply{Code: o.Code, Lines: []string{o.Text}}, Err: errorOf(o.Error)})
		}
	}
}

func errorOf(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}

//go:build interop && linux

package interop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// way is one of the ways in which many messages go out.
type way struct {
	name string
	send func(context.Context, *testing.T, *runningPeer, *trial, yan.Options)
	// options change what the server offers for it.
	noPipelining, noChunking bool
	window                   int
}

func ways(p peer) []way {
	all := []way{{name: "lock-step", send: sendAll, noPipelining: true, noChunking: true}, {name: "SendAll", send: sendAll}}
	if p.chunking {
		all = append(all, way{name: "SendAll, DATA", send: sendAll, noChunking: true})
	}
	if p.pipelining {
		all = append(all, way{name: "SendAll, window 1", send: sendAll, window: 1})
	}
	return append(all, way{name: "Conn.Run", send: sendRun}, way{name: "yan send --raw", send: sendCommand})
}

// A server that lost the end of a message is not waited for as long as RFC 5321
// allows: patience bounds each wait, wayTime all of a way.
const (
	patience = 20 * time.Second
	wayTime  = time.Minute
)

// What Yan says of 200 messages is what the server's own ledger says, at every server, in
// every way: nothing that was taken is called refused, nothing that was lost is called
// taken, nothing is stored twice or in part, and nothing is unknown.
func TestOutcomesAgreeWithLedgers(t *testing.T) {
	all := peers()
	roots, absent := fetchPeers(t, all)
	table := fmt.Sprintf("%-12s %-8s %-18s %8s %8s %7s %8s %7s %9s %14s %9s %12s\n", "server", "version", "way", "messages", "accepted", "refused",
		"deferred", "unknown", "not tried", "contradictions", "ms each", "of lock-step")
	for _, p := range all {
		t.Run(p.name+" "+p.version, func(t *testing.T) {
			if reason, none := absent[p.script]; none {
				t.Skip(reason)
			}
			server := startPeer(t, p, roots[p.script])
			var lockStep time.Duration
			for _, w := range ways(p) {
				t.Run(w.name, func(t *testing.T) {
					took, v := server.try(t, w)
					if lockStep == 0 {
						lockStep = took
					}
					line := fmt.Sprintf("%-12s %-8s %-18s %8d %8d %7d %8d %7d %9d %14d %9.2f %11.0f%%\n", p.name, p.version, w.name, 200,
						v.counts[smtp.Accepted], v.counts[smtp.Refused], v.counts[smtp.Deferred], v.counts[smtp.Unknown], v.counts[smtp.NotTried],
						len(v.contradictions), took.Seconds()*1000/200, 100*took.Seconds()/lockStep.Seconds())
					t.Log(line) // the table is not printed when the tests run out of time
					table += line
				})
			}
		})
	}
	t.Logf("recipients of 200 messages each, held against what the server has\n%s", table)
}

func (p *runningPeer) try(t *testing.T, w way) (time.Duration, verdict) {
	t.Helper()
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' {
			return r
		}
		return '_'
	}, p.name+p.version+w.name)
	sent := newTrial(id, p.peer)
	timeouts := smtpclient.Timeouts{Greeting: patience, Command: patience, DataInit: patience, DataBlock: patience, DataEnd: patience}
	options := yan.Options{MaxConnections: 1, LocalName: "client.example.test", NoPipelining: w.noPipelining, NoChunking: w.noChunking,
		Window: smtpclient.Window{Messages: w.window}, Timeouts: timeouts}
	ctx, cancel := context.WithTimeout(t.Context(), wayTime)
	defer cancel()
	begun := time.Now()
	w.send(ctx, t, p, sent, options)
	took := time.Since(begun)
	v := sent.judge(p.settled(t, sent))
	for i, problem := range v.contradictions {
		if i == 5 {
			t.Errorf("and %d more", len(v.contradictions)-i)
			break
		}
		t.Error(problem)
	}
	for _, status := range []smtp.Status{smtp.Unknown, smtp.NotTried} {
		if v.counts[status] > 0 {
			t.Errorf("%d recipients are %s, for instance %v", v.counts[status], status, sent.first(status))
		}
	}
	if messages := sent.accepted(); p.names && v.named != messages {
		t.Errorf("%d of %d accepted messages have a server id", v.named, messages)
	}
	return took, v
}

// accepted counts the messages that were accepted for anybody.
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

// settled returns what the server has when that is no longer less than Yan says, since some servers
// deliver a moment after they have answered.
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

func sendAll(ctx context.Context, t *testing.T, p *runningPeer, sent *trial, options yan.Options) {
	client, err := yan.Open(p.server(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for result := range client.DeliverAll(ctx, slices.Values(sent.transactions(t))) {
		sent.messages[result.Index].outcomes = result.Recipients
		sent.messages[result.Index].serverID = result.ServerID
	}
}

// sendRun goes on with another connection as long as that brings anything.
func sendRun(ctx context.Context, t *testing.T, p *runningPeer, sent *trial, options yan.Options) {
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
	for connections := 0; len(left) > 0 && connections < 50 && ctx.Err() == nil; connections++ {
		left = runOnce(ctx, t, config, transactions, left, sent)
	}
}

// runOnce returns which are to be tried on another connection: those that it was
// lost before, those that were not taken, and those whose MAIL the server put off
// because it was one too many.
func runOnce(ctx context.Context, t *testing.T, config smtpclient.Config, transactions []yan.Transaction, which []int, sent *trial) (left []int) {
	conn, err := smtpclient.Dial(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Quit(ctx)
	source, stop := smtpclient.Messages(func(yield func(smtpclient.Transaction) bool) {
		for _, i := range which {
			if !yield(transactions[i]) {
				return
			}
		}
	})
	defer stop()
	told := 0
	for result := range conn.Run(ctx, source) {
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

// sendCommand is "yan send --raw" with a folder of messages.
func sendCommand(_ context.Context, t *testing.T, p *runningPeer, sent *trial, _ yan.Options) {
	folder := t.TempDir()
	for i, m := range sent.messages {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%03d.eml", i)), []byte(m.text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := (*servers)(nil).yan(t, authentication{none: true}, "send", "--json", "--server", p.server(), "--to-policy", "any",
		"--timeout", patience.String(), "--raw", folder)
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

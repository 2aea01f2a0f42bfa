//go:build interop && linux

package interop

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

var (
	rounds     = flag.Int("rounds", 1, "how often TestOutcomesAgreeWithLedgers takes each way, in turn; more than one gives medians")
	peersNamed = flag.String("peers", "", "the servers that TestOutcomesAgreeWithLedgers takes, for instance Exim,Haraka (default: all)")
)

// way is one method of sending many messages.
type way struct {
	name string
	// lockStep is the name of the way to compare with.
	lockStep string
	// prepare returns the function to time.
	prepare func(context.Context, *testing.T, *runningPeer, *trial, yan.Options) func()
	// These options restrict the client.
	noPipelining, noChunking bool
	window                   int
}

// ways lists the ways for a peer. A way that runs a process is compared with
// one that does too.
func ways(p peer) []way {
	const inProcess, command = "lock-step", "yan, lock-step"
	all := []way{{name: inProcess, prepare: sendAll, noPipelining: true, noChunking: true}, {name: "SendAll", prepare: sendAll}}
	if p.chunking {
		all = append(all, way{name: "SendAll, DATA", prepare: sendAll, noChunking: true})
	}
	if p.pipelining {
		all = append(all, way{name: "SendAll, window 1", prepare: sendAll, window: 1})
	}
	all = append(all, way{name: "Conn.Run", prepare: sendRun})
	for i := range all {
		all[i].lockStep = inProcess
	}
	return append(all, way{name: command, lockStep: command, prepare: sendCommand, noPipelining: true, noChunking: true},
		way{name: "yan send --raw", lockStep: command, prepare: sendCommand})
}

// A server that has lost the end of a message is not waited for as long as RFC
// 5321 allows: patience limits each wait, wayTime a whole way.
const (
	patience = 20 * time.Second
	wayTime  = time.Minute
)

// Yan's outcomes of 200 messages agree with the server's own records, at every
// server, in every way: no accepted message is called refused, no lost one
// accepted, none is stored twice or in part, and none is unknown.
//
// Times depend on the machine, and are printed only. A single round is not
// meaningful; with -rounds 7 the ways take turns, so that other load affects
// all of them.
func TestOutcomesAgreeWithLedgers(t *testing.T) {
	all := peers()
	if *peersNamed != "" {
		names := strings.Split(*peersNamed, ",")
		all = slices.DeleteFunc(all, func(p peer) bool { return !slices.Contains(names, p.name) })
	}
	roots, absent := fetchPeers(t, all)
	table := fmt.Sprintf("%-12s %-8s %-18s %8s %8s %7s %8s %7s %9s %14s   %-22s %s\n", "server", "version", "way", "messages", "accepted", "refused",
		"deferred", "unknown", "not tried", "contradictions", "ms each", "% of lock-step")
	for _, p := range all {
		t.Run(p.name+" "+p.version, func(t *testing.T) {
			if reason, none := absent[p.script]; none {
				t.Skip(reason)
			}
			server := startPeer(t, p, roots[p.script])
			lines := server.takeRounds(t)
			t.Log(lines) // the table is not printed if the tests time out
			table += lines
		})
	}
	t.Logf("recipients of 200 messages each, compared with the server's record; of %d rounds the median time, with the lowest and highest\n%s", *rounds, table)
}

// takeRounds runs the ways in turns, and returns a line of the table for each.
func (p *runningPeer) takeRounds(t *testing.T) string {
	all := ways(p.peer)
	took := map[string][]float64{} // seconds by way, one per round
	last := map[string]verdict{}
	for round := range *rounds {
		for _, w := range all {
			t.Run(w.name, func(t *testing.T) {
				seconds, v := p.try(t, w, round)
				t.Logf("%.2f ms each", 1000*seconds/200) // printed in case the run ends before the table
				took[w.name] = append(took[w.name], seconds)
				last[w.name] = v
			})
		}
	}
	var lines strings.Builder
	for _, w := range all {
		v := last[w.name]
		if len(took[w.name]) != *rounds || len(took[w.lockStep]) != *rounds {
			continue // it failed and reported why
		}
		var each, share []float64
		for round, seconds := range took[w.name] {
			each = append(each, 1000*seconds/200)
			share = append(share, 100*seconds/took[w.lockStep][round])
		}
		fmt.Fprintf(&lines, "%-12s %-8s %-18s %8d %8d %7d %8d %7d %9d %14d   %-22s %s\n", p.name, p.version, w.name, 200,
			v.counts[smtp.Accepted], v.counts[smtp.Refused], v.counts[smtp.Deferred], v.counts[smtp.Unknown], v.counts[smtp.NotTried],
			len(v.contradictions), spread("%.2f", each), spread("%.0f", share))
	}
	return lines.String()
}

// spread returns the median of figures, with the lowest and highest if there
// are several.
func spread(format string, figures []float64) string {
	slices.Sort(figures)
	n := len(figures)
	middle := fmt.Sprintf(format, (figures[(n-1)/2]+figures[n/2])/2)
	if n == 1 {
		return middle
	}
	return fmt.Sprintf("%s ("+format+" to "+format+")", middle, figures[0], figures[n-1])
}

// try sends the messages in one way, and compares the outcomes with the
// server's record.
func (p *runningPeer) try(t *testing.T, w way, round int) (seconds float64, v verdict) {
	t.Helper()
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' {
			return r
		}
		return '_'
	}, fmt.Sprint(p.name, p.version, w.name, round))
	sent := newTrial(id, p.peer)
	timeouts := smtpclient.Timeouts{Greeting: patience, Command: patience, DataInit: patience, DataBlock: patience, DataEnd: patience}
	options := yan.Options{MaxConnections: 1, LocalName: "client.example.test", NoPipelining: w.noPipelining, NoChunking: w.noChunking,
		Window: smtpclient.Window{Messages: w.window}, Timeouts: timeouts}
	ctx, cancel := context.WithTimeout(t.Context(), wayTime)
	defer cancel()
	send := w.prepare(ctx, t, p, sent, options)
	begun := time.Now()
	send()
	seconds = time.Since(begun).Seconds()
	v = sent.judge(p.settled(t, sent))
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
	return seconds, v
}

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

// way is one of the ways in which many messages go out.
type way struct {
	name string
	// lockStep is the name of the way that it is compared with.
	lockStep string
	// prepare returns what is timed.
	prepare func(context.Context, *testing.T, *runningPeer, *trial, yan.Options) func()
	// options change what the server offers for it.
	noPipelining, noChunking bool
	window                   int
}

// ways lists those of a peer. A way that runs a process is compared with one that does, too.
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

// A server that lost the end of a message is not waited for as long as RFC 5321
// allows: patience bounds each wait, wayTime all of a way.
const (
	patience = 20 * time.Second
	wayTime  = time.Minute
)

// What Yan says of 200 messages is what the server's own ledger says, at every server, in
// every way: nothing that was taken is called refused, nothing that was lost is called
// taken, nothing is stored twice or in part, and nothing is unknown.
//
// Times depend on the machine, and are printed only. A single round says little;
// with -rounds 7 the ways take turns, so that other work on the machine meets all of them.
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
			t.Log(lines) // the table is not printed when the tests run out of time
			table += lines
		})
	}
	t.Logf("recipients of 200 messages each, held against what the server has; of %d rounds the median time, with the lowest and highest\n%s", *rounds, table)
}

// takeRounds has the ways take turns, and returns a line of the table for each.
func (p *runningPeer) takeRounds(t *testing.T) string {
	all := ways(p.peer)
	took := map[string][]float64{} // seconds by way, one for each round
	last := map[string]verdict{}
	for round := range *rounds {
		for _, w := range all {
			t.Run(w.name, func(t *testing.T) {
				seconds, v := p.try(t, w, round)
				t.Logf("%.2f ms each", 1000*seconds/200) // for a run that is ended before the table
				took[w.name] = append(took[w.name], seconds)
				last[w.name] = v
			})
		}
	}
	var lines strings.Builder
	for _, w := range all {
		v := last[w.name]
		if len(took[w.name]) != *rounds || len(took[w.lockStep]) != *rounds {
			continue // it failed, and said so
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

// spread is the median of figures, with the lowest and highest of several.
func spread(format string, figures []float64) string {
	slices.Sort(figures)
	n := len(figures)
	middle := fmt.Sprintf(format, (figures[(n-1)/2]+figures[n/2])/2)
	if n == 1 {
		return middle
	}
	return fmt.Sprintf("%s ("+format+" to "+format+")", middle, figures[0], figures[n-1])
}

// try sends the messages in one way, and holds what is said of them against the ledger.
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

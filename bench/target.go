package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// promise is a target of this project for a row: a bound, or a multiple of a
// peer's figure in the same run.
type promise struct {
	row    string  // its ID
	who    string  // the contender; "" for ours
	bound  float64 // at most, or at least if more is better; used without a peer
	peer   string  // the bound is a multiple of this contender's figure
	times  float64
	fewest bool // less than every peer except the copies
	wanted string
}

// promiseResult is a promise with its result.
type promiseResult struct {
	Row   string  `json:"row"`
	Wants string  `json:"wants"`
	Got   float64 `json:"got"`
	Unit  string  `json:"unit"`
	Ratio float64 `json:"ratio,omitempty"` // to the peer's figure
	Met   bool    `json:"met"`
	// Unknown is why there is no result; the target is not met then.
	Unknown string `json:"unknown,omitempty"`
}

// promises are checked in every run, and missed ones are shown.
func promises() []promise {
	plain := "loopback/" + postfixServer
	large := "large/"
	all := []promise{
		{row: "waits/PIPELINING", bound: 2.1},
		{row: "waits/PIPELINING", who: oursPipelined, bound: 1.05},
		{row: "waits/CHUNKING", bound: 0.15},
		{row: plain, peer: gomailName, times: 5},
		{row: plain, peer: smtpsource, times: 1.5},
		{row: "loopback/PIPELINING", peer: gomailName, times: 5},
		{row: "loopback/PIPELINING", peer: smtpsource, times: 1.5},
		{row: "loopback/CHUNKING", peer: gomailName, times: 15},
		{row: "link/PIPELINING", peer: gomailName, times: 5},
		{row: "link/PIPELINING", peer: gomailDefault, times: 5},
		{row: "link/CHUNKING", peer: gomailName, times: 100},
		{row: "link/CHUNKING", peer: gomailDefault, times: 100},
		{row: "link4/PIPELINING", peer: gomailName, times: 5},
		{row: "link4/PIPELINING", peer: gomailDefault, times: 5},
		{row: "link4/CHUNKING", peer: gomailName, times: 100},
		{row: "link4/CHUNKING", peer: gomailDefault, times: 100},
	}
	for _, protection := range []protection{fromStart, startTLS} {
		id := "begin/" + string(protection) + "/"
		all = append(all, promise{row: id + "waits", fewest: true}, promise{row: id + "waits2", fewest: true},
			promise{row: id + "resumed", bound: 1})
	}
	for _, extension := range []string{pipelining, chunking} {
		all = append(all, promise{row: large + extension + "/speed", peer: rawGo, times: .75},
			promise{row: large + extension + "/speed", peer: rawOpenSSL, times: .75},
			promise{row: large + extension + "/memory", bound: 32},
			promise{row: large + extension + "/cpu", peer: gomailName, times: .5})
	}
	for _, protection := range []protection{inClear, startTLS} {
		all = append(all, promise{row: "start/" + string(protection), peer: curl, times: 1},
			promise{row: "start/" + string(protection), peer: msmtp, times: .25})
	}
	all = append(all, promise{row: "outbox/enqueue/1", peer: bareDisk, times: .7}, promise{row: "outbox/enqueue/32", peer: bareDisk, times: 2.5},
		promise{row: "outbox/enqueue/32", who: onPostgres, peer: bareDisk, times: 1.5},
		promise{row: "outbox/through", bound: 5000}, promise{row: "outbox/through", peer: postfixMTA, times: 8},
		promise{row: "outbox/two", peer: oneWorker, times: 1.9}, promise{row: "outbox/pace", bound: 5}, promise{row: "outbox/big", bound: 40},
		promise{row: "outbox/big", who: onPostgres, bound: 40})
	all = append(all, promise{row: "door/sendmail", bound: 15}, promise{row: "door/sendmail", peer: nullmailer, times: 1},
		promise{row: "door/sendmail", peer: postfixSendmail, times: 1})
	all = append(all, promise{row: "outbox/million/memory", bound: 150}, promise{row: "outbox/million/memory", who: onPostgres, bound: 150})
	for _, what := range []string{"claim", "list", "stats"} {
		all = append(all, promise{row: "outbox/million/" + what, bound: 50}, promise{row: "outbox/million/" + what, who: onPostgres, bound: 50})
	}
	// The round trips of single messages, and their memory.
	for _, single := range []struct {
		id    string
		trips float64
	}{{"1/PIPELINING/any", 2}, {"1/PIPELINING/all", 2}, {"2/PIPELINING/any", 2}, {"2/PIPELINING/all", 2},
		{"1/CHUNKING/any", 1}, {"1/CHUNKING/all", 1}, {"2/CHUNKING/any", 1}, {"2/CHUNKING/all", 2}} {
		// Round trips are whole numbers: a fraction is the work of a slow
		// machine.
		all = append(all, promise{row: "single/" + single.id, bound: single.trips + .3, wanted: fmt.Sprintf("at most %.0f", single.trips)})
	}
	all = append(all, promise{row: "door/smtp", bound: 3000}, promise{row: "door/smtp", peer: postfixMTA, times: 5},
		promise{row: "door/smtp", peer: syncedGoSMTP, times: 2}, promise{row: "door/idle", bound: 40})
	return append(all, promise{row: "small/memory", bound: 25})
}

// judge checks the promises about rows whose id contains a word.
func (r *report) judge(only string) {
	for _, p := range promises() {
		if strings.Contains(p.row, only) {
			r.Targets = append(r.Targets, r.hold(p))
		}
	}
}

func (r *report) hold(p promise) promiseResult {
	row, ok := r.row(p.row)
	t := promiseResult{Row: p.row, Unit: row.Unit}
	if !ok {
		t.Wants, t.Unknown = "to be measured", "there is no such row in this run"
		return t
	}
	t.Row = row.Name
	who := cmp.Or(p.who, ours)
	if who != ours {
		t.Row += ", " + who
	}
	own, ok := row.Figures[who]
	if !ok {
		t.Wants, t.Unknown = "to be measured", row.Missing[who]
		return t
	}
	t.Got = own.Median
	limit := p.bound
	switch {
	case p.fewest:
		t.Wants, t.Met = "fewer than each peer", true
		for _, who := range senders()[1:] {
			if f, ok := row.Figures[who]; ok {
				// Half a round trip less counts as one less, measured on a busy
				// machine.
				t.Met = t.Met && own.Median < f.Median-.5
			}
		}
		return t
	case p.peer != "":
		t.Wants = fmt.Sprintf("%s × %s", formatNumber(p.times), p.peer)
		theirs, ok := row.Figures[p.peer]
		if !ok {
			t.Unknown = row.Missing[p.peer]
			return t
		}
		t.Wants += " = " + formatNumber(p.times*theirs.Median)
		t.Ratio = own.Median / theirs.Median
		limit = p.times * theirs.Median
	case p.wanted != "":
		t.Wants = p.wanted
	case row.Higher:
		t.Wants = formatNumber(p.bound)
	default:
		t.Wants = "at most " + formatNumber(p.bound)
	}
	t.Met = own.Median <= limit
	if row.Higher {
		t.Met = own.Median >= limit
	}
	return t
}

// String returns the target and its result.
func (t promiseResult) String() string {
	if t.Unknown != "" {
		return fmt.Sprintf("%s: wanted %s, not measured: %s", t.Row, t.Wants, t.Unknown)
	}
	s := fmt.Sprintf("%s: %s %s, wanted %s", t.Row, formatNumber(t.Got), t.Unit, t.Wants)
	if t.Ratio != 0 {
		s += fmt.Sprintf(" (%s ×)", formatNumber(t.Ratio))
	}
	return s
}

func (r *report) missed() int {
	return len(slices.DeleteFunc(slices.Clone(r.Targets), func(t promiseResult) bool { return t.Met }))
}

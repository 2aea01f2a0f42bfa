package smtpclient_test

import (
	"testing"

	"github.com/yanmail/yan/smtp"
)

// A server keeps a transaction whose message failed, and refuses RSET and the next MAIL: that
// refusal concerns the earlier transaction. A message whose opening shared the flight of the
// failed one can be sent elsewhere.
func TestRunBlamesNobodyForARefusedRSET(t *testing.T) {
	t.Parallel()
	cfg := plainConfig()
	l := newLedger("PIPELINING", "CHUNKING")
	l.stubborn = true
	results := carry(t, l, cfg, source(t, []letter{{from: "body", to: "x y", all: true}, {from: "a", to: "x y", all: true}}))
	if len(results) != 2 || statuses(results[0]) != "refused refused" {
		t.Fatalf("%v", results)
	}
	for _, o := range results[1].Outcomes {
		if o.Status != smtp.NotTried || o.Stage != smtp.StageReset || !results[1].Lost {
			t.Errorf("%v, lost %v", o, results[1].Lost)
		}
	}
}

package smtpclient_test

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/yanmail/yan/smtpclient"
)

// Every dialogue is cut after every octet of either side, and the outcome of each recipient must
// follow from the exchanged octets:
//
//   - if the deciding reply was read completely: as the reply says;
//   - else, if the whole message was written: unknown;
//   - else: not tried.
func TestCutBehindEveryOctet(t *testing.T) {
	t.Parallel()
	var cases, unknown atomic.Int64
	t.Run("dialogues", func(t *testing.T) {
		for _, s := range loadScripts(t) {
			if len(s.ends) == 0 || len(s.head["want"]) != 1 || s.value("auth")+s.value("token") != "" {
				continue
			}
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				for k := 0; k <= s.total(true); k += stride {
					cases.Add(1)
					unknown.Add(cutOnce(t, s, cut{received: k, sent: -1}))
				}
				for j := 0; j <= s.total(false); j += stride {
					cases.Add(1)
					unknown.Add(cutOnce(t, s, cut{received: -1, sent: j}))
				}
			})
		}
	})
	if cases.Load() < 7_000/stride || unknown.Load() < 300/stride {
		t.Errorf("only %d cases, %d of them with an unknown outcome", cases.Load(), unknown.Load())
	}
	t.Logf("%d cases, %d with an unknown outcome", cases.Load(), unknown.Load())
}

// cutOnce plays one dialogue with a cut and counts the unknown outcomes.
func cutOnce(t *testing.T, s script, c cut) (unknown int64) {
	var wrong error
	cfg, _, done := pipe(s.config(), func(conn net.Conn) { wrong = s.play(conn, whole, c) })
	conn, err := smtpclient.Dial(t.Context(), cfg)
	var got []string
	if err != nil {
		stageOf(t, err)
	} else {
		for _, o := range conn.Send(t.Context(), s.transaction(t)).Outcomes {
			got = append(got, strings.ReplaceAll(string(o.Status), " ", "-"))
		}
		conn.Quit(t.Context())
	}
	<-done
	if wrong != nil {
		t.Errorf("%+v: %v", c, wrong)
	}
	received, sent := s.exchanged(c)
	if want := s.proved(received, sent); got != nil && strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("cut %+v, client wrote %d, server %d: got %v, want %v", c, received, sent, got, want)
	}
	for _, status := range got {
		if status == "unknown" {
			unknown++
		}
	}
	return unknown
}

// exchanged returns the number of octets that went each way before the cut.
func (s *script) exchanged(c cut) (received, sent int) {
	for _, r := range s.runs {
		switch {
		case r.client && c.received >= 0 && received+len(r.data) >= c.received:
			return c.received, sent
		case r.client:
			received += len(r.data)
		case c.sent >= 0 && sent+len(r.data) >= c.sent:
			return received, c.sent
		default:
			sent += len(r.data)
		}
	}
	return received, sent
}

// proved returns the expected outcome of each recipient after a number of octets.
func (s *script) proved(received, sent int) []string {
	var statuses []string
	for i, want := range strings.Split(s.value("want"), ";") {
		want, _, _ = strings.Cut(strings.TrimSpace(want), "@")
		end, ok := s.ends[i]
		if !ok {
			end, ok = s.ends[-1]
		}
		switch {
		case !ok: // no recipient needs it
			want = "not-tried"
		case sent >= end:
		case received >= s.whole && s.carries():
			want = "unknown"
		default:
			want = "not-tried"
		}
		statuses = append(statuses, want)
	}
	return statuses
}

// carries reports whether the client sends the message before the deciding reply.
func (s *script) carries() bool {
	var b strings.Builder
	for _, r := range s.runs {
		if r.client {
			b.Write(r.data)
		}
	}
	return strings.Contains(b.String()[:s.whole], "Hello World")
}

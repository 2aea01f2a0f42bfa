package smtpserver

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/queue"
)

var (
	schedules = flag.Int("schedules", 300, "how many random schedules of faults to carry out")
	thorough  = flag.Bool("thorough", false, "break the connection at every octet, not at some")
)

// textFor returns a message; its size decides whether it stays in memory, in the database or goes to
// a file.
func textFor(serial, size int, hasID bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "From: <me@example.com>\r\nTo: <you@example.org>\r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\nSubject: course %d\r\n", serial)
	if hasID {
		fmt.Fprintf(&b, "Message-ID: <%d@client.test>\r\n", serial)
	}
	b.WriteString("\r\n.a dot first\r\n.\r\n..\r\n")
	for line := 0; b.Len() < size; line++ {
		fmt.Fprintf(&b, "%sline %d of course %d\r\n", strings.Repeat(".", line%3), line, serial)
	}
	fmt.Fprintf(&b, "end of %d\r\n", serial)
	return b.String()
}

// randomCourse derives a course from its number.
func randomCourse(serial int) *faultCourse {
	r := rand.New(rand.NewPCG(uint64(serial), 12))
	size := [...]int{0, 0, 0, 2000, 9000, 70_000}[r.IntN(6)]
	if r.IntN(60) == 0 {
		size = 300_000
	}
	m := testMessage{serial: serial, recipient: "you@example.org", hasID: r.IntN(10) > 0, chunks: r.IntN(4), pipelined: r.IntN(2) == 0}
	m.text = textFor(serial, size, m.hasID)
	c := &faultCourse{message: m}
	for range 1 + r.IntN(3) {
		c.places = append(c.places, randomPlace(r, strings.Join(m.steps(), "")))
	}
	return c
}

// randomPlace prefers the ends of commands and of the text, and the replies.
func randomPlace(r *rand.Rand, all string) brokenPlace {
	p := brokenPlace{how: breakage(r.IntN(4)), up: -1, down: -1}
	switch r.IntN(4) {
	case 0:
		p.up = r.IntN(len(all) + 1)
	case 1: // at the end of a line, or near it
		lines := strings.SplitAfter(all, "\n")
		p.up = min(len(strings.Join(lines[:r.IntN(min(len(lines), 40))], ""))+r.IntN(3), len(all))
	case 2: // at the end of the text
		p.up = len(all) - r.IntN(min(len(all), 8))
	default:
		p.down = r.IntN(420)
	}
	return p
}

// everyPlace returns courses that break at each octet of a short session in both directions; with a
// step, at some.
func everyPlace(serial, step int) (all []*faultCourse) {
	n := 0
	for _, m := range []testMessage{{}, {pipelined: true}, {chunks: 1}, {chunks: 2, pipelined: true}} {
		m.hasID, m.recipient = true, "you@example.org"
		m.text = textFor(serial, 0, true)
		length := len(strings.Join(m.steps(), ""))
		for how := cut; how <= stopped; how++ {
			for at := range length + 400 {
				if n++; n%step != 0 {
					continue
				}
				place := brokenPlace{how: how, up: at, down: -1}
				if at > length {
					place.up, place.down = -1, at-length-1
				}
				one := m
				one.serial = serial + len(all)
				one.text = textFor(one.serial, 0, true)
				all = append(all, &faultCourse{message: one, places: []brokenPlace{place}})
			}
		}
	}
	return all
}

// runCourses carries out courses, several at once.
func runCourses(t *testing.T, f *faultRange, courses []*faultCourse) []string {
	t.Helper()
	var next atomic.Int64
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(courses); i = next.Add(1) - 1 {
				if err := f.run(courses[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	wrong, err := f.contradictions(courses)
	if err != nil {
		t.Fatal(err)
	}
	return wrong
}

func reportContradictions(t *testing.T, wrong []string) {
	t.Helper()
	for _, w := range wrong[:min(len(wrong), 5)] {
		t.Error(w)
	}
	if len(wrong) > 5 {
		t.Errorf("and %d more", len(wrong)-5)
	}
}

// TestSchedules breaks connections at random places. A client that has heard 250 has its message in
// the outbox, whole; one that has not, and sends again, has it there once.
func TestSchedules(t *testing.T) {
	t.Parallel()
	var courses []*faultCourse
	for serial := range *schedules {
		courses = append(courses, randomCourse(serial))
	}
	reportContradictions(t, runCourses(t, newFaultRange(t, nil), courses))
}

// TestEveryPlace breaks connections at each octet, or at every thirtieth.
func TestEveryPlace(t *testing.T) {
	t.Parallel()
	step := 30
	if *thorough {
		step = 1
	}
	courses := everyPlace(1_000_000, step)
	reportContradictions(t, runCourses(t, newFaultRange(t, nil), courses))
	t.Logf("%d courses", len(courses))
}

// earlyDesk says that a message is kept before it is.
type earlyDesk struct{ admissionDesk }

func (d earlyDesk) Begin(o opening) (openTransaction, error) {
	t, err := d.admissionDesk.Begin(o)
	return earlyTransaction{t}, err
}

type earlyTransaction struct{ openTransaction }

func (t earlyTransaction) Accept(ctx context.Context, r io.Reader) (admission.Accepted, error) {
	kept, err := t.openTransaction.Accept(ctx, r)
	if errors.Is(err, queue.ErrFull) {
		return admission.Accepted{ID: 1}, nil
	}
	return kept, err
}

// truncatingDesk takes the end of a connection for the end of a message.
type truncatingDesk struct{ admissionDesk }

func (d truncatingDesk) Begin(o opening) (openTransaction, error) {
	t, err := d.admissionDesk.Begin(o)
	return truncatingTransaction{t}, err
}

type truncatingTransaction struct{ openTransaction }

func (t truncatingTransaction) Accept(ctx context.Context, r io.Reader) (admission.Accepted, error) {
	return t.openTransaction.Accept(ctx, readerFunc(func(p []byte) (int, error) {
		n, err := r.Read(p)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		return n, err
	}))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// forgetfulDesk makes each attempt another message.
type forgetfulDesk struct{ admissionDesk }

func (d forgetfulDesk) Begin(o opening) (openTransaction, error) {
	t, err := d.admissionDesk.Begin(o)
	return forgetfulTransaction{t, new(atomic.Int64)}, err
}

type forgetfulTransaction struct {
	openTransaction
	n *atomic.Int64
}

var forgetfulTurn atomic.Int64

func (t forgetfulTransaction) Accept(ctx context.Context, r io.Reader) (admission.Accepted, error) {
	return t.openTransaction.Accept(ctx, io.MultiReader(strings.NewReader(fmt.Sprintf("X-Turn: %d\r\n", forgetfulTurn.Add(1))), r))
}

// TestSchedulesFindFaults: the comparison finds servers that are wrong.
func TestSchedulesFindFaults(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(admissionDesk) admissionDesk{
		"is sure, but nothing is kept": func(d admissionDesk) admissionDesk { return earlyDesk{d} },
		"with another end":             func(d admissionDesk) admissionDesk { return truncatingDesk{d} },
		"kept 2 times":                 func(d admissionDesk) admissionDesk { return forgetfulDesk{d} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var courses []*faultCourse
			for serial := range 150 {
				courses = append(courses, randomCourse(serial))
			}
			wrong := strings.Join(runCourses(t, newFaultRange(t, change), courses), "\n")
			if !strings.Contains(wrong, name) {
				t.Errorf("nothing was found; only %q", wrong)
			}
		})
	}
}

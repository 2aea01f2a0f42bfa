package faultproxy

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// courseMessage is a message to send. Names in it are local parts; a magic word of the sandbox that takes a
// text gets a unique one.
type courseMessage struct {
	from   string   // "" is an ordinary sender
	to     []string // "" is an ordinary recipient
	policy smtpclient.Policy
	octets int64
	failAt int64
}

// smtpCourse is a run of messages to one server with faults.
type smtpCourse struct {
	server   sandbox.Config
	client   smtpclient.Config // Host, Port, Security and Timeouts are filled in
	shape    Shape
	faults   []Fault
	messages []courseMessage
	// wait bounds each wait of the client; 0 is long.
	wait time.Duration
	// deadline bounds the whole run; 0 means none.
	deadline time.Duration
	// forbearance is the transport's Patience; 0 is next to none, so that the test does not wait
	// for a server that asks for a pause.
	forbearance time.Duration
	// trickle supplies the third message and later ones one at a time, each after a reply to the
	// message before.
	trickle bool
	// halting says, in turn, whether the next message is available only after a wait; empty means
	// never.
	halting []bool
	// sendAll uses a transport with that many connections; 0 uses smtpclient.Conn.Run.
	sendAll int
	// loose leaves out the checks that only hold for a server that answers its commands in order.
	loose bool
	gate  *Gate // nil for a gate of its own
}

// courseVerdict is the result of a course.
type courseVerdict struct {
	wrong      []string // contradictions
	told       ReportedOutcomes
	seen       []Seen
	acted      int
	counts     map[smtp.Status]int
	transcript string
}

// patience is longer than any course takes unless it hangs.
const patience = 30 * time.Second

// run carries the course out until all data has arrived.
func (c smtpCourse) run() (courseVerdict, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	jobs, err := c.jobs()
	if err != nil {
		return courseVerdict{}, err
	}
	ledger := NewLedger(func(name string, data []byte) bool {
		return slices.ContainsFunc(jobs, func(j *courseJob) bool { return j.content.Name == name && j.content.Whole(data) })
	})
	cfg := c.server
	cfg.Discard, cfg.Committed, cfg.NoPorts = true, ledger.Committed, true
	server, err := sandbox.Start(cfg)
	if err != nil {
		return courseVerdict{}, err
	}
	defer server.Close()
	proxy, err := Start(Config{Serve: server.Serve, Gate: c.gate, Faults: c.faults, Shape: c.shape})
	if err != nil {
		return courseVerdict{}, err
	}
	defer proxy.Close()
	s := &sending{smtpCourse: c, jobs: jobs, proxy: proxy, ledger: ledger}
	runCtx, stop := ctx, context.CancelFunc(func() {})
	if c.deadline > 0 {
		runCtx, stop = context.WithTimeout(ctx, c.deadline)
	}
	if c.sendAll > 0 {
		err = s.throughTransport(runCtx)
	} else {
		err = s.throughRun(runCtx)
	}
	stop()
	if err != nil {
		return courseVerdict{}, err
	}
	if ctx.Err() != nil {
		s.wrong = append(s.wrong, fmt.Sprintf("the run did not end within %v", patience))
	}
	if err := proxy.Finish(ctx); err != nil {
		return courseVerdict{}, fmt.Errorf("%w\n%s", err, proxy.Transcript())
	}
	if err := server.WaitIdle(ctx); err != nil {
		return courseVerdict{}, fmt.Errorf("the server is not done: %w\n%s", err, proxy.Transcript())
	}
	return s.judge(server, proxy), nil
}

// courseJob is a message and its state.
type courseJob struct {
	transaction smtpclient.Transaction
	content     NamedMessage
	left        []int // recipients still to be sent to, as indexes of the envelope
	outcomes    []smtp.Outcome
	results     int
}

func (c smtpCourse) jobs() ([]*courseJob, error) {
	var jobs []*courseJob
	for i, d := range c.messages {
		name := fmt.Sprintf("m%d", i+1)
		from, err := smtp.ParseAddress(unique(d.from, "me", name) + "@example.org")
		if err != nil {
			return nil, err
		}
		j := &courseJob{content: NamedMessage{Name: name, Octets: d.octets, FailAt: d.failAt}}
		var to []smtp.Address
		for k, local := range d.to {
			a, err := smtp.ParseAddress(unique(local, "r", fmt.Sprintf("%sr%d", name, k+1)) + "@example.com")
			if err != nil {
				return nil, err
			}
			to = append(to, a)
			j.left = append(j.left, k)
			j.outcomes = append(j.outcomes, smtp.Outcome{Recipient: a, Status: smtp.NotTried})
		}
		env, err := smtp.NewEnvelope(from, to...)
		if err != nil {
			return nil, err
		}
		j.transaction = smtpclient.Transaction{Envelope: env, Content: j.content, Policy: d.policy}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

func unique(local, ordinary, name string) string {
	if local == "" {
		return ordinary + name
	}
	return local + "+" + name
}

// rest returns the transaction for the recipients that are left.
func (j *courseJob) rest() smtpclient.Transaction {
	t := j.transaction
	t.Envelope = t.Envelope.Only(j.left...)
	return t
}

// sending is a course in progress.
type sending struct {
	smtpCourse
	jobs   []*courseJob
	proxy  *Proxy
	ledger *Ledger
	wrong  []string
	mu     sync.Mutex
	wires  []*witness
}

func (s *sending) contradict(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

// took processes a result. It returns false if the result is not about this job.
func (s *sending) took(j *courseJob, r smtpclient.Result) {
	j.results++
	if len(r.Outcomes) != len(j.left) {
		s.contradict("%s: %d outcomes for %d recipients", j.content.Name, len(r.Outcomes), len(j.left))
		return
	}
	var left []int
	for i, o := range r.Outcomes {
		place := j.left[i]
		if !o.Recipient.Equal(j.outcomes[place].Recipient) {
			s.contradict("%s: the outcome of %s stands where that of %s belongs: out of order", j.content.Name, o.Recipient, j.outcomes[place].Recipient)
			return
		}
		j.outcomes[place] = o
		if o.Status == smtp.NotTried {
			left = append(left, place)
		}
		if s.sendAll == 0 && r.Lost && (o.Status == smtp.Accepted || o.Status == smtp.Unknown) {
			s.contradict("%s: lost before the server could have it, and yet %s", j.content.Name, o)
		}
		if s.sendAll == 0 && s.deadline == 0 && !r.Lost && o.Status == smtp.NotTried && o.Reply.IsZero() &&
			!errors.Is(o.Err, smtpclient.ErrAnotherRefused) && !errors.Is(o.Err, smtpclient.ErrContent) {
			s.contradict("%s, %s: neither lost nor anything of its own", j.content.Name, o)
		}
	}
	j.left = nil
	if r.Lost {
		j.left = left
	}
}

// maxConnections bounds the dials of throughRun.
const maxConnections = 8

// throughRun is a minimal transport: one connection at a time, and messages lost with it are sent
// on the next.
func (s *sending) throughRun(ctx context.Context) error {
	queue := slices.Clone(s.jobs)
	for range maxConnections {
		if len(queue) == 0 || ctx.Err() != nil {
			break
		}
		conn, err := smtpclient.Dial(ctx, s.config())
		if err != nil {
			continue // the faults caused this; nothing was sent
		}
		src := &jobSource{sending: s, queue: queue}
		yielded := 0
		for r := range conn.RunSource(ctx, src) {
			if yielded == len(queue) {
				s.contradict("more results than messages")
				break
			}
			s.took(queue[yielded], r)
			yielded++
		}
		if yielded != src.taken {
			s.contradict("%d messages were taken, %d results came", src.taken, yielded)
		}
		conn.Close()
		var again []*courseJob
		for _, j := range queue[:min(yielded, len(queue))] {
			if len(j.left) > 0 {
				again = append(again, j)
			}
		}
		queue = append(again, queue[min(src.taken, len(queue)):]...)
	}
	return nil
}

// jobSource supplies the jobs of a queue.
type jobSource struct {
	*sending
	queue       []*courseJob
	taken       int
	asked, said int
}

func (s *jobSource) Next(ctx context.Context, wait bool) (smtpclient.Transaction, bool) {
	if s.taken == len(s.queue) || ctx.Err() != nil {
		return smtpclient.Transaction{}, false
	}
	s.asked++
	switch {
	case s.trickle && s.taken >= 2 && wait:
		s.said = waitForReplies(ctx, s.proxy, s.said)
	case s.trickle && s.taken >= 2,
		!wait && len(s.halting) > 0 && s.halting[s.asked%len(s.halting)]:
		return smtpclient.Transaction{}, false
	}
	s.taken++
	return s.queue[s.taken-1].rest(), true
}

func (s *sending) config() smtpclient.Config {
	cfg := s.client
	cfg.Host, cfg.Port, cfg.Security, cfg.LocalName = "127.0.0.1", s.proxy.Port(), smtpclient.Plaintext, "client.example"
	cfg.Timeouts = s.timeouts()
	cfg.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		w := &witness{TCP: conn.(*net.TCPConn)}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.wires = append(s.wires, w)
		return w, nil
	}
	return cfg
}

func (s *sending) timeouts() smtpclient.Timeouts {
	d := s.wait
	if d == 0 {
		d = patience
	}
	return smtpclient.Timeouts{Connect: d, Handshake: d, Greeting: d, Command: d, DataInit: d, DataBlock: d, DataEnd: d, Quit: min(d, time.Second)}
}

// throughTransport sends all messages with SendAll.
func (s *sending) throughTransport(ctx context.Context) error {
	tr, err := transport.Open(fmt.Sprintf("smtp+notls://127.0.0.1:%d", s.proxy.Port()), transport.Options{
		LocalName: "client.example", MaxConnections: s.sendAll, Timeouts: s.timeouts(), Window: s.client.Window,
		Patience:     max(s.forbearance, time.Millisecond),
		NoPipelining: s.client.NoPipelining, NoChunking: s.client.NoChunking, PipelineMessages: s.client.PipelineMessages,
	})
	if err != nil {
		return err
	}
	var all iter.Seq[smtpclient.Transaction] = func(yield func(smtpclient.Transaction) bool) {
		for _, j := range s.jobs {
			if !yield(j.transaction) {
				return
			}
		}
	}
	for i, r := range tr.SendAll(ctx, all) {
		if i < 0 || i >= len(s.jobs) {
			s.contradict("a result for message number %d of %d", i, len(s.jobs))
			continue
		}
		j := s.jobs[i]
		if j.results > 0 {
			s.contradict("%s: a second result", j.content.Name)
			continue
		}
		s.took(j, r)
	}
	for _, j := range s.jobs {
		if j.results == 0 && ctx.Err() == nil {
			s.contradict("%s: no result", j.content.Name)
		}
	}
	return tr.Close()
}

// judge compares the reported outcomes with the ledger.
func (s *sending) judge(server *sandbox.Server, proxy *Proxy) courseVerdict {
	told, counts := ReportedOutcomes{}, map[smtp.Status]int{}
	for _, j := range s.jobs {
		told[j.content.Name] = j.outcomes
		for _, o := range j.outcomes {
			counts[o.Status]++
			if s.sendAll == 0 {
				s.holdAgainstTheWire(j, o)
			}
		}
	}
	wrong := append(s.wrong, s.ledger.Contradictions(told)...)
	if !s.loose {
		for _, v := range server.Violations() {
			wrong = append(wrong, "against the rules: "+v.String())
		}
	}
	return courseVerdict{wrong: wrong, told: told, seen: proxy.Seen(), acted: proxy.Acted(), counts: counts, transcript: proxy.Transcript()}
}

// holdAgainstTheWire checks that an unknown message was written to the kernel completely, and that
// the client received no acknowledgement of it.
func (s *sending) holdAgainstTheWire(j *courseJob, o smtp.Outcome) {
	if o.Status != smtp.Unknown {
		return
	}
	end := []byte(j.content.End())
	sent, acknowledged := false, false
	for _, w := range s.wires {
		sent = sent || w.wrote(end)
		for _, id := range s.ledger.IDs(j.content.Name) {
			acknowledged = acknowledged || w.heard([]byte("queued as "+id+"\r\n"))
		}
	}
	if !sent {
		s.contradict("%s, %s: its end was never handed to the kernel", j.content.Name, o)
	}
	if acknowledged && !s.loose && s.deadline == 0 && s.ledger.Times(j.content.Name, o.Recipient) > 0 {
		s.contradict("%s, %s: the server's yes had been read", j.content.Name, o)
	}
}

// shorten returns the end of a long transcript.
func shorten(transcript string, lines int) string {
	all := strings.Split(transcript, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

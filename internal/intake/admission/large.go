package admission

import (
	"io"
	"sync"

	"github.com/yanmail/yan/internal/intake/spool"
	"github.com/yanmail/yan/internal/localerr"
)

// largeAtOnce limits the octets of messages that a peer hands over at the same time and that do not fit
// into memory: by sending slowly over many connections it could fill the disk of the outbox.
const largeAtOnce = 1 << 30

// largeMessages counts what each peer has on the disk while its messages arrive.
type largeMessages struct {
	mu sync.Mutex
	by map[string]int64
}

// diskShare is the share of one message.
type diskShare struct {
	all    *largeMessages
	peer   Peer
	most   int64
	octets int64 // that were read
	taken  int64 // of most, by this message
}

// begin returns the share of a message, of which a peer may have most octets in all. End it.
func (l *largeMessages) begin(p Peer, most int64) *diskShare {
	return &diskShare{all: l, peer: p, most: most}
}

// count returns a reader that counts what goes to the disk, and fails with a *Refusal if that is too much.
func (s *diskShare) count(r io.Reader) io.Reader { return &sharedReader{s, r} }

type sharedReader struct {
	share *diskShare
	r     io.Reader
}

// Read implements io.Reader.
func (r *sharedReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if r.share.octets += int64(n); r.share.octets > spool.InMemory && !r.share.take() {
		return 0, NewRefusal("space", 452, "4.3.1", localerr.Errorf("%s hands over too many large messages at once", r.share.peer), localerr.New("try again later"))
	}
	return n, err
}

// step is how much is taken at once, in octets.
const step = 1 << 20

// take makes the share large enough for what was read.
func (s *diskShare) take() bool {
	if s.octets <= s.taken {
		return true
	}
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	tag := s.peer.Tag()
	if s.all.by[tag]+step > s.most {
		return false
	}
	if s.all.by == nil {
		s.all.by = map[string]int64{}
	}
	for s.taken < s.octets {
		s.all.by[tag] += step
		s.taken += step
	}
	return true
}

// end gives the share back.
func (s *diskShare) end() {
	if s.taken == 0 {
		return
	}
	s.all.mu.Lock()
	defer s.all.mu.Unlock()
	tag := s.peer.Tag()
	if s.all.by[tag] -= s.taken; s.all.by[tag] <= 0 {
		delete(s.all.by, tag)
	}
}

package sandbox

import (
	"fmt"
	"slices"
)

// Quirk is a habit that a server has all the time, and that catches a client
// which takes too much for granted.
type Quirk string

const (
	// KeepsTransaction leaves the transaction open behind a BDAT LAST that was
	// refused: the next MAIL is one too many, a RCPT joins the old recipients,
	// and only RSET helps. RFC 3030 section 2 leaves it open.
	KeepsTransaction Quirk = "keeps-transaction"
	// LosesGroup offers PIPELINING and throws away what came together with the
	// command that it answers.
	LosesGroup Quirk = "loses-group"
	// LosesMail offers PIPELINING and loses a MAIL that came together with what
	// stands before it; the commands behind it are answered (MailKit issue 587).
	LosesMail Quirk = "loses-mail"
)

// Quirks lists them.
func Quirks() []Quirk { return []Quirk{KeepsTransaction, LosesGroup, LosesMail} }

func checkQuirks(quirks []Quirk) error {
	for _, q := range quirks {
		if !slices.Contains(Quirks(), q) {
			return fmt.Errorf("no quirk %q; there are %s", q, joinWords(Quirks()))
		}
	}
	return nil
}

func (s *session) has(q Quirk) bool { return slices.Contains(s.server.cfg.Quirks, q) }

// loseGroup drops what was read together with the command before.
func (s *session) loseGroup() error {
	n := s.wire.buffered()
	if n == 0 || s.name == "" || !s.has(LosesGroup) {
		return nil
	}
	s.remark(fmt.Sprintf("quirk %s: %d octets lost", LosesGroup, n))
	_, err := s.wire.in.Discard(n)
	return err
}

// endChunks ends the transaction behind BDAT LAST.
func (s *session) endChunks(accepted bool) {
	if accepted || !s.mail.open || !s.has(KeepsTransaction) {
		s.endTransaction()
		return
	}
	s.mail.data, s.mail.chunk = nil, 0
	s.mail.chunked, s.mail.spoiled, s.mail.tooLarge = false, false, false
}

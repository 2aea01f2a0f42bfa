package sandbox

import (
	"fmt"
	"io"
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
	// RefusesAfterDot refuses every command that came before the reply to the end
	// of DATA. Haraka does.
	RefusesAfterDot Quirk = "refuses-after-dot"
	// LosesAfterDot throws them away. Courier and chasquid do.
	LosesAfterDot Quirk = "loses-after-dot"
	// KeepsAfterDot adds them to the message. No server should; one in Perl does.
	KeepsAfterDot Quirk = "keeps-after-dot"
	// ReadsRefusedChunk refuses a BDAT that no recipient was accepted for without
	// reading its octets, and then reads them as commands. go-smtp does, up to 0.25.0.
	ReadsRefusedChunk Quirk = "reads-refused-chunk"
	// CountsResets hangs up, with 554, at the eleventh RSET that follows another
	// without an accepted message between them. Exim does.
	CountsResets Quirk = "counts-resets"
	// ReadsOnAfter421 says 421 and goes on reading and answering. Exim does.
	ReadsOnAfter421 Quirk = "reads-on-after-421"
	// DSNAfterLogin lists DSN only in a reply to EHLO that follows the login.
	// Dovecot's submission server does.
	DSNAfterLogin Quirk = "dsn-after-login"
	// RepliesApart sends each reply by itself and, as Nagle's algorithm has it, not
	// before the last one is confirmed. Haraka and Courier do.
	RepliesApart Quirk = "replies-apart"
	// HangsUpOnGroup offers neither PIPELINING nor CHUNKING and hangs up on a client that sends two
	// commands at once. OpenSMTPD does.
	HangsUpOnGroup Quirk = "hangs-up-on-group"
)

// Quirks lists them.
func Quirks() []Quirk {
	return []Quirk{KeepsTransaction, LosesGroup, LosesMail, RefusesAfterDot, LosesAfterDot, KeepsAfterDot,
		ReadsRefusedChunk, CountsResets, ReadsOnAfter421, DSNAfterLogin, RepliesApart, HangsUpOnGroup}
}

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

// afterDot deals with what came together with the end of DATA, before that is
// answered.
func (s *session) afterDot() error {
	n := s.wire.buffered()
	switch {
	case n == 0:
		return nil
	case s.has(RefusesAfterDot):
		s.early = n
		s.remark(fmt.Sprintf("quirk %s: %d octets", RefusesAfterDot, n))
	case s.has(LosesAfterDot):
		s.remark(fmt.Sprintf("quirk %s: %d octets", LosesAfterDot, n))
		_, err := s.wire.in.Discard(n)
		return err
	case s.has(KeepsAfterDot):
		s.remark(fmt.Sprintf("quirk %s: %d octets", KeepsAfterDot, n))
		more := make([]byte, n)
		if _, err := io.ReadFull(s.wire.in, more); err != nil {
			return err
		}
		s.mail.data = append(s.mail.data, more...)
	}
	return nil
}

// tooEarly reports whether a command came before the reply to the message that it
// followed, and counts it off.
func (s *session) tooEarly(octets int) bool {
	early := s.early > 0
	s.early = max(0, s.early-octets)
	return early
}

// maxResets is that of CountsResets.
const maxResets = 10

// oneReset counts a RSET, and reports one too many.
func (s *session) oneReset() bool {
	if s.cleared {
		s.resets++
	}
	s.cleared = true
	return s.has(CountsResets) && s.resets > maxResets
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

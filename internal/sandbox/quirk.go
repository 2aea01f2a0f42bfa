package sandbox

import (
	"fmt"
	"io"
	"slices"
)

// Quirk is a permanent behaviour of the server that breaks clients which rely
// on more than the RFCs promise.
type Quirk string

const (
	// KeepsTransaction leaves the transaction open after a refused BDAT LAST:
	// the next MAIL is refused as a second one, a RCPT joins the old
	// recipients, and only RSET ends it. RFC 3030 section 2 leaves this open.
	KeepsTransaction Quirk = "keeps-transaction"
	// LosesGroup offers PIPELINING and discards the input that arrived together
	// with the command that it answers.
	LosesGroup Quirk = "loses-group"
	// LosesMail offers PIPELINING and loses a MAIL that arrived together with
	// an earlier command; the commands after it are answered (MailKit issue
	// 587).
	LosesMail Quirk = "loses-mail"
	// RefusesAfterDot refuses every command that came before the reply to the
	// end of DATA, as Haraka does.
	RefusesAfterDot Quirk = "refuses-after-dot"
	// LosesAfterDot discards these commands, as Courier and chasquid do.
	LosesAfterDot Quirk = "loses-after-dot"
	// KeepsAfterDot adds them to the message. No server should; one in Perl
	// does.
	KeepsAfterDot Quirk = "keeps-after-dot"
	// ReadsRefusedChunk refuses a BDAT without accepted recipients before
	// reading its octets, and then reads them as commands. go-smtp does, up to
	// 0.25.0.
	ReadsRefusedChunk Quirk = "reads-refused-chunk"
	// CountsResets sends 554 and hangs up at the eleventh RSET in a row without
	// an accepted message between them, as Exim does.
	CountsResets Quirk = "counts-resets"
	// ReadsOnAfter421 sends 421 and goes on reading and answering, as Exim
	// does.
	ReadsOnAfter421 Quirk = "reads-on-after-421"
	// DSNAfterLogin lists DSN only in a reply to EHLO after the login, as
	// Dovecot's submission server does.
	DSNAfterLogin Quirk = "dsn-after-login"
	// RepliesApart sends each reply in its own segment and, with Nagle's
	// algorithm, only after the previous one is acknowledged, as Haraka and
	// Courier do.
	RepliesApart Quirk = "replies-apart"
	// HangsUpOnGroup offers neither PIPELINING nor CHUNKING and hangs up on a
	// client that sends two commands at once, as OpenSMTPD does.
	HangsUpOnGroup Quirk = "hangs-up-on-group"
)

// Quirks lists the quirks.
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

func (s *serverSession) has(q Quirk) bool { return slices.Contains(s.server.cfg.Quirks, q) }

// loseGroup drops the input that was read together with the previous command.
func (s *serverSession) loseGroup() error {
	n := s.wire.bufferedOctets()
	if n == 0 || s.name == "" || !s.has(LosesGroup) {
		return nil
	}
	s.remark(fmt.Sprintf("quirk %s: %d octets lost", LosesGroup, n))
	_, err := s.wire.in.Discard(n)
	return err
}

// afterDot handles input that came together with the end of DATA, before the
// reply to it.
func (s *serverSession) afterDot() error {
	n := s.wire.bufferedOctets()
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

// tooEarly reports whether a command came before the reply to the message it
// follows, and subtracts its octets from the count.
func (s *serverSession) tooEarly(octets int) bool {
	early := s.early > 0
	s.early = max(0, s.early-octets)
	return early
}

// maxResets is the limit of CountsResets.
const maxResets = 10

// oneReset counts a RSET and reports whether the limit is exceeded.
func (s *serverSession) oneReset() bool {
	if s.cleared {
		s.resets++
	}
	s.cleared = true
	return s.has(CountsResets) && s.resets > maxResets
}

// endChunks ends the transaction after BDAT LAST.
func (s *serverSession) endChunks(accepted bool) {
	if accepted || !s.mail.open || !s.has(KeepsTransaction) {
		s.endTransaction()
		return
	}
	s.mail.data, s.mail.chunk = nil, 0
	s.mail.chunked, s.mail.spoiled, s.mail.tooLarge = false, false, false
}

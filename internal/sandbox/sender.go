package sandbox

import (
	"fmt"
	"slices"
	"strings"
)

// SenderRule decides which senders a login may use, and at which stage others
// are refused.
type SenderRule string

// The rules. A sender is the login's own if it is the login or one of
// Config.SenderAliases.
const (
	AnySender      SenderRule = "any"
	SenderAtMail   SenderRule = "mail"   // refused at MAIL
	SenderAtRcpt   SenderRule = "rcpt"   // refused at each RCPT, as Postfix does
	SenderAtHeader SenderRule = "header" // refused at MAIL; the From header is refused after the message
	SenderAtBody   SenderRule = "body"   // refused after the message
)

// SenderRules lists them.
func SenderRules() []SenderRule {
	return []SenderRule{AnySender, SenderAtMail, SenderAtRcpt, SenderAtHeader, SenderAtBody}
}

func checkSenderRule(r SenderRule) error {
	if r != "" && !slices.Contains(SenderRules(), r) {
		return fmt.Errorf("no sender rule %q; there are %s", r, joinWords(SenderRules()))
	}
	return nil
}

// senderRule returns the rule for this connection. LMTP has no logins.
func (s *serverSession) senderRule() SenderRule {
	switch {
	case s.kind == lmtpPort:
		return AnySender
	case s.server.cfg.SenderRule != "":
		return s.server.cfg.SenderRule
	}
	return s.server.profile.sender
}

// ownsSender reports whether the login may use a sender.
func (s *serverSession) ownsSender(address string) bool {
	return s.login != "" && address != "" &&
		(strings.EqualFold(address, s.login) || slices.ContainsFunc(s.server.cfg.SenderAliases, func(alias string) bool {
			return strings.EqualFold(address, alias)
		}))
}

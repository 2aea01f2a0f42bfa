package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/replytable"
	"github.com/yanmail/yan/smtp"
)

// Replies at RCPT about the sender, the login or this machine are no refusal of the recipient. The
// test tries every known reply at RCPT.
func TestExitStatusAtRcpt(t *testing.T) {
	t.Parallel()
	recipients, others := 0, 0
	for _, r := range replytable.Load().Rows {
		if !slices.Contains(r.At, smtp.StageRcpt) || len(r.Codes) == 0 || len(r.Texts) == 0 {
			continue
		}
		o := smtp.Outcome{Status: smtp.Refused, Stage: smtp.StageRcpt, Reply: smtp.Reply{Code: r.Codes[0], Lines: []string{strings.ReplaceAll(r.Texts[0], "*", "x")}}}
		provider := ""
		if len(r.Providers) > 0 {
			provider = r.Providers[0]
		}
		f := diagnosis.Diagnose(diagnosis.FromOutcome(o, provider))
		code := verdict.ExitForOutcome(o, f)
		if f.Scope == diagnosis.ScopeRecipient {
			recipients++
		} else if others++; code == command.ExitNoUser {
			t.Errorf("%s: %s is about the %s: exit status %d", r.ID, f.Class, f.Scope, code)
		}
	}
	if recipients < 10 || others < 10 {
		t.Errorf("%d about recipients, %d about others", recipients, others)
	}
}

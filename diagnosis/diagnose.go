package diagnosis

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/replytable"
	"github.com/yanmail/yan/internal/text/excerpt"

	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
)

// Diagnose returns the finding of a failure. It never fails: an unknown failure is
// [ClassUnclassified]. The same fact always has the same finding.
func Diagnose(f Fact) Finding {
	d := diagnosis{Fact: f.fillIn(), k: facts()}
	d.text = normaliseText(d.Reply.Text())
	d.kind = errorKind(d.Err)
	if d.kind == kindOther && d.Stage == smtp.StageTLS {
		d.kind = kindTLS // most errors of a handshake have no type of their own
	}
	if p, ok := provider.ByID(f.Provider); ok {
		d.provider = p
	}
	return d.addHelp(d.ofToken(d.findRule()))
}

// diagnosis is one fact with the data to judge it.
type diagnosis struct {
	Fact
	k        *knowledge
	provider provider.Provider // zero if unknown
	text     string            // the reply's text, normalised
	kind     string            // of Err; "" without one
}

func (d *diagnosis) findRule() Finding {
	switch {
	case d.afterAccept():
		return d.wasAccepted()
	case d.replyLost():
		return d.newFinding(ClassUnknownOutcome, BasisStage)
	case d.Reply.Code >= 400:
		return d.fromReply()
	case d.kind != "":
		return d.fromError()
	default:
		return d.unclassified()
	}
}

// afterAccept reports a failure after the message was accepted, which changes nothing. A RSET
// that no message followed is different: its recipient was not tried.
func (d *diagnosis) afterAccept() bool {
	if d.Status != "" {
		return d.Status == smtp.Accepted
	}
	return d.Stage == smtp.StageReset || d.Stage == smtp.StageQuit ||
		d.Stage == smtp.StageBody && d.Reply.Positive()
}

// replyLost reports that the whole message was sent and no reply came. If a write failed, the end
// was never sent.
func (d *diagnosis) replyLost() bool {
	if d.Status != "" {
		return d.Status == smtp.Unknown
	}
	return d.Stage == smtp.StageBody && d.Reply.IsZero() &&
		slices.Contains([]string{kindClosed, kindTimeout, kindCanceled, kindMalformedReply}, d.kind)
}

func (d *diagnosis) wasAccepted() Finding {
	f := d.newFinding(ClassAfterAccept, BasisStage)
	for i := range d.k.Rows {
		r := &d.k.Rows[i]
		own := len(r.Providers) == 0 || d.ownership(r) > 0
		if Class(r.Class) == ClassAfterAccept && own && slices.Contains(r.At, d.Stage) &&
			(d.saysTextOf(r) > 0 || slices.Contains(r.Errors, d.kind)) {
			return d.fromRow(r, BasisStage, true)
		}
	}
	return f
}

func (d *diagnosis) fromReply() Finding {
	if d.Stage == smtp.StageReset {
		// QUIRK: eYou and QQ do not support RSET. Nothing was sent yet; a new connection needs
		// none.
		return d.newFinding(ClassConnectionLost, BasisStage)
	}
	f, found := d.byRow()
	if !found {
		f, found = d.byEnhanced()
	}
	if !found {
		f, found = d.byCode()
	}
	if !found {
		f = d.unclassified()
	}
	return d.waitFor(f)
}

func (d *diagnosis) fromError() Finding {
	stage := d.Stage
	if stage == smtp.StageReset {
		stage = smtp.StageMail // nothing was sent; see afterAccept
	}
	for _, own := range []bool{true, false} {
		for i := range d.k.Rows {
			r := &d.k.Rows[i]
			if own == (d.ownership(r) > 0) && (own || len(r.Providers) == 0) &&
				slices.Contains(r.Errors, d.kind) && slices.Contains(r.At, stage) {
				return d.fromRow(r, BasisError, true)
			}
		}
	}
	if rule, ok := d.errorRule(); ok {
		return d.byRule(rule)
	}
	return d.unclassified()
}

// errorRule returns the rule for the kind of error.
func (d *diagnosis) errorRule() (replytable.ErrorRule, bool) {
	i := slices.IndexFunc(d.k.Errors, func(r replytable.ErrorRule) bool { return r.Kind == d.kind })
	if i < 0 {
		return replytable.ErrorRule{}, false
	}
	return d.k.Errors[i], true
}

func (d *diagnosis) byRule(rule replytable.ErrorRule) Finding {
	f := d.newFinding(Class(rule.Class), BasisError)
	f.Hint = Text(rule.Hint)
	if rule.Scope != "" {
		f.Scope = Scope(rule.Scope)
	}
	if rule.Cause.EN != "" {
		f.Cause = Text(rule.Cause)
	}
	if rule.Advice.EN != "" {
		f.Advice = Text(rule.Advice)
	}
	return f
}

// byEnhanced uses the enhanced code: first the provider's own meaning of it.
func (d *diagnosis) byEnhanced() (Finding, bool) {
	e := d.Reply.Enhanced
	if e.IsZero() {
		return Finding{}, false
	}
	if r, ok := d.ownEnhanced(); ok {
		return d.fromRow(r, BasisProvider, false), true
	}
	code := fmt.Sprintf("%d.%d", e.Subject, e.Detail)
	for _, rule := range d.k.Enhanced {
		if rule.Code == code && coversStage(rule.At, d.Stage) && (rule.Only == 0 || rule.Only == e.Class) &&
			d.fitsAuth(Class(rule.Class)) {
			return d.likelyFinding(Class(rule.Class), Scope(rule.Scope), BasisEnhanced), true
		}
	}
	return Finding{}, false
}

// fitsAuth reports whether a class may follow from a 5xx at AUTH, which always is a fault of the
// login.
func (d *diagnosis) fitsAuth(c Class) bool {
	if d.Stage != smtp.StageAuth || !d.Reply.Permanent() {
		return true
	}
	return strings.HasPrefix(string(c), "AUTH_") || c == ClassAccountBlocked || c == ClassTLSRequired || c == ClassIPNotAllowed
}

func (d *diagnosis) byCode() (Finding, bool) {
	for _, rule := range d.k.Codes {
		if codeFits(rule.Code, d.Reply.Code) && coversStage(rule.At, d.Stage) {
			f := d.likelyFinding(Class(rule.Class), Scope(rule.Scope), BasisCode)
			f.Hint = d.guessedHint()
			return f, true
		}
	}
	return Finding{}, false
}

// guessedHint returns the hint that only the code, and the stage if it is known, was used.
func (d *diagnosis) guessedHint() Text {
	if d.Stage == "" {
		return d.quoteReply(
			"The server replied “%s”; the stage is unknown, so this is a guess based on the code.",
			"服务器原文“%s”；不知道出现在哪一步，只能按应答码推测。")
	}
	return d.quoteReply(
		"The server's wording (“%s”) is not specific; this is the usual meaning at this stage.",
		"服务器原文“%s”没有写明原因，这一步通常是上述原因。")
}

// codeFits compares a code with a pattern that may contain x for any digit.
func codeFits(pattern string, code int) bool {
	digits := fmt.Sprint(code)
	if len(digits) != len(pattern) {
		return false
	}
	for i := range digits {
		if pattern[i] != 'x' && pattern[i] != digits[i] {
			return false
		}
	}
	return true
}

func (d *diagnosis) unclassified() Finding {
	f := d.likelyFinding(ClassUnclassified, "", BasisNothing)
	switch {
	case !d.Reply.IsZero():
		f.Hint = d.quoteReply("The server replied “%s”.", "服务器原文：“%s”。")
	case d.Err != nil:
		words := shortenText(d.Err.Error())
		f.Advice = Text{EN: "The problem is on this machine, not at the server: fix it as the error says.",
			ZH: "问题出在本机，与服务器无关：请按错误信息处理。"}
		f.Hint = Text{EN: fmt.Sprintf("Local error: %s.", words), ZH: fmt.Sprintf("本机的错误是：%s。", words)}
	}
	return f
}

// quoteReply inserts the server's text into a sentence.
func (d *diagnosis) quoteReply(en, zh string) Text {
	words := shortenText(d.Reply.String())
	return Text{EN: fmt.Sprintf(en, words), ZH: fmt.Sprintf(zh, words)}
}

// shortenText shortens a text for a sentence; a server may send pages.
func shortenText(s string) string {
	return excerpt.Runes(strings.TrimRight(s, ". "), 200)
}

// newFinding returns a finding with the defaults of the class.
func (d *diagnosis) newFinding(c Class, basis Basis) Finding {
	info := d.k.class[c]
	f := Finding{Class: c, Scope: info.Scope, Retry: info.Retry, Cause: info.Cause, Advice: info.Advice, Basis: basis}
	if f.Scope == "" {
		f.Scope = scopeOf(d.Stage)
	}
	f.Permanence = d.permanenceFor(info, f.Retry)
	return f
}

// likelyFinding returns a finding whose retry follows from the reply code. A class that passes with
// time, such as a limit, also passes after a 5xx.
func (d *diagnosis) likelyFinding(c Class, scope Scope, basis Basis) Finding {
	f := d.newFinding(c, basis)
	if scope != "" {
		f.Scope = scope
	}
	switch kind := f.Retry.Kind; {
	case d.Reply.Transient() && (kind == RetryNever || kind == RetryAfterFix):
		f.Retry = Retry{Kind: RetryTransient}
	case d.Reply.Permanent() && (kind == RetryTransient || kind == RetryReconnect):
		f.Retry = Retry{Kind: RetryNever}
	}
	if d.Reply.IsZero() {
		return f
	}
	f.Permanence = d.permanenceFor(ClassInfo{}, f.Retry)
	return f
}

// permanenceFor follows from the retry.
func (d *diagnosis) permanenceFor(info ClassInfo, r Retry) Permanence {
	switch {
	case info.Permanence != "":
		return info.Permanence
	case r.Kind == RetryAccepted:
		return AcceptedAlready
	case r.Kind == RetryDelay, r.Kind == RetryTransient, r.Kind == RetryReconnect,
		r.Kind == RetrySplit && d.Reply.Transient():
		return Temporary
	default:
		return Permanent
	}
}

// scopeOf returns the default scope of a failure at a stage.
func scopeOf(stage smtp.Stage) Scope {
	switch stage {
	case smtp.StageAuth:
		return ScopeAccount
	case smtp.StageMail, smtp.StageData, smtp.StageBody:
		return ScopeMessage
	case smtp.StageRcpt:
		return ScopeRecipient
	default:
		return ScopeConnection
	}
}

// ofToken removes the provider's advice about passwords and app passwords if a token was refused.
func (d *diagnosis) ofToken(f Finding) Finding {
	if d.kind != kindTokenRefused || f.Class != ClassAuthBadCredentials && f.Class != ClassAuthNeedAppPassword {
		return f
	}
	return d.newFinding(ClassAuthTokenRefused, f.Basis)
}

// waitFor uses the pause named in the reply. It overrides a guess, and the length of a pause, but
// not a row that says that a retry is useless.
func (d *diagnosis) waitFor(f Finding) Finding {
	after, named := namedWait(d.Reply.Text())
	if !named || f.Permanence != Temporary && f.Basis != BasisCode && f.Basis != BasisNothing {
		return f
	}
	f.Retry, f.Permanence = Retry{Kind: RetryDelay, After: max(after, time.Second)}, Temporary
	return f
}

// coversStage reports whether a rule for these stages, or for all, covers a stage.
func coversStage(stages []smtp.Stage, stage smtp.Stage) bool {
	return len(stages) == 0 || slices.Contains(stages, stage)
}

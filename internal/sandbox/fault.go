package sandbox

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/yanmail/yan/smtp"
)

// Action is the kind of a fault.
type Action string

// The actions. "The answer" is the reply that the server would have sent at
// that stage.
const (
	// Reply answers with a given code and text; 421 closes the connection too.
	Reply Action = "reply"
	// Stall never answers; the connection stays open until the client closes it
	// or the server is closed.
	Stall Action = "stall"
	// Cut closes the connection instead of answering.
	Cut Action = "cut"
	// Abort closes it with a TCP reset.
	Abort Action = "rst"
	// Garbage sends bytes that are neither SMTP nor TLS instead of the answer.
	Garbage Action = "garbage"
	// Drip sends the answer with one write for each byte.
	Drip Action = "drip"
	// Endless sends a reply of continuation lines that never ends (10 MB).
	Endless Action = "endless"
	// Mixed sends a reply whose lines carry different codes.
	Mixed Action = "mixed"
	// GBK refuses in Chinese, encoded as QQ's older servers do.
	GBK Action = "gbk"
	// Frame puts QQ's 16 binary bytes before the answer.
	Frame Action = "frame"
	// Half sends half a line of the answer and closes the connection.
	Half Action = "half"
	// Inject adds plaintext replies after the 220 to STARTTLS, as an attacker
	// on the path would.
	Inject Action = "inject"
)

// Fault is one misbehaviour of the server. It is written as one word:
//
//	STAGE-ACTION            rcpt-cut   body-stall   ehlo-drip   quit-frame
//	STAGE-NNN[-x.y.z]       mail-451   rcpt-450-4.2.1
//	auth-REASON             auth-apppassword: in the provider's own words
//	...-OCTETS              data-cut-1000: after 1000 octets of the message
//	...*TIMES               ehlo-502*1: only the first time
//	...+text                body-554+DT~SPM_rejected: _ stands for a space, ~ for
//	                        the colon that no local part may contain
//
// STAGE is a word of [smtp.Stages]. A = may replace the first hyphen.
type Fault struct {
	Stage  smtp.Stage
	Action Action
	// Code, Enhanced and Text belong to Reply. An empty Text is replaced by a
	// general one.
	Code     int
	Enhanced smtp.EnhancedCode
	Text     string
	// Octets, only at stage data: act after this many octets of the message. 0
	// acts at the DATA command, before the 354.
	Octets int64
	// Times is the number of times to act; 0 means always, and once for a magic
	// word.
	Times int
}

// String returns the word that ParseFault reads.
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(string(f.Stage) + "-")
	if f.Action == Reply {
		b.WriteString(strconv.Itoa(f.Code))
		if !f.Enhanced.IsZero() {
			b.WriteString("-" + f.Enhanced.String())
		}
	} else {
		b.WriteString(string(f.Action))
	}
	if f.Octets > 0 {
		b.WriteString("-" + strconv.FormatInt(f.Octets, 10))
	}
	if f.Times > 0 {
		b.WriteString("*" + strconv.Itoa(f.Times))
	}
	if f.Text != "" {
		b.WriteString("+" + strings.NewReplacer(" ", "_", ":", "~").Replace(f.Text))
	}
	return b.String()
}

// ParseFault reads a fault, like "rcpt-450-4.2.1+Mailbox_busy" or, in a flag,
// "rcpt=450".
func ParseFault(word string) (Fault, error) {
	wrong := func(format string, args ...any) (Fault, error) {
		return Fault{}, fmt.Errorf("fault %q: %s", word, fmt.Sprintf(format, args...))
	}
	head, text, hasText := strings.Cut(word, "+")
	at := strings.IndexAny(head, "-=")
	if at < 0 {
		return wrong("want STAGE-ACTION, like rcpt-550 or body-cut")
	}
	f := Fault{Stage: smtp.Stage(strings.ToLower(head[:at]))}
	if !slices.Contains(smtp.Stages(), f.Stage) {
		return wrong("no stage %q; the stages are %s", head[:at], joinWords(smtp.Stages()))
	}
	head, times, repeated := strings.Cut(head[at+1:], "*")
	if repeated {
		n, err := strconv.Atoi(times)
		if err != nil || n < 1 || n > 1000 {
			return wrong("%q is no number of times from 1 to 1000", times)
		}
		f.Times = n
	}
	parts := strings.Split(head, "-")
	if err := f.parseAction(parts[0]); err != nil {
		return wrong("%v", err)
	}
	for _, part := range parts[1:] {
		if err := f.parseDetail(part); err != nil {
			return wrong("%v", err)
		}
	}
	if hasText {
		if f.Action != Reply {
			return wrong("only a reply has a text")
		}
		f.Text = strings.NewReplacer("_", " ", "~", ":").Replace(text)
		if i := strings.IndexFunc(f.Text, func(r rune) bool { return r < 0x20 || r == 0x7f }); i >= 0 {
			return wrong("the text holds a control character")
		}
	}
	if err := f.check(); err != nil {
		return wrong("%v", err)
	}
	return f, nil
}

func (f *Fault) parseAction(word string) error {
	word = strings.ToLower(word)
	if code, err := strconv.Atoi(word); err == nil {
		if code < 200 || code > 599 || len(word) != 3 {
			return fmt.Errorf("%s is no reply code from 200 to 599", word)
		}
		f.Action, f.Code = Reply, code
		return nil
	}
	f.Action = Action(word)
	if !slices.Contains(actionsOf(f.Stage), f.Action) || f.Action == Reply {
		return fmt.Errorf("stage %s has no action %q; it has %s", f.Stage, word, actionWords(f.Stage))
	}
	return nil
}

// parseDetail reads an enhanced code or a number of octets.
func (f *Fault) parseDetail(part string) error {
	if code, rest, ok := smtp.CutEnhancedCode(part); ok && rest == "" {
		if f.Action != Reply || !f.Enhanced.IsZero() {
			return fmt.Errorf("%s stands where no enhanced code belongs", part)
		}
		f.Enhanced = code
		return nil
	}
	n, err := strconv.ParseInt(part, 10, 64)
	if err != nil || n < 1 || f.Octets != 0 {
		return fmt.Errorf("%q is neither an enhanced code like 4.2.1 nor a number of octets", part)
	}
	f.Octets = n
	return nil
}

// check reports an error if the fault is impossible at its stage; the fault of
// a Config may not have been parsed.
func (f Fault) check() error {
	if !slices.Contains(actionsOf(f.Stage), f.Action) {
		return fmt.Errorf("stage %q has no action %q; it has %s", f.Stage, f.Action, actionWords(f.Stage))
	}
	if f.Action == Reply && (f.Code < 200 || f.Code > 599) {
		return fmt.Errorf("%d is no reply code from 200 to 599", f.Code)
	}
	if f.Octets == 0 {
		return nil
	}
	if f.Stage != smtp.StageData {
		return fmt.Errorf("a number of octets belongs to stage data, not %s", f.Stage)
	}
	if !slices.Contains(midwayActions(), f.Action) {
		return fmt.Errorf("in the middle of the message there is %s, not %s", joinWords(midwayActions()), f.Action)
	}
	return nil
}

// isRefusal reports whether the answer is a refusal, so that the requested action
// must not happen.
func (f *Fault) isRefusal() bool {
	return f != nil && (f.Action == GBK || f.Action.refusesLogin() || f.Action == Reply && f.Code >= 400)
}

// forcesSuccess reports whether the answer is positive regardless of the rules.
func (f *Fault) forcesSuccess() bool { return f != nil && f.Action == Reply && f.Code < 400 }

// actionHappens reports whether the requested action still happens: only the
// transport of the answer is disturbed, or the answer is positive.
func (f *Fault) actionHappens() bool {
	return f.Action == Drip || f.Action == Frame || f.Action == Reply && f.Code/100 == 2
}

// actionsOf lists the possible actions at a stage.
func actionsOf(stage smtp.Stage) []Action {
	switch stage {
	case smtp.StageConnect:
		return []Action{Stall, Cut, Abort}
	case smtp.StageTLS:
		return []Action{Stall, Cut, Abort, Garbage}
	}
	all := []Action{Reply, Stall, Cut, Abort, Garbage, Drip, Endless, Mixed, GBK, Frame, Half}
	switch stage {
	case smtp.StageStartTLS:
		all = append(all, Inject)
	case smtp.StageAuth:
		all = append(all, loginRefusals()...)
	}
	return all
}

// midwayActions lists the possible actions in the middle of a message.
func midwayActions() []Action { return []Action{Reply, Stall, Cut, Abort, Garbage} }

func actionWords(stage smtp.Stage) string {
	words := joinWords(actionsOf(stage))
	return strings.Replace(words, string(Reply), "a reply code", 1)
}

func joinWords[T ~string](words []T) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(w))
	}
	return b.String()
}

// Faults lists every action at every stage, a reply as a temporary, a permanent
// and a closing one, so that a test can run all of them.
func Faults() []Fault {
	var all []Fault
	add := func(f Fault) {
		if f.Action != Reply {
			all = append(all, f)
			return
		}
		for _, code := range []int{450, 550, 421} {
			f.Code = code
			all = append(all, f)
		}
	}
	for _, stage := range smtp.Stages() {
		for _, action := range actionsOf(stage) {
			add(Fault{Stage: stage, Action: action})
		}
		if stage == smtp.StageData {
			for _, action := range midwayActions() {
				add(Fault{Stage: stage, Action: action, Octets: 100})
			}
		}
	}
	return all
}

// magicFault reads the local part of an address or a login as a fault. found is
// false for an ordinary name. A name that only begins like a fault returns an
// error, because a mistyped fault must not pass as a mailbox.
func magicFault(local string) (f Fault, found bool, err error) {
	at := strings.IndexByte(local, '-')
	if at < 0 || !slices.Contains(smtp.Stages(), smtp.Stage(strings.ToLower(local[:at]))) {
		return Fault{}, false, nil
	}
	f, err = ParseFault(local)
	if err == nil && f.Times == 0 {
		f.Times = 1
	}
	return f, true, err
}

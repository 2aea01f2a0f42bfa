package diagnosis

import (
	"errors"

	"github.com/yanmail/yan/smtp"
)

// Kept returns the finding for an error of this side that was stored as its text and its class, as
// in the outbox. ok is false for an unknown class. If the text is that of an error of package
// smtpclient, the finding is that of the error.
func Kept(class Class, stage smtp.Stage, words string) (f Finding, ok bool) {
	k := facts()
	if _, ok := k.class[class]; !ok {
		return Finding{}, false
	}
	d := diagnosis{Fact: Fact{Stage: stage, Err: errors.New(words)}, k: k, kind: keptKind(words)}
	if rule, ok := d.errorRule(); ok && Class(rule.Class) == class {
		return d.byRule(rule), true
	}
	if class == ClassUnclassified {
		return d.unclassified(), true // its own advice is for replies
	}
	return d.newFinding(class, BasisError), true
}

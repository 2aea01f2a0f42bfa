package diagnosis

import "github.com/yanmail/yan/smtp"

// Kept is the finding for an error of this side that was kept as its words and its
// class, as the outbox does. ok is false for a class that is not known. What is said of
// the very error is given where the words are those of one of package smtpclient.
func Kept(class Class, stage smtp.Stage, words string) (f Finding, ok bool) {
	k := facts()
	if _, ok := k.class[class]; !ok {
		return Finding{}, false
	}
	d := diagnosis{Fact: Fact{Stage: stage}, k: k, kind: keptKind(words)}
	if rule, ok := d.rule(); ok && Class(rule.Class) == class {
		return d.byRule(rule), true
	}
	return d.finding(class, BasisError), true
}

package diagnosis_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
)

// A reply loses one feature after another: each basis decides if the earlier ones are missing,
// and only then.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	const words = "Access denied, bad outbound sender [x y]"
	for _, step := range []struct {
		name string
		fact diagnosis.Fact
		want string // class and basis
	}{
		{"the stage, before the provider's row", diagnosis.Fact{Stage: smtp.StageQuit, Provider: "office365", Reply: reply(550, "5.1.8", words)}, "AFTER_ACCEPT stage"},
		{"an unknown outcome, before the provider's row", diagnosis.Fact{Stage: smtp.StageBody, Status: smtp.Unknown, Provider: "office365", Reply: reply(550, "5.1.8", words)}, "UNKNOWN_OUTCOME stage"},
		{"the provider's row, before the code that says otherwise", diagnosis.Fact{Stage: smtp.StageBody, Provider: "office365", Reply: reply(550, "5.1.8", words)}, "ACCOUNT_BLOCKED provider"},
		{"the family's row", diagnosis.Fact{Stage: smtp.StageBody, Provider: "outlook", Reply: reply(550, "5.1.8", words)}, "ACCOUNT_BLOCKED provider"},
		{"the provider's use of a code, where the words are new", diagnosis.Fact{Stage: smtp.StageBody, Provider: "office365", Reply: reply(550, "5.1.8", "other words")}, "ACCOUNT_BLOCKED provider"},
		{"another's words, before the code", diagnosis.Fact{Stage: smtp.StageBody, Provider: "gmail", Reply: reply(550, "5.1.8", words)}, "ACCOUNT_BLOCKED text"},
		{"the same where nobody is known", diagnosis.Fact{Stage: smtp.StageBody, Reply: reply(550, "5.1.8", words)}, "ACCOUNT_BLOCKED text"},
		{"the enhanced code, before the reply code", diagnosis.Fact{Stage: smtp.StageBody, Reply: reply(550, "5.1.8", "other words")}, "SENDER_UNVERIFIED enhanced"},
		{"the same at a provider that uses it otherwise, but at another code", diagnosis.Fact{Stage: smtp.StageBody, Provider: "gmail", Reply: reply(550, "5.1.8", "other words")}, "SENDER_UNVERIFIED enhanced"},
		{"the reply code at its stage", diagnosis.Fact{Stage: smtp.StageBody, Reply: reply(550, "", "other words")}, "CONTENT_REJECTED code"},
		{"the same code at another stage", diagnosis.Fact{Stage: smtp.StageRcpt, Reply: reply(550, "", "other words")}, "RECIPIENT_INVALID code"},
		{"a code without a meaning of its own", diagnosis.Fact{Stage: smtp.StageData, Reply: reply(571, "", "other words")}, "UNCLASSIFIED nothing"},
		{"a reply, before the error beside it", diagnosis.Fact{Stage: smtp.StageMail, Reply: reply(550, "5.1.8", words), Err: fmt.Errorf("odd")}, "ACCOUNT_BLOCKED text"},
		{"an error where there is no reply", diagnosis.Fact{Stage: smtp.StageMail, Err: namedKind("proxy_login")}, "PROXY_LOGIN error"},
		{"the login, before a code that speaks of something else", diagnosis.Fact{Stage: smtp.StageAuth, Reply: reply(550, "5.1.1", "other words")}, "AUTH_BAD_CREDENTIALS code"},
	} {
		f := diagnosis.Diagnose(step.fact)
		if got := fmt.Sprint(f.Class, " ", f.Basis); got != step.want {
			t.Errorf("%s: got %s (row %q), want %s", step.name, got, f.Row, step.want)
		}
	}
}

// passing5xx lists the rows whose 5xx is temporary: to be retried after a pause, although RFC
// 5321 section 4.2.1 reserves 5xx for permanent failures.
func passing5xx() []string {
	return strings.Fields(`1b.1 1b.5 1b.7 1b.8 1b.9 1b.10 1b.11 1b.13
		3b.29 3b.32 3b.38 3b.47 3b.49 3b.50 3b.52 3b.53 3b.54 3c.8 4.5 4.17 5.4b 5.8a 5.9i
		6.8 6.9 6.11b 6.15 7.7 7.8 7.15 7.16 7.19 7.20 7.23 7.24 8.8 8.9 8.13 8.14 8.19 8.21 11.6 12.7`)
}

func TestPermanentCodesThatPass(t *testing.T) {
	t.Parallel()
	var found []string
	for _, r := range rows(t) {
		passes := r.Retry.Kind == diagnosis.RetryDelay || r.Retry.Kind == diagnosis.RetryTransient || r.Retry.Kind == diagnosis.RetryReconnect
		permanent := slices.DeleteFunc(slices.Clone(r.Codes), func(code int) bool { return code < 500 })
		if !passes || len(permanent) == 0 {
			continue
		}
		found = append(found, r.ID)
		for _, reply := range replies(r) {
			for _, id := range providersOf(r) {
				f := diagnosis.Diagnose(diagnosis.Fact{Stage: r.At[0], Reply: reply, Provider: id})
				if f.Permanence != diagnosis.Temporary {
					t.Errorf("row %s, %s: %s, %s", r.ID, reply, f.Permanence, f.Retry)
				}
			}
		}
	}
	if !slices.Equal(found, passing5xx()) {
		t.Errorf("got  %v\nwant %v", found, passing5xx())
	}
}

// columns returns the width on a terminal: a Chinese character takes two columns.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0x2e80 {
			n++
		}
	}
	return n
}

// A sentence is short: one line, with one next step and at most one more.
func TestSentencesAreShort(t *testing.T) {
	t.Parallel()
	for _, c := range diagnosis.Classes() {
		info, _ := diagnosis.Describe(c)
		for _, s := range []string{info.Cause.EN, info.Advice.EN, info.Cause.ZH, info.Advice.ZH} {
			if columns(s) > 105 {
				t.Errorf("%s: %d columns: %s", c, columns(s), s)
			}
			if strings.Count(s, ";")+strings.Count(s, "；") > 1 {
				t.Errorf("%s: too many things at once: %s", c, s)
			}
		}
	}
	for _, r := range rows(t) {
		for _, s := range []string{r.Hint.EN, r.Hint.ZH} {
			if columns(s) > 130 {
				t.Errorf("row %s: %d columns: %s", r.ID, columns(s), s)
			}
		}
	}
}

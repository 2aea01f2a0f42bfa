package diagnosis_test

import (
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
)

// FuzzDiagnose: for every reply there is a class in both languages, its words are known, and the
// same fact has the same finding.
func FuzzDiagnose(f *testing.F) {
	f.Add("auth", 535, "5.7.8", "Error: authentication failed", "icloud", "", 0)
	f.Add("body", 554, "", "DT:SPM 163 smtp10,x y", "yeah", "", 1)
	f.Add("quit", 0, "", "", "qq", "not SMTP", 2)
	f.Add("rcpt", 450, "4.2.1", "try again in 99 minutes 请在10分钟后重试", "", "", 3)
	f.Add("body", 451, "", "locked for 5-10 hours, retry in 00:04:59; Retry-After: 120 半小时后", "", "", 3)
	f.Add("", -1, "9.9.9", "\x00**", "nobody", "odd", 4)
	statuses := append([]smtp.Status{""}, smtp.Statuses()...)
	f.Fuzz(func(t *testing.T, stage string, code int, enhanced, text, provider, failure string, status int) {
		fact := diagnosis.Fact{Stage: smtp.Stage(stage), Reply: reply(code, enhanced, text), Provider: provider,
			Status: statuses[uint(status)%uint(len(statuses))]}
		switch failure {
		case "":
		case "EOF":
			fact.Err = io.EOF
		default:
			fact.Err = errors.New(failure)
		}
		got := diagnosis.Diagnose(fact)
		if !slices.Contains(diagnosis.Classes(), got.Class) || !slices.Contains(diagnosis.Scopes(), got.Scope) ||
			!slices.Contains(diagnosis.RetryKinds(), got.Retry.Kind) || got.Permanence == "" || got.Basis == "" {
			t.Errorf("%+v: %+v", fact, got)
		}
		for _, s := range []string{got.Cause.EN, got.Cause.ZH, got.Advice.EN, got.Advice.ZH} {
			if s == "" {
				t.Errorf("%+v: a sentence is missing: %+v", fact, got)
			}
		}
		if (got.Hint.EN == "") != (got.Hint.ZH == "") {
			t.Errorf("%+v: the hint has one language: %+v", fact, got.Hint)
		}
		if got.Retry.After < 0 || got.Retry.After > 7*24*time.Hour {
			t.Errorf("%+v: a pause of %s", fact, got.Retry.After)
		}
		if (got.Retry.Kind == diagnosis.RetryDelay) != (got.Retry.After > 0) {
			t.Errorf("%+v: retry %+v", fact, got.Retry)
		}
		if again := diagnosis.Diagnose(fact); again.Class != got.Class || again.Row != got.Row || again.Retry != got.Retry {
			t.Errorf("%+v: %+v, then %+v", fact, got, again)
		}
	})
}

package diagnosis_test

import (
	"flag"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/yanmail/yan/diagnosis"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Each class as a user sees it, in both languages: read the golden in review.
func TestClassesGolden(t *testing.T) {
	t.Parallel()
	classes := diagnosis.Classes()
	if len(classes) == 0 {
		t.Fatal("no classes")
	}
	var out strings.Builder
	for _, c := range classes {
		info, ok := diagnosis.Describe(c)
		if !ok {
			t.Errorf("%s is not described", c)
		}
		scope := string(info.Scope)
		if scope == "" {
			scope = "as the stage says"
		}
		fmt.Fprintf(&out, "%s\n  about: %s; retry: %s\n", c, scope, info.Retry)
		for _, line := range []string{info.Cause.EN, info.Advice.EN, info.Cause.ZH, info.Advice.ZH} {
			fmt.Fprintf(&out, "  %s\n", line)
		}
		out.WriteByte('\n')
	}
	compare(t, "testdata/classes.golden", out.String())
}

// Every class has four different sentences in the right script, with final punctuation.
func TestSentences(t *testing.T) {
	t.Parallel()
	han := regexp.MustCompile(`\p{Han}`)
	seen := map[string]diagnosis.Class{}
	check := func(what string, text diagnosis.Text) {
		t.Helper()
		if text.EN == "" || text.ZH == "" || han.MatchString(text.EN) || !han.MatchString(text.ZH) {
			t.Errorf("%s: a language is missing or mixed up: %+v", what, text)
		}
		for _, s := range []string{text.EN, text.ZH} {
			if strings.ContainsAny(s, "\n\t") || s != strings.TrimSpace(s) || strings.Contains(s, "  ") {
				t.Errorf("%s: not one clean line: %q", what, s)
			}
		}
	}
	for _, c := range diagnosis.Classes() {
		info, _ := diagnosis.Describe(c)
		check(string(c), info.Cause)
		check(string(c), info.Advice)
		for _, s := range []string{info.Cause.EN, info.Cause.ZH, info.Advice.EN, info.Advice.ZH} {
			if other, taken := seen[s]; taken {
				t.Errorf("%s and %s share %q", c, other, s)
			}
			seen[s] = c
			if !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "。") {
				t.Errorf("%s: no full stop: %q", c, s)
			}
		}
	}
	for _, r := range rows(t) {
		if r.Hint != (diagnosis.Text{}) {
			check(r.ID, r.Hint)
		}
	}
}

func TestDescribeUnknown(t *testing.T) {
	t.Parallel()
	if _, ok := diagnosis.Describe("NOBODY"); ok {
		t.Error("a class that does not exist is described")
	}
}

// Every class is the result of some row, code or error.
func TestEveryClassIsUsed(t *testing.T) {
	t.Parallel()
	used := map[diagnosis.Class]bool{diagnosis.ClassUnknownOutcome: true, diagnosis.ClassUnclassified: true}
	for _, r := range rows(t) {
		used[r.Class] = true
	}
	for _, e := range samples(t) {
		for _, err := range e {
			used[diagnosis.Diagnose(diagnosis.Fact{Stage: "mail", Err: err, Status: "not tried"}).Class] = true
		}
	}
	for _, c := range diagnosis.Classes() {
		if !used[c] {
			t.Errorf("nothing leads to %s", c)
		}
	}
}

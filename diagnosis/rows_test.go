package diagnosis_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
)

// rowCount is the number of rows in replies.yaml, where the variants of a row count once;
// entryCount counts the variants, too.
const (
	rowCount   = 286
	entryCount = 320
)

// rows returns diagnosis.Rows after a check of their number.
func rows(t *testing.T) []diagnosis.Row {
	t.Helper()
	all := diagnosis.Rows()
	numbers := map[string]bool{}
	for _, r := range all {
		numbers[strings.TrimRight(r.ID, "abcdefghijklmnopqrstuvwxyz")] = true
	}
	if len(all) != entryCount || len(numbers) != rowCount {
		t.Fatalf("%d rows in %d entries, want %d in %d", len(numbers), len(all), rowCount, entryCount)
	}
	return all
}

// replies returns every reply that a row lists: each text with each code and each enhanced code.
func replies(r diagnosis.Row) []smtp.Reply {
	var out []smtp.Reply
	for _, code := range r.Codes {
		enhanced := []smtp.EnhancedCode{}
		for _, e := range r.Enhanced {
			e, _, _ = strings.Cut(e, "-")
			e = strings.Replace(e, "x", fmt.Sprint(code/100), 1)
			parsed, _, ok := smtp.CutEnhancedCode(e)
			if ok && parsed.Class == code/100 {
				enhanced = append(enhanced, parsed)
			}
		}
		if len(enhanced) == 0 {
			enhanced = append(enhanced, smtp.EnhancedCode{})
		}
		for _, e := range enhanced {
			for _, text := range r.Texts {
				text = strings.ReplaceAll(text, "*", "mx17-192.0.2.9,Q8CowAB3")
				out = append(out, smtp.Reply{Code: code, Enhanced: e, Lines: []string{text}})
			}
		}
	}
	return out
}

// permanenceOf returns the permanence that follows from a row's retry.
func permanenceOf(r diagnosis.Row, code int) diagnosis.Permanence {
	switch r.Retry.Kind {
	case diagnosis.RetryAccepted:
		return diagnosis.AcceptedAlready
	case diagnosis.RetryNever, diagnosis.RetryAfterFix:
		return diagnosis.Permanent
	case diagnosis.RetrySplit:
		if code >= 500 {
			return diagnosis.Permanent
		}
	}
	return diagnosis.Temporary
}

// providersOf lists the providers of a row; "" if it applies to any.
func providersOf(r diagnosis.Row) []string {
	if len(r.Providers) == 0 {
		return []string{"", "mailjet"}
	}
	return r.Providers
}

func TestEveryRowWithItsProvider(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, r := range rows(t) {
		if len(r.Codes) == 0 {
			continue // failures without a reply: TestEveryRowOfErrors
		}
		for _, id := range providersOf(r) {
			for _, stage := range r.At {
				for _, reply := range replies(r) {
					tried++
					f := diagnosis.Diagnose(diagnosis.Fact{Stage: stage, Reply: reply, Provider: id})
					if f.Class != r.Class || f.Permanence != permanenceOf(r, reply.Code) || f.Retry != r.Retry && !namesPause(reply) {
						t.Errorf("row %s, %s at %s of %q:\n got %s %s %s (row %s, basis %s)\nwant %s %s %s", r.ID, reply, stage, id,
							f.Class, f.Permanence, f.Retry, f.Row, f.Basis, r.Class, permanenceOf(r, reply.Code), r.Retry)
					}
					if f.Hint != r.Hint && !sameMeaning(t, f.Row, r) {
						t.Errorf("row %s, %s at %s of %q: the hint is that of row %s", r.ID, reply, stage, id, f.Row)
					}
				}
			}
		}
	}
	if tried < 500 {
		t.Errorf("only %d replies tried", tried)
	}
}

func namesPause(r smtp.Reply) bool { return strings.Contains(r.Text(), "minute") }

// sameMeaning reports whether two rows share a text: then either may match.
func sameMeaning(t *testing.T, id string, r diagnosis.Row) bool {
	t.Helper()
	for _, other := range diagnosis.Rows() {
		if other.ID == id {
			return other.Class == r.Class && other.Retry == r.Retry && slices.ContainsFunc(other.Match, func(m string) bool {
				return slices.Contains(r.Match, m)
			})
		}
	}
	return false
}

// Rows whose words have another meaning if the provider is unknown.
func ambiguous() map[string]string {
	return map[string]string{
		"4.12": "UNCLASSIFIED",         // "Rcptto" with DirectMail's own 563: no known word
		"8.7":  "AUTH_BAD_CREDENTIALS", // "authentication failed" means app password only at iCloud
	}
}

func TestEveryRowWithProviderUnknown(t *testing.T) {
	t.Parallel()
	exceptions := ambiguous()
	met := map[string]bool{}
	for _, r := range rows(t) {
		for _, reply := range replies(r) {
			f := diagnosis.Diagnose(diagnosis.Fact{Stage: r.At[0], Reply: reply})
			if f.Class == r.Class {
				continue
			}
			if exceptions[r.ID] != string(f.Class) {
				t.Errorf("row %s, %s at %s: got %s (row %s, basis %s), want %s", r.ID, reply, r.At[0], f.Class, f.Row, f.Basis, r.Class)
			}
			met[r.ID] = true
		}
	}
	for id := range exceptions {
		if !met[id] {
			t.Errorf("row %s is no exception any more", id)
		}
	}
}

// Every row is well-formed.
func TestRows(t *testing.T) {
	t.Parallel()
	for _, r := range rows(t) {
		if len(r.Codes) > 0 && len(replies(r)) == 0 {
			t.Errorf("row %s builds no reply", r.ID)
		}
		if r.Source == "" && r.Status != "U" {
			t.Errorf("row %s has no source", r.ID)
		}
		for _, text := range r.Texts {
			found := false
			for _, m := range r.Match {
				found = found || contains(strings.ToLower(text), strings.Split(m, "*"))
			}
			if !found {
				t.Errorf("row %s: no pattern of %q finds %q", r.ID, r.Match, text)
			}
		}
		if (r.Retry.Kind == diagnosis.RetryDelay) != (r.Retry.After > 0) {
			t.Errorf("row %s: retry %s", r.ID, r.Retry)
		}
	}
}

func contains(text string, parts []string) bool {
	for _, p := range parts {
		_, rest, ok := strings.Cut(text, p)
		if !ok {
			return false
		}
		text = rest
	}
	return true
}

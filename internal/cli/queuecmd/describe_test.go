package queuecmd

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/queue"
)

// Every state has its own word in both languages, a mark, and a line in the help.
func TestEveryStateHasAWord(t *testing.T) {
	t.Parallel()
	for _, lang := range []i18n.Language{i18n.English, i18n.Chinese} {
		a, _, _ := testApp(lang)
		seen := map[string]bool{}
		for _, s := range queue.States() {
			word := a.stateWord(s)
			if word == "" || seen[word] || lang == i18n.Chinese && word == string(s) {
				t.Errorf("%s: %s is called %q", lang, s, word)
			}
			seen[word] = true
		}
		var listed []string
		for _, e := range a.stateList().Entries {
			listed = append(listed, e.Term)
		}
		if want := stateFlagWords()[1:]; !slices.Equal(listed, want) || len(want) < 8 {
			t.Errorf("the help lists %q, there are %q", listed, want)
		}
	}
}

// Every verb has an error message for every state that forbids it, with a hint about
// possible changes.
func TestEveryWrongStateIsExplained(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, lang := range []i18n.Language{i18n.English, i18n.Chinese} {
		a, _, _ := testApp(lang)
		for _, verb := range queue.Verbs() {
			for _, s := range queue.States() {
				if _, ok := verb.Target(s); ok {
					continue
				}
				tried++
				var told *command.Failure
				if err := (changer{a.chooser}).moveError(&queue.StateError{ID: 12, From: s, Verb: verb}); !errors.As(err, &told) || told.Code != command.ExitData ||
					!strings.Contains(told.Error(), "12") || !strings.Contains(told.Error(), a.stateWord(s)) {
					t.Errorf("%s of %s: %v", verb, s, err)
				}
			}
		}
	}
	if tried < 50 {
		t.Errorf("only %d", tried)
	}
}

// An outbox from another machine may hold unknown states; they must not control the terminal.
func TestAStrangeStateDoesNothingToATerminal(t *testing.T) {
	t.Parallel()
	a, _, _ := testApp(i18n.English)
	if word := a.stateWord(queue.State("odd" + clitest.Escapes)); !strings.Contains(word, "odd") || strings.ContainsFunc(word, unicode.IsControl) {
		t.Errorf("%q", word)
	}
}

package delivery

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/yanmail/yan/smtp"
)

// A very long reply is cut, and a usual one is kept whole.
func TestOfALongAnswerTheBeginningIsKept(t *testing.T) {
	t.Parallel()
	usual := []string{"no such user", "see https://example.org/550"}
	long := make([]string, 200)
	for i := range long {
		long[i] = strings.Repeat("不", 100)
	}
	for name, lines := range map[string][]string{
		"usual": usual, "none": nil, "long": long, "one": {strings.Repeat("不", 1300)}, "empty": make([]string, 256), "many": slices.Repeat([]string{""}, 10_000),
	} {
		before := slices.Clone(lines)
		o := smtp.Outcome{Status: smtp.Refused, Stage: smtp.StageRcpt, Reply: smtp.Reply{Code: 550, Lines: lines}, Err: errors.New(strings.Repeat("不", 5000))}
		got := classifyOutcome(o, "", 0, 0).answer
		text := strings.Join(got.Reply.Lines, "\n")
		if len(text) > mostAnswer+3 || len(got.Err) > mostAnswer+3 || !utf8.ValidString(text) || !utf8.ValidString(got.Err) {
			t.Errorf("%s: %d octets of the reply, %d of the error", name, len(text), len(got.Err))
		}
		if name == "usual" && !slices.Equal(got.Reply.Lines, usual) {
			t.Errorf("kept %q", got.Reply.Lines)
		}
		if !slices.Equal(lines, before) {
			t.Errorf("%s: the server's own lines were changed", name)
		}
	}
}

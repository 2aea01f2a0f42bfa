package verdict

import (
	"fmt"
	"io"
	"strings"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
)

// OptionalText returns nil for an empty text, which JSON then omits.
func OptionalText(t diagnosis.Text) *jsonout.Bilingual {
	if t.EN == "" && t.ZH == "" {
		return nil
	}
	j := jsonout.Bilingual(t)
	return &j
}

// PrintFinding prints a finding: cause, advice and place.
func (a *Reporter) PrintFinding(w io.Writer, width int, f diagnosis.Finding) {
	indent := "" // of the text after the last label
	say := func(label, text string) {
		if text == "" {
			return
		}
		if label != "" {
			indent = strings.Repeat(" ", console.Columns(label))
		}
		lines := []string{text}
		if width > 0 { // a terminal would break the line inside a word
			lines = console.Wrap(text, max(20, min(width, 100)-len(indent)))
		}
		for i, line := range lines {
			if i > 0 || label == "" {
				_, _ = fmt.Fprintf(w, "%s%s\n", indent, line)
				continue
			}
			_, _ = fmt.Fprintf(w, "%s%s\n", a.Paint(width, console.Bold, label), line)
		}
	}
	hint, advice := f.Hint, f.Advice
	if strings.HasPrefix(hint.ZH, "请") { // the hint is itself advice, and more specific
		hint, advice = diagnosis.Text{}, hint
	}
	say(a.T("Why: "), a.ChooseText(f.Cause.EN, f.Cause.ZH))
	say("", a.ChooseText(hint.EN, hint.ZH))
	say(a.T("What to do: "), a.ChooseText(advice.EN, advice.ZH))
	say(a.T("Where: "), a.ChooseText(f.Where.EN, f.Where.ZH))
	for _, url := range f.HelpURLs {
		say("", url)
	}
}

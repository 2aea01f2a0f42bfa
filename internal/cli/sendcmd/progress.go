package sendcmd

import (
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/sending"
)

// showsProgress reports whether somebody watches who wants to see it.
func (a *runner) showsProgress(s *sendFlags) bool {
	return a.StderrWidth > 0 && !s.quiet && !s.json && !s.transcript && s.QuitAfter == ""
}

// progress makes a bar when more than 1 MB travels and somebody watches.
func (a *runner) progress(s *sendFlags, j *sending.Message) *console.Bar {
	if !a.showsProgress(s) || j.Size <= console.ProgressFrom {
		return &console.Bar{}
	}
	return &console.Bar{A: a.Console, Start: a.Now()}
}

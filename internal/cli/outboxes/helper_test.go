package outboxes

import (
	"bytes"

	"github.com/yanmail/yan/internal/cli/clitest"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/testing/secrettest"
)

// testApp returns Outboxes without a terminal, with its standard output and standard error.
func testApp(lang i18n.Language) (*Outboxes, *bytes.Buffer, *bytes.Buffer) {
	c, out, errs := clitest.Console(lang)
	return New(command.New(c, nil), Services{WorkFactor: secrettest.WorkFactor}), out, errs
}

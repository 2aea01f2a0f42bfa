package sandboxcmd

import (
	"bytes"

	"github.com/yanmail/yan/internal/cli/clitest"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/outboxes"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/testing/secrettest"
)

// testApp returns the program without a terminal.
func testApp(lang i18n.Language) (*sandboxCommands, *bytes.Buffer, *bytes.Buffer) {
	c, out, errs := clitest.Console(lang)
	return &sandboxCommands{Outboxes: outboxes.New(command.New(c, nil), outboxes.Services{WorkFactor: secrettest.WorkFactor})}, out, errs
}

package cli

import (
	"bytes"

	"github.com/yanmail/yan/internal/cli/clitest"
	"github.com/yanmail/yan/internal/cli/outboxes"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/testing/secrettest"
)

// testEnv returns a machine without terminal, environment and input. The buffers get the output.
func testEnv(env map[string]string) (Env, *bytes.Buffer, *bytes.Buffer) {
	s, out, errs := clitest.System(env)
	return Env{System: s, WorkFactor: secrettest.WorkFactor}, out, errs
}

// testApp builds the commands without running one.
func testApp(lang i18n.Language) (*front, *bytes.Buffer, *bytes.Buffer) {
	c, out, errs := clitest.Console(lang)
	return &front{Outboxes: outboxes.New(command.New(c, nil), outboxes.Services{WorkFactor: secrettest.WorkFactor})}, out, errs
}

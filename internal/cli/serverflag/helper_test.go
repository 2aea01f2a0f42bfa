package serverflag

import (
	"bytes"
	"sync"

	"github.com/yanmail/yan/internal/cli/clitest"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/i18n"
)

// testApp returns Servers without a terminal.
func testApp(lang i18n.Language) (*Servers, *bytes.Buffer, *bytes.Buffer) {
	c, out, errs := clitest.Console(lang)
	return &Servers{Reporter: &verdict.Reporter{Context: command.New(c, nil)}, WarnedProxy: new(sync.Once)}, out, errs
}

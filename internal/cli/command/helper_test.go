package command

import (
	"bytes"

	"github.com/yanmail/yan/internal/cli/clitest"
	"github.com/yanmail/yan/internal/i18n"
)

// testApp returns the program without a terminal.
func testApp(lang i18n.Language) (*Context, *bytes.Buffer, *bytes.Buffer) {
	c, out, errs := clitest.Console(lang)
	return New(c, nil), out, errs
}

package verdict

import (
	"bytes"

	"github.com/yanmail/yan/internal/cli/clitest"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/i18n"
)

// testApp returns a Reporter without a terminal.
func testApp(lang i18n.Language) (*Reporter, *bytes.Buffer, *bytes.Buffer) {
	c, out, errs := clitest.Console(lang)
	return &Reporter{Context: command.New(c, nil)}, out, errs
}

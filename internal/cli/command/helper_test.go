package command

import (
	"bytes"

	"github.com/yanmail/yan/internal/cli/clitest"
	"github.com/yanmail/yan/internal/words"
)

// testApp returns the program without a terminal.
func testApp(lang words.Language) (*Context, *bytes.Buffer, *bytes.Buffer) {
	c, out, errs := clitest.Console(lang)
	return New(c, nil), out, errs
}

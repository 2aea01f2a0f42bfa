package verdict

import (
	"bytes"

	"github.com/yanmail/yan/internal/cli/clitest"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/words"
)

// testApp returns a Reporter without a terminal.
func testApp(lang words.Language) (*Reporter, *bytes.Buffer, *bytes.Buffer) {
	c, out, errs := clitest.Console(lang)
	return &Reporter{Context: command.New(c, nil)}, out, errs
}

// Package verdict says what became of a message: a line for each recipient, the
// diagnosis, JSON, the exit status, and the conversation with the server.
package verdict

import "github.com/yanmail/yan/internal/cli/command"

// Reporter prints what became of messages.
type Reporter struct {
	*command.Context
}

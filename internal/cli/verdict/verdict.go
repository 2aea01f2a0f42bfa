// Package verdict reports the result of a message: a line for each recipient, the finding, JSON,
// the exit status, and the transcript.
package verdict

import "github.com/yanmail/yan/internal/cli/command"

// Reporter prints the results of messages.
type Reporter struct {
	*command.Context
}

package delivery

import (
	"github.com/yanmail/yan/internal/text/excerpt"

	"github.com/yanmail/yan/smtp"
)

// mostAnswer limits how much of an answer is kept, in octets. A reply may have 64 KiB, and is
// kept with each recipient and each attempt: for a message to 100,000 recipients such replies
// would fill the disk.
const mostAnswer = 2000

// truncateReply returns a reply that is cut after mostAnswer octets.
func truncateReply(r smtp.Reply) smtp.Reply {
	left := mostAnswer
	for i, line := range r.Lines {
		if left -= len(line) + 1; left >= 0 { // a line without text takes room, too
			continue
		}
		// The lines are shared with other outcomes.
		lines := append([]string(nil), r.Lines[:i]...)
		r.Lines = append(lines, excerpt.Octets(line, left+len(line)+1))
		break
	}
	return r
}
